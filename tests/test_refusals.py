"""Bad answers: one clear sentence, nothing left on disk, and the same verdict from both engines."""

import json
import keyword
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from tests.combinations import NEUTRAL, QUESTIONS, ROOT
from tests.engines import Refused, settings, template, with_cookiecutter, with_copier
from tests.programs import SCRIPTS, environment

DECLARED = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
RESERVED: dict[str, list[str]] = DECLARED["_reserved"]
TREE = ROOT / "{{cookiecutter.project_slug}}"

UNFIT_TEXT = {
    "empty": "",
    "blank": "   ",
    "two lines": "one\ntwo",
    "tab": "one\ttwo",
    "escape": "\x1b[31mred",
    "line separator": "one\u2028two",
    "not UTF-8": "caf\udce9",
    "right to left override": "one\u202etwo",
    "percent braces": "{% raw",
    "hash braces": "{# note",
    "closing braces": "}}",
}
UNFIT_SLUGS = {
    "parent folders": "../../elsewhere/deep",
    "folder": "elsewhere/deep",
    "too long for a path": "a" * 300,
    "too long": "a" * 51,
    "empty": "",
    "dot": ".",
    "dots": "..",
    "home": "~",
    "expression": "{{ 7 * 7 }}",
    "backslash": "one\\two",
    "two lines": "one\ntwo",
    "upper case": "Recipe-api",
    "digit first": "1-recipe",
    "dash first": "-recipe",
    "dash last": "recipe-",
    "two dashes": "recipe--api",
    "underscore": "recipe_api",
    "space": "recipe api",
    "not ASCII": "rézept",
    "not UTF-8": "caf\udce9",
    **{kind: names[0] for kind, names in RESERVED.items()},
}
UNFIT_ADDRESSES = {
    "empty": "",
    "no at": "ada",
    "two ats": "ada@ada@example.com",
    "no host": "ada@",
    "no name": "@example.com",
    "no dot": "ada@localhost",
    "dot last": "ada@example.",
    "dot first": "ada@.example.com",
    "dots": "ada..b@example.com",
    "dot before at": "ada.@example.com",
    "space": "ada b@example.com",
    "not UTF-8": "caf\udce9@example.com",
    "percent braces": "ada@{%example.com",
    "too long": "a" * 250 + "@example.com",
}
FREE_TEXT = ("project_name", "project_description", "author_name", "author_email")
UNFIT = {
    "project_name": UNFIT_TEXT | {"too long": "a" * 101},
    "project_slug": UNFIT_SLUGS,
    "project_description": {"empty": "", "two lines": "one\ntwo", "too long": "a" * 501},
    "author_name": {"empty": "", "two lines": "one\ntwo", "too long": "a" * 101},
    "author_email": UNFIT_ADDRESSES,
}
unfit = pytest.mark.parametrize(
    ("question", "answer"),
    [
        pytest.param(question, answer, id=f"{question}: {kind}")
        for question, answers in UNFIT.items()
        for kind, answer in answers.items()
    ],
)


