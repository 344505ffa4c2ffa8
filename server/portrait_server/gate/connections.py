"""TCP connections of this process: how much of the output a client has received, and how to end one.

granian queues the pieces of a response without limit, tells nobody when one of them has left, and has no
deadline for writing. The kernel knows: it counts the bytes that a client has acknowledged. So the gate finds
the socket of a connection by its two addresses, and reads the counter. This works on Linux; elsewhere no
connection is found, and clients that do not receive are not noticed.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DESCRIPTORS = "/proc/self/fd"
_TCP_INFO = 11
#: The place of ``tcpi_bytes_acked`` in the kernel's ``struct tcp_info``.
_ACKED = struct.Struct("=120xQ")
_LOWEST_BYTES_PER_SECOND = 1024


class Connection:
    """One TCP connection, through a descriptor of its own: to be closed after use.

    Attributes:
        client: The client's address and port.
        server: Our address and port.

    Args:
        connected: The socket; the connection takes it over.
        client: The client's address and port.
        server: Our address and port.
    """

    def __init__(self, connected: socket.socket, client: str, server: str) -> None:
        self.client = client
        self.server = server
        self._socket = connected

    @property
    def n_acknowledged(self) -> int:
        """The number of bytes that the client's side has received since it connected.

        Raises:
            OSError: The kernel does not count them.
        """
        info = self._socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ACKED.size)
        if len(info) < _ACKED.size:
            raise OSError("this kernel does not count acknowledged bytes")
        (n_bytes,) = _ACKED.unpack(info)
        return int(n_bytes)

    @property
    def n_waiting(self) -> int:
        """The number of bytes that the kernel has and the client's side has not acknowledged."""
        answer = fcntl.ioctl(self._socket, termios.TIOCOUTQ, struct.pack("i", 0))
        (n_bytes,) = struct.unpack("i", answer)
        return int(n_bytes)

    def abort(self) -> None:
        """End the connection in both directions, so that whoever uses it lets go."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the descriptor; the connection itself goes on."""
        self._socket.close()


def find(client: str, server: str) -> Connection | None:
    """Return the connection between two addresses, such as ``192.0.2.7:1234``, if this process has it."""
    for descriptor in _descriptors():
        if _addresses(descriptor) == (client, server):
            connection = _connection(descriptor)
            if connection is None:
                continue
            if (connection.client, connection.server) == (client, server):
                return connection
            connection.close()
    return None


def abort(client: str, server: str) -> None:
    """End the connection between two addresses, if this process has it."""
    connection = find(client, server)
    if connection is not None:
        connection.abort()
        connection.close()


class Watch:
    """A watch over all connections to one address: it ends those that do not receive what waits for them.

    Args:
        seconds: After this time, a client must have received 1,024 bytes a second.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._servers: set[str] = set()
        #: For each connection with output that waits: since when, and how much the client had received then.
        self._since: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, server: str) -> None:
        """Watch the connections to an address of this server too."""
        self._servers.add(server)

    def sweep(self) -> None:
        """Look at all connections once."""
        now = time.monotonic()
        seen = {}
        for descriptor in _descriptors():
            addresses = _addresses(descriptor)
            if addresses is None or addresses[1] not in self._servers:
                continue
            connection = _connection(descriptor)
            if connection is None:
                continue
            with suppress(OSError):
                key = connection.client, connection.server
                since = self._judge(connection, self._since.get(key), now)
                if since is not None:
                    seen[key] = since
            connection.close()
        self._since = seen

    def _judge(
        self, connection: Connection, since: tuple[float, int] | None, now: float
    ) -> tuple[float, int] | None:
        """Return since when output waits, after ending the connection if it is too long."""
        n_acknowledged = connection.n_acknowledged
        if not connection.n_waiting:
            return None
        if since is None:
            return now, n_acknowledged
        start, n_before = since
        seconds = now - start
        if seconds < self._seconds:
            return since
        if n_acknowledged - n_before < seconds * _LOWEST_BYTES_PER_SECOND:
            connection.abort()
            return None
        return now, n_acknowledged


def _descriptors() -> Iterator[int]:
    """Yield the descriptors of this process."""
    with suppress(OSError):
        yield from [int(entry.name) for entry in Path(_DESCRIPTORS).iterdir()]


def _addresses(descriptor: int) -> tuple[str, str] | None:
    """Return the addresses of the client and of the server, if the descriptor is a TCP connection.

    Others may close the descriptor at any time, so this neither closes it nor trusts what it was before.
    """
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return None
        borrowed = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        return _name(borrowed.getpeername()), _name(borrowed.getsockname())
    except (OSError, TypeError, ValueError):
        return None  # it listens, or is not TCP
    finally:
        borrowed.detach()


def _connection(descriptor: int) -> Connection | None:
    """Return the connection of a descriptor, through a duplicate that nobody else closes."""
    try:
        duplicate = os.dup(descriptor)
    except OSError:
        return None
    addresses = _addresses(duplicate)
    if addresses is None:
        os.close(duplicate)
        return None
    return Connection(socket.socket(fileno=duplicate), *addresses)


def _name(address: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """Return an address as granian writes it: ``192.0.2.7:1234`` or ``[2001:db8::7]:1234``."""
    host, port, *more = address
    return f"[{host}]:{port}" if more else f"{host}:{port}"
