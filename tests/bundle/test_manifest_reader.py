"""Damaged manifests: each kind of damage has a named error, and none causes a crash."""

from __future__ import annotations

import json
import random
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import (
    change_manifest,
    opens_or_is_refused,
    replace,
    restore,
    shard_path,
)
from support.sample_bundles import read_manifest, refusal

import portrait
from portrait import DamagedBundleError, NotAPortraitError, PortraitError, UnsupportedBundleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


TEXT = "The third violinist had lost her place, and played the rest of the movement from memory. "


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undamaged bundle of two sources."""
    directory = tmp_path_factory.mktemp("whole")
    (directory / "a.txt").write_text(TEXT * 20)
    (directory / "b.txt").write_text(TEXT.upper())
    portrait.build({"a": directory / "a.txt", "b": directory / "b.txt"}, directory / "out")
    return directory / "out"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of the undamaged bundle, for the test to damage."""
    return shutil.copytree(whole, tmp_path / "bundle")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON in UTF-8"),
        (b"[" * 200_000, "JSON nested more than 64 deep"),
        (b'{"a": ' * 65 + b"1" + b"}" * 65, "JSON nested more than 64 deep"),
        (b'{"format": 1}}', "not JSON"),
        (b"9" * 5000, "too long a number"),
        (b"\0", "not JSON"),
        (b"[" + b"{}," * 1_250_000 + b"{}]", "more than 2,500,000 values"),
        (b"[" + b"[[[[[]]]]]," * 500_000 + b"[]]", "more than 2,500,000 values"),
    ],
)
def test_a_manifest_that_is_not_json_is_damaged(text: bytes, reason: str, bundle: Path) -> None:
    (bundle / "portrait.json").write_bytes(text)
    assert reason in refusal(bundle, DamagedBundleError)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.decode().encode("utf-16"), "not JSON in UTF-8: see byte 0"),
        (lambda text: text.decode().encode("utf-16-be"), "not JSON"),
        (lambda text: b"\xef\xbb\xbf" + text, "BOM"),
        (lambda text: text.replace(b'"license"', b'"format": "portrait", "license"'), "'format' twice"),
        (lambda text: text.replace(b'"license": null', b'"license": "\\ud800"'), "lone surrogate"),
        (lambda text: text.replace(b'"license": null', b'"license": NaN'), "NaN, which is no number"),
        (lambda text: text.replace(b'"license": null', b'"license": 1e400'), "1e400, which is out of range"),
    ],
    ids=["UTF-16", "UTF-16 without a mark", "BOM", "name twice", "surrogate", "NaN", "infinite"],
)
def test_a_manifest_that_readers_disagree_about_is_damaged(
    change: Callable[[bytes], bytes], reason: str, bundle: Path
) -> None:
    path = bundle / "portrait.json"
    path.write_bytes(change(path.read_bytes()))
    assert reason in refusal(bundle, DamagedBundleError)


@pytest.mark.parametrize(
    "content", [[], None, 7, "portrait", {}, {"format": "other"}, {"format": ["portrait"]}]
)
def test_json_that_is_not_a_manifest_is_not_a_portrait(content: object, bundle: Path) -> None:
    (bundle / "portrait.json").write_text(json.dumps(content))
    assert "not a portrait's manifest" in refusal(bundle, NotAPortraitError)


@pytest.mark.parametrize("version", [2, 10**30])
def test_a_newer_version_is_unsupported_and_named(version: int, bundle: Path) -> None:
    # Nothing else can be expected of a newer format.
    (bundle / "portrait.json").write_text(json.dumps({"format": "portrait", "format_version": version}))
    message = refusal(bundle, UnsupportedBundleError)
    assert f"version {version} is newer than 1" in message
    assert "upgrade" in message


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True, [1]])
def test_a_value_that_is_not_a_version_is_damage(version: object, bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest.update(format_version=version))
    assert "format_version" in refusal(bundle, DamagedBundleError)


