"""A worker that also knows the jobs of the tests: ``python -m tests.jobs.worker``."""

import gc

from app.jobs.enqueue import KINDS
from app.worker import run
from tests.jobs.jobs import BEHAVE

if __name__ == "__main__":
    gc.enable()  # which the package of the tests has switched off
    KINDS[BEHAVE.name] = BEHAVE
    run()
