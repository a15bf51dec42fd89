"""copier.yml is made from cookiecutter.json, and gives the same services."""

import json
import os
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.combinations import QUESTIONS, ROOT, Combination
from tests.engines import (
    Answers,
    Refused,
    copy_template,
    snapshot,
    template,
    with_cookiecutter,
    with_copier,
)
from tests.programs import SCRIPTS, environment, run
from tests.trees import tree

DECLARED = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
COPIER = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))


def sync(folder: Path, *options: str) -> str:
    """Run the tool of a copy of the template; fail the test where it fails."""
    shutil.copytree(ROOT / "tools", folder / "tools", dirs_exist_ok=True)
    return run(sys.executable, "tools/sync_copier.py", *options, cwd=folder)


def declare(folder: Path, **content: object) -> None:
    """Write a small template with what cookiecutter.json shall say."""
    tree = folder / "{{cookiecutter.project_slug}}"
    tree.mkdir()
    (tree / "answers.txt").write_text("{{ cookiecutter.queue }} {{ cookiecutter.big }}\n")
    settings = {"_jinja2_env_vars": DECLARED["_jinja2_env_vars"]}
    (folder / "cookiecutter.json").write_text(json.dumps(content | settings), encoding="utf-8")


def test_both_engines_make_the_same(rendered_twice: Combination, tmp_path: Path) -> None:
    made = snapshot(with_copier(dict(rendered_twice.answers), tmp_path))
    assert made == snapshot(tree(rendered_twice))


@pytest.mark.parametrize("generate", [with_cookiecutter, with_copier])
def test_what_is_left_out_is_not_rendered(
    generate: Callable[[Answers, Path, Path], Path], tmp_path: Path
) -> None:
    source = tmp_path / "template"
    source.mkdir()
    tree = copy_template(source) / "{{cookiecutter.project_slug}}"
    lock = source / "templates/folded/poetry.lock"
    for file in (lock, tree / "app/worker.py", tree / "app/clients/ideas.py"):
        file.write_text("{{ nothing.is_called_so }}\n", encoding="utf-8")
    made = generate({"fan_out": False}, tmp_path, source)
    assert snapshot(made) == snapshot(with_cookiecutter({"fan_out": False}, tmp_path / "unspoilt"))


def test_copier_yml_is_in_step() -> None:
    run(sys.executable, "tools/sync_copier.py", "--check", cwd=ROOT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"async_db": true,', '"async_db": true,\n  "brand_new": true,'),
        ('"database": ["sqlite", "postgresql"]', '"database": ["postgresql", "sqlite"]'),
        ('"Author"', '"Who wrote it?"'),
        ('"uv": "uv"', '"uv": "uv, the fast one"'),
        ("<= 500", "<= 400"),
        ('"__Async": "{{ \'Async\'', '"__Async": "{{ \'Sync\''),
        ('"app/clients",', ""),
        ('"app", "build"', '"app", "atelier", "build"'),
    ],
    ids=["question", "default", "sentence", "label", "rule", "derived", "omitted", "constant"],
)
def test_a_change_that_was_not_carried_over_turns_red(old: str, new: str, tmp_path: Path) -> None:
    folder = copy_template(tmp_path)
    sync(folder)
    sync(folder, "--check")
    declaration = folder / "cookiecutter.json"
    text = declaration.read_text(encoding="utf-8").replace(old, new, 1)
    if "brand_new" in new:
        text = text.replace('"async_db": "', '"brand_new": "Add it?",\n    "async_db": "', 1)
    assert text != declaration.read_text(encoding="utf-8")
    declaration.write_text(text, encoding="utf-8")
    with pytest.raises(pytest.fail.Exception, match=r"run: python tools/sync_copier\.py"):
        sync(folder, "--check")
    sync(folder)
    sync(folder, "--check")


def test_it_asks_the_same_questions() -> None:
    asked = {name: question for name, question in COPIER.items() if name in QUESTIONS}
    assert list(asked) == list(QUESTIONS)
    for name, default in QUESTIONS.items():
        prompt = DECLARED["__prompts__"][name]
        if isinstance(default, list):
            assert asked[name]["help"] == prompt["__prompt__"]
            # A choice that does not go with other answers says so itself.
            choices = {
                label: choice["value"] if isinstance(choice, dict) else choice
                for label, choice in asked[name]["choices"].items()
            }
            assert choices == {prompt[choice]: choice for choice in default}
            if name in DECLARED["__errors"]:  # at an update it begins with the last answer
                assert f"else '{default[0]}'" in asked[name]["default"]
            else:
                assert asked[name]["default"] == default[0]
        else:
            assert asked[name]["help"] == prompt
            assert "{{" in str(default) or asked[name]["default"] == default


def test_prompts_survive_the_markup_of_cookiecutter() -> None:
    assert "[" not in json.dumps(DECLARED["__prompts__"])


def test_nothing_asks_for_trust() -> None:
    assert not {"_jinja_extensions", "_tasks", "_migrations"} & set(COPIER)
    # What lies in the service itself needs none.
    assert COPIER["_external_data"] == {"last": "{{ _copier_conf.answers_file }}"}


