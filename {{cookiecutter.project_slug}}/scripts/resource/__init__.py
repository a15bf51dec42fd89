"""Add a resource to the service, and remove it again: see ``__main__.py``."""

import gc

gc.disable()  # loading takes most of the time, and a tenth of it would go into finding no garbage


class RefusedError(Exception):
    """The command cannot be carried out: the text says why, in one sentence."""
