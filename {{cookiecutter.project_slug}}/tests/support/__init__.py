"""What tests share, and what their fixtures are made of."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
