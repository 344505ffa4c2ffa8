"""A live service: ``portrait serve`` in its own process on a free port."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

FERRY = "The ferry to Pellworth leaves at seven every morning, and takes cars when the tide allows it. " * 2
BREAD = "Knead the dough until it does not stick to the table, then let it rest under a cloth for long. " * 2

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def build(path: Path, text: str, windows: portrait.WindowSpec | None = None) -> Path:
    """Build a portrait of one text at ``path``, and return the path."""
    source = path.with_suffix(".txt")
    source.write_text(text, encoding="utf-8")
    portrait.build(source, path, windows=windows, overwrite=True)
    return path


class Reply(NamedTuple):
    """The response to a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        """The body, read as NDJSON."""
        return [json.loads(line) for line in self.body.splitlines()]


class Service:
    """A running server and its output."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.folder = folder

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Send one request on a connection of its own; a body other than bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {**JSON, **(headers or {})}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, fields, response.read())
        finally:
            connection.close()

    def query(self, text: str, **more: object) -> Reply:
        """Query the service for a text, with more fields of the request."""
        return self.ask("POST", "/v1/query", {"text": text, **more})

    def connect(self) -> socket.socket:
        """Open a TCP connection to send arbitrary bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    @property
    def log(self) -> str:
        """The output so far on both streams."""
        return "".join((self.folder / name).read_text() for name in ("out.log", "err.log"))

    def wait_for_log(self, words: str, seconds: float = 15) -> None:
        """Wait until the output contains ``words``; fail after ``seconds``."""
        wait_until(lambda: words in self.log, seconds, words)


def wait_until(condition: Any, seconds: float = 15, what: str = "the condition") -> None:
    """Wait until ``condition`` holds; fail after ``seconds`` with ``what`` in the message."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


def free_port() -> int:
    """Return a TCP port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    folder: Path,
    *arguments: object,
    before: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    **settings: object,
) -> Service:
    """Start a server in ``folder`` and wait until it answers; ``settings`` go into its config file.

    Args:
        folder: The server's working directory.
        *arguments: Arguments of the command.
        before: A command that runs the server's, such as one that takes privileges away.
        environment: Variables besides those of this process.
        **settings: The settings.
    """
    port = free_port()
    config = folder / "service.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    command = [*before, sys.executable, "-m", "portrait", "serve", *map(str, arguments), "--port", str(port)]
    with (folder / "out.log").open("wb") as out, (folder / "err.log").open("wb") as err:
        process = subprocess.Popen(
            [*command, "--config", str(config)],
            cwd=folder,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
        )
    service = Service(process, port, folder)

    def answers() -> bool:
        assert process.poll() is None, service.log
        with suppress(OSError, http.client.HTTPException):
            return service.ask("GET", "/healthz").status == 200
        return False

    wait_until(answers, 30, "the service to start")
    return service


def stop(service: Service) -> int:
    """Stop a server with SIGTERM, as systemd does, and return its exit code."""
    service.process.terminate()
    try:
        return service.process.wait(20)
    except subprocess.TimeoutExpired:
        service.process.kill()
        raise


@contextmanager
def serving(folder: Path, *arguments: object, **options: Any) -> Iterator[Service]:
    """Run a server as :func:`start` does while the block runs."""
    service = start(folder, *arguments, **options)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            stop(service)


@contextmanager
def _store(scheme: str, command: list[str], port: int) -> Iterator[str]:
    """Run a store while the block runs, and yield its URL."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:

            def answers() -> bool:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    return True
                return False

            wait_until(answers)
            yield f"{scheme}://127.0.0.1:{port}"
        finally:
            process.terminate()


def redis(folder: Path) -> AbstractContextManager[str]:
    """Run a Redis server while the block runs, and yield its URL."""
    binary, port = shutil.which("redis-server"), free_port()
    assert binary is not None
    own = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    return _store("redis", [binary, *own], port)


def memcached(_: Path) -> AbstractContextManager[str]:
    """Run a memcached server while the block runs, and yield its URL."""
    binary, port = shutil.which("memcached"), free_port()
    assert binary is not None
    # The superuser has to name the user that memcached runs as.
    return _store("memcached", [binary, "-p", str(port), "-l", "127.0.0.1", "-u", "nobody"], port)


def resident_bytes(pid: int) -> int:
    """Return the memory in bytes that a process shares with no other: the cost of one more process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Private_"))


def workers(service: Service) -> list[int]:
    """Return the ids of a service's worker processes."""
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text()
    return [int(pid) for pid in children.split() if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110
