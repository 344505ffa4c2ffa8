"""Connections: how much a client has received, and how one is ended."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
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


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("seconds_more", "n_bytes_more", "alive"), [(0, 0, True), (0, 1, True), (1e-3, 0, False)]
)
def test_a_client_must_have_received_1024_bytes_a_second(
    seconds_more: float,
    n_bytes_more: int,
    alive: bool,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, server = pair
    clock = Clock()
    monkeypatch.setattr(connections, "time", clock)
    watch = connections.Watch(0.5)
    watch.add(names(client)[1])
    connection = connections.find(*names(client))
    assert connection is not None
    fill(server)
    wait_until(lambda: connection.n_waiting > 0)
    settle(connection)
    watch.sweep()
    before = connection.n_acknowledged
    wait_until(lambda: receive_some(client, connection, before))
    settle(connection)
    n_received = connection.n_acknowledged - before
    assert connection.n_waiting > 0
    clock.seconds += (n_received - n_bytes_more) / 1024 + seconds_more
    watch.sweep()
    connection.close()
    assert is_open(server) == alive


def settle(connection: connections.Connection) -> None:
    """Wait until the client's side acknowledges nothing more."""
    last = [-1]

    def same() -> bool:
        before, last[0] = last[0], connection.n_acknowledged
        return before == last[0]

    for _ in range(3):
        wait_until(same)


def receive_some(client: socket.socket, connection: connections.Connection, before: int) -> bool:
    """Receive until something more of what waits is acknowledged."""
    client.recv(1 << 16)
    return connection.n_acknowledged - before > 1024


def is_open(server: socket.socket) -> bool:
    """Return whether a connection has not been ended."""
    try:
        server.send(b"x")
    except BlockingIOError:
        return True
    except BrokenPipeError:
        return False
    return True


def test_a_client_has_all_of_the_time(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, server = pair
    clock = Clock()
    monkeypatch.setattr(connections, "time", clock)
    watch = connections.Watch(2.0)
    watch.add(names(client)[1])
    fill(server)
    connection = connections.find(*names(client))
    assert connection is not None
    settle(connection)
    for seconds, alive in ((0, True), (1.0, True), (0.5, True), (0.5, False)):
        clock.seconds += seconds
        watch.sweep()
        assert is_open(server) == alive
    connection.close()


def test_a_descriptor_that_is_closed_or_reused_meanwhile_is_no_connection(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = pair
    watch = connections.Watch(1e-9)
    watch.add(names(client)[1])
    really_duplicate = os.dup

    def refuse(_: int) -> int:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", refuse)
    assert connections.find(*names(client)) is None
    watch.sweep()
    one, other = socket.socketpair()
    with one, other:
        monkeypatch.setattr(os, "dup", lambda _: really_duplicate(one.fileno()))
        assert connections.find(*names(client)) is None
        watch.sweep()
        # Another connection.
        monkeypatch.setattr(os, "dup", lambda _: really_duplicate(client.fileno()))
        assert connections.find(*names(client)) is None
        # What is no socket at all.
        with Path(__file__).open("rb") as file:
            monkeypatch.setattr(os, "dup", lambda _: really_duplicate(file.fileno()))
            assert connections.find(*names(client)) is None
