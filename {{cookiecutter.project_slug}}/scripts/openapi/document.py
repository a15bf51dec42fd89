"""The file of the document, and its text."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = ROOT / "openapi.json"


def as_text(document: dict[str, Any]) -> str:
    """Return the text that git keeps; its order is that of the routes."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
