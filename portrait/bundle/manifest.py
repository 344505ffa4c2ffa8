"""``portrait.json``: what a bundle says of itself, its id and its digest."""

from __future__ import annotations

import codecs
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from portrait import strict_json
from portrait.errors import DamagedBundleError, OutputError
from portrait.markup.numbers import count, counted
from portrait.spec import NORMALIZER_VERSIONS, DocumentKeys, WindowSpec

FORMAT = "portrait"
FORMAT_VERSION = 1
HASH = {"name": "xxh3_64", "window_seed": 0, "document_seed": 1}

#: The largest ``portrait.json``. To read it takes about six times as much memory, and a few seconds.
MAX_MANIFEST_BYTES = 64 << 20
#: The most values in it, as :func:`portrait.strict_json.count_values` counts them. A value takes up to a
#: hundred times as much memory as text; a file's record, of four values, ten times.
MAX_MANIFEST_VALUES = 2_500_000

#: Takes the place of the manifest's digest while that is computed.
_NO_DIGEST = "0" * 64
#: Names of files that are not UTF-8 hold lone surrogates, which readers of JSON disagree about.
_ESCAPE = "portrait.visible"


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """A file of a layer: the keys it covers, first to last, in hexadecimal, and its digests."""

    file: str
    first_key: str
    last_key: str
    bytes: int
    sha256: str
    xxh3_128: str


@dataclass(frozen=True, slots=True)
class SketchRecord:
    """The file of a layer's key sketch: how many keys it holds, and its digests."""

    file: str
    n_keys: int
    bytes: int
    sha256: str
    xxh3_128: str


@dataclass(frozen=True, slots=True)
class TestVectors:
    """Keys, in hexadecimal, that the layer must find and must not find."""

    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """The record of one source.

    ``document_keys`` says which documents have a key of their whole text: ``all``, ``long`` ones, which have
    a window, or ``none``. ``fpr`` is the rate of the filter as it was built; ``probe_hits`` of ``probe_keys``
    random keys confirmed it. ``tensors`` holds the SHA-256 of each of the filter's tensors, over all shards
    end to end: what the layer holds, however it is cut into files. ``sketch`` holds the smallest keys of the
    layer. It is ``None`` where the filter's keys are not ours; counts are ``None`` where they are unknown:
    where other software built the filter.
    """

    source: str
    filter: dict[str, Any]
    documents: int | None
    short_documents: int | None
    document_keys: DocumentKeys
    windows: int | None
    distinct_keys: int
    text_bytes: int | None
    fpr_target: float
    fpr: float
    probe_keys: int
    probe_hits: int
    tensors: dict[str, str]
    shards: tuple[ShardRecord, ...]
    sketch: SketchRecord | None
    test_vectors: TestVectors

    @property
    def files(self) -> tuple[ShardRecord | SketchRecord, ...]:
        """The records of all files of the layer: its shards and its sketch."""
        return self.shards if self.sketch is None else (*self.shards, self.sketch)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole of ``portrait.json``."""

    windows: WindowSpec
    unicode_version: str
    layers: tuple[Layer, ...]
    corpus: dict[str, Any]
    tool: str
    license: str | None = None
    trained_models: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """SHA-256 over what decides the answers: the specs and the digests of the layers' content.

        It does not depend on how the layers are cut into files.
        """
        content = {
            "format_version": FORMAT_VERSION,
            **_window_fields(self.windows),
            "hash": HASH,
            "layers": [
                {
                    "source": layer.source,
                    "document_keys": layer.document_keys,
                    "filter": layer.filter,
                    "fpr": layer.fpr,
                    "tensors": layer.tensors,
                }
                for layer in self.layers
            ],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return _sha256(text.encode())

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of ``portrait.json``."""
        content = self._undigested()
        content["manifest_sha256"] = _sha256(_to_text(content).encode(errors=_ESCAPE))
        return content

    def to_json(self) -> bytes:
        """Return ``portrait.json``: sorted keys, two spaces, a line feed at the end.

        Raises:
            OutputError: It would be larger than any reader takes.
        """
        text = _to_text(self.to_dict()).encode(errors=_ESCAPE)
        for what, n, most in (
            ("byte", len(text), MAX_MANIFEST_BYTES),
            ("value", strict_json.count_values(text), MAX_MANIFEST_VALUES),
        ):
            if n > most:
                raise OutputError(
                    f"the manifest would have {counted(n, what)}, of {count(most)} that readers take: make "
                    "portraits of fewer sources, with shorter licences and names of models"
                )
        return text

    def _undigested(self) -> dict[str, Any]:
        """Return the JSON object with zeros in place of its own digest."""
        fields = _window_fields(self.windows)
        fields["normalizer"]["unicode"] = self.unicode_version
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "id": self.id,
            "manifest_sha256": _NO_DIGEST,
            **fields,
            "hash": HASH,
            "layers": [asdict(layer) for layer in self.layers],
            "corpus": self.corpus,
            "tool": self.tool,
            "license": self.license,
            "trained_models": list(self.trained_models),
        }


def check_digest(text: bytes, where: str) -> None:
    """Compare every byte of a ``portrait.json`` with the digest it states of itself.

    The digest is that of the file with 64 zeros in place of the digest.

    Args:
        text: The file's content, which the manifest reader has accepted.
        where: The file's name, for the message.

    Raises:
        DamagedBundleError: The digest is another.
    """
    stated: str = strict_json.loads(text)["manifest_sha256"]
    if _sha256(text.replace(stated.encode(), _NO_DIGEST.encode())) != stated:
        raise DamagedBundleError(
            f"{where}: its digest is not the one it states: it was changed after the build"
        )


def _show_surrogates(error: UnicodeError) -> tuple[str, int]:
    """Write lone surrogates as text: the bytes that they stand for in a file's name, else their number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # In a string of JSON, a backslash is two.
    shown = (
        f"\\\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\\\u{code:04x}"
        for code in map(ord, error.object[error.start : error.end])
    )
    return "".join(shown), error.end


codecs.register_error(_ESCAPE, _show_surrogates)


def _window_fields(spec: WindowSpec) -> dict[str, Any]:
    return {
        "windows": spec.to_dict(),
        "normalizer": {"name": spec.normalizer, "version": NORMALIZER_VERSIONS[spec.normalizer]},
    }


def _to_text(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
