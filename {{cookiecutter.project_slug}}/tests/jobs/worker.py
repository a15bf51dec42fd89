"""A worker that also knows the jobs of the tests: ``python -m tests.jobs.worker``."""

from app.jobs.kinds import KINDS
from app.worker import run
from tests.jobs.kinds import BEHAVE

if __name__ == "__main__":
    KINDS[BEHAVE.name] = BEHAVE
    run()
