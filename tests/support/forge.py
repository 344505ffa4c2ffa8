"""Ways to damage a bundle on purpose so that every check passes except the one under test."""

from __future__ import annotations

import hashlib
import json
import signal
import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import xxhash

import portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def manifest_id(manifest: dict[str, Any]) -> str:
    """Return the id that the format prescribes for a manifest."""
    content = {
        "format_version": 1,
        "windows": manifest["windows"],
        "normalizer": {name: manifest["normalizer"][name] for name in ("name", "version")},
        "hash": {"name": "xxh3_64", "window_seed": 0, "document_seed": 1},
        "layers": [
            {
                "source": layer["source"],
                "document_keys": layer["document_keys"],
                "filter": layer["filter"],
                "fpr": layer["fpr"],
                "tensors": layer["tensors"],
            }
            for layer in manifest["layers"]
        ],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def replace(path: Path, data: bytes) -> None:
    """Replace the file at ``path`` by a new one, since the old one may still be mapped."""
    path.unlink()
    path.write_bytes(data)


def change_manifest(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Let ``change`` edit the manifest, then update its id and digest where it still has a place for them."""
    path = bundle / "portrait.json"
    manifest = json.loads(path.read_bytes())
    old_id = manifest["id"]
    change(manifest)
    if manifest.get("id") == old_id:
        # A manifest too broken to compute an id keeps the old one: the reader must notice the damage first.
        with suppress(KeyError, TypeError, IndexError, AttributeError):
            manifest["id"] = manifest_id(manifest)
    text = json.dumps(manifest).encode()
    with suppress(KeyError, TypeError, AttributeError):
        text = seal(text)
    replace(path, text)


def shard_path(bundle: Path) -> Path:
    """Return the path of the first layer's first shard."""
    manifest = json.loads((bundle / "portrait.json").read_bytes())
    return bundle / str(manifest["layers"][0]["shards"][0]["file"])


def seal(text: bytes) -> bytes:
    """Return a manifest's text with its digest recomputed as the format prescribes."""
    old: str = json.loads(text)["manifest_sha256"]
    unsealed = text.replace(old.encode(), b"0" * 64)
    return text.replace(old.encode(), hashlib.sha256(unsealed).hexdigest().encode())


def change_shard(bundle: Path, change: Callable[[bytes], bytes]) -> None:
    """Let ``change`` edit the first layer's first shard, and record its new size and digests."""
    path = shard_path(bundle)
    data = change(path.read_bytes())
    replace(path, data)

    def record(manifest: dict[str, Any]) -> None:
        layer = manifest["layers"][0]
        layer["shards"][0].update(
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            xxh3_128=xxhash.xxh3_128_hexdigest(data),
        )
        with suppress(struct.error, ValueError, RecursionError):
            # Only well-formed files have a tensor digest; others are refused before it is checked.
            files = [(bundle / shard["file"]).read_bytes() for shard in layer["shards"]]
            tensor = b"".join(split_tensor_file(file)[1] for file in files)
            layer["tensors"]["blocks"] = hashlib.sha256(tensor).hexdigest()

    change_manifest(bundle, record)


def split_tensor_file(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a safetensors file's header and its data."""
    (n_bytes,) = struct.unpack_from("<Q", data)
    header: dict[str, Any] = json.loads(data[8 : 8 + n_bytes])
    return header, data[8 + n_bytes :]


def join_tensor_file(header: object, data: bytes) -> bytes:
    """Return a safetensors file made of a header, or of bytes in place of its JSON, and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise an AssertionError if the block takes longer than ``seconds``."""

    def fail(*_: object) -> None:
        raise AssertionError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def opens_or_is_refused(bundle: Path, text: str) -> None:
    """Check that opening a bundle and querying it for ``text`` gives an answer or a PortraitError."""
    with within(20):
        try:
            answer = portrait.open(bundle).query(text)
        except portrait.PortraitError:
            return
    assert answer.verdict in ("found", "not_found", "inconclusive")
    assert json.loads(json.dumps(answer.to_dict(), allow_nan=False))["verdict"] == answer.verdict


def restore(whole: Path, scratch: Path) -> None:
    """Replace the files in ``scratch`` by those of ``whole`` with the same names."""
    for path in whole.iterdir():
        replace(scratch / path.name, path.read_bytes())