def run(program: str, *arguments: str, folder: Path, typed: str = "") -> tuple[int, list[str]]:
    """Run cookiecutter or copier as people do; return the exit code and the lines of stderr."""
    done = subprocess.run(
        [SCRIPTS / program, *arguments],
        cwd=folder,
        env=environment(COOKIECUTTER_CONFIG=str(settings())),
        input=typed,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


def cookiecutter(*arguments: str, folder: Path, typed: str = "") -> list[str]:
    """Run cookiecutter, see that it fails, and return the lines of stderr."""
    code, said = run("cookiecutter", str(template()), *arguments, folder=folder, typed=typed)
    assert code == 1
    return said


def sentence_of_copier(question: str, answer: str, folder: Path) -> str:
    """Have copier refuse an answer and return the sentence."""
    with pytest.raises(Refused) as refusal:
        with_copier({question: answer}, folder)
    _, named, sentence = str(refusal.value).partition(
        f"Validation error for question '{question}': "
    )
    assert named
    return sentence


def left(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """Make a folder to work in, with parents that a bad path could reach."""
    folder = tmp_path / "some" / "where"
    folder.mkdir(parents=True)
    return folder


@unfit
def test_both_engines_refuse_in_one_sentence(
    question: str, answer: str, deep: Path, tmp_path: Path
) -> None:
    said = cookiecutter("--no-input", f"{question}={answer}", folder=deep)
    sentence = sentence_of_copier(question, answer, deep)
    assert said == [f"{question}: {sentence}"]
    assert sentence.startswith("use ")
    assert left(tmp_path) == {"some", "some/where"}


def configure(folder: Path, **answers: object) -> str:
    """Write a configuration of cookiecutter with these answers, and return its path."""
    file = folder / "configuration.yml"
    shared = settings().read_text(encoding="utf-8")
    file.write_text(f"{shared}default_context: {json.dumps(answers)}\n", encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("answer", [0, 1, 2, 1.5, None])
def test_a_configuration_says_yes_or_no_by_nothing_else(
    answer: float | None, deep: Path, tmp_path: Path
) -> None:
    questions = [key for key, default in QUESTIONS.items() if isinstance(default, bool)]
    file = configure(tmp_path, **dict.fromkeys(questions, answer))
    said = cookiecutter("--no-input", "--config-file", file, folder=deep)
    sentence = "use true or false in the cookiecutter configuration file"
    assert said == [f"{question}: {sentence}" for question in sorted(questions)]
    assert not left(deep)


@pytest.mark.parametrize("answer", [None, True])
def test_a_configuration_without_a_text_is_refused(
    answer: bool | None, deep: Path, tmp_path: Path
) -> None:
    file = configure(tmp_path, **dict.fromkeys(UNFIT, answer))
    said = cookiecutter("--no-input", "--config-file", file, folder=deep)
    assert [line.partition(": use ")[0] for line in said] == list(UNFIT)
    assert not left(deep)


@pytest.mark.parametrize("formula", ["{{ 7 * 7 }}@example.com", "# {% raw %}a@b.org# {% endraw %}"])
@pytest.mark.parametrize("question", FREE_TEXT)
def test_a_formula_is_refused_though_cookiecutter_renders_it(
    question: str, formula: str, deep: Path, tmp_path: Path
) -> None:
    said = cookiecutter("--no-input", f"{question}={formula}", folder=deep)
    assert said == [f"{question}: use text without template marks, such as double braces"]
    assert sentence_of_copier(question, formula, deep).startswith("use ")
    assert left(tmp_path) == {"some", "some/where"}


def test_an_absolute_slug_is_refused(deep: Path, tmp_path: Path) -> None:
    slug = str(tmp_path / "else" / "where")
    said = cookiecutter("--no-input", f"project_slug={slug}", folder=deep)
    assert said == [f"project_slug: {sentence_of_copier('project_slug', slug, deep)}"]
    assert left(tmp_path) == {"some", "some/where"}


@pytest.mark.parametrize(
    "slug", ["../../elsewhere", "{{ 7 * 7 }}", "{{ nothing }}", "nul\0", "redis"]
)
def test_typed_answers_are_refused_too(slug: str, deep: Path, tmp_path: Path) -> None:
    said = cookiecutter(folder=deep, typed=f"Recipes\n{slug}\n" + "\n" * 20)
    assert len(said) == 1
    assert said[0].startswith("project_slug: use a name such as ")
    assert left(tmp_path) == {"some", "some/where"}


def test_a_typed_formula_is_refused(deep: Path, tmp_path: Path) -> None:
    said = cookiecutter(folder=deep, typed="{{ nothing }}\n" + "\n" * 20)
    assert [line.partition(":")[0] for line in said] == ["project_name"]
    assert left(tmp_path) == {"some", "some/where"}


def test_each_problem_has_its_line(deep: Path) -> None:
    said = cookiecutter(
        "--no-input", "author_email=ada", "project_name= ", "project_slug=", folder=deep
    )
    questions = [line.partition(":")[0] for line in said]
    assert questions == ["project_name", "project_slug", "author_email"]


@pytest.mark.parametrize(
    "options", [[], ["--overwrite-if-exists"], ["--skip-if-file-exists"]], ids=str
)
@pytest.mark.parametrize("answer", ["project_slug=json", "author_email=ada"])
def test_folders_that_exist_are_not_touched(answer: str, options: list[str], deep: Path) -> None:
    for name in ("recipe-api", "json"):
        (deep / name).mkdir()
        (deep / name / "pyproject.toml").write_text("mine", encoding="utf-8")
    before = left(deep)
    said = cookiecutter("--no-input", *options, answer, folder=deep)
    assert [line.partition(":")[0] for line in said] == [answer.partition("=")[0]]
    assert left(deep) == before
    assert {path.read_text(encoding="utf-8") for path in deep.rglob("*.toml")} == {"mine"}


@pytest.mark.parametrize("options", [[], ["--skip-if-file-exists"]], ids=str)
def test_what_the_answers_leave_out_is_not_deleted(options: list[str], deep: Path) -> None:
    for name in ("recipe-api/app/kit/auth/mine.py", "recipe-api/README.md"):
        (deep / name).parent.mkdir(parents=True, exist_ok=True)
        (deep / name).write_text("mine", encoding="utf-8")
    before = left(deep)
    said = cookiecutter("--no-input", "--overwrite-if-exists", *options, folder=deep)
    assert said == ["app/kit/auth: exists in recipe-api, but these answers omit it; move it first"]
    assert left(deep) == before


def test_a_replay_is_refused_again(deep: Path) -> None:
    said = cookiecutter("--no-input", "project_slug=../../elsewhere", folder=deep)
    assert cookiecutter("--replay", folder=deep) == said
    assert not left(deep)


def test_no_refusal_depends_on_a_neutral_question() -> None:
    """tests/combinations.py refuses without asking them."""
    assert not DECLARED["__errors"].keys() & set(NEUTRAL)
    rules = json.dumps(DECLARED["__errors"])
    assert not [question for question in NEUTRAL if f"cookiecutter.{question}" in rules]


@pytest.mark.parametrize(
    ("question", "answer"), [("database", "oracle"), ("package_manager", ""), ("async_db", "maybe")]
)
def test_what_is_no_choice_is_refused_by_the_engines(
    question: str, answer: str, deep: Path, tmp_path: Path
) -> None:
    """cookiecutter refuses it before it runs anything of ours; the sentence is its own."""
    said = cookiecutter("--no-input", f"{question}={answer}", folder=deep)
    assert said[-1].startswith(f"ValueError: {answer} provided for ")
    assert question in said[-1]
    with pytest.raises(Refused, match=question):
        with_copier({question: answer}, deep)
    assert left(tmp_path) == {"some", "some/where"}


def test_the_program_copier_refuses_without_traces(deep: Path) -> None:
    answer = "project_slug=../../elsewhere"
    code, said = run(
        "copier", "copy", "--defaults", "-d", answer, str(template()), "new", folder=deep
    )
    assert code == 1
    assert "'project_slug': use a name such as recipe-api" in said[-1]
    assert not left(deep)


def test_the_sentence_is_what_a_failed_bake_says(bake: Callable[..., Path]) -> None:
    with pytest.raises(RuntimeError, match=r"^author_email: use an e-mail address, such as"):
        bake(author_email="ada")


@pytest.mark.parametrize("slug", ["a", "a1", "recipe-api-2", "a" * 50, "class-service"])
def test_fit_slugs_are_taken(slug: str, tmp_path: Path) -> None:
    assert with_cookiecutter({"project_slug": slug}, tmp_path).name == slug


def test_reserved_names_are_slugs_and_of_one_kind() -> None:
    for names in RESERVED.values():
        assert names == sorted(set(names))
        assert all(re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", name) for name in names)
    assert not any(set(one) & set(other) for one, other in combinations(RESERVED.values(), 2))


def test_names_of_python_are_reserved() -> None:
    modules = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    names = {name.lower().replace("_", "-") for name in modules | set(keyword.kwlist)}
    assert not names - _reserved()


def test_names_of_what_is_installed_are_reserved() -> None:
    """uv and poetry cannot resolve a project that has the name of a dependency, however deep."""
    project = (TREE / "pyproject.toml").read_text(encoding="utf-8")
    names = set(re.findall(r'^    "([\w.-]+)(?:\[[\w,-]+\])?[<>=~!]', project, re.MULTILINE))
    lock = (ROOT / "templates/folded/poetry.lock").read_text(encoding="utf-8")
    names |= set(re.findall(r'^name = "(.+)"', lock, re.MULTILINE))
    assert "fastapi" in names
    assert not {re.sub(r"[-_.]+", "-", name).lower() for name in names} - _reserved()


def test_folders_of_the_service_are_reserved() -> None:
    folders = {path.name for path in TREE.iterdir() if path.is_dir()}
    assert not {name for name in folders if name[0] not in "._"} - _reserved()


def _reserved() -> set[str]:
    return set().union(*RESERVED.values())
