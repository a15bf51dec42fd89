"""The entries of procrastinate's queue, each of which stands for one job that is to run."""

import asyncio
import datetime as dt
import logging
from time import monotonic
from typing import LiteralString

from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5

PUT_BACK = """
UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, scheduled_at = %(at)s
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
END = """
DELETE FROM procrastinate_jobs
WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
"""
# In one statement: who comes late finds no entry. What was tried again has a newer one.
GIVE_UP = """
WITH entry AS (
    DELETE FROM procrastinate_jobs
    WHERE id = %(id)s AND attempts = %(attempts)s AND status = 'doing'
    RETURNING task_name, args->'job_id' AS job_id
)
UPDATE job SET status = 'failed', finished_at = now(),
    error = 'it was tried as often as may be, but no process survived it'
FROM entry WHERE job.id = job_id::bigint AND job.status IN ('queued', 'running')
    AND NOT EXISTS (
        SELECT FROM procrastinate_jobs AS newer
        WHERE newer.id > %(id)s
            AND newer.task_name = entry.task_name AND newer.args->'job_id' = entry.job_id
    )
"""


class Entries(JobManager):
    """Changes an entry only for those who have it: once it was taken back, it is one attempt older.

    The package's own statements look at the id alone, and so would end what another has begun.
    """

    def __init__(self, connector: BaseConnector, lost_seconds: float) -> None:
        super().__init__(connector)
        self._lost_seconds = lost_seconds

    async def retry_job(
        self,
        job: Job,
        retry_at: dt.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put an entry back into the queue."""
        await self._change(PUT_BACK, job, at=retry_at)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Delete an entry: what became of it is in our own table."""
        await self._change(END, job)

    async def give_up(self, job: Job) -> None:
        """Delete an entry, and say that its job, whose workers died, failed."""
        await self._change(GIVE_UP, job)

    async def _change(self, query: LiteralString, job: Job, **values: object) -> None:
        """Try until the database takes it: nobody takes an entry from a worker that lives.

        It is given up after a time in which the worker, too, finds that it has lost the database.
        """
        give_up_at = monotonic() + self._lost_seconds
        values |= {"id": job.id, "attempts": job.attempts}
        while True:
            try:
                return await self.connector.execute_query_async(query, **values)
            except ConnectorException as error:
                if monotonic() > give_up_at:
                    raise
                logger.warning("entry %s cannot be changed yet: %s", job.id, error)
                await asyncio.sleep(AGAIN_SECONDS)
