"""The running server and clients that want to harm it: over real sockets, byte by byte."""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from portrait_server.access.keys import new_key
from support.live import BREAD, FERRY, NDJSON, Service, build, serving, wait_until, workers

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: %b\r\n"
JSON_HEAD = HEAD % (b"/v1/query", b"application/json")
LINES_HEAD = HEAD % (b"/v1/query", b"application/x-ndjson")
QUESTION = b'{"text": "x"}'
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server with short timeouts and a corpus of some size."""
    folder = tmp_path_factory.mktemp("hostile")
    large = build(folder / "large.portrait", "".join(f"{BREAD} {n} " for n in range(2000)))
    with serving(folder, large, idle_seconds=3, response_seconds=3, bulk_concurrency=2) as running:
        yield running


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, dict[str, str]]]:
    """A server with keys, and the header with a valid one."""
    folder = tmp_path_factory.mktemp("keyed")
    secret, key = new_key("alice")
    (folder / "keys.toml").write_text(key.to_line())
    with serving(folder, build(folder / "ferry.portrait", FERRY), keys=str(folder / "keys.toml")) as running:
        yield running, {"Authorization": f"Bearer {secret}"}


def received(connection: socket.socket, seconds: float = 20) -> bytes:
    """Return all that arrives until the connection ends or is silent for a second after a response."""
    connection.settimeout(seconds)
    answer = b""
    try:
        while data := connection.recv(1 << 16):
            answer += data
            connection.settimeout(1)
    except OSError:
        pass
    return answer


def rss(service: Service) -> int:
    """Return the memory of all workers, in bytes."""
    status = "".join(Path(f"/proc/{pid}/status").read_text() for pid in workers(service))
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def test_an_announced_length_reserves_nothing(service: Service) -> None:
    opened = [service.connect() for _ in range(40)]
    for connection in opened:
        connection.sendall(JSON_HEAD + b"Content-Length: 4194304\r\n\r\n{")
    time.sleep(0.3)
    assert service.query(FERRY).status == 200
    for connection in opened:
        connection.close()


def test_a_body_without_a_valid_key_is_not_read(keyed: tuple[Service, dict[str, str]]) -> None:
    service, header = keyed
    for head in (JSON_HEAD, LINES_HEAD, HEAD % (b"/quip", b"application/json")):
        for more in (b"", b"Authorization: Bearer alice.no\r\n"):
            with service.connect() as connection:
                connection.sendall(head + more + b"Content-Length: 4000000\r\n\r\n{")
                assert received(connection, 5).startswith(b"HTTP/1.1 401")
    # A client that sends all of its body sees the response, too.
    assert service.ask("POST", "/v1/query", bytes(3_000_000), NDJSON).status == 401
    assert service.ask("POST", "/v1/query", {"text": FERRY}, header).status == 200


def test_forms_without_a_key_lock_nobody_out(keyed: tuple[Service, dict[str, str]]) -> None:
    service, header = keyed
    form = HEAD % (b"/", b"application/x-www-form-urlencoded")
    opened = [service.connect() for _ in range(200)]
    for connection in opened:
        connection.sendall(form + b"Content-Length: 4000000\r\n\r\ntext=")
    time.sleep(0.5)
    assert b"503" in received(opened[-1], 5)[:20]
    assert service.ask("POST", "/v1/query", {"text": FERRY}, header).status == 200
    for connection in opened:
        connection.close()


def test_one_address_cannot_take_all_requests(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with serving(tmp_path, ferry, concurrency=16, trusted_proxies=1) as service:
        opened = [service.connect() for _ in range(20)]
        for connection in opened:
            connection.sendall(JSON_HEAD + b"X-Forwarded-For: 192.0.2.1\r\nContent-Length: 4000000\r\n\r\n{")
        time.sleep(0.5)
        statuses = [
            service.ask("POST", "/v1/query", {"text": "x"}, {"X-Forwarded-For": address}).status
            for address in ("192.0.2.1", "192.0.2.2")
        ]
        assert statuses == [503, 200]
        for connection in opened:
            connection.close()


@pytest.mark.parametrize("lengths", [b"+13", b"-13", b"1e1", b"13, 13", b"99999999999999999999999", b""])
def test_a_length_that_is_no_number_is_refused(lengths: bytes, service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(JSON_HEAD + b"Content-Length: " + lengths + b"\r\n\r\n" + QUESTION)
        assert received(connection, 5).startswith(b"HTTP/1.1 4")


def test_a_huge_length_is_too_large(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(JSON_HEAD + b"Content-Length: 9223372036854775807\r\n\r\n")
        assert received(connection, 5).startswith(b"HTTP/1.1 413")


def test_headers_with_underscores_are_nothing(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with serving(tmp_path, ferry, rate="2/day", trusted_proxies=1) as service:
        for length in (b"Content_Length: -5", b"Content_Length: x", b"Transfer_Encoding: chunked"):
            with service.connect() as connection:
                connection.sendall(b"GET /docs HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n")
                assert received(connection, 5).startswith(b"HTTP/1.1 200")
        statuses = [
            service.ask(
                "POST",
                "/v1/query",
                {"text": "x"},
                {"X-Forwarded-For": "192.0.2.1", "X_Forwarded_For": f"192.0.2.{n}"},
            ).status
            for n in range(3)
        ]
        assert statuses == [200, 200, 429]
        assert "Traceback" not in service.log


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 99\r\n\r\n" + QUESTION,
        CHUNKED + b"d\r\n" + QUESTION + b"\r\n",
        CHUNKED + b"20\r\n" + QUESTION,
        CHUNKED + b"d\r\n" + QUESTION + b"\r\nzz\r\n",
    ],
    ids=["length", "last chunk", "chunk", "size"],
)
def test_a_body_that_is_cut_off_is_not_answered_as_if_it_were_whole(body: bytes, service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(JSON_HEAD + body)
        connection.shutdown(socket.SHUT_WR)
        answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'"cut_off"' in answer
    with service.connect() as connection:
        connection.sendall(LINES_HEAD + body.replace(QUESTION, QUESTION[:-1] + b"}"))
        connection.shutdown(socket.SHUT_WR)
        answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"verdict"' not in answer
        assert b'"code":"cut_off"' in answer


def quip(n_chars: int) -> bytes:
    """Return a request whose answer is about a hundred times as long."""
    body = json.dumps({"documents": [(BREAD * (n_chars // len(BREAD) + 1))[:n_chars]]}).encode()
    return HEAD % (b"/quip", b"application/json") + b"Content-Length: %d\r\n\r\n" % len(body) + body


def mute(service: Service) -> socket.socket:
    """Connect with a small buffer, and receive nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", service.port))
    return connection


