"""What the program made for a resource, so that it can be removed exactly."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.resource import RefusedError, lines

FOLDER = ".resources"


@dataclass(frozen=True)
class Record:
    """Digests of the new files, lines of the changed files, and the revision."""

    name: str
    table: str
    fields: str
    revision: str
    files: dict[str, str]
    lines: dict[str, list[str]]

    @property
    def path(self) -> str:
        """The path of the record."""
        return f"{FOLDER}/{self.name}.json"

    def write(self, root: Path) -> None:
        """Store the record."""
        path = root / self.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8", newline="\n")

    @classmethod
    def read(cls, root: Path, name: str) -> "Record":
        """Read the record of a resource; raise ``RefusedError``."""
        path = root / FOLDER / f"{name}.json"
        if not path.is_file():
            raise RefusedError(f"{FOLDER}/{name}.json is missing: no resource was made as {name}")
        return cls(**json.loads(path.read_text("utf-8")))

    def restored(self, root: Path) -> dict[str, str]:
        """Return the former texts of the changed files.

        Raise ``RefusedError`` that names all files whose content is not what the program wrote.
        """
        changed = [path for path, made in self.files.items() if digest(root / path) != made]
        texts: dict[str, str] = {}
        for path, added in self.lines.items():
            text = lines.remove(read_text(root / path), added)
            if text is None:
                changed.append(path)
            else:
                texts[path] = text
        if changed:
            raise RefusedError(f"changed by hand since: {', '.join(sorted(changed))}")
        return texts

    def remove(self, root: Path, texts: dict[str, str]) -> None:
        """Remove the new files and this record, and give the changed files their former texts."""
        for path, text in texts.items():
            write_text(root / path, text)
        for path in (*self.files, self.path):
            (root / path).unlink(missing_ok=True)
        folder = (root / self.path).parent
        if folder.is_dir() and not list(folder.iterdir()):
            folder.rmdir()


def read_text(path: Path) -> str:
    """Return the text of a file with its line ends; empty if the file is missing."""
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def write_text(path: Path, text: str) -> None:
    """Write a text with its line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(text)


def digest(path: Path) -> str:
    """Return the digest of a text, however git writes line ends on this system."""
    return hashlib.sha256(read_text(path).replace("\r\n", "\n").encode()).hexdigest()
