"""Run one job that was taken: heartbeat, time limit, cancellation, and a status at the end."""

import logging
from functools import partial
from typing import Any

import anyio

from app.core.config import Settings
from app.crud.base import Record
from app.db.session import Database
from app.kit.errors import ConflictError, DomainError, UnavailableError
from app.kit.jobs.calls import run_body, run_unbroken
from app.kit.jobs.context import LostJobError, Run
from app.kit.jobs.enqueue import find_kind
from app.kit.logging import request_id
from app.schemas.job import JobStatus

logger = logging.getLogger(__name__)


class Runner:
    """Runs jobs; ``unfinished`` is the status of those that are stopped from outside."""

    def __init__(self, database: Database, settings: Settings, unfinished: JobStatus) -> None:
        self._database = database
        self._settings = settings
        self._unfinished: JobStatus = unfinished

    async def run(self, row: Record, *, may_retry: bool = False) -> JobStatus:
        """Run a job to its end and return its status: queued if it should run again."""
        token = request_id.set(row.request_id)
        run = Run(self._database, self._settings, row)
        status: JobStatus = self._unfinished
        values: dict[str, Any] = {}
        logger.info("job %d begins", run.id, extra={"fields": {"kind": row.kind}})
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, run, group.cancel_scope)
                if not run.is_cancel_requested:  # while an earlier attempt ran
                    status, values = await self._attempt(run, row, may_retry=may_retry)
                group.cancel_scope.cancel()
        finally:
            if run.is_cancel_requested and status == self._unfinished:
                status = "cancelled"
            status = await self._end(run, status, values)
            logger.info("job %d is %s", run.id, status)
            request_id.reset(token)
        return status

    async def _attempt(
        self, run: Run, row: Record, *, may_retry: bool
    ) -> tuple[JobStatus, dict[str, Any]]:
        """Run the body; return the status and what is stored with it."""
        failed: JobStatus = "queued" if may_retry else "failed"
        try:
            kind = find_kind(row.kind)
        except ConflictError as error:  # while releases change, another process may know it
            return failed, {"error": str(error)}
        try:
            with anyio.move_on_after(kind.timeout_seconds):
                parameters = kind.parameters.model_validate(row.parameters)
                result = await run_body(kind.body, run, parameters)
                return "succeeded", {"result": result, "progress": 1.0}
        except LostJobError:
            logger.warning("job %d was taken by somebody else", run.id)
            return failed, {}
        except UnavailableError as error:
            return failed, {"error": str(error)}
        except DomainError as error:  # it would be the same the next time
            return "failed", {"error": str(error)}
        except Exception:
            logger.exception("job %d failed", run.id)
            return failed, {"error": "a fault of the service, which its log tells"}
        return failed, {"error": f"it took longer than {kind.timeout_seconds:g} s"}

    async def _watch(self, run: Run, scope: anyio.CancelScope) -> None:
        """Keep the job ours, and end the attempt when it is not or should stop."""
        while True:
            await anyio.sleep(self._settings.job_heartbeat_seconds)
            try:
                await run_unbroken(run.beat)
            except LostJobError:
                scope.cancel()
            except Exception:  # the next beat may reach it
                logger.exception("job %d cannot say that it goes on", run.id)
            if run.is_cancel_requested:
                scope.cancel()

    async def _end(self, run: Run, status: JobStatus, values: dict[str, Any]) -> JobStatus:
        """Store how the attempt ended; return what it came to."""
        ends: list[tuple[JobStatus, dict[str, Any]]] = [
            (status, values),
            ("failed", {"error": "its result could not be stored"}),
        ]
        for end, stored in ends:
            try:
                await run_unbroken(partial(run.end, end, **stored))
            except LostJobError:
                logger.warning("job %d was taken by somebody else before its end", run.id)
                return "running"
            except Exception as error:
                logger.exception("the end of job %d could not be stored", run.id)
                if isinstance(error, UnavailableError):
                    break
            else:
                return end
        # It looks as if this process had died, and is treated in the same way.
        return self._unfinished
