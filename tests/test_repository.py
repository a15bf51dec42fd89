"""What the repository itself must not hold, and the shape that both engines need."""

import re
import subprocess
from pathlib import Path

from tests.combinations import ROOT
from tests.trees import TEMPLATE

# In pieces, so that this file may be read as well.
INDEX_HOSTS = ("py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "proxy." + "golang")
LOCAL_PATHS = ("/" + "work/", "/" + "root/", "/" + "home/", "/opt/" + "pypi", "/" + "Users/")
FORBIDDEN = re.compile("|".join(map(re.escape, INDEX_HOSTS + LOCAL_PATHS)).encode())
# What services are made from.
FOLDERS = {TEMPLATE, ROOT / "templates"}


def tracked() -> list[Path]:
    """Return the files that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).exists()]


def of_template() -> list[Path]:
    """Return those of them that a service is made from."""
    return [path for path in tracked() if FOLDERS.intersection(path.parents)]


def test_no_address_of_a_package_index_and_no_local_path() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in tracked()
        for match in FORBIDDEN.finditer(path.read_bytes())
    }
    assert not found


def test_one_folder_is_the_template() -> None:
    """cookiecutter takes the first that it meets."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and "cookiecutter" in path.name]
    assert folders == [TEMPLATE]


def test_no_name_below_the_template_is_rendered() -> None:
    """A folder whose name renders to nothing lets cookiecutter write outside the project."""
    names = [str(path).removeprefix(str(TEMPLATE)) for path in of_template()]
    assert not [name for name in names if "{" in name]


def test_both_engines_copy_each_file_alike() -> None:
    """They treat links, line ends of Windows and text that is not UTF-8 each in its way."""
    for path in of_template():
        assert not path.is_symlink(), path
        content = path.read_bytes()
        assert b"\r" not in content, path
        content.decode("utf-8")


def test_tags_stand_alone_on_their_lines() -> None:
    """After a tag that ends a line with other content, the next line would be joined to it."""
    tag = re.compile(r"^(?!\s*# \{%.*%\}$).*# \{%")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for path in of_template()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if tag.search(line)
    ]
    assert not found