def test_only_answers_are_stored() -> None:
    """Hidden questions would otherwise freeze what is to be computed anew by each release."""
    hidden = {name for name, question in COPIER.items() if name[0] != "_" and name not in QUESTIONS}
    assert hidden == {"constants", "cookiecutter"}
    assert all(COPIER[name]["when"] is False for name in hidden)


def test_locks_of_the_user_are_kept() -> None:
    assert COPIER["_skip_if_exists"] == ["uv.lock", "poetry.lock"]


def test_copier_says_the_next_commands(tmp_path: Path) -> None:
    said = run("copier", "copy", "--defaults", template(), "new", cwd=tmp_path)
    commands = [line.strip() for line in said.split("Next:")[1].splitlines() if line]
    made = with_cookiecutter({}, tmp_path)
    assert commands[:2] == ["cd new", "uv sync"]
    assert "uv run ./run.sh" in commands
    assert made.is_dir()


def test_copier_says_a_folder_as_shells_read_it(tmp_path: Path) -> None:
    said = run("copier", "copy", "--defaults", template(), "it's a & b", cwd=tmp_path)
    command = next(line for line in said.splitlines() if line.startswith("    cd "))
    assert shlex.split(command) == ["cd", "it's a & b"]


def test_a_pair_is_refused_wherever_one_answers(tmp_path: Path) -> None:
    """copier shows lists of choices and yes or no without asking a validator of the question."""
    refusal = "'use postgresql for it' if cookiecutter.database == 'sqlite' and cookiecutter."
    declare(
        tmp_path,
        project_slug="small",
        database=["sqlite", "postgresql"],
        queue=["none", "procrastinate"],
        big=False,
        __prompts__={
            "project_slug": "Name?",
            "database": {"__prompt__": "Database?", "sqlite": "SQLite", "postgresql": "PostgreSQL"},
            "queue": {"__prompt__": "Queue?", "none": "None", "procrastinate": "Procrastinate"},
            "big": "Is it big?",
        },
        __errors={
            "queue": f"{{{{ {refusal}queue == 'procrastinate' else '' }}}}",
            "big": f"{{{{ {refusal}big else '' }}}}",
        },
        __next_steps=[],
        __omit="",
    )
    sync(tmp_path)
    for answers in ({"queue": "procrastinate"}, {"big": True}, {"big": "yes"}):
        with pytest.raises(Refused, match="use postgresql for it"):
            with_copier(answers, tmp_path / "refused", tmp_path)
        made = with_copier({"database": "postgresql", **answers}, tmp_path / str(answers), tmp_path)
        same = with_cookiecutter(
            {"database": "postgresql", **answers}, tmp_path / str(answers), tmp_path
        )
        assert snapshot(made) == snapshot(same)
    written = yaml.safe_load((tmp_path / "copier.yml").read_text(encoding="utf-8"))
    for name in ("queue", "big"):
        assert all("validator" in choice for choice in written[name]["choices"].values())


def test_a_rule_may_not_read_what_is_asked_later(tmp_path: Path) -> None:
    declare(
        tmp_path,
        project_slug="small",
        queue="none",
        big=True,
        __prompts__={"project_slug": "Name?", "queue": "Queue?", "big": "Is it big?"},
        __errors={"queue": "{{ 'use a small one' if cookiecutter.big else '' }}"},
    )
    with pytest.raises(pytest.fail.Exception, match="queue: its prompt comes before big is known"):
        sync(tmp_path)


class Terminal:
    """A program at a terminal, as a person at the keyboard sees it."""

    def __init__(self, *command: str | Path, cwd: Path) -> None:
        pty = pytest.importorskip("pty")
        self.keyboard, screen = pty.openpty()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(TERM="xterm", COLUMNS="200"),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
        os.close(screen)
        self.seen = b""

    def wait_for(self, text: str) -> None:
        """Read until a text shows; what came before it counts no more."""
        end = time.monotonic() + 30
        while text.encode() not in self.seen:
            assert time.monotonic() < end, self.seen.decode(errors="replace")
            if select.select([self.keyboard], [], [], 0.2)[0]:
                self.seen += os.read(self.keyboard, 65536)
        self.seen = self.seen.partition(text.encode())[2]

    def type(self, text: str) -> None:
        """Replace what the prompt offers, and press enter."""
        os.write(self.keyboard, b"\x15" + text.encode() + b"\r")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)


def test_a_refused_answer_is_asked_again(tmp_path: Path) -> None:
    """A name that gives an unfit slug leads to an empty prompt, not to the end of the program."""
    terminal = Terminal(SCRIPTS / "copier", "copy", template(), "new", cwd=tmp_path)
    try:
        terminal.wait_for("Recipe API")
        terminal.type("Docs")
        terminal.wait_for("lower-case letters, digits, dashes")
        terminal.type("docs")
        terminal.wait_for("use a name such as docs-service")
        terminal.type("team-docs")
        terminal.wait_for("Description (one sentence)")
    finally:
        terminal.close()
    assert not list(tmp_path.iterdir())
