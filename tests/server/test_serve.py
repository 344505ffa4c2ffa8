"""The running server: queries, reloads, limits, and slow or hostile clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.live import (
    BREAD,
    FERRY,
    JSON,
    NDJSON,
    Service,
    build,
    free_port,
    memcached,
    redis,
    resident_bytes,
    serving,
    start,
    stop,
    wait_until,
    workers,
)

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Cli

#: A text that must appear in no log and no counter.
CANARY = "xyzzy-canary-plugh"

HEAD = b"POST /v1/query HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server with short timeouts, which tests of this module do not change."""
    folder = tmp_path_factory.mktemp("service")
    ferry, bread = build(folder / "ferry.portrait", FERRY), build(folder / "bread.portrait", BREAD)
    with serving(
        folder, ferry, bread, header_seconds=1, body_seconds=1, idle_seconds=1, max_body_bytes=100_000
    ) as running:
        yield running


def test_the_server_answers_as_the_library_does(service: Service) -> None:
    portraits = [portrait.open(service.folder / f"{name}.portrait") for name in ("ferry", "bread")]
    for text in (FERRY, BREAD, "nothing", "", "🚢" * 99):
        expected = json.loads(json.dumps(portrait.query(portraits, text).to_dict()))
        assert service.query(text).json == {"answers": [expected]}
        (line,) = service.ask("POST", "/v1/query", json.dumps({"text": text}).encode(), NDJSON).lines
        assert line == expected


