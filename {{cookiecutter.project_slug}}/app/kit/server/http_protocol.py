"""uvicorn's HTTP protocol, with limits for slow clients.

It uses internals of uvicorn 0.54 and httptools 0.9, so pyproject.toml has upper bounds of both.
"""

import asyncio
from array import array
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10
MAX_HEADER_BYTES = 65_536
# How long a client may stop reading a response, as nginx's send_timeout.
SEND_SECONDS = 60


def websocket_protocol(**options: Any) -> asyncio.Protocol:  # noqa: ANN401 - uvicorn's own
    """Create the WebSocket protocol; import it on demand, because that takes 60 ms."""
    from app.kit.server.websocket_protocol import WebSocketProtocol

    return WebSocketProtocol(**options)


class Parser(httptools.HttpRequestParser):
    """Ignores offers to upgrade the protocol, except to WebSocket (RFC 9110, section 7.8).

    httptools would leave the body of such a request to the other protocol, and then parse it as
    another request. So a head with an offer is parsed again without it. Delete this class when
    uvicorn #2722 (the body is dropped) and httptools #124 are solved.
    """

    def __init__(self, protocol: "BoundedHttpProtocol") -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's

    def is_ignored_offer(self) -> bool:
        """Return whether the head that was just read offers a protocol that is not served."""
        is_offer = self.should_upgrade() and self.get_method() != b"CONNECT"
        return is_offer and not self._protocol._should_upgrade()

    def feed_data(self, data: "bytes | bytearray | memoryview | array[int]") -> None:
        """Parse received data; raise ``HttpParserUpgrade`` after a WebSocket handshake."""
        rest = memoryview(data)
        while rest:
            try:
                super().feed_data(rest)
            except httptools.HttpParserUpgrade as offer:
                rest = rest[offer.args[0] :]
                if not self.is_ignored_offer():
                    if rest:  # RFC 6455, section 4.1: the client must wait for the answer
                        raise httptools.HttpParserError("data behind a handshake") from None
                    raise
                super().feed_data(self._head_without_offer())
            else:
                return

    def _head_without_offer(self) -> bytes:
        version = self.get_http_version().encode()
        first = b"%b %b HTTP/%b" % (self.get_method(), self._protocol.url, version)
        headers = [b"%b: %b" % it for it in self._protocol.headers if it[0] != b"upgrade"]
        return b"\r\n".join([first, *headers, b"", b""])


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes the connections of clients that send a head, or read a response, too slowly.

    uvicorn has a timeout only after a response, and the first byte that follows ends it
    (uvicorn #157: no timeout for headers). The timeout here also ends bodies that trickle in after
    the response. uvicorn also buffers the trailers of chunked bodies, and pipelined heads, without
    a limit: here both are limited in size.
    """

    parser: Parser
    _head_timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None
    # Received since the last complete head or part of a body.
    _bytes_kept = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.parser = Parser(self)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        self._bytes_kept += len(data)
        super().data_received(data)
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self._head_timer is None and self in self.connections:  # no WebSocket
            self._expect_head()
        if self._bytes_kept > MAX_HEADER_BYTES:
            self.transport.close()

    def on_headers_complete(self) -> None:
        if self.parser.is_ignored_offer():
            return
        super().on_headers_complete()
        self._stop_waiting()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._bytes_kept = 0

    def on_message_complete(self) -> None:
        if not self.parser.is_ignored_offer():
            super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)  # which resumes writing
        self._stop_waiting()

    def _should_upgrade(self) -> bool:
        """Return whether this is a WebSocket handshake: a GET without a body, not pipelined."""
        names = {name for name, _ in self.headers}
        return (
            super()._should_upgrade()
            and self.parser.get_method() == b"GET"
            and not names & {b"content-length", b"transfer-encoding"}
            and (self.cycle is None or self.cycle.response_complete)
        )

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        self._bytes_kept = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _expect_reading(self, unsent_bytes: int) -> None:
        self._send_timer = self.loop.call_later(SEND_SECONDS, self._check_reading, unsent_bytes)

    def _check_reading(self, unsent_bytes: int) -> None:
        """Close the connection if the client has read nothing since the last check."""
        unsent_now = self.transport.get_write_buffer_size()
        if unsent_now < unsent_bytes:
            self._expect_reading(unsent_now)
        else:
            self.transport.abort()
