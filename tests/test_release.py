"""One stamp says which release this is; the tags, the changelog and the commands agree with it."""

import json
import re
from pathlib import Path

import pytest
from packaging.version import Version

from tests.combinations import ROOT
from tests.programs import run
from tests.releases import git, newest_release
from tests.trees import TEMPLATE

DECLARED = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
STAMP, ORIGIN = DECLARED["_release"], DECLARED["_origin"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
GUIDES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
UNRELEASED = "## [Unreleased]"
HEADING = re.compile(r"## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}")
# copier takes the newest release by itself; the others take the newest commit.
COMMAND = re.compile(
    r"\b(?P<program>cookiecutter|cruft create|copier copy)\b.* "
    r"(?P<origin>(?:(?:gh|gl|bb):|\w+@|\w+(?:\+\w+)?://)\S+?)`?(?:\s|$)"
)


def releases(changelog: str) -> list[str]:
    """Return the releases that a changelog tells of, in its order."""
    found = [HEADING.fullmatch(line) for line in changelog.splitlines()]
    return [f"v{heading[1]}" for heading in found if heading]


def tags(folder: Path) -> tuple[set[str], set[str]]:
    """Return the releases that HEAD is, and all that are published."""
    here = run("git", "tag", "--list", "v*", "--points-at=HEAD", cwd=folder)
    return set(here.split()), set(run("git", "tag", "--list", "v*", cwd=folder).split())


def stamp_faults(stamp: str, told: list[str], here: set[str], published: set[str]) -> list[str]:
    """Return what contradicts the stamp."""
    release = stamp.removesuffix(".dev")
    if not re.fullmatch(r"v\d+\.\d+\.\d+", release):
        return ["not a version"]
    newest = told[0] if told else "v0"
    is_told = newest == release if stamp == release else Version(newest) < Version(release)
    faults = {
        "not the tag of HEAD": here - {stamp},
        "published before": release in published - here,
        "not what the changelog says": not is_told,
    }
    return [fault for fault, is_found in faults.items() if is_found]


def command_faults(guide: str, newest: str | None) -> list[str]:
    """Return the lines that generate from elsewhere, or name a release other than the newest."""
    return [line for line in guide.splitlines() if _is_fault(line, newest)]


def _is_fault(line: str, newest: str | None) -> bool:
    pinned = re.findall(r" --checkout (\S+)", line)
    if [release for release in pinned if release != newest and release[0] != "<"]:
        return True
    if not (command := COMMAND.search(line)):
        return False
    takes_newest = command["program"] == "copier copy"
    return command["origin"] != ORIGIN or bool(newest and not pinned and not takes_newest)


def test_the_stamp_agrees_with_tags_and_changelog() -> None:
    assert not stamp_faults(STAMP, releases(CHANGELOG), *tags(ROOT))


@pytest.mark.parametrize(
    ("stamp", "told", "here", "published", "faults"),
    [
        ("v0.1.0.dev", [], set(), set(), []),
        ("v0.1.0", ["v0.1.0"], set(), set(), []),
        ("v0.1.0", ["v0.1.0"], {"v0.1.0"}, {"v0.1.0"}, []),
        ("v0.2.0.dev", ["v0.1.0"], set(), {"v0.1.0"}, []),
        ("v0.10.0.dev", ["v0.9.0", "v0.1.0"], set(), {"v0.9.0", "v0.1.0"}, []),
        ("0.1.0", [], set(), set(), ["not a version"]),
        ("v0.2.0.dev", ["v0.1.0"], {"v0.1.0"}, {"v0.1.0"}, ["not the tag of HEAD"]),
        ("v0.1.0", ["v0.1.0"], set(), {"v0.1.0"}, ["published before"]),
        ("v0.1.0", [], set(), set(), ["not what the changelog says"]),
        ("v0.1.0.dev", ["v0.1.0"], set(), set(), ["not what the changelog says"]),
    ],
)
def test_contradictions_are_found(
    stamp: str, told: list[str], here: set[str], published: set[str], faults: list[str]
) -> None:
    assert stamp_faults(stamp, told, here, published) == faults


def test_tags_are_read_from_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    for tag in ("v0.1.0", "v0.2.0"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", f"--message={tag}")
        git(tmp_path, "tag", tag)
    assert tags(tmp_path) == ({"v0.2.0"}, {"v0.1.0", "v0.2.0"})
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=Go on")
    assert tags(tmp_path) == (set(), {"v0.1.0", "v0.2.0"})


def test_a_released_initial_revision_stays_as_it_is() -> None:
    """Databases have run it; what changed would never reach them."""
    path = TEMPLATE.relative_to(ROOT) / "migrations/versions/0001_initial.py"
    now = (ROOT / path).read_text(encoding="utf-8")
    release = newest_release()
    assert not release or run("git", "show", f"{release}:{path.as_posix()}", cwd=ROOT) == now


def test_changelog_is_in_the_form_of_keep_a_changelog() -> None:
    """Its headings are those of releases, the newest first, after one for what is to come."""
    first, *others = [line for line in CHANGELOG.splitlines() if line.startswith("## ")]
    assert first == UNRELEASED
    assert not [line for line in others if not HEADING.fullmatch(line)]
    assert releases(CHANGELOG) == sorted(releases(CHANGELOG), key=Version, reverse=True)
    kinds = set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_commands_take_the_newest_release_from_its_home() -> None:
    newest = next(iter(releases(CHANGELOG)), None)
    texts = [guide.read_text(encoding="utf-8") for guide in GUIDES]
    assert sum(len(COMMAND.findall(text)) for text in texts) >= 2
    assert not [line for text in texts for line in command_faults(text, newest)]


@pytest.mark.parametrize(
    ("line", "newest", "is_right"),
    [
        (f"uvx cookiecutter {ORIGIN}", None, True),
        (f"uvx cookiecutter {ORIGIN} --checkout <release>", None, True),
        (f"uvx cookiecutter {ORIGIN} --checkout v0.1.0", None, False),
        (f"uvx cookiecutter {ORIGIN} --checkout v0.2.0", "v0.2.0", True),
        (f"uvx cookiecutter {ORIGIN} --checkout v0.1.0", "v0.2.0", False),
        (f"uvx cookiecutter {ORIGIN}", "v0.2.0", False),
        ("uvx cookiecutter . --checkout v0.1.0", "v0.2.0", False),
        (f"uvx copier copy {ORIGIN} my-service", "v0.2.0", True),
        ("uvx copier copy gh:other/place my-service", None, False),
    ],
)
def test_commands_that_lead_elsewhere_are_found(
    line: str, newest: str | None, is_right: bool
) -> None:
    faults = command_faults(f"First:\n\n    {line}\n", newest)
    assert bool(faults) is not is_right
