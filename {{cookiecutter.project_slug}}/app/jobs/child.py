"""Child processes for work that keeps a processor busy."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import CancelScope, to_process

ResultT = TypeVar("ResultT")
ArgumentsT = TypeVarTuple("ArgumentsT")


async def run_in_child(
    function: Callable[[*ArgumentsT], ResultT],
    *arguments: *ArgumentsT,
) -> ResultT:
    """Run it in a child process, which dies when the job is cancelled."""
    with CancelScope(shield=True):  # anyio forgets a child whose start is cancelled
        await to_process.run_sync(int)
    return await to_process.run_sync(function, *arguments, cancellable=True)
