"""A stand-in for the hub: repositories of datasets in memory, served on this machine as the hub serves them.

It implements the part of the hub's HTTP interface that ``huggingface_hub`` and ``datasets`` use: a
repository's commit and files, paths and trees, and files at a revision, whole or by range.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

Files = dict[str, bytes]

#: The time of every commit, as the hub states it.
LAST_MODIFIED = "2025-02-19T08:30:00.000Z"


@dataclass
class Repository:
    """A dataset's commits and branches."""

    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    #: Whether reading its files requires a permission, which nobody has.
    gated: bool = False

    def commit(self, files: Files, branch: str = "main") -> str:
        """Replace a branch's files, and return the hash of the commit."""
        sha = hashlib.sha1(repr((sorted(files.items()), self.branches)).encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.branches[branch] = sha
        return sha

    def find(self, revision: str) -> str | None:
        """Return the hash of the commit that a revision currently names, or None if there is none."""
        sha = self.branches.get(revision, revision)
        return sha if sha in self.commits else None


class StandIn:
    """The hub: its repositories by name, and the requests that it received."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        #: Current names of renamed repositories, by their old names.
        self.moved: dict[str, str] = {}
        self.requests: list[str] = []
        #: Number of bytes sent, by file.
        self.sent: dict[str, int] = {}
        #: Files whose connection breaks in the middle.
        self.broken: set[str] = set()
        self.url = ""

    def add(self, name: str, files: Files) -> str:
        """Add a repository, and return the hash of its first commit."""
        repository = self.repositories[name] = Repository()
        return repository.commit(files)


@contextmanager
def serving() -> Iterator[StandIn]:
    """Serve a new, empty hub at its ``url`` while the block runs."""
    hub = StandIn()

    class Bound(_Handler):
        stand_in = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_API = re.compile(r"/api/datasets/([^/]+/[^/]+?)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?")
_FILE = re.compile(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.stand_in.requests.append(f"{self.command} {self.path}")
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        old = path.removeprefix("/api/datasets/")
        if old in self.stand_in.moved:
            self._answer(307, b"", {"Location": f"/api/datasets/{self.stand_in.moved[old]}"})
        elif match := _API.fullmatch(path):
            name, kind, revision, inside = match.groups()
            self._api(name, kind or "revision", unquote(revision or "main"), unquote(inside or ""), body)
        elif match := _FILE.fullmatch(path):
            name, revision, inside = match.groups()
            self._file(name, unquote(revision), unquote(inside))
        else:
            self._refuse(404, "", "no such page")

    do_HEAD = do_POST = do_GET  # noqa: N815

    def _commit(self, name: str, revision: str) -> str | None:
        """Return the commit's hash, or send an error and return None."""
        repository = self.stand_in.repositories.get(name)
        if repository is None:
            # The hub does not tell strangers which repositories do not exist.
            self._refuse(401, "", "Invalid username or password.")
            return None
        sha = repository.find(revision)
        if sha is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return sha

    def _api(self, name: str, kind: str, revision: str, inside: str, body: bytes) -> None:
        sha = self._commit(name, revision)
        if sha is None:
            return
        repository = self.stand_in.repositories[name]
        files = repository.commits[sha]
        if kind == "revision":
            siblings = [{"rfilename": path, "size": len(data)} for path, data in files.items()]
            self._json(
                {
                    "id": name,
                    "sha": sha,
                    "lastModified": LAST_MODIFIED,
                    "siblings": siblings,
                    "tags": [],
                    "downloads": 0,
                    "private": False,
                }
            )
        elif kind == "tree":
            recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower()
            entries = _tree(files, inside.strip("/"), recursive in ("true", "1"))
            if inside and not entries:
                self._refuse(404, "EntryNotFound", f"{inside} does not exist")
            else:
                self._json(entries)
        else:
            query = json.loads(body) if body.startswith(b"{") else parse_qs(body.decode())
            paths = query["paths"] if isinstance(query["paths"], list) else [query["paths"]]
            known = {entry["path"]: entry for entry in _tree(files, "", recursive=True)}
            self._json([known[path] for path in paths if path in known])

    def _file(self, name: str, revision: str, path: str) -> None:
        sha = self._commit(name, revision)
        if sha is None:
            return
        repository = self.stand_in.repositories[name]
        if repository.gated:
            self._refuse(401, "GatedRepo", f"Access to dataset {name} is restricted.")
            return
        data = repository.commits[sha].get(path)
        if data is None:
            self._refuse(404, "EntryNotFound", f"{path} does not exist", sha)
            return
        start, stop = 0, len(data)
        byte_range = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if byte_range:
            start, stop = int(byte_range[1]), min(stop, int(byte_range[2] or stop - 1) + 1)
        part = data[start:stop]
        self.send_response(206 if byte_range else 200)
        self.send_header("X-Repo-Commit", sha)
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        if byte_range:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if path in self.stand_in.broken:
            self.wfile.write(part[: len(part) // 2])
            self.close_connection = True
        else:
            self.stand_in.sent[path] = self.stand_in.sent.get(path, 0) + len(part)
            self.wfile.write(part)

    def _json(self, answer: Any) -> None:
        self._answer(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str, sha: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": sha}
        self._answer(status, json.dumps({"error": message}).encode(), headers)

    def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: ``requests`` records the requests."""


def _tree(files: Files, inside: str, recursive: bool) -> list[dict[str, Any]]:
    """Return the files and directories inside a directory, as the hub lists them."""
    prefix = f"{inside}/" if inside else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, data in sorted(files.items()):
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts)):
            directory = prefix + "/".join(parts[:depth])
            if recursive or depth == 1:
                entries[directory] = {
                    "type": "directory",
                    "oid": _oid(directory.encode()),
                    "path": directory,
                    "size": 0,
                }
        if recursive or len(parts) == 1:
            entries[path] = {"type": "file", "oid": _oid(data), "path": path, "size": len(data)}
    return list(entries.values())


def _oid(data: bytes) -> str:
    """Return an object id for some content."""
    return hashlib.sha1(data).hexdigest()
