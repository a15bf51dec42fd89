"""The sockets that the server listens on."""

import errno
import os
import socket
from contextlib import ExitStack
from ipaddress import IPv4Address, IPv6Address

REASONS = {
    errno.EACCES: "PORT: this user may not listen on port {port}; use 1024 or more.",
    errno.EADDRINUSE: "PORT: {port} is in use on {host}; stop the other process or choose another.",
    errno.EADDRNOTAVAIL: "HOST: {host} is not an address of this machine.",
}
ACCEPTORS = 16
EVERY_ADDRESS = [str(IPv6Address(0)), str(IPv4Address(0))]
# A name may have addresses that are missing here: without IPv6, localhost has no ::1.
MISSING = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


def bind_sockets(hosts: str, port: int) -> list[socket.socket]:
    """Bind a socket for each address of ``hosts``, names or addresses separated by commas.

    ``::`` stands for all addresses, IPv4 and IPv6. Raise ``SystemExit`` with a sentence that names
    the invalid setting. Clients cannot connect before the server listens on the sockets.
    """
    names = [name for part in hosts.split(",") if (name := part.strip())]
    if not names:
        raise SystemExit("HOST: must name an address, such as 127.0.0.1.")
    groups = [EVERY_ADDRESS] if names == ["::"] else [[name] for name in names]
    bound: dict[Address, socket.socket] = {}
    with ExitStack() as stack:
        for group in groups:
            _bind_all(group, port, bound, stack)
        stack.pop_all()
    return list(bound.values())


def _bind_all(
    names: list[str], port: int, bound: dict[Address, socket.socket], stack: ExitStack
) -> None:
    """Bind all addresses of the names that exist here; raise ``SystemExit`` if none does."""
    missing: SystemExit | None = None
    resolved = [one for name in names for one in _resolve(name, port)]
    for family, address in resolved:
        if address in bound:  # another name for it
            continue
        try:
            bound[address] = stack.enter_context(_bind(family, address))
        except OSError as error:
            missing = missing or _refusal(error, address, port)
            if error.errno not in MISSING:
                raise missing from None
    if missing and not any(address in bound for _, address in resolved):
        raise missing


def _refusal(error: OSError, address: Address, port: int) -> SystemExit:
    """Return the error for an address that cannot be bound."""
    reason = REASONS.get(error.errno or 0, "HOST: {host} cannot be used: {error}.")
    return SystemExit(reason.format(host=address[0], port=port, error=error.strerror))


def accept_in_parallel(sockets: list[socket.socket]) -> list[socket.socket]:
    """Return several copies of each socket, so that the loop accepts as many connections at once.

    libuv, and so uvloop, accepts one connection per iteration of the loop (libuv #3696). Each
    iteration also answers all connected clients: of 128 clients that connected at once, the last
    one waited for 8,000 responses.
    """
    for one in sockets:
        # A copy gets the timeout of its socket object. One that another process sent has none, and
        # its copy would make the socket blocking, in all processes.
        one.setblocking(False)
    return [twin for one in sockets for twin in (one, *(one.dup() for _ in range(ACCEPTORS - 1)))]


def _resolve(name: str, port: int) -> list[tuple[int, Address]]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SystemExit(f"HOST: {name} cannot be resolved to an address.") from None
    return [(family, address) for family, _, _, _, address in found]


def _bind(family: int, address: Address) -> socket.socket:
    """Return a socket that is bound like those of ``asyncio``."""
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere, two processes could then listen on the same port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # IPv4 has its own socket, so clients keep their IPv4 address
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound
