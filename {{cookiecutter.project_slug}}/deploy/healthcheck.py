"""Ask the service of this container whether it lives; the exit code is 1 if it does not.

``HEALTHCHECK`` of the Dockerfile runs it every few seconds, so it imports little: 20 ms.
"""

import os
import socket
import sys

TIMEOUT_SECONDS = 2
ADDRESS = ("127.0.0.1", int(os.environ.get("PORT") or 8001))

try:
    with socket.create_connection(ADDRESS, TIMEOUT_SECONDS) as connection:
        connection.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
        status = connection.recv(64).partition(b"\r\n")[0].decode("latin-1")
except OSError as error:
    sys.exit(f"no answer: {error}")
sys.exit(None if " 200 " in status else f"the service answers {status}")
