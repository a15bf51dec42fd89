"""Calls between the event loop, the data access, the handlers of jobs and child processes.

The code that runs jobs is asynchronous; handlers are written like endpoints.
"""

# {% if cookiecutter.async_db %}
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

from anyio import CancelScope, fail_after, to_process
# {% else %}
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar, TypeVarTuple

from anyio import CancelScope, CapacityLimiter, fail_after, from_thread, to_process, to_thread
from anyio.lowlevel import checkpoint
# {% endif %}

from app.kit.db.engine import call_from_async

ResultT = TypeVar("ResultT")
ArgumentsT = TypeVarTuple("ArgumentsT")


# {% if cookiecutter.async_db %}
async def run_shielded(work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """Run a database function to its end, even if the job is cancelled."""
    with fail_after(None, shield=True):  # no limit
        return await call_from_async(work)


async def call_handler(
    handler: Callable[[*ArgumentsT], Awaitable[ResultT]],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Call the handler of a job."""
    return await handler(*arguments)


async def await_from_job(
    function: Callable[[*ArgumentsT], Awaitable[ResultT]],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Await a coroutine function from a handler; handlers in threads use the same name."""
    return await function(*arguments)


# {%- else %}
async def run_shielded(work: Callable[[], ResultT]) -> ResultT:
    """Run a database function to its end, even if the job is cancelled."""
    with fail_after(None, shield=True):  # no limit
        return await call_from_async(work)


async def call_handler(
    handler: Callable[[*ArgumentsT], ResultT],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Call the handler of a job in its own thread, so that endpoints keep all of theirs."""
    try:
        return await to_thread.run_sync(handler, *arguments, limiter=CapacityLimiter(1))
    except CancelledError:  # how a thread is cancelled
        await checkpoint()  # raises the error of a cancelled task
        raise


def await_from_job(
    function: Callable[[*ArgumentsT], Coroutine[Any, Any, ResultT]],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Await a coroutine function from a handler's thread; raise if the job is cancelled."""
    from_thread.check_cancelled()
    return from_thread.run(function, *arguments)


# {%- endif +%}


async def run_in_child(
    function: Callable[[*ArgumentsT], ResultT],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run a function in a child process, which is killed when the job is cancelled."""
    with CancelScope(shield=True):  # anyio forgets a child whose start is cancelled
        await to_process.run_sync(int)
    return await to_process.run_sync(function, *arguments, cancellable=True)
