"""How the server speaks HTTP: as uvicorn does, with bounds on what heads take."""

import asyncio
from array import array

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, httptools

HEADER_SECONDS = 10
MAX_HEADER_BYTES = 65_536


class Parser(httptools.HttpRequestParser):
    """Reads a request that offers another protocol as if it did not (RFC 9110, section 7.8).

    The parser of httptools would leave its body to that protocol, and then read it as a request. A
    head that offers one is read once more without the offer. Tested with 0.9.
    """

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's

    def is_offer(self) -> bool:
        """Tell whether the head that has just been read offers another protocol."""
        return self.should_upgrade() and self.get_method() != b"CONNECT"

    def feed_data(self, data: "bytes | bytearray | memoryview | array[int]") -> None:
        rest = memoryview(data)
        while rest:
            try:
                super().feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                if not self.is_offer():
                    raise
                rest = rest[offer.args[0] :]
                super().feed_data(self._without_offer())
            else:
                return

    def _without_offer(self) -> bytes:
        version = self.get_http_version().encode()
        first = b"%b %b HTTP/%b" % (self.get_method(), self._protocol.url, version)
        headers = [b"%b: %b" % it for it in self._protocol.headers if it[0] != b"upgrade"]
        return b"\r\n".join([first, *headers, b"", b""])


class BoundedProtocol(HttpToolsProtocol):
    """Close a connection on which no whole request line with headers arrives in time, or in bounds.

    uvicorn bounds only the silence after an answer, and the first byte that follows ends it. So
    this also ends bodies that trickle in after their request was answered. It keeps the trailers of
    chunked bodies, too, and reads heads that follow a request which is still being answered: what
    has no end there is ended as well. Tested with 0.54.
    """

    parser: Parser
    _deadline: asyncio.TimerHandle | None = None
    # Since the last whole head or part of a body.
    _bytes_kept = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.parser = Parser(self)
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
        if self.parser.is_offer():
            return
        super().on_headers_complete()
        self._stop_waiting()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._bytes_kept = 0

    def on_message_complete(self) -> None:
        if not self.parser.is_offer():
            super().on_message_complete()

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
