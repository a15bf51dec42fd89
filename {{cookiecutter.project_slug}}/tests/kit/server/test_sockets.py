"""Where the server listens, and what it says when it cannot."""

import os
import socket
from contextlib import ExitStack

import pytest
from fastapi import FastAPI

from app.kit.server.sockets import accept_in_parallel, bind_sockets
from tests.support.process import free_port
from tests.support.server import server_of

HAS_IPV6 = socket.has_ipv6
try:
    with socket.create_server(("::1", 0), family=socket.AF_INET6):
        pass
except OSError:
    HAS_IPV6 = False
needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")


def is_served(hosts: str, client: str) -> bool:
    """Return whether a client of this address can connect."""
    port = free_port()
    bound = bind_sockets(hosts, port)
    try:
        for one in bound:
            one.listen()
        with socket.create_connection((client, port), timeout=5):
            return True
    except OSError:
        return False
    finally:
        for one in bound:
            one.close()


@needs_ipv6
@pytest.mark.parametrize("hosts", ["::", "127.0.0.1, ::1", "0.0.0.0,::"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_host_can_mean_ipv4_and_ipv6(hosts: str, client: str) -> None:
    assert is_served(hosts, client)


@needs_ipv6
def test_client_of_ipv4_keeps_its_address() -> None:
    """Not ``::ffff:127.0.0.1``, which FORWARDED_ALLOW_IPS would not know."""
    port = free_port()
    bound = bind_sockets("::", port)
    for one in bound:
        one.listen()
    (ipv4,) = [one for one in bound if one.family is socket.AF_INET]
    with socket.create_connection(("127.0.0.1", port)):
        accepted, (host, _) = ipv4.accept()
        accepted.close()
    for one in bound:
        one.close()
    assert host == "127.0.0.1"


def test_localhost_is_served() -> None:
    assert is_served("localhost", "127.0.0.1")


def test_address_that_does_not_exist_here_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without IPv6 has no ``::1``, for which localhost stands, too."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0))
        for host in ("192.0.2.1", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    (bound,) = bind_sockets("localhost", 0)
    assert bound.getsockname()[0] == "127.0.0.1"
    bound.close()


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        (" , ", "HOST: must name an address, such as 127.0.0.1."),
        ("nowhere.invalid", "HOST: nowhere.invalid cannot be resolved to an address."),
        ("x" * 70, f"HOST: {'x' * 70} cannot be resolved to an address."),
        ("192.0.2.1", "HOST: 192.0.2.1 is not an address of this machine."),
        ("127.0.0.1,192.0.2.1", "HOST: 192.0.2.1 is not an address of this machine."),
    ],
)
def test_unusable_host_is_refused_in_one_sentence(host: str, sentence: str) -> None:
    with pytest.raises(SystemExit) as refused:
        bind_sockets(host, 0)
    assert str(refused.value) == sentence


def test_address_with_two_names_is_bound_once() -> None:
    port = free_port()
    (bound,) = bind_sockets("127.0.0.1, 127.0.0.1,0x7f.1", port)
    bound.close()


def test_port_in_use_is_refused_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            bind_sockets("127.0.0.1", port)
    expected = f"PORT: {port} is in use on 127.0.0.1; stop the other process or choose another."
    assert str(refused.value) == expected


async def test_port_taken_after_the_check_is_refused_in_one_sentence(app: FastAPI) -> None:
    (bound,) = bind_sockets("127.0.0.1", free_port())
    with bound, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(bound.getsockname())
        other.listen()
        with pytest.raises(SystemExit, match=r"^PORT: cannot listen: .+\.$"):
            await server_of(app)._serve([bound])


def test_socket_from_another_process_stays_non_blocking() -> None:
    """A worker would otherwise hang in ``accept`` if another one took the connection."""
    (bound,) = bind_sockets("127.0.0.1", free_port())
    received = socket.socket(bound.family, bound.type, bound.proto, os.dup(bound.fileno()))
    with ExitStack() as stack:
        for one in (bound, *(copies := accept_in_parallel([received]))):
            stack.enter_context(one)
        assert not any(os.get_blocking(copy.fileno()) for copy in copies)