def ended(connection: socket.socket) -> bool:
    """Return whether the other side has ended the connection."""
    try:
        connection.send(b"\r\n")
    except OSError:
        return True
    return False


def test_clients_that_do_not_receive_hold_little_memory_and_are_cut_off(service: Service) -> None:
    before = rss(service)
    opened = [mute(service) for _ in range(12)]
    for connection in opened:
        connection.sendall(quip(60_000))
    time.sleep(2)
    assert rss(service) - before < 300_000_000
    assert service.query(FERRY).status == 200
    for connection in opened:
        wait_until(lambda connection=connection: ended(connection), 40)
        connection.close()


def test_ndjson_that_is_not_received_is_not_kept(service: Service) -> None:
    before = rss(service)
    line = json.dumps({"text": FERRY}).encode() + b"\n"
    with mute(service) as connection:
        connection.settimeout(30)
        connection.sendall(LINES_HEAD + b"Content-Length: 1000000000\r\n\r\n")
        n_sent = 0
        try:
            while n_sent < 200_000_000:
                n_sent += connection.send(line * 100)
        except OSError:
            pass
        assert n_sent < 200_000_000
    assert rss(service) - before < 50_000_000


def test_answers_of_the_original_s_endpoints_are_bounded(service: Service) -> None:
    text = BREAD * 1000
    for path, body in (
        ("/q", {"document": text}),
        ("/overlap", {"document": text}),
        ("/quip", {"documents": [text]}),
    ):
        reply = service.ask("POST", path, body)
        assert (reply.status, reply.json["code"]) == (413, "too_large")
    reply = service.ask("POST", "/quip", {"documents": [text[:50_000]]})
    assert reply.status == 200
    assert len(reply.body) < 8 << 20


def test_slow_ndjson_clients_do_not_keep_others_waiting(service: Service) -> None:
    stopping = threading.Event()
    line = json.dumps({"text": "x" * 1500}).encode() + b"\n"

    def send_slowly() -> None:
        with service.connect() as connection:
            connection.sendall(LINES_HEAD + CHUNKED)
            while not stopping.wait(0.5):
                connection.sendall(b"%x\r\n" % len(line) + line + b"\r\n")

    threads = [threading.Thread(target=send_slowly) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        start = time.monotonic()
        assert len(service.ask("POST", "/v1/query", QUESTION * 1, NDJSON).lines) == 1
        assert time.monotonic() - start < 2
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def test_health_waits_behind_no_work(service: Service) -> None:
    stopping = threading.Event()
    text = (BREAD * 6000)[:1_000_000]
    queries = []

    def work() -> None:
        while not stopping.is_set():
            start = time.monotonic()
            service.query(text)
            queries.append(time.monotonic() - start)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        times = []
        for path in ("/healthz", "/readyz") * 10:
            start = time.monotonic()
            assert service.ask("GET", path).status == 200
            times.append(time.monotonic() - start)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    # The clients of this test compete with the server for the same processors.
    assert statistics.median(times) < statistics.median(queries) / 3


def test_a_refused_request_does_not_use_up_the_rate(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with serving(tmp_path, ferry, rate="6/day", max_chars=1000) as service:
        refused = [
            service.ask("POST", "/v1/query", body).status
            for body in ({"text": 3}, {"text": "x" * 2000}, {"text": "x", "portraits": ["none"]}, b"{")
        ]
        assert refused == [400, 413, 404, 415]
        statuses = [service.query("x").status for _ in range(7)]
        assert statuses == [200] * 6 + [429]


def test_refusals_have_a_rate_of_their_own(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with serving(tmp_path, ferry, rate="3/day") as service:
        assert [service.ask("POST", "/v1/query", {"text": 3}).status for _ in range(4)] == [
            400,
            400,
            400,
            429,
        ]
