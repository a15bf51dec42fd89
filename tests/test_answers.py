"""Good answers arrive as they were typed, whatever they contain, with both engines."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines import (
    Answers,
    copy_template,
    settings,
    snapshot,
    template,
    with_cookiecutter,
    with_copier,
)
from tests.parsing import parse
from tests.programs import SCRIPTS, environment, run
from tests.trees import read

TEXTS = {
    "quotes": """'single' "double" '''three''' \"""three\""" and a last \"""",
    "backslashes": r"\ C:\new\table \u0041 \x41 \" \' \\ \n ends with \ ".strip(),
    "apostrophe": "O'Neil's",
    "emoji": "🍲 and a cook of several characters: 👩‍🍳",
    "accents": "Zoë Ünïcode, Łukasz, 名前, می‌خواهم",
    "shell": "#{} ${HOME} $HOME %s %(x)s $(date) `date` ; date | cat > x && ! ~",
    "html": "<b>&amp;</b><script>alert(1)</script>",
    "markup": "[x] [bold]z[/bold] [a](b) *c* _d_ <!-- e -->",
    "comment": "# not a comment",
    "sequence": "- a: b, {c: [d]} ? ! & * @ | > % ` , :",
    "single braces": "{ { a } } { % b % } {c} {0} $",
    "yes": "yes",
    "null": "null",
    "number": "1e3",
    "date": "2026-11-20",
    "spaces": "  around  and   between  ",
    "long": "é" * 100,
}
ADDRESSES = [
    "o'neil+tag@example.com",
    r'"quoted\"name"<b>&#{}${y}%s`date`@example.com',
    "zoë🍲@exämple.org",
    "a@b.c",
]
BARE_POETRY = {
    "package_manager": "poetry",
    "database": "postgresql",
    "async_db": False,
    "fan_out": False,
    "timing_middleware": False,
}
with_both = pytest.mark.parametrize("generate", [with_cookiecutter, with_copier])
Engine = Callable[[Answers, Path], Path]


def see_that_files_parse(project: Path) -> None:
    """Read each file as the programs do that it is for."""
    for path, text in read(project).items():
        parse(path, text)
        if path.endswith(".sh"):
            subprocess.run(["bash", "-n", project / path], check=True)


def see_that_texts_arrived(project: Path, text: str) -> None:
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = tomllib.loads((project / "app/about.toml").read_text(encoding="utf-8"))
    assert about["description"] == text
    assert metadata["authors"][0]["name"] == about["title"] == text


@with_both
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_free_text_arrives_as_typed(text: str, generate: Engine, tmp_path: Path) -> None:
    answers = dict.fromkeys(("project_name", "project_description", "author_name"), text)
    project = generate(answers | {"project_slug": "recipe-api"}, tmp_path)
    see_that_texts_arrived(project, text)
    see_that_files_parse(project)


@with_both
def test_free_text_arrives_beside_other_answers(generate: Engine, tmp_path: Path) -> None:
    text = " ".join(TEXTS[kind] for kind in ("quotes", "backslashes", "emoji"))[:100]
    answers = dict.fromkeys(("project_name", "project_description", "author_name"), text)
    project = generate(answers | BARE_POETRY, tmp_path)
    see_that_texts_arrived(project, text)
    see_that_files_parse(project)


@with_both
@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_arrive_as_typed(address: str, generate: Engine, tmp_path: Path) -> None:
    project = generate({"author_email": address}, tmp_path)
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["authors"][0]["email"] == address
    see_that_files_parse(project)


@with_both
@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Recipe API", "recipe-api"),
        ("""Bob's "quick" API 🍲""", "bobs-quick-api"),
        ("--Web_shop -- 2--", "web-shop-2"),
        ("Café", "caf"),
        ("2026 Recipes", "recipes"),
        ("🍲", "my-service"),
        ("x" * 49 + " yz", "x" * 49),
    ],
)
def test_the_slug_comes_from_the_name(
    name: str, slug: str, generate: Engine, tmp_path: Path
) -> None:
    project = generate({"project_name": name}, tmp_path)
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["name"] == slug


def test_pressing_enter_gives_the_defaults(tmp_path: Path) -> None:
    subprocess.run(
        [SCRIPTS / "cookiecutter", template(), "--output-dir", tmp_path / "typed"],
        env=environment(COOKIECUTTER_CONFIG=str(settings())),
        input=b"\n" * 30,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    default = with_cookiecutter({}, tmp_path)
    assert snapshot(tmp_path / "typed" / default.name) == snapshot(default)


@pytest.mark.parametrize("manager", ["uv", "poetry"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_next_commands_are_said(manager: str, database: str, tmp_path: Path) -> None:
    command = ["cookiecutter", template(), "--no-input"]
    answers = [f"package_manager={manager}", f"database={database}"]
    said = run(*command, *answers, cwd=tmp_path, COOKIECUTTER_CONFIG=str(settings())).split("\n")
    install = {"uv": "uv sync", "poetry": "poetry install"}[manager]
    commands = [line.strip().partition("  #")[0] for line in said if line.startswith("    ")]
    assert commands == [
        "cd recipe-api",
        install,
        *(["make db"] if database == "postgresql" else []),
        f"{manager} run ./prestart.sh",
        f"{manager} run ./run.sh",
        "# then open http://localhost:8001 and http://localhost:8001/docs",
    ]


def test_a_template_from_an_archive_makes_the_same(tmp_path: Path) -> None:
    source = tmp_path / "archived" / "template"
    source.mkdir(parents=True)
    copy_template(source)
    archive = shutil.make_archive(
        str(tmp_path / "template"), "zip", tmp_path / "archived", "template"
    )
    made = with_cookiecutter({}, tmp_path, Path(archive))
    assert snapshot(made) == snapshot(with_cookiecutter({}, tmp_path / "same"))


FULL = [
    "database=postgresql",
    "async_db=no",
    "auth=yes",
    "rate_limit=yes",
    "job_queue=procrastinate",
]


@pytest.mark.parametrize("answers", [[], ["fan_out=no", "package_manager=poetry"], FULL], ids=str)
def test_first_command_tells_that_the_hooks_did_not_run(answers: list[str], tmp_path: Path) -> None:
    """Files of other answers are still there then, which would break it later in many ways."""
    options = ("--no-input", "--accept-hooks", "no", "--config-file", str(settings()))
    run("cookiecutter", template(), *options, *answers, cwd=tmp_path)
    for command in (
        ["make"],
        ["make", "setup"],
        ["make", "run"],
        ["./prestart.sh"],
        ["./run.sh"],
        [sys.executable, "-m", "app.setup"],
        [sys.executable, "-c", "import app.main"],
    ):
        done = subprocess.run(
            command,
            cwd=tmp_path / "recipe-api",
            env=environment(PATH=os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode
        (sentence,) = done.stderr.strip().splitlines()
        assert "unfinished, because cookiecutter did not run the hooks" in sentence
        assert "Generate it again" in sentence


def test_nobody_listening_costs_nothing(tmp_path: Path) -> None:
    """A hook that fails at its last word would make cookiecutter delete the service."""
    with subprocess.Popen(
        [SCRIPTS / "cookiecutter", "--no-input", template()],
        cwd=tmp_path,
        env=environment(COOKIECUTTER_CONFIG=str(settings())),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == 0
    assert (tmp_path / "recipe-api" / "pyproject.toml").is_file()
