"""Connections: how much a client has received, and how one is ended."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from portrait_server.gate import connections
from support.live import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's socket, and the server's."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((request.param, 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]) as client:
            server, _ = listener.accept()
            with server:
                yield client, server


def names(client: socket.socket) -> tuple[str, str]:
    """Return the addresses of a client and of its server, as granian writes them."""
    host = f"[{client.getsockname()[0]}]" if client.family == socket.AF_INET6 else client.getsockname()[0]
    return f"{host}:{client.getsockname()[1]}", f"{host}:{client.getpeername()[1]}"


def test_a_connection_is_found_by_its_addresses(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    connection = connections.find(*names(client))
    assert connection is not None
    before = connection.n_acknowledged
    server.sendall(b"x" * 1000)
    wait_until(lambda: connection.n_acknowledged - before == 1000)
    assert connection.n_waiting == 0
    connection.close()
    server.sendall(b"x")
    assert len(client.recv(2000)) >= 1000
    assert connections.find("192.0.2.1:1", names(client)[1]) is None


def test_a_connection_is_ended_by_its_addresses(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    connections.abort("192.0.2.1:1", names(client)[1])
    server.sendall(b"x")
    assert client.recv(1) == b"x"
    connections.abort(*names(client))
    assert client.recv(1) == b""
    with pytest.raises(OSError, match="pipe"):
        server.sendall(b"x")


def fill(server: socket.socket) -> None:
    """Send until the buffers are full."""
    server.setblocking(False)
    try:
        while True:
            server.send(bytes(1 << 16))
    except BlockingIOError:
        pass


def test_a_watch_ends_connections_that_do_not_receive(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    watch = connections.Watch(0.2)
    watch.add(names(client)[1])
    fill(server)
    watch.sweep()
    # A client that receives is left alone, however long it takes.
    client.setblocking(False)
    for _ in range(3):
        for _ in range(20):
            try:
                client.recv(1 << 14)
            except BlockingIOError:
                break
        fill(server)
        watch.sweep()
        assert server.fileno() > 0

    def ended() -> bool:
        watch.sweep()
        try:
            server.send(b"x")
        except BrokenPipeError:
            return True
        except BlockingIOError:
            pass
        return False

    wait_until(ended)


def test_a_watch_leaves_idle_and_other_connections_alone(pair: tuple[socket.socket, socket.socket]) -> None:
    client, server = pair
    idle, other = connections.Watch(1e-9), connections.Watch(1e-9)
    idle.add(names(client)[1])
    other.add("192.0.2.1:1")
    for _ in range(3):
        idle.sweep()
    fill(server)
    for _ in range(3):
        other.sweep()
    server.setblocking(True)
    assert client.recv(1) == b"\0"
