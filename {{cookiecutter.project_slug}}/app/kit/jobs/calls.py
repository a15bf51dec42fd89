"""The ways between the event loop, the data access, the bodies of jobs and child processes.

What runs jobs is asynchronous; their bodies are written like endpoints.
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
async def run_unbroken(work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """Run a method of the data access to its end, even if the job or the process is to stop."""
    with fail_after(None, shield=True):  # no limit
        return await call_from_async(work)


async def run_body(
    body: Callable[[*ArgumentsT], Awaitable[ResultT]],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run the body of a job."""
    return await body(*arguments)


async def run_in_loop(
    function: Callable[[*ArgumentsT], Awaitable[ResultT]],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run a coroutine from a body, by the name it has where bodies are in threads."""
    return await function(*arguments)


# {%- else %}
async def run_unbroken(work: Callable[[], ResultT]) -> ResultT:
    """Run a method of the data access to its end, even if the job or the process is to stop."""
    with fail_after(None, shield=True):  # no limit
        return await call_from_async(work)


async def run_body(
    body: Callable[[*ArgumentsT], ResultT],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run the body of a job in a thread, which is not one of those of the endpoints."""
    try:
        return await to_thread.run_sync(body, *arguments, limiter=CapacityLimiter(1))
    except CancelledError:  # what a thread gets
        await checkpoint()  # raises what a task gets
        raise


def run_in_loop(
    function: Callable[[*ArgumentsT], Coroutine[Any, Any, ResultT]],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run a coroutine from a body's thread; the body of a cancelled job ends here."""
    from_thread.check_cancelled()
    return from_thread.run(function, *arguments)


# {%- endif +%}


async def run_in_child(
    function: Callable[[*ArgumentsT], ResultT],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run it in a child process, which dies when the job is cancelled."""
    with CancelScope(shield=True):  # anyio forgets a child whose start is cancelled
        await to_process.run_sync(int)
    return await to_process.run_sync(function, *arguments, cancellable=True)
