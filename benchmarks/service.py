"""Measure the service through its real server, on the loopback interface.

Queries are compared with an endpoint of the same application that reads the same body and returns a
constant; the difference is the cost of a query. ``soak`` mixes good, oversized, malformed, slow and aborted
requests, checks every answer against the library, and watches memory.

    python service.py                       everything, with a short soak
    python service.py soak --seconds 300    the soak alone
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from common import report, stdlib_texts
from open import write_huge

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 8


@contextmanager
def serving(folder: Path, *portraits: Path, **settings: object) -> Iterator[tuple[int, int]]:
    """Run a server while the block runs; yield its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "service.toml"
    values: dict[str, object] = {
        "benchmark": True,
        "access_log": False,
        "portraits": [str(path) for path in portraits],
    }
    lines = [
        f"{name} = {json.dumps(value)}\n" for name, value in {**values, **settings, "port": port}.items()
    ]
    config.write_text("".join(lines))
    command = [sys.executable, "-m", "portrait", "serve", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with suppress(OSError):
                    if ask(port, "GET", "/readyz", b"")[0] == 200:
                        break
                time.sleep(0.05)
            yield port, process.pid
        finally:
            process.terminate()


def ask(
    port: int, method: str, path: str, body: bytes, media_type: str = "application/json"
) -> tuple[int, bytes]:
    """Send one request on a new connection; return the status and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": media_type})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def load(port: int, path: str, bodies: list[bytes], seconds: float) -> list[float]:
    """Send requests from several clients at once, each one after the other; return their times, sorted."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    def client(seed: int) -> None:
        mine = []
        order = random.Random(seed)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            requests = [
                f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
                for body in bodies
            ]
            while (start := time.perf_counter()) < end:
                connection.sendall(order.choice(requests))
                received = connection.recv(1 << 16)
                head, _, content = received.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                while len(content) < length:
                    content += connection.recv(1 << 16)
                mine.append(time.perf_counter() - start)
        times.extend(mine)

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(times)


def queries(port: int, texts: list[str], seconds: float) -> None:
    """Compare queries of 500 characters with the constant endpoint, alternately."""
    bodies = [json.dumps({"text": text[:500]}).encode() for text in texts if len(text) >= 500][:200]
    samples: dict[str, list[float]] = {"/v1/constant": [], "/v1/query": []}
    for path in samples:
        load(port, path, bodies, 0.5)
    rounds = 4
    for _ in range(rounds):
        for path, times in samples.items():
            times += load(port, path, bodies, seconds / rounds)
    rate = {path: len(times) / seconds for path, times in samples.items()}
    p99 = {path: sorted(times)[int(len(times) * 0.99)] * 1e3 for path, times in samples.items()}
    query, constant = "/v1/query", "/v1/constant"
    report(
        "queries of 500 characters, one worker",
        f"{rate[query]:.0f} /s",
        ">= 0.6 x constant",
        f"constant {rate[constant]:.0f} /s: {rate[query] / rate[constant]:.2f} x",
    )
    report(
        "their 99th percentile",
        f"{p99[query]:.1f} ms",
        "<= 3 x constant",
        f"constant {p99[constant]:.1f} ms: {p99[query] / p99[constant]:.2f} x",
    )


def bulk(port: int, texts: list[str]) -> None:
    """Measure NDJSON through one worker: documents of up to 4,000 characters, half from the corpus."""
    documents = [text[at : at + 4000] for text in texts for at in range(0, len(text), 4000)][:12_000]
    lines = [json.dumps({"text": text}).encode() + b"\n" for text in documents]
    n_bytes = sum(len(text.encode()) for text in documents)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        status, answer = ask_streaming(port, lines)
        best = min(best, time.perf_counter() - start)
        assert status == 200
        assert answer.count(b"\n") == len(documents)
    report(
        "NDJSON, one worker",
        f"{n_bytes / best / 1e6:.1f} MB/s",
        ">= 20 MB/s",
        f"{n_bytes / 1e6:.0f} MB of text",
    )


def ask_streaming(port: int, lines: list[bytes]) -> tuple[int, bytes]:
    """Send and receive at the same time, as a client of a stream must."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        body = b"".join(lines)

        def send() -> None:
            connection.sendall(
                b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
            )
            connection.sendall(body)

        sender = threading.Thread(target=send)
        sender.start()
        response = http.client.HTTPResponse(connection)
        response.begin()
        answer = response.read()
        sender.join()
        return response.status, answer


def resident_bytes(pid: int, kind: str = "Rss") -> int:
    """Return the memory of a process: all of it (``Rss``), or its own (``Private``)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith(kind))


