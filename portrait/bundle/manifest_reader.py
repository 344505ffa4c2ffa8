"""Reading ``portrait.json`` with suspicion: every member is checked before anything relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portrait import strict_json
from portrait.bundle.fields import Fields, is_hexadecimal
from portrait.bundle.manifest import (
    FORMAT,
    FORMAT_VERSION,
    HASH,
    MAX_MANIFEST_VALUES,
    Layer,
    Manifest,
    ShardRecord,
    SketchRecord,
    TestVectors,
)
from portrait.bundle.pieces import MAX_SKETCH_KEYS, N_KEYS
from portrait.errors import DamagedBundleError, NotAPortraitError, SpecError, UnsupportedBundleError
from portrait.markup.numbers import count
from portrait.spec import (
    DOCUMENT_KEYS,
    NORMALIZER_VERSIONS,
    Minimizer,
    Sampling,
    Stride,
    WindowSpec,
    require_source_name,
)
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(text: bytes, where: str) -> Manifest:
    """Read the content of a ``portrait.json``.

    Args:
        text: The file's content.
        where: The file's name, for messages.

    Raises:
        NotAPortraitError: It is JSON, and not a manifest.
        UnsupportedBundleError: It is of a newer format, or names a hash or normaliser that is not known here.
        DamagedBundleError: It is not JSON in one meaning, or contradicts the format or itself.
    """
    if strict_json.count_values(text) > MAX_MANIFEST_VALUES:
        raise DamagedBundleError(
            f"{where}: more than {count(MAX_MANIFEST_VALUES)} values are none of a portrait's"
        )
    try:
        content = strict_json.loads(text)
    except JsonError as error:
        raise DamagedBundleError(f"{where}: {error}") from error
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
    return _manifest(Fields(content, where))


def _manifest(fields: Fields) -> Manifest:
    windows = _window_spec(fields)
    stated_hash = {name: fields.fields("hash").content.get(name) for name in HASH}
    if stated_hash != HASH or any(isinstance(value, bool) for value in stated_hash.values()):
        raise UnsupportedBundleError(f"{fields.where}: unknown hash {fields.content['hash']!r}")
    layers = tuple(_layer(layer) for layer in fields.each("layers"))
    _require_distinct(fields, layers)
    fields.hexadecimal("manifest_sha256", 64)
    manifest = Manifest(
        windows=windows,
        unicode_version=fields.fields("normalizer").text("unicode"),
        layers=layers,
        corpus=fields.fields("corpus").content,
        tool=fields.text("tool"),
        license=None if fields.content.get("license") is None else fields.text("license"),
        trained_models=fields.texts("trained_models"),
    )
    if fields.text("id") != manifest.id:
        raise DamagedBundleError(
            f"{fields.where}: the id does not belong to these layers: it was changed after the build"
        )
    return manifest


def _require_distinct(fields: Fields, layers: Sequence[Layer]) -> None:
    if not layers:
        raise fields.wrong("a list of one layer or more", "layers")
    if len({layer.source for layer in layers}) != len(layers):
        raise fields.wrong("layers of different sources", "layers")
    files = [one.file for layer in layers for one in layer.files]
    if len(set(files)) != len(files):
        raise fields.wrong("layers with files of their own", "layers")


def _window_spec(fields: Fields) -> WindowSpec:
    windows, normalizer = fields.fields("windows"), fields.fields("normalizer")
    name, version = normalizer.text("name"), normalizer.count("version")
    if NORMALIZER_VERSIONS.get(name) != version:
        raise UnsupportedBundleError(
            f"{fields.where}: unknown normalizer {name!r} version {version}: upgrade portrait"
        )
    try:
        return WindowSpec(
            width=windows.count("width"),
            sampling=_sampling(fields, windows),
            unit=windows.content.get("unit"),  # type: ignore[arg-type]  # checked by the spec
            normalizer=name,  # type: ignore[arg-type]  # checked above
        )
    except SpecError as error:
        raise DamagedBundleError(f"{fields.where}: {error}") from error


def _sampling(fields: Fields, windows: Fields) -> Sampling:
    name = windows.text("sampling")
    if name == Minimizer.name:
        return Minimizer(windows.count("span"))
    if name == Stride.name:
        return Stride(windows.count("stride"))
    raise UnsupportedBundleError(f"{fields.where}: unknown sampling {name!r}: upgrade portrait")


def _layer(fields: Fields) -> Layer:
    vectors = fields.fields("test_vectors")
    try:
        source = require_source_name(fields.text("source"))
    except SpecError as error:
        raise DamagedBundleError(f"{fields.where}: {error}") from error
    shards = tuple(_shard(shard) for shard in fields.each("shards"))
    if not shards:
        raise fields.wrong("a list of one shard or more", "shards")
    tensors = fields.fields("tensors").content
    if not tensors or not all(is_hexadecimal(digest, 64) for digest in tensors.values()):
        raise fields.wrong("digests of one tensor or more", "tensors")
    if not _covers(shards):
        raise fields.wrong("shards that cover all keys, once and in order", "shards")
    distinct_keys = fields.count("distinct_keys")
    return Layer(
        source=source,
        filter=fields.fields("filter").content,
        documents=fields.count_or_null("documents"),
        short_documents=fields.count_or_null("short_documents"),
        document_keys=fields.one_of("document_keys", DOCUMENT_KEYS),  # type: ignore[arg-type]  # checked
        windows=fields.count_or_null("windows"),
        distinct_keys=distinct_keys,
        text_bytes=fields.count_or_null("text_bytes"),
        fpr_target=fields.rate("fpr_target"),
        fpr=fields.rate("fpr"),
        probe_keys=fields.count("probe_keys"),
        probe_hits=fields.count("probe_hits"),
        tensors=tensors,
        shards=shards,
        sketch=_sketch(fields, distinct_keys),
        test_vectors=TestVectors(present=vectors.texts("present"), absent=vectors.texts("absent")),
    )


def _file(fields: Fields) -> str:
    file = fields.text("file")
    # A plain name: nothing a manifest says may reach outside its bundle.
    if not file or file.startswith(".") or not file.isprintable() or any(c in file for c in "/\\"):
        raise fields.wrong("the plain name of a file in the bundle", "file")
    return file


def _sketch(layer: Fields, distinct_keys: int) -> SketchRecord | None:
    if "sketch" in layer.content and layer.content["sketch"] is None:
        return None
    fields = layer.fields("sketch")
    n_keys = min(distinct_keys, MAX_SKETCH_KEYS)
    if fields.count("n_keys") != n_keys:
        raise fields.wrong(f"the smaller one of distinct_keys and {count(MAX_SKETCH_KEYS)}", "n_keys")
    return SketchRecord(
        file=_file(fields),
        n_keys=n_keys,
        bytes=fields.count("bytes"),
        sha256=fields.hexadecimal("sha256", 64),
        xxh3_128=fields.hexadecimal("xxh3_128", 32),
    )


def _shard(fields: Fields) -> ShardRecord:
    return ShardRecord(
        file=_file(fields),
        first_key=fields.hexadecimal("first_key", 16),
        last_key=fields.hexadecimal("last_key", 16),
        bytes=fields.count("bytes"),
        sha256=fields.hexadecimal("sha256", 64),
        xxh3_128=fields.hexadecimal("xxh3_128", 32),
    )


def _covers(shards: Sequence[ShardRecord]) -> bool:
    """Return whether the shards' ranges of keys follow each other and cover all keys.

    Shards of other formats are not split by key: each of them covers all keys.
    """
    ranges = [(int(shard.first_key, 16), int(shard.last_key, 16)) for shard in shards]
    if set(ranges) == {(0, N_KEYS - 1)}:
        return True
    firsts = [0, *(last + 1 for _, last in ranges)]
    return firsts[-1] == N_KEYS and all(
        first == expected and first <= last for (first, last), expected in zip(ranges, firsts, strict=False)
    )
