"""A psycopg connection with a timeout for statements, for a server that hangs.

The server ends slow statements itself, but not while it hangs. psycopg then waits as long as the
socket is open, and up to 10 s after the task was cancelled. Delete this module when psycopg has a
timeout for statements.
"""

import asyncio
from typing import Any

from psycopg import AsyncConnection, OperationalError
from psycopg.abc import RV, AdaptContext, ConnParam, PQGen
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_async

MARGIN_SECONDS = 1  # the server's own timeout comes first


class BoundedConnection(AsyncConnection[Any]):
    """A connection with a timeout for statements, which closes the connection."""

    statement_seconds: float = 0

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> RV:
        """Wait for the server; raise ``OperationalError`` if it hangs."""
        if timeout is not None:  # the caller handles it
            return await super().wait(gen, interval, timeout)
        try:
            async with asyncio.timeout(self.statement_seconds + MARGIN_SECONDS):
                return await wait_async(gen, self.pgconn.socket, interval)
        except TimeoutError:
            self.pgconn.finish()
            raise OperationalError("the server does not answer") from None
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


async def connect(
    statement_seconds: float,
    context: AdaptContext | None = None,
    prepare_threshold: int | None = 5,
    **parameters: ConnParam,
) -> BoundedConnection:
    """Open a connection whose statements time out after about ``statement_seconds``."""
    address = make_conninfo("", **parameters)
    connection = await BoundedConnection.connect(
        address, context=context, prepare_threshold=prepare_threshold
    )
    connection.statement_seconds = statement_seconds
    return connection
