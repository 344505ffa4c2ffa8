"""``portrait.json``: what a bundle says of itself, typed, and checked as it is read."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from portrait.errors import DamagedBundleError, NotAPortraitError, SpecError, UnsupportedBundleError
from portrait.spec import NORMALIZER_VERSIONS, WindowSpec, require_source_name

FORMAT = "portrait"
FORMAT_VERSION = 1
HASH = {"name": "xxh3_64", "window_seed": 0, "document_seed": 1}

#: Stands for the manifest's digest while it is computed.
NO_DIGEST = "0" * 64
#: Names of files that are not UTF-8 hold lone surrogates, which only JSON's escapes can write.
_ESCAPE = "backslashreplace"
_LAST_KEY = (1 << 64) - 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """A file of a layer: which keys it covers, first to last, in hexadecimal; and its digests."""

    file: str
    first_key: str
    last_key: str
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

    ``fpr`` is the rate of the filter as it was built; ``probe_hits`` of ``probe_keys`` random keys
    confirmed it. ``tensors`` holds the SHA-256 of each of the filter's tensors, over all shards end to
    end: what the layer holds, however it is cut into files. Counts are ``None`` where nobody knows
    them any more: where the filter was built elsewhere.
    """

    source: str
    filter: dict[str, Any]
    documents: int | None
    short_documents: int | None
    windows: int | None
    distinct_keys: int
    text_bytes: int | None
    fpr_target: float
    fpr: float
    probe_keys: int
    probe_hits: int
    tensors: dict[str, str]
    shards: tuple[ShardRecord, ...]
    test_vectors: TestVectors


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

        How the layers are cut into files is no part of it.
        """
        content = {
            "format_version": FORMAT_VERSION,
            **_window_fields(self.windows),
            "hash": HASH,
            "layers": [
                {
                    "source": layer.source,
                    "filter": layer.filter,
                    "fpr": layer.fpr,
                    "tensors": layer.tensors,
                }
                for layer in self.layers
            ],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of ``portrait.json``."""
        content = self._content()
        content["manifest_sha256"] = _digest(_to_text(content).encode(errors=_ESCAPE))
        return content

    def to_json(self) -> bytes:
        """``portrait.json``: sorted keys, two spaces, a line feed at the end."""
        return _to_text(self.to_dict()).encode(errors=_ESCAPE)

    def _content(self) -> dict[str, Any]:
        """All of it, with zeros in place of its own digest."""
        fields = _window_fields(self.windows)
        fields["normalizer"]["unicode"] = self.unicode_version
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "id": self.id,
            "manifest_sha256": NO_DIGEST,
            **fields,
            "hash": HASH,
            "layers": [asdict(layer) for layer in self.layers],
            "corpus": self.corpus,
            "tool": self.tool,
            "license": self.license,
            "trained_models": list(self.trained_models),
        }


