"""Ports for the programs that tests start."""

import socket
import sys


def free_port() -> int:
    """Return a port on which nothing listens, and which no other process gets before this one ends.

    Linux gives nobody else a port that is bound, but a program may ask for it and listen there.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    port: int = kept.getsockname()[1]
    if sys.platform == "linux":
        kept.detach()  # stays open
    else:
        kept.close()
    return port
