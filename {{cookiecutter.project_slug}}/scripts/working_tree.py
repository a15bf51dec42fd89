"""The state of this folder in git."""

import shutil
import subprocess
from pathlib import Path


def has_uncommitted_changes(root: Path) -> bool:
    """Return whether a folder is in git and has uncommitted changes."""
    if shutil.which("git") is None:
        return False
    status = subprocess.run(
        ["git", "status", "--porcelain", "--", "."], cwd=root, capture_output=True, check=False
    )
    return status.returncode == 0 and status.stdout != b""
