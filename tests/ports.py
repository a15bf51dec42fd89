"""Ports for the programs that tests start."""

import socket
import sys


def free_port() -> int:
    """Return a port on which nothing listens; no other process gets it before this one ends.

    Linux does not choose a bound port again, but a process that names the port can listen on it.
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
