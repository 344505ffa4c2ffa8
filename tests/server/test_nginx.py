"""The files for nginx, in front of the running service: Debian's nginx loads them as they are."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from support.live import FERRY, JSON, Service, build, free_port, serving, wait_until
from support.places import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEPLOY = ROOT / "server" / "deploy"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"

#: The whole configuration, as of a user without privileges: everything is in the folder it is started in.
MAIN = """
daemon off;
{user}
pid nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include {http};
    server {{
        listen 127.0.0.1:{port};
        include {server};
    }}
}}
"""


def configure(folder: Path, http: Path, server: Path) -> int:
    """Write a configuration that includes the two files, and return the port that it listens on."""
    port = free_port()
    # Workers of the superuser's nginx run as somebody else, who has no access to the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(user=user, port=port, http=http, server=server))
    return port


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the command that starts nginx in a folder."""
    return [NGINX, "-e", "stderr", "-p", str(folder), "-c", "nginx.conf", *arguments]


def test_both_files_load_as_they_are(tmp_path: Path) -> None:
    configure(tmp_path, DEPLOY / "nginx-http.conf", DEPLOY / "nginx-server.conf")
    done = subprocess.run(command(tmp_path, "-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


@contextmanager
def proxying(folder: Path, service: Service) -> Iterator[Service]:
    """Run nginx in front of a service while the block runs."""
    http = folder / "http.conf"
    text = (DEPLOY / "nginx-http.conf").read_text()
    assert text.count("127.0.0.1:8000") == 1
    http.write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{service.port}"))
    port = configure(folder, http, DEPLOY / "nginx-server.conf")
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(command(folder), stdout=log, stderr=log)
    try:

        def listens() -> bool:
            assert process.poll() is None, (folder / "nginx.log").read_text()
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
            return False

        wait_until(listens)
        yield Service(process, port, folder)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """nginx, in front of a service that trusts one proxy."""
    folder = tmp_path_factory.mktemp("nginx")
    ferry = build(folder / "ferry.portrait", FERRY)
    with (
        serving(folder, ferry, trusted_proxies=1, hosts=["127.0.0.1"]) as service,
        proxying(folder, service) as proxy,
    ):
        yield proxy


def test_questions_reach_the_service(site: Service) -> None:
    assert site.query(FERRY).json["answers"][0]["verdict"] == "found"
    assert site.ask("GET", "/v1/portraits/ferry").status == 200
    assert b"<html" in site.ask("GET", "/").body
    assert site.ask("GET", "/v1/query").status == 405
    assert site.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "Application/X-NDJSON; charset=utf-8"])
def test_lines_are_answered_as_they_arrive_and_may_be_long_together(media_type: str, site: Service) -> None:
    line = json.dumps({"text": FERRY * 300}).encode() + b"\n"
    n_lines = 5_000_000 // len(line) + 1
    with site.connect() as connection:
        connection.sendall(
            b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
            + f"Content-Type: {media_type}\r\n\r\n".encode()
        )
        received = b""
        for n in range(1, n_lines + 1):
            connection.sendall(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            while received.count(b'"exact_document"') < n:
                data = connection.recv(1 << 16)
                assert data, received[-1000:]
                received += data
        connection.sendall(b"0\r\n\r\n")
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(1 << 16)


@pytest.mark.parametrize("path", ["/v1/query", "/q", "/", "/quip"])
def test_a_body_that_is_too_large_gets_413(path: str, site: Service) -> None:
    body = json.dumps({"text": "x" * 5_000_000}).encode()
    for _ in range(3):
        reply = site.ask("POST", path, body, JSON)
        assert (reply.status, reply.headers["content-type"]) == (413, "application/problem+json")
        assert set(reply.json) == {"type", "title", "status", "detail", "code"}


def test_a_body_without_a_length_that_is_too_large_gets_413(site: Service) -> None:
    with site.connect() as connection:
        connection.sendall(
            b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        with suppress(OSError):
            for _ in range(80):
                connection.sendall(piece)
        assert b" 413 " in connection.recv(1 << 16)[:20]


def test_what_is_internal_stays_so(site: Service) -> None:
    assert site.ask("GET", "/metrics").status == 403
    for path in ("/portrait-query/whole", "/portrait-query/lines"):
        assert site.ask("POST", path, {"text": FERRY}).status == 404


def test_callers_are_told_apart_by_their_own_addresses(site: Service) -> None:
    """A header that the client made up does not reach the service."""
    reply = site.ask("POST", "/v1/query", {"text": FERRY}, {"X-Forwarded-For": "192.0.2.7"})
    assert reply.status == 200
    assert site.ask("GET", "/v1/portraits", headers={"Host": "evil.example"}).status == 421


def test_no_more_than_the_logs_of_the_service_say_what_was_asked(site: Service) -> None:
    site.ask("GET", "/xyzzy?text=plugh")
    assert not any(
        word in path.read_bytes()
        for path in site.folder.rglob("*")
        if path.is_file()
        for word in (b"xyzzy", b"plugh")
    )
