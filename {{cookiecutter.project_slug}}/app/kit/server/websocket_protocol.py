"""uvicorn's WebSocket protocol, without paths in the log.

A client that does not answer a ping within uvicorn's 20 s is disconnected; ``MAX_BODY_BYTES``
limits the size of messages.
"""

import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# uvicorn logs paths and queries of handshakes at INFO, websockets also headers and data at DEBUG.
quiet_logger = logging.getLogger(__name__)
quiet_logger.setLevel(logging.WARNING)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Logs only what goes wrong, and does not wait for clients that stop reading."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(**options)
        self.logger = self.conn.logger = quiet_logger
        self.conn.debug = False

    async def send(self, message: Any) -> None:  # noqa: ANN401 - uvicorn's own
        """Mark a refused handshake as complete: uvicorn 0.54 would log it as an error."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def keepalive_timeout(self) -> None:
        """Disconnect the client, even if it has not read all data."""
        super().keepalive_timeout()
        self.transport.abort()
