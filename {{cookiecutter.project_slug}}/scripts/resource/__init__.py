"""Add a resource to the service, and remove it again: see ``__main__.py``."""

import gc
import sys

# Mako would load it for errors in colours, which takes 7 % of the time.
sys.modules["pygments"] = None  # ty: ignore[invalid-assignment] - Python allows it
gc.disable()  # loading takes most of the time, and a tenth of it would go into finding no garbage


class RefusedError(Exception):
    """The command cannot be carried out: the text says why, in one sentence."""
