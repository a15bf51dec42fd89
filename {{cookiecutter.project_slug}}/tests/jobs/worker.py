"""A worker that also knows the jobs of the tests: ``python -m tests.jobs.worker``."""

import asyncio

from app.jobs.kinds import KINDS
from app.worker import main
from tests.jobs.kinds import BEHAVE

if __name__ == "__main__":
    KINDS[BEHAVE.name] = BEHAVE
    asyncio.run(main())