def set_in(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return a change of a manifest that sets the member at a dotted path, such as ``layers.0.fpr``."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]

    def change(manifest: Any) -> None:
        for part in parents:
            manifest = manifest[part]
        manifest[last] = value

    return change


def one_source_twice(manifest: dict[str, Any]) -> None:
    manifest["layers"][1]["source"] = manifest["layers"][0]["source"]


def two_shards(manifest: dict[str, Any]) -> None:
    manifest["layers"][0]["shards"] *= 2


def fractional_blocks(manifest: dict[str, Any]) -> None:
    parameters = manifest["layers"][0]["filter"]
    parameters["n_blocks"] = float(parameters["n_blocks"])


#: The windows of a portrait that was built with a stride.
STRIDES = {"width": 50, "sampling": "stride", "stride": 25, "unit": "char"}
CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], object], type[PortraitError], str]] = {
    "changed id": (set_in("id", "0" * 64), DamagedBundleError, "id does not belong"),
    "duplicate sources": (one_source_twice, DamagedBundleError, "different sources"),
    "no layers": (set_in("layers", []), DamagedBundleError, "layers"),
    "no shards": (set_in("layers.0.shards", []), DamagedBundleError, "shards"),
    "the same shard twice": (two_shards, DamagedBundleError, "files of their own"),
    "blank source": (set_in("layers.0.source", " "), DamagedBundleError, "source"),
    "unprintable source": (set_in("layers.0.source", "a\nb"), DamagedBundleError, "source"),
    "surrogate source": (set_in("layers.0.source", "\ud800"), DamagedBundleError, "lone surrogate"),
    "unknown filter": (set_in("layers.0.filter.kind", "cuckoo"), UnsupportedBundleError, "'cuckoo'"),
    "unknown normalizer": (set_in("normalizer.name", "shout"), UnsupportedBundleError, "'shout'"),
    "newer normalizer": (set_in("normalizer.version", 2), UnsupportedBundleError, "'spaces' version 2"),
    "unknown hash": (set_in("hash.name", "md5"), UnsupportedBundleError, "'md5'"),
    "unknown seed": (set_in("hash.window_seed", 3), UnsupportedBundleError, "hash"),
    "unknown unit": (set_in("windows.unit", "verse"), DamagedBundleError, "'verse'"),
    "width 0": (set_in("windows.width", 0), DamagedBundleError, "width"),
    "width huge": (set_in("windows.width", 1 << 62), DamagedBundleError, "width"),
    "span 0": (set_in("windows.span", 0), DamagedBundleError, "span"),
    "span huge": (set_in("windows.span", 1 << 62), DamagedBundleError, "span"),
    "width without room for a group": (set_in("windows.width", 7), DamagedBundleError, "at least 8 "),
    "stride 0": (set_in("windows", STRIDES | {"stride": 0}), DamagedBundleError, "stride"),
    "span of a stride": (
        set_in("windows", STRIDES | {"sampling": "minimizer"}),
        DamagedBundleError,
        "span",
    ),
    "unknown sampling": (set_in("windows.sampling", "dice"), UnsupportedBundleError, "'dice'"),
    "negative count": (set_in("layers.0.documents", -1), DamagedBundleError, "documents"),
    "huge count": (set_in("layers.0.windows", 1 << 64), DamagedBundleError, "windows"),
    "rate over 1": (set_in("layers.0.fpr", 1.5), DamagedBundleError, "fpr"),
    "negative rate": (set_in("layers.0.fpr", -0.1), DamagedBundleError, "fpr"),
    "infinite rate": (set_in("layers.0.fpr", float("inf")), DamagedBundleError, "Infinity"),
    "rate not a number": (set_in("layers.0.fpr_target", float("nan")), DamagedBundleError, "NaN"),
    "surrogate in the filter": (set_in("layers.0.filter.note", "\ud800"), DamagedBundleError, ""),
    "surrogate in the digest": (set_in("layers.0.shards.0.sha256", "\ud800"), DamagedBundleError, ""),
    "n_blocks 0": (set_in("layers.0.filter.n_blocks", 0), DamagedBundleError, "0 blocks"),
    "n_blocks wrong": (set_in("layers.0.filter.n_blocks", 99), DamagedBundleError, "of 99 belong"),
    "n_blocks fractional": (fractional_blocks, DamagedBundleError, ".0 blocks"),
    "n_blocks negative": (set_in("layers.0.filter.n_blocks", -1), DamagedBundleError, "-1 blocks"),
    "id in capitals": (
        lambda manifest: manifest.update(id=manifest["id"].upper()),
        DamagedBundleError,
        "id does not belong",
    ),
    "text for a model": (set_in("trained_models", ["a", 1]), DamagedBundleError, "trained_models"),
    "number for a licence": (set_in("license", 1), DamagedBundleError, "license"),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_a_manifest_that_contradicts_the_format_is_refused(kind: str, bundle: Path) -> None:
    change, error, message = CONTRADICTIONS[kind]
    change_manifest(bundle, change)
    assert message in refusal(bundle, error)


@pytest.mark.parametrize("depth", [500, *range(900, 1010), 5000])
def test_nesting_of_any_depth_is_refused(depth: int, bundle: Path) -> None:
    path = bundle / "portrait.json"
    text = path.read_text().replace('"kind"', f'"deep": {"[" * depth}{"]" * depth}, "kind"', 1)
    path.write_text(text)
    refusal(bundle, DamagedBundleError)


def fields(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all members that a reader needs; a list is represented by its first element."""
    for name, value in content.items():
        here = (*path, name)
        yield here
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from fields(value[0], (*here, 0))
        elif isinstance(value, dict) and name != "corpus":
            yield from fields(value, here)


#: Members that may be missing, null or a string.
OPTIONAL = {("license",)}


#: Members that are null where other software built the filter.
NULLABLE = {
    ("layers", 0, name) for name in ("documents", "short_documents", "windows", "text_bytes", "sketch")
}


#: Members that are checked as part of something else, and what the error calls it.
CHECKED_AS = {
    ("format",): "format",
    ("hash", "name"): "hash",
    ("hash", "window_seed"): "hash",
    ("hash", "document_seed"): "hash",
    ("windows", "unit"): "unit",
    ("layers", 0, "document_keys"): "layers[0].document_keys",
    ("layers", 0, "filter", "kind"): "unknown filter",
    ("layers", 0, "filter", "n_blocks"): "blocks",
    ("layers", 0, "tensors", "blocks"): "layers[0].tensors",
}


def dotted(path: tuple[Any, ...]) -> str:
    """Return a path as errors show it, such as ``layers[0].fpr``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


#: In place of a value: remove the member.
MISSING = object()


#: One value of every kind that JSON has.
KINDS: list[object] = [MISSING, None, True, 7, 1.5, "x", [], {}]


def wrong_values(path: tuple[Any, ...], value: object) -> list[object]:
    """Return values of every type that the member at ``path``, which is ``value``, must not have."""
    allowed = [type(value), *([type(None), str, type(MISSING)] if path in OPTIONAL else [])]
    allowed += [type(None)] * (path in NULLABLE)
    return [kind for kind in KINDS if type(kind) not in allowed]


def put(content: Any, path: tuple[Any, ...], value: object) -> None:
    """Set the member at ``path``, or remove it if ``value`` is MISSING."""
    *parents, last = path
    for part in parents:
        content = content[part]
    if value is MISSING:
        del content[last]
    else:
        content[last] = value


def test_every_field_is_required_and_has_its_type(whole: Path, bundle: Path) -> None:
    original = (whole / "portrait.json").read_bytes()
    unnoticed = []
    n_tries = 0
    for path in fields(json.loads(original)):
        value: Any = json.loads(original)
        for part in path:
            value = value[part]
        for wrong in wrong_values(path, value):
            (bundle / "portrait.json").write_bytes(original)
            change_manifest(bundle, partial(put, path=path, value=wrong))
            n_tries += 1
            try:
                portrait.open(bundle)
            except portrait.BundleError as error:
                if CHECKED_AS.get(path, dotted(path)) in str(error):
                    continue
                unnoticed.append(f"{dotted(path)} = {wrong!r}: {error}")
            else:
                unnoticed.append(f"{dotted(path)} = {wrong!r}")
    assert unnoticed == []
    assert n_tries > 250


def test_the_walk_reaches_the_innermost_fields(whole: Path) -> None:
    paths = {dotted(path) for path in fields(json.loads((whole / "portrait.json").read_bytes()))}
    assert {"id", "layers[0].shards[0].sha256", "layers[0].filter.n_blocks", "normalizer.unicode"} < paths


NAMES = [
    "../secret",
    "..",
    ".",
    "",
    "a/b",
    "/etc/hostname",
    "..\\secret",
    "C:\\secret",
    "a\0b",
    ".hidden",
    "sub/../../secret",
    "line\nfeed",
    "\x1b[2J",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("record", ["shards.0", "sketch"])
def test_a_file_whose_name_leads_elsewhere_is_refused(record: str, name: str, bundle: Path) -> None:
    (bundle.parent / "secret").write_bytes(shard_path(bundle).read_bytes())
    change_manifest(bundle, set_in(f"layers.0.{record}.file", name))
    message = refusal(bundle, DamagedBundleError)
    assert "must be the plain name of a file in the bundle" in message


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one layer in several shards."""
    directory = tmp_path_factory.mktemp("several")
    dice = random.Random(5)
    (directory / "a.txt").write_text("".join(dice.choices("abcdefghij ", k=120_000)))
    portrait.build({"a": directory / "a.txt"}, directory / "out", max_shard_bytes=4096)
    return directory / "out"


@pytest.fixture
def sharded(several: Path, tmp_path: Path) -> Path:
    """A copy of the bundle in several shards, for the test to damage."""
    return shutil.copytree(several, tmp_path / "sharded")


def shards_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = manifest["layers"][0]["shards"]
    return records


def shift_border(manifest: dict[str, Any]) -> None:
    one, two = shards_of(manifest)[:2]
    border = int(two["first_key"], 16) + 1
    one["last_key"], two["first_key"] = f"{border - 1:016x}", f"{border:016x}"


def join_ranges(manifest: dict[str, Any]) -> None:
    one, two = shards_of(manifest)[:2]
    one["last_key"] = two["last_key"]
    del shards_of(manifest)[1]


def set_shard(i: int, **fields: str) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: shards_of(manifest)[i].update(fields)


def share_file(manifest: dict[str, Any]) -> None:
    shards_of(manifest)[1]["file"] = shards_of(manifest)[0]["file"]


BAD_SHARDS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one missing": (lambda manifest: shards_of(manifest).pop(1), "cover all keys"),
    "last missing": (lambda manifest: shards_of(manifest).pop(), "cover all keys"),
    "first missing": (lambda manifest: shards_of(manifest).pop(0), "cover all keys"),
    "reversed": (lambda manifest: shards_of(manifest).reverse(), "cover all keys"),
    "begins late": (set_shard(0, first_key=f"{1:016x}"), "cover all keys"),
    "ends before it begins": (set_shard(1, last_key=f"{0:016x}"), "cover all keys"),
    "ends early": (set_shard(-1, last_key="f" * 15 + "e"), "cover all keys"),
    "overlap": (set_shard(1, first_key=f"{1:016x}"), "cover all keys"),
    "all twice": (lambda manifest: shards_of(manifest).extend(shards_of(manifest)), "cover all keys"),
    "a file twice": (share_file, "files of their own"),
    "capitals": (set_shard(-1, last_key="F" * 16), "16 hexadecimal digits"),
    "short": (set_shard(0, first_key="0"), "16 hexadecimal digits"),
    "signed": (set_shard(0, first_key="+" + "0" * 15), "16 hexadecimal digits"),
    "border shifted": (shift_border, "not those of the keys"),
    "two ranges for one file": (join_ranges, "not those of the keys"),
    "fewer blocks": (
        lambda manifest: manifest["layers"][0]["filter"].update(n_blocks=3),
        "where blocks from 0 of 3 belong",
    ),
    "more blocks": (
        lambda manifest: manifest["layers"][0]["filter"].update(n_blocks=2**40),
        "not those of the keys",
    ),
    "more blocks than keys": (
        lambda manifest: manifest["layers"][0]["filter"].update(n_blocks=2**80),
        "records",
    ),
}


@pytest.mark.parametrize("kind", BAD_SHARDS)
def test_shards_that_do_not_fit_together_are_refused(kind: str, sharded: Path) -> None:
    change, message = BAD_SHARDS[kind]
    change_manifest(sharded, change)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(sharded)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(sharded))


@pytest.fixture(scope="module")
def scratch(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the undamaged bundle, which every example restores and damages in another way."""
    return shutil.copytree(whole, tmp_path_factory.mktemp("scratch") / "bundle")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_manifest_with_a_changed_byte_opens_or_is_refused(
    whole: Path, scratch: Path, data: st.DataObject
) -> None:
    restore(whole, scratch)
    text = bytearray((whole / "portrait.json").read_bytes())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    replace(scratch / "portrait.json", bytes(text))
    opens_or_is_refused(scratch, TEXT * 3)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_truncated_manifest_opens_or_is_refused(whole: Path, scratch: Path, data: st.DataObject) -> None:
    restore(whole, scratch)
    text = (whole / "portrait.json").read_bytes()
    replace(scratch / "portrait.json", text[: data.draw(st.integers(0, len(text)))])
    opens_or_is_refused(scratch, TEXT * 3)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters() | st.characters(categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.data(), JSON)
@settings(max_examples=500, deadline=None)
def test_a_manifest_with_any_value_in_any_field_opens_or_is_refused(
    whole: Path, scratch: Path, data: st.DataObject, value: Any
) -> None:
    restore(whole, scratch)

    def change(content: Any) -> None:
        while True:
            keys = sorted(content) if isinstance(content, dict) else list(range(len(content)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(content[key], dict | list) or not content[key] or data.draw(st.booleans()):
                content[key] = value
                return
            content = content[key]

    change_manifest(scratch, change)
    opens_or_is_refused(scratch, TEXT * 3)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_sketch_holds_as_many_keys_as_there_are_up_to_its_limit(change: int, bundle: Path) -> None:
    n_keys = read_manifest(bundle)["layers"][0]["sketch"]["n_keys"]
    change_manifest(bundle, set_in("layers.0.sketch.n_keys", n_keys + change))
    message = refusal(bundle, DamagedBundleError)
    assert "layers[0].sketch.n_keys must be the smaller one of distinct_keys and 16,384" in message
    change_manifest(bundle, set_in("layers.0.distinct_keys", n_keys + change))
    portrait.open(bundle)


def test_more_keys_than_a_sketch_can_hold_are_refused(bundle: Path) -> None:
    change_manifest(bundle, set_in("layers.0.distinct_keys", 1 << 40))
    change_manifest(bundle, set_in("layers.0.sketch.n_keys", 16385))
    refusal(bundle, DamagedBundleError)
    change_manifest(bundle, set_in("layers.0.sketch.n_keys", 16384))
    portrait.open(bundle)


def test_a_sketch_that_is_another_file_of_the_portrait_is_refused(bundle: Path) -> None:
    for file in (shard_path(bundle).name, read_manifest(bundle)["layers"][1]["sketch"]["file"]):
        change_manifest(bundle, set_in("layers.0.sketch.file", file))
        assert "layers must be layers with files of their own" in refusal(bundle, DamagedBundleError)