def test_lines_are_answered_as_they_arrive(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(
            b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        received = b""
        for n in range(1, 4):
            line = json.dumps({"text": FERRY}).encode() + b"\n"
            connection.sendall(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            while received.count(b'"verdict":"found"') < 2 * n:  # the verdicts of the answer and of its layer
                received += connection.recv(1 << 16)
        connection.sendall(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(1 << 16)


def test_many_lines_come_back_in_order(service: Service) -> None:
    texts = [FERRY[: 80 + i % 100] + str(i) for i in range(3000)]
    body = b"".join(json.dumps({"text": text, "portraits": ["ferry"]}).encode() + b"\n" for text in texts)
    answers = service.ask("POST", "/v1/query", body, NDJSON).lines
    opened = portrait.open(service.folder / "ferry.portrait")
    assert answers == [json.loads(json.dumps(answer.to_dict())) for answer in opened.query(texts)]


@pytest.mark.parametrize(
    "request_start",
    [
        b"POST /v1/query HT",
        HEAD + b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        HEAD + b"Content-Type: application/x-ndjson\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["head", "body", "lines"],
)
def test_a_slow_client_is_cut_off_and_does_not_delay_others(request_start: bytes, service: Service) -> None:
    slow = [service.connect() for _ in range(60)]
    try:
        for connection in slow:
            connection.sendall(request_start)
        start_seconds = time.monotonic()
        for _ in range(5):
            assert service.query(FERRY).status == 200
        assert time.monotonic() - start_seconds < 5
        for connection in slow:
            connection.settimeout(15)
            received = b""
            while data := receive(connection):
                received += data
            assert b"200 OK" not in received or b"slow_request" in received
            assert b"500" not in received[:20]
    finally:
        for connection in slow:
            connection.close()
    assert service.query(FERRY).status == 200


def receive(connection: socket.socket) -> bytes:
    """Receive data, or nothing if the connection was reset."""
    try:
        return connection.recv(1 << 16)
    except ConnectionResetError:
        return b""


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(
            b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        assert b"413" in connection.recv(1 << 16)[:20]
    with service.connect() as connection:
        connection.sendall(
            b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        connection.sendall(piece + piece)
        assert b"413" in connection.recv(1 << 16)[:20]


@pytest.mark.parametrize("name", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e", "ferry%00", "%ff"])
def test_a_name_is_not_a_path(name: str, service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(
            f"GET /v1/portraits/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        received = connection.recv(1 << 16)
        assert b"HTTP/1.1 404" in received
        assert b"root:" not in received


def test_the_text_of_queries_is_neither_logged_nor_counted(service: Service) -> None:
    service.query(CANARY)
    service.ask("POST", "/v1/query", json.dumps({"text": CANARY}).encode(), NDJSON)
    service.ask("POST", "/v1/query", {"text": 3, CANARY: CANARY})
    service.ask("POST", "/v1/query", {"text": "x", "portraits": [CANARY]})
    service.ask("POST", "/v1/query", CANARY.encode(), JSON)
    service.ask("POST", "/q", {"document": CANARY, "seq_id": CANARY})
    service.ask("POST", "/quip", {"documents": [CANARY], "format_quotes": True})
    service.ask("GET", f"/v1/portraits/{CANARY}?text={CANARY}")
    service.ask("GET", f"/{CANARY}", headers={"Authorization": f"Bearer {CANARY}", "User-Agent": CANARY})
    service.ask("PLUGH", "/healthz")
    metrics = service.ask("GET", "/metrics").body.decode()
    assert 'portrait_requests_total{method="POST",path="/v1/query",status="200"}' in metrics
    assert "portrait_texts_total" in metrics
    wait_until(lambda: '"path": "/metrics"' in service.log)
    for output in (metrics, service.log):
        assert CANARY not in output
    assert "PLUGH" not in metrics
    line = next(json.loads(line) for line in service.log.splitlines() if '"/v1/query"' in line)
    assert set(line) == {"time", "method", "path", "status", "ms", "bytes", "key"}
    files = [path for path in service.folder.rglob("*") if path.is_file()]
    assert not any(CANARY.encode() in path.read_bytes() for path in files)


def test_a_reload_under_load_fails_no_request(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    spare = build(tmp_path / "spare.portrait", FERRY + BREAD)
    failures: list[Any] = []
    n_answers = 0
    stopping = threading.Event()
    with serving(tmp_path, ferry, workers=2, reload_seconds=0.2) as service:

        def verdict_of(text: str) -> Any:
            return service.query(text).json["answers"][0]["verdict"]

        def ask() -> None:
            nonlocal n_answers
            while not stopping.is_set():
                try:
                    reply = service.query(FERRY)
                except OSError as error:
                    failures.append(error)
                    continue
                n_answers += 1
                if reply.status != 200 or reply.json["answers"][0]["verdict"] != "found":
                    failures.append(reply)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            service.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
        assert service.query(BREAD).json["answers"][0]["verdict"] == "not_found"
        os.rename(ferry, tmp_path / "old")  # noqa: PTH104
        os.rename(spare, ferry)  # noqa: PTH104
        # Signals that come while a worker opens the files may count as one.
        wait_until(lambda: all(verdict_of(BREAD) == "found" for _ in range(10)))
        assert service.log.count("was opened again") >= 4
        shutil.rmtree(ferry)
        service.wait_for_log("portrait ferry stays as it was")
        assert service.ask("GET", "/readyz").status == 200
        time.sleep(0.3)
        stopping.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert n_answers > 50


def test_bulk_requests_wait_for_their_turn(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    body = json.dumps({"text": FERRY}).encode() + b"\n"
    counts = []
    with serving(tmp_path, ferry, bulk_concurrency=1) as service:

        def ask() -> None:
            counts.append(len(service.ask("POST", "/v1/query", body * 200, NDJSON).lines))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [200] * 12


def test_open_requests_finish_before_the_server_stops(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    for sign in (signal.SIGTERM, signal.SIGINT):
        service = start(tmp_path, ferry)
        line = json.dumps({"text": FERRY}).encode() + b"\n"
        with service.connect() as connection:
            connection.sendall(
                b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                + f"Content-Length: {2 * len(line)}\r\n\r\n".encode()
                + line
            )
            received = b""
            while b'"found"' not in received:
                received += connection.recv(1 << 16)
            service.process.send_signal(sign)
            time.sleep(1)
            connection.sendall(line)
            while not received.endswith(b"0\r\n\r\n"):
                data = connection.recv(1 << 16)
                assert data, received
                received += data
        assert received.count(b'"exact_document"') == 2
        assert service.process.wait(15) == 0


def test_a_portrait_damaged_on_disk_is_withdrawn_and_the_others_stay(tmp_path: Path) -> None:
    ferry, bread = build(tmp_path / "ferry.portrait", FERRY), build(tmp_path / "bread.portrait", BREAD)
    with serving(tmp_path, ferry, bread, reload_seconds=0.2) as service:
        (shard,) = ferry.glob("*-of-*.safetensors")
        os.truncate(shard, 10)
        service.wait_for_log("portrait ferry is withdrawn")
        assert service.query(FERRY, portraits=["ferry"]).status == 503
        assert service.query(BREAD, portraits=["bread"]).json["answers"][0]["verdict"] == "found"
        ready = service.ask("GET", "/readyz")
        assert (ready.status, ready.json["code"]) == (503, "withdrawn_portrait")
        # A dead worker is replaced, and the new one starts although a portrait is damaged.
        (worker,) = workers(service)
        os.kill(worker, signal.SIGKILL)

        def answers() -> bool:
            try:
                return service.query(BREAD, portraits=["bread"]).status == 200
            except OSError:
                return False

        wait_until(lambda: workers(service) not in ([], [worker]) and answers())
        build(ferry, FERRY)
        wait_until(lambda: service.query(FERRY).status == 200)


STORES = {"redis": ("redis-server", redis), "memcached": ("memcached", memcached)}


@pytest.mark.parametrize("kind", STORES)
def test_rates_hold_across_workers(kind: str, tmp_path: Path) -> None:
    binary, store = STORES[kind]
    if shutil.which(binary) is None:
        pytest.skip(f"{binary} is not installed")
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with store(tmp_path) as url, serving(tmp_path, ferry, workers=2, store=url, rate="20/day") as service:
        statuses = [service.query(FERRY).status for _ in range(30)]
        assert (statuses.count(200), statuses.count(429)) == (20, 10)
        refusal = service.query(FERRY)
        assert refusal.json["code"] == "rate_limit"
        assert int(refusal.headers["retry-after"]) > 0
        assert service.ask("GET", "/readyz").json["rates"]["counted"] == "in a store shared by all workers"
        assert "rate limits: counted in a store shared by all workers" in service.log


def test_rates_that_would_not_hold_are_refused(tmp_path: Path, cli: Cli) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    assert "shared store" in cli.refused("serve", ferry, "--workers", "2", "--rate", "5/minute")


def test_changed_keys_take_effect(tmp_path: Path, cli: Cli) -> None:
    ferry, bread = build(tmp_path / "ferry.portrait", FERRY), build(tmp_path / "bread.portrait", BREAD)
    results = [cli("key", "alice", "--portrait", "ferry"), cli("key", "bob", "--rate", "3/day")]
    alice, bob = ({"Authorization": f"Bearer {one.err.split()[-1]}"} for one in results)
    keys = tmp_path / "keys.toml"
    keys.write_text("".join(one.out for one in results))
    question = {"text": FERRY}
    with serving(tmp_path, ferry, bread, "--keys", keys, reload_seconds=0.1) as service:

        def status(headers: dict[str, str]) -> int:
            return service.ask("POST", "/v1/query", question, headers).status

        assert (status(alice), status(bob), status({})) == (200, 200, 401)
        portrait_lists = [
            service.ask("GET", "/v1/portraits", headers=one).json["portraits"] for one in (alice, bob)
        ]
        assert [[one["name"] for one in names] for names in portrait_lists] == [["ferry"], ["ferry", "bread"]]
        assert service.ask("GET", "/v1/portraits/bread", headers=alice).status == 404
        assert service.ask("POST", "/v1/query", {"text": "x", "portraits": ["bread"]}, alice).status == 404
        assert (status(bob), status(bob)) == (200, 429)
        keys.write_text(results[0].out.replace(" }", ", revoked = true }") + results[1].out)
        wait_until(lambda: status(alice) == 401)
        assert status(bob) == 429
        keys.write_text("what = 3")
        service.wait_for_log("the present keys stay in force")
        assert status(bob) == 429
        assert '"key": "alice"' in service.log
        assert all(one.err.split()[-1].partition(".")[2] not in service.log for one in results)


def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path, cli: Cli) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert cli.refused("serve", ferry, "--port", str(port)).startswith(
            f"cannot listen on 127.0.0.1:{port}"
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no portrait to serve"),
        (["none.portrait"], "no such file"),
        (["--workers", "0"], "setting 'workers'"),
        (["--rate", "often"], "600/minute"),
        (["--store", "ftp://x"], "setting 'store'"),
        (["--root", "none"], "setting 'roots': none: not a directory"),
        (["--keys", "none.toml"], "none.toml"),
        (["--config", "bad.toml"], "there is no such setting"),
        (["--config", "none.toml"], "none.toml"),
    ],
)
def test_invalid_options_are_refused_before_the_server_starts(
    arguments: list[str], words: str, tmp_path: Path, cli: Cli
) -> None:
    if arguments and arguments[0].startswith("--"):
        arguments = [str(build(tmp_path / "ferry.portrait", FERRY)), *arguments]
    (tmp_path / "bad.toml").write_text("colour = 3\n")
    assert words in cli.refused("serve", *arguments, "--port", str(free_port()))


def test_each_worker_takes_little_memory(tmp_path: Path) -> None:
    ferry = build(tmp_path / "ferry.portrait", FERRY)
    with serving(tmp_path, ferry, workers=2) as service:
        service.query(FERRY)
        assert all(resident_bytes(pid) < 100_000_000 for pid in workers(service))
    assert stop(service) == 0
