"""Tests of the service."""

import gc

# Until all is loaded, which is no garbage: looking for some takes a fifth of the time.
gc.disable()
