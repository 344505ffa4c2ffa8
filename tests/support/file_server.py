"""A web server of files in memory that supports ranges and can simulate common failures."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def serving(files: Mapping[str, bytes], requests: list[str] | None = None) -> Iterator[str]:
    """Serve files while the block runs, and yield the server's URL.

    The same files are also at ``/plain``, which does not support ranges, at ``/broken``, where the connection
    breaks in the middle, and at ``/refused``, which answers 500.

    Args:
        files: Contents by name.
        requests: A list that receives the method and path of each request.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            if requests is not None:
                requests.append(f"{self.command} {self.path}")
            mode, _, name = self.path.removeprefix("/").partition("?")[0].rpartition("/")
            if mode == "refused":
                self._end(500, b"")
            elif name == "" and mode == "":
                links = "".join(f'<a href="/{one}">{one}</a>\n' for one in files)
                self._end(200, f"<html>{links}</html>".encode() if body else b"")
            elif name not in files:
                self._end(404, b"")
            else:
                self._file(files[name], mode, body=body)

        def _file(self, data: bytes, mode: str, *, body: bool) -> None:
            byte_range = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start, stop = 0, len(data)
            ranges = mode != "plain"
            if byte_range and ranges:
                start = int(byte_range[1])
                stop = min(len(data), int(byte_range[2]) + 1) if byte_range[2] else len(data)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Accept-Ranges", "bytes" if ranges else "none")
            self.send_header("Content-Length", str(stop - start))
            self.send_header("ETag", f'"{len(data)}-{hash(data) & 0xFFFF}"')
            self.end_headers()
            if body and mode == "broken":
                self.wfile.write(data[start : (start + stop) // 2])
                self.close_connection = True
            elif body:
                self.wfile.write(data[start:stop])

        def _end(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
