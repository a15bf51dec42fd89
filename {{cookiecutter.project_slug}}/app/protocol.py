"""How the server speaks HTTP: as uvicorn does, with bounds on what heads take."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10
MAX_HEADER_BYTES = 65_536


class BoundedProtocol(HttpToolsProtocol):
    """Close a connection on which no whole request line with headers arrives in time, or in bounds.

    uvicorn bounds only the silence after an answer, and the first byte that follows ends it. So
    this also ends bodies that trickle in after their request was answered. It keeps the trailers of
    chunked bodies, too, and reads heads that follow a request which is still being answered: what
    has no end there is ended as well. Tested with 0.54.
    """

    _deadline: asyncio.TimerHandle | None = None
    # Since the last whole head or part of a body that is wanted.
    _bytes_kept = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        self._bytes_kept += len(data)
        super().data_received(data)
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self._deadline is None and self in self.connections:  # no WebSocket
            self._expect_head()
        if self._bytes_kept > MAX_HEADER_BYTES:
            self.transport.close()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._stop_waiting()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if not self.cycle.response_complete:
            self._bytes_kept = 0

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        self._bytes_kept = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
