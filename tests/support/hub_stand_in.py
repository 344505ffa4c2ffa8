"""A stand-in for the hub: repositories in memory, served on this machine as the hub serves them.

It implements the part of the hub's HTTP interface that ``huggingface_hub`` and ``datasets`` use: who asks,
repositories, their commits and files, paths and trees, uploads and commits, and files at a revision, whole or
by range. Large files lie at another origin, to which the hub redirects.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Files = dict[str, bytes]

#: When every commit was made, as the hub states it.
LAST_MODIFIED = "2025-02-19T08:30:00.000Z"
#: Files of these names, and of this size, are large: they lie at the other origin.
_LARGE = (".safetensors", ".bin")
_LARGE_BYTES = 10_000_000
_CHUNK_BYTES = 1 << 22


def is_large(path: str, n_bytes: int) -> bool:
    """Return whether the hub stores a file apart from the repository."""
    return n_bytes > 0 and (path.endswith(_LARGE) or n_bytes >= _LARGE_BYTES)


@dataclass
class Repository:
    """A repository's commits and branches."""

    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    #: Whether reading its files requires a permission, which nobody has.
    gated: bool = False
    private: bool = False
    #: Pull requests: the files that each proposes.
    proposals: list[Files] = field(default_factory=list)

    def commit(self, files: Files, branch: str = "main") -> str:
        """Replace a branch's files, and return the hash of the commit."""
        contents = [(path, hashlib.sha256(data).hexdigest()) for path, data in sorted(files.items())]
        sha = hashlib.sha1(repr((contents, self.branches)).encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.branches[branch] = sha
        return sha

    def find(self, revision: str) -> str | None:
        """Return the hash of the commit that a revision currently names, or None if there is none."""
        sha = self.branches.get(revision, revision)
        return sha if sha in self.commits else None

    def files(self, revision: str = "main") -> Files:
        """Return the files at a revision, which exists."""
        sha = self.find(revision)
        assert sha is not None
        return self.commits[sha]


class StandIn:
    """The hub: its repositories by name, and the requests that it received."""

    def __init__(self) -> None:
        #: Repositories of datasets, by name.
        self.repositories: dict[str, Repository] = {}
        #: Repositories of models, by name.
        self.models: dict[str, Repository] = {}
        #: Users by their tokens; a user may write in the namespace of that name.
        self.tokens: dict[str, str] = {}
        #: Current names of renamed repositories, by their old names.
        self.moved: dict[str, str] = {}
        self.requests: list[str] = []
        #: Number of bytes sent, by file.
        self.sent: dict[str, int] = {}
        #: Files whose connection breaks in the middle.
        self.broken: set[str] = set()
        #: Files whose connection breaks in the middle, so many times.
        self.cuts: dict[str, int] = {}
        #: How many requests are refused for now, by the end of their path, and how many seconds to wait.
        self.refusals: dict[str, tuple[int, int]] = {}
        #: Files that are sent with other bytes than they have.
        self.spoiled: set[str] = set()
        #: Commits that someone else makes before the next one arrives: branches' files, by repository.
        self.overtaking: list[tuple[Repository, Files]] = []
        #: The first lines of the commits' messages.
        self.messages: list[str] = []
        #: Large files, by SHA-256.
        self.objects: dict[str, bytes] = {}
        #: Tokens that the other origin received; it should receive none.
        self.leaked: list[str] = []
        self.url = ""
        self.store_url = ""

    def clear(self) -> None:
        """Forget everything except the addresses."""
        url, store_url = self.url, self.store_url
        self.__init__()  # type: ignore[misc]
        self.url, self.store_url = url, store_url

    def add(self, name: str, files: Files) -> str:
        """Add a dataset's repository, and return the hash of its first commit."""
        repository = self.repositories[name] = Repository()
        return repository.commit(files)

    def add_model(self, name: str, files: Files, *, private: bool = False) -> str:
        """Add a model's repository, and return the hash of its first commit."""
        repository = self.models[name] = Repository(private=private)
        return repository.commit(files)

    def of_type(self, kind: str) -> dict[str, Repository]:
        """Return the repositories of a type, ``models`` or ``datasets``, by name."""
        return self.models if kind == "models" else self.repositories


@contextmanager
def serving() -> Iterator[StandIn]:
    """Serve a new, empty hub at its ``url`` while the block runs."""
    hub = StandIn()
    with ExitStack() as stack:
        hub.url = stack.enter_context(_listening(_Handler, hub))
        hub.store_url = stack.enter_context(_listening(_Store, hub))
        yield hub


@contextmanager
def _listening(kind: type[_Base], hub: StandIn) -> Iterator[str]:
    bound = type("Bound", (kind,), {"stand_in": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_NAME = r"([^/]+/[^/]+?)"
_API = re.compile(
    rf"/api/(models|datasets)/{_NAME}(?:/(revision|tree|paths-info|preupload|commit|branch)/([^/]+)(?:/(.*))?)?"
)
_BATCH = re.compile(rf"/(?:(datasets)/)?{_NAME}\.git/info/lfs/objects/(batch|verify)")
_FILE = re.compile(r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class _Base(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A body that follows its headers need not wait until the client has acknowledged these.
    disable_nagle_algorithm = True
    stand_in: StandIn

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send_part(self, path: str, data: bytes, headers: dict[str, str]) -> None:
        """Send a file, or the part of it that the request asks for."""
        if path in self.stand_in.spoiled:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start, stop = 0, len(data)
        byte_range = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if byte_range:
            start, stop = int(byte_range[1]), min(stop, int(byte_range[2] or stop - 1) + 1)
        part = memoryview(data)[start:stop]
        self.send_response(206 if byte_range else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        if byte_range:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        cuts = self.stand_in.cuts.get(path, 0)
        if cuts or path in self.stand_in.broken:
            self.stand_in.cuts[path] = max(0, cuts - 1)
            self.wfile.write(part[: len(part) // 2])
            self.close_connection = True
        else:
            self.wfile.write(part)
        sent = len(part) // 2 if cuts or path in self.stand_in.broken else len(part)
        self.stand_in.sent[path] = self.stand_in.sent.get(path, 0) + sent

    def _json(self, answer: Any, status: int = 200) -> None:
        self._answer(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        stated = {"X-Error-Code": code, "X-Error-Message": message, **(headers or {})}
        self._answer(status, json.dumps({"error": message}).encode(), stated)

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


class _Store(_Base):
    """The other origin: large files by their SHA-256."""

    def do_GET(self) -> None:
        self._note_token()
        address = urlsplit(self.path)
        path = parse_qs(address.query).get("path", [""])[0]
        data = self.stand_in.objects.get(address.path.rpartition("/")[2])
        if data is None:
            self._refuse(404, "", "no such object")
        else:
            self._send_part(path, data, {})

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        self._note_token()
        oid = urlsplit(self.path).path.rpartition("/")[2]
        left = int(self.headers["Content-Length"])
        pieces, digest = [], hashlib.sha256()
        while left:
            piece = self.rfile.read(min(left, _CHUNK_BYTES))
            if not piece:
                return
            digest.update(piece)
            pieces.append(piece)
            left -= len(piece)
        if digest.hexdigest() != oid:
            self._refuse(400, "", "The content does not have the stated SHA-256.")
            return
        self.stand_in.objects[oid] = b"".join(pieces)
        self._answer(200, b"", {})

    def _note_token(self) -> None:
        if token := self.headers.get("Authorization"):
            self.stand_in.leaked.append(token)


class _Handler(_Base):
    """The hub itself."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.stand_in.requests.append(f"{self.command} {self.path}")
        body = self._body()
        if self._is_refused(path):
            return
        old = path.removeprefix("/api/datasets/")
        if old in self.stand_in.moved:
            self._answer(307, b"", {"Location": f"/api/datasets/{self.stand_in.moved[old]}"})
        elif path == "/api/whoami-v2":
            user = self._user()
            if user is None:
                self._refuse(401, "", "Invalid username or password.")
            else:
                self._json({"type": "user", "name": user, "orgs": [], "auth": {"type": "access_token"}})
        elif path == "/api/validate-yaml":
            self._validate(json.loads(body))
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif match := _BATCH.fullmatch(path):
            self._batch(match[1] or "models", match[2], match[3], json.loads(body))
        elif match := _API.fullmatch(path):
            kind, name, action, revision, inside = match.groups()
            self._api(
                kind, name, action or "revision", unquote(revision or "main"), unquote(inside or ""), body
            )
        elif match := _FILE.fullmatch(path):
            kind, name, revision, inside = match.groups()
            self._file(kind or "models", name, unquote(revision), unquote(inside))
        else:
            self._refuse(404, "", "no such page")

    do_HEAD = do_POST = do_GET  # noqa: N815

    def _is_refused(self, path: str) -> bool:
        for end, (times, seconds) in self.stand_in.refusals.items():
            if times and path.endswith(end):
                self.stand_in.refusals[end] = (times - 1, seconds)
                self._refuse(429, "", "Too many requests", {"Retry-After": str(seconds)})
                return True
        return False

    def _user(self) -> str | None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return self.stand_in.tokens.get(token)

    def _may_write(self, name: str) -> bool:
        """Return whether the user may write to a repository, or send an error."""
        user = self._user()
        if user is None:
            self._refuse(401, "", "Invalid username or password.")
        elif name.partition("/")[0] != user:
            self._refuse(403, "", f"You don't have the rights to create or change {name}")
        else:
            return True
        return False

    def _validate(self, asked: dict[str, Any]) -> None:
        front = re.match(r"---\n(.*?)\n---\n", asked["content"], re.DOTALL)
        try:
            yaml.safe_load(front[1] if front else "")
        except yaml.YAMLError as error:
            self._json({"errors": [{"message": str(error)}], "warnings": []}, 400)
        else:
            self._json({"errors": [], "warnings": []})

    def _create(self, asked: dict[str, Any]) -> None:
        user = self._user()
        name = f"{asked.get('organization') or user}/{asked['name']}"
        kind = f"{asked.get('type') or 'model'}s"
        if not self._may_write(name):
            return
        prefix = "" if kind == "models" else f"{kind}/"
        url = f"{self.stand_in.url}/{prefix}{name}"
        repositories = self.stand_in.of_type(kind)
        if name in repositories:
            self._json({"error": f"You already created this {kind[:-1]} repo", "url": url}, 409)
            return
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        repositories[name] = Repository(private=private)
        repositories[name].commit({".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"})
        self._json({"url": url, "name": name, "id": name})

    def _repository(self, kind: str, name: str) -> Repository | None:
        """Return a repository that the user may see, or send an error and return None."""
        repository = self.stand_in.of_type(kind).get(name)
        if repository is None or (repository.private and self._user() != name.partition("/")[0]):
            # The hub does not tell strangers which repositories do not exist.
            if self._user() is None:
                self._refuse(401, "", "Invalid username or password.")
            else:
                self._refuse(404, "RepoNotFound", "Repository not found")
            return None
        return repository

    def _api(self, kind: str, name: str, action: str, revision: str, inside: str, body: bytes) -> None:
        repository = self._repository(kind, name)
        if repository is None:
            return
        if action == "branch":
            if self._may_write(name):
                repository.branches[revision] = repository.branches["main"]
                self._json({})
            return
        sha = repository.find(revision)
        if sha is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        files = repository.commits[sha]
        if action == "preupload":
            if self._may_propose(name):
                self._json({"files": [_upload_mode(one, files) for one in json.loads(body)["files"]]})
        elif action == "commit":
            if self._may_propose(name):
                self._commit(kind, name, repository, revision, body)
        elif action == "revision":
            siblings = [{"rfilename": path, "size": len(data)} for path, data in files.items()]
            facts = {"id": name, "sha": sha, "lastModified": LAST_MODIFIED, "siblings": siblings}
            self._json({**facts, "tags": [], "downloads": 0, "private": repository.private})
        elif action == "tree":
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

    def _is_proposal(self) -> bool:
        return parse_qs(urlsplit(self.path).query).get("create_pr") == ["1"]

    def _may_propose(self, name: str) -> bool:
        """Return whether the user may commit, or at least propose a commit; otherwise send an error."""
        if self._is_proposal() and self._user() is not None:
            return True
        return self._may_write(name)

    def _batch(self, kind: str, name: str, action: str, asked: dict[str, Any]) -> None:
        if self._repository(kind, name) is None:
            return
        if action == "verify":
            known = self.stand_in.objects.get(asked["oid"])
            if known is None or len(known) != asked["size"]:
                self._refuse(404, "", "Object does not exist")
            else:
                self._json({})
            return
        objects = []
        for one in asked["objects"]:
            actions = {
                "upload": {"href": f"{self.stand_in.store_url}/objects/{one['oid']}", "header": {}},
                "verify": {"href": f"{self.stand_in.url}{urlsplit(self.path).path[: -len('batch')]}verify"},
            }
            there = one["oid"] in self.stand_in.objects
            objects.append({**one} if there else {**one, "actions": actions})
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, kind: str, name: str, repository: Repository, branch: str, body: bytes) -> None:
        lines = [json.loads(line) for line in body.splitlines()]
        header = next(one["value"] for one in lines if one["key"] == "header")
        parent = header.get("parentCommit")
        if self.stand_in.overtaking:
            overtaken, files = self.stand_in.overtaking.pop(0)
            overtaken.commit({**overtaken.files(branch), **files}, branch)
        if parent is not None and repository.branches.get(branch) != parent and not self._is_proposal():
            self._refuse(412, "", "A commit has happened since. Please refresh and try again.")
            return
        self.stand_in.messages.append(header["summary"])
        files = dict(repository.files(branch))
        for line in lines:
            path = line["value"].get("path")
            if line["key"] == "file":
                files[path] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "lfsFile":
                content = self.stand_in.objects.get(line["value"]["oid"])
                if content is None:
                    self._refuse(400, "", f"LFS pointer pointed to a file that does not exist: {path}")
                    return
                files[path] = content
            elif line["key"] == "deletedFile" and files.pop(path, None) is None:
                self._refuse(404, "EntryNotFound", "A file with this name doesn't exist")
                return
        prefix = "" if kind == "models" else f"{kind}/"
        url = f"{self.stand_in.url}/{prefix}{name}"
        answer: dict[str, Any] = {"success": True, "hookOutput": ""}
        if self._is_proposal():
            repository.proposals.append(files)
            number = len(repository.proposals)
            sha = repository.commit(files, f"refs/pr/{number}")
            answer["pullRequestUrl"] = f"{url}/discussions/{number}"
        else:
            sha = repository.commit(files, branch)
        self._json({**answer, "commitOid": sha, "commitUrl": f"{url}/commit/{sha}"})

    def _file(self, kind: str, name: str, revision: str, path: str) -> None:
        repository = self._repository(kind, name)
        if repository is None:
            return
        sha = repository.find(revision)
        if sha is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        if repository.gated:
            self._refuse(401, "GatedRepo", f"Access to {kind[:-1]} {name} is restricted.")
            return
        data = repository.commits[sha].get(path)
        if data is None:
            self._refuse(404, "EntryNotFound", f"{path} does not exist", {"X-Repo-Commit": sha})
            return
        if not is_large(path, len(data)):
            self._send_part(path, data, {"X-Repo-Commit": sha, "ETag": f'"{_blob_id(data)}"'})
            return
        oid = hashlib.sha256(data).hexdigest()
        self.stand_in.objects[oid] = data
        headers = {
            "Location": f"{self.stand_in.store_url}/objects/{oid}?path={path}",
            "X-Repo-Commit": sha,
            "X-Linked-Size": str(len(data)),
            "X-Linked-ETag": f'"{oid}"',
            "ETag": f'"{_blob_id(data)}"',
        }
        self._answer(302, b"", headers)


def _upload_mode(asked: dict[str, Any], files: Files) -> dict[str, Any]:
    """Return how a file is to be uploaded, and the object id of the one that is there."""
    path = asked["path"]
    large = is_large(path, asked["size"])
    answer = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
    there = files.get(path)
    if there is not None:
        answer["oid"] = hashlib.sha256(there).hexdigest() if large else _blob_id(there)
    return answer


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
                    "oid": _blob_id(directory.encode()),
                    "path": directory,
                    "size": 0,
                }
        if recursive or len(parts) == 1:
            entries[path] = {"type": "file", "oid": _blob_id(data), "path": path, "size": len(data)}
            if is_large(path, len(data)):
                oid = hashlib.sha256(data).hexdigest()
                entries[path]["lfs"] = {"oid": oid, "size": len(data), "pointerSize": 134}
    return list(entries.values())


def _blob_id(data: bytes) -> str:
    """Return Git's object id of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
