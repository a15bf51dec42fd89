"""The entries of procrastinate's queue, each of which stands for one job that is to run."""

import datetime as dt

from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

PUT_BACK = """
UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = %(at)s
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
END = """
DELETE FROM procrastinate_jobs
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""


class Entries(JobManager):
    """Changes an entry only for those who have it: once it was taken back, it is one attempt older.

    The package's own statements look at the id alone, and so would end what another has begun.
    """

    async def retry_job(
        self,
        job: Job,
        retry_at: dt.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put an entry back into the queue."""
        await self.connector.execute_query_async(
            PUT_BACK, id=job.id, attempts=job.attempts, at=retry_at
        )

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Delete an entry: what became of it is in our own table."""
        await self.connector.execute_query_async(END, id=job.id, attempts=job.attempts)