def _to_text(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def check_digest(text: bytes, where: str) -> None:
    """Compare every byte of a ``portrait.json``, parsed before, with the digest it states of itself.

    The digest is that of the file with 64 zeros wherever the digest stands. Raises
    :class:`DamagedBundleError`.
    """
    stated: str = json.loads(text)["manifest_sha256"]
    if _digest(text.replace(stated.encode(), NO_DIGEST.encode())) != stated:
        raise DamagedBundleError(
            f"{where}: its digest is not the one it states: it was changed after the build"
        )


def _is_hexadecimal(value: object, n_digits: int) -> bool:
    return isinstance(value, str) and len(value) == n_digits and set(value) <= set("0123456789abcdef")


def _window_fields(spec: WindowSpec) -> dict[str, Any]:
    return {
        "windows": {"width": spec.width, "stride": spec.stride, "unit": spec.unit},
        "normalizer": {"name": spec.normalizer, "version": NORMALIZER_VERSIONS[spec.normalizer]},
    }


def parse(text: bytes, where: str) -> Manifest:
    """Read ``portrait.json``; ``where`` names it in errors.

    Raises :class:`NotAPortraitError`, :class:`UnsupportedBundleError` or
    :class:`DamagedBundleError`.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedBundleError(f"{where}: not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise NotAPortraitError(f'{where}: not a portrait\'s manifest: it has no "format": "{FORMAT}"')
    version = content.get("format_version")
    if type(version) is not int or version < 1:
        raise DamagedBundleError(f"{where}: format_version is {version!r}, not a whole number from 1")
    if version > FORMAT_VERSION:
        raise UnsupportedBundleError(
            f"{where}: format version {version} is newer than {FORMAT_VERSION}, "
            "the newest this release reads: upgrade portrait"
        )
    return _Fields(content, where, "").manifest()


def _covers(shards: tuple[ShardRecord, ...]) -> bool:
    """Whether every key belongs to one shard, and to a later one than the keys before it.

    Or to all of them: files of other formats are not split by key.
    """
    ranges = [(int(shard.first_key, 16), int(shard.last_key, 16)) for shard in shards]
    if set(ranges) == {(0, _LAST_KEY)}:
        return True
    firsts = [0, *(last + 1 for _, last in ranges)]
    return firsts[-1] - 1 == _LAST_KEY and all(
        first == expected and first <= last for (first, last), expected in zip(ranges, firsts, strict=False)
    )


class _Fields:
    """A JSON object whose members are taken out with their type checked."""

    def __init__(self, content: Any, where: str, path: str) -> None:
        self.where, self.path = where, path
        if not isinstance(content, dict):
            raise self.wrong("an object")
        self.content: dict[str, Any] = content

    def wrong(self, wanted: str, name: str = "") -> DamagedBundleError:
        field = ".".join(part for part in (self.path, name) if part) or "the manifest"
        return DamagedBundleError(f"{self.where}: {field} must be {wanted}")

    def take(self, name: str, kind: type[T], wanted: str) -> T:
        value = self.content.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(wanted, name)
        return value

    def text(self, name: str) -> str:
        return self.take(name, str, "a string")

    def count(self, name: str) -> int:
        value = self.take(name, int, "a whole number")
        if not 0 <= value < 1 << 63:
            raise self.wrong("a whole number from 0", name)
        return value

    def count_or_null(self, name: str) -> int | None:
        return None if name in self.content and self.content[name] is None else self.count(name)

    def rate(self, name: str) -> float:
        value = self.take(name, float, "a number from 0 to 1")
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise self.wrong("a number from 0 to 1", name)
        return value

    def hexadecimal(self, name: str, n_digits: int) -> str:
        value = self.text(name)
        if not _is_hexadecimal(value, n_digits):
            raise self.wrong(f"{n_digits} hexadecimal digits", name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.take(name, list, "a list of strings")
        if not all(isinstance(value, str) for value in values):
            raise self.wrong("a list of strings", name)
        return tuple(values)

    def fields(self, name: str) -> _Fields:
        return _Fields(self.content.get(name), self.where, ".".join(filter(None, (self.path, name))))

    def each(self, name: str) -> list[_Fields]:
        values = self.take(name, list, "a list of objects")
        prefix = f"{self.path}." if self.path else ""
        return [_Fields(value, self.where, f"{prefix}{name}[{i}]") for i, value in enumerate(values)]

    def manifest(self) -> Manifest:
        windows = self.window_spec()
        found = {name: self.fields("hash").content.get(name) for name in HASH}
        if found != HASH or any(isinstance(value, bool) for value in found.values()):
            raise UnsupportedBundleError(f"{self.where}: unknown hash {self.content['hash']!r}")
        layers = tuple(layer.layer() for layer in self.each("layers"))
        if not layers:
            raise self.wrong("a list of one layer or more", "layers")
        if len({layer.source for layer in layers}) != len(layers):
            raise self.wrong("layers of different sources", "layers")
        files = [shard.file for layer in layers for shard in layer.shards]
        if len(set(files)) != len(files):
            raise self.wrong("layers with files of their own", "layers")
        self.hexadecimal("manifest_sha256", 64)
        manifest = Manifest(
            windows=windows,
            unicode_version=self.fields("normalizer").text("unicode"),
            layers=layers,
            corpus=self.fields("corpus").content,
            tool=self.text("tool"),
            license=None if self.content.get("license") is None else self.text("license"),
            trained_models=self.texts("trained_models"),
        )
        try:
            expected = manifest.id
        except (UnicodeEncodeError, RecursionError) as error:
            raise DamagedBundleError(f"{self.where}: a layer's record is not plain JSON: {error}") from error
        if self.text("id") != expected:
            raise DamagedBundleError(
                f"{self.where}: the id does not belong to these layers: it was changed after the build"
            )
        return manifest

    def window_spec(self) -> WindowSpec:
        windows, normalizer = self.fields("windows"), self.fields("normalizer")
        name, version = normalizer.text("name"), normalizer.count("version")
        if NORMALIZER_VERSIONS.get(name) != version:
            raise UnsupportedBundleError(
                f"{self.where}: unknown normalizer {name!r} version {version}: upgrade portrait"
            )
        try:
            return WindowSpec(
                width=windows.count("width"),
                stride=windows.count("stride"),
                unit=windows.content.get("unit"),  # type: ignore[arg-type]  # checked by the spec
                normalizer=name,  # type: ignore[arg-type]  # checked above
            )
        except SpecError as error:
            raise DamagedBundleError(f"{self.where}: {error}") from error

    def layer(self) -> Layer:
        vectors = self.fields("test_vectors")
        try:
            source = require_source_name(self.text("source"))
        except SpecError as error:
            raise DamagedBundleError(f"{self.where}: {error}") from error
        shards = tuple(shard.shard() for shard in self.each("shards"))
        if not shards:
            raise self.wrong("a list of one shard or more", "shards")
        tensors = self.fields("tensors").content
        if not tensors or not all(_is_hexadecimal(digest, 64) for digest in tensors.values()):
            raise self.wrong("digests of one tensor or more", "tensors")
        if not _covers(shards):
            raise self.wrong("shards that cover all keys, once and in order", "shards")
        return Layer(
            source=source,
            filter=self.fields("filter").content,
            documents=self.count_or_null("documents"),
            short_documents=self.count_or_null("short_documents"),
            windows=self.count_or_null("windows"),
            distinct_keys=self.count("distinct_keys"),
            text_bytes=self.count_or_null("text_bytes"),
            fpr_target=self.rate("fpr_target"),
            fpr=self.rate("fpr"),
            probe_keys=self.count("probe_keys"),
            probe_hits=self.count("probe_hits"),
            tensors=tensors,
            shards=shards,
            test_vectors=TestVectors(present=vectors.texts("present"), absent=vectors.texts("absent")),
        )

    def shard(self) -> ShardRecord:
        file = self.text("file")
        # A plain name: nothing a manifest says may reach outside its bundle.
        if not file or file.startswith(".") or not file.isprintable() or any(c in file for c in "/\\"):
            raise self.wrong("the plain name of a file in the bundle", "file")
        return ShardRecord(
            file=file,
            first_key=self.hexadecimal("first_key", 16),
            last_key=self.hexadecimal("last_key", 16),
            bytes=self.count("bytes"),
            sha256=self.hexadecimal("sha256", 64),
            xxh3_128=self.hexadecimal("xxh3_128", 32),
        )
