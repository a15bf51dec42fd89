"""Run one job: heartbeat, timeout, cancellation, and the final status."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, ClassVar, Generic, TypeAlias

import anyio

from app.kit.db.database import Database
from app.kit.db.model import Record
from app.kit.errors import ConflictError, DomainError, UnavailableError
from app.kit.jobs.calls import call_handler, run_shielded
from app.kit.jobs.context import JobContext, LostJobError, SettingsT
from app.kit.jobs.kinds import JobKinds, find_kind
from app.kit.jobs.models import JobStatus
from app.kit.logging import request_id

logger = logging.getLogger(__name__)

# Wraps an attempt at a job; what it yields is called with the status at the end.
Around: TypeAlias = Callable[
    [Database, Record], AbstractAsyncContextManager[Callable[[JobStatus], object]]
]


@asynccontextmanager
async def unobserved(_: Database, _row: Record) -> AsyncGenerator[Callable[[JobStatus], object]]:
    """Measure nothing."""
    yield lambda _status: None


class JobExecutor(Generic[SettingsT]):
    """Runs jobs; ``unfinished`` is the status of jobs that a shutdown stops."""

    around: ClassVar[Around] = staticmethod(unobserved)

    def __init__(
        self,
        database: Database,
        settings: SettingsT,
        kinds: JobKinds,
        unfinished: JobStatus,
    ) -> None:
        self._database = database
        self._settings = settings
        self._kinds = kinds
        self._unfinished: JobStatus = unfinished

    async def run(self, row: Record, *, may_retry: bool = False) -> JobStatus:
        """Run a started job to its end; return its status, "queued" if it will run again."""
        async with self.around(self._database, row) as note:
            status = await self._run(row, may_retry=may_retry)
            note(status)
        return status

    async def _run(self, row: Record, *, may_retry: bool) -> JobStatus:
        token = request_id.set(row.request_id)
        context = JobContext(self._database, self._settings, row)
        status: JobStatus = self._unfinished
        values: dict[str, Any] = {}
        logger.info("job %d has started", context.id, extra={"kind": row.kind})
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch, context, group.cancel_scope)
                if not context.is_cancel_requested:  # during an earlier attempt
                    status, values = await self._attempt(context, row, may_retry=may_retry)
                group.cancel_scope.cancel()
        finally:
            if context.is_cancel_requested and status == self._unfinished:
                status = "cancelled"
            status = await self._end(context, status, values)
            logger.info("job %d is %s", context.id, status)
            request_id.reset(token)
        return status

    async def _attempt(
        self, context: JobContext[SettingsT], row: Record, *, may_retry: bool
    ) -> tuple[JobStatus, dict[str, Any]]:
        """Call the handler; return the status and the values to store with it."""
        failed: JobStatus = "queued" if may_retry else "failed"
        try:
            kind = find_kind(self._kinds, row.kind)
        except ConflictError as error:  # a process of another release may know it
            return failed, {"error": str(error)}
        try:
            with anyio.move_on_after(kind.timeout_seconds):
                parameters = kind.parameters.model_validate(row.parameters)
                result = await call_handler(kind.handler, context, parameters)
                return "succeeded", {"result": result, "progress": 1.0}
        except LostJobError:
            logger.warning("another process has taken over job %d", context.id)
            return failed, {}
        except UnavailableError as error:
            return failed, {"error": str(error)}
        except DomainError as error:  # another attempt would end in the same way
            return "failed", {"error": str(error)}
        except Exception:
            logger.exception("job %d failed", context.id)
            return failed, {"error": "internal error; see the service log"}
        return failed, {"error": f"timeout after {kind.timeout_seconds:g} s"}

    async def _watch(self, context: JobContext[SettingsT], scope: anyio.CancelScope) -> None:
        """Send heartbeats; end the attempt when the job is cancelled or another process has it."""
        while True:
            await anyio.sleep(self._settings.job_heartbeat_seconds)
            try:
                await run_shielded(context.heartbeat)
            except LostJobError:
                scope.cancel()
            except Exception:  # the next heartbeat may reach the database
                logger.exception("the heartbeat of job %d failed", context.id)
            if context.is_cancel_requested:
                scope.cancel()

    async def _end(
        self, context: JobContext[SettingsT], status: JobStatus, values: dict[str, Any]
    ) -> JobStatus:
        """Store the final status of the attempt; return the status that was stored."""
        ends: list[tuple[JobStatus, dict[str, Any]]] = [
            (status, values),
            ("failed", {"error": "the result could not be stored"}),
        ]
        for end, stored in ends:
            try:
                await run_shielded(partial(context.end, end, **stored))
            except LostJobError:
                logger.warning("another process took over job %d before it ended", context.id)
                return "running"
            except Exception as error:
                logger.exception("the final status of job %d could not be stored", context.id)
                if isinstance(error, UnavailableError):
                    break
            else:
                return end
        # The heartbeats stop, so the job is treated as if this process had died.
        return self._unfinished