def workers(pid: int) -> list[int]:
    """Return the worker processes of a server."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def soak(port: int, pid: int, built: portrait.Portrait, texts: list[str], seconds: float) -> None:
    """Run 64 clients that behave well or badly; compare every answer with the library's."""
    pool = [text[:500] for text in texts if len(text) >= 500][:100]
    expected = {text: json.dumps({"answers": [built.query(text).to_dict()]}) for text in pool}
    kinds = ["good", "bulk", "oversized", "malformed", "slow", "aborted"]
    count = dict.fromkeys([*kinds, "lost", "crossed", "5xx"], 0)
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def note(what: str) -> None:
        with lock:
            count[what] += 1

    def one(order: random.Random) -> None:
        kind = order.choices(kinds, [80, 2, 4, 6, 2, 6])[0]
        text = order.choice(pool)
        body = json.dumps({"text": text}).encode()
        head = b"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
        if kind in ("slow", "aborted"):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(head + b"%d\r\n\r\n" % len(body) + body[:-1])
                if kind == "slow":
                    time.sleep(0.5)
                    connection.sendall(body[-1:])
                    if json.loads(connection.recv(1 << 16).partition(b"\r\n\r\n")[2]) != json.loads(
                        expected[text]
                    ):
                        note("crossed")
            note(kind)
            return
        if kind == "oversized":
            status, _ = ask(port, "POST", "/v1/query", b'{"text": "' + b"x" * 1_100_000 + b'"}')
            wanted = [413]
        elif kind == "malformed":
            status, _ = ask(port, "POST", "/v1/query", order.choice([b"{", b"\xff", b"[" * 9999, b"{}"]))
            wanted = [400]
        elif kind == "bulk":
            some = order.sample(pool, 20)
            status, answer = ask(
                port,
                "POST",
                "/v1/query",
                b"".join(json.dumps({"text": text}).encode() + b"\n" for text in some),
                "application/x-ndjson",
            )
            wanted = [200]
            if status == 200 and [json.loads(line) for line in answer.splitlines()] != [
                json.loads(expected[text])["answers"][0] for text in some
            ]:
                note("crossed")
        else:
            status, answer = ask(port, "POST", "/v1/query", body)
            wanted = [200]
            if status == 200 and json.loads(answer) != json.loads(expected[text]):
                note("crossed")
        note(kind)
        if status >= 500:
            note("5xx")
        elif status not in wanted:
            note("lost")

    def client(seed: int) -> None:
        order = random.Random(seed)
        while time.monotonic() < end:
            try:
                one(order)
            except OSError:
                note("lost")

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(64)]
    for thread in threads:
        thread.start()
    # The first fifth fills pools, memory arenas and the page cache of the filter, which happens once.
    time.sleep(seconds / 5)
    before = sum(map(resident_bytes, workers(pid)))
    for thread in threads:
        thread.join()
    assert all(count[kind] for kind in kinds), "the soak is too short to send requests of every kind"
    after = sum(map(resident_bytes, workers(pid)))
    report(
        f"soak of {seconds:.0f} s, 64 connections: answers lost, crossed, 5xx",
        f"{count['lost']}, {count['crossed']}, {count['5xx']}",
        "none",
        ", ".join(f"{n} {kind}" for kind, n in list(count.items())[:6]),
    )
    report(
        "memory of the worker meanwhile",
        f"{(after / before - 1) * 100:+.1f} %",
        "<= 5 %",
        f"{before / 1e6:.1f} MB, then {after / 1e6:.1f} MB",
    )


def additional_worker(folder: Path, huge: Path) -> None:
    """Measure the memory that a second worker takes with a bundle of 4 GB."""
    with serving(folder, huge, workers=2) as (port, pid):
        for _ in range(20):
            ask(port, "POST", "/v1/query", json.dumps({"text": "words " * 100}).encode())
        costs = [resident_bytes(worker, "Private") for worker in workers(pid)]
    report(
        "one more worker, 4 GB bundle",
        f"{max(costs) / 1e6:.1f} MB",
        "< 100 MB",
        "private pages of a worker",
    )


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=["all", "query", "bulk", "soak", "worker"], default="all")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long queries and the soak take")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = [text.decode() for text in stdlib_texts(20_000_000)]
        # Half of the texts in the queries are in the corpus.
        (folder / "corpus.txt").write_text("\n".join(texts[::2]), encoding="utf-8")
        built = portrait.build(folder / "corpus.txt", folder / "corpus.portrait")
        if arguments.part != "worker":
            with serving(folder, built.path) as (port, pid):
                if arguments.part in ("all", "query"):
                    queries(port, texts, arguments.seconds / 2)
                if arguments.part in ("all", "bulk"):
                    bulk(port, texts)
                if arguments.part in ("all", "soak"):
                    soak(port, pid, built, texts, arguments.seconds)
        if arguments.part in ("all", "worker"):
            write_huge(built, folder / "huge.portrait")
            additional_worker(folder, folder / "huge.portrait")


if __name__ == "__main__":
    main()
