"""Bundles that are not, or not quite: each kind of damage has its error, and none crashes."""

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from support.forge import change_manifest, change_shard, shard_path

import portrait
from portrait import DamagedBundleError, NotAPortraitError, PortraitError, UnsupportedBundleError
from portrait.markup.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TEXT = "The third violinist had lost her place, and played the rest of the movement from memory. "


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait in good order."""
    directory = tmp_path_factory.mktemp("whole")
    (directory / "a.txt").write_text(TEXT * 20)
    (directory / "b.txt").write_text(TEXT.upper())
    portrait.build({"a": directory / "a.txt", "b": directory / "b.txt"}, directory / "out")
    return directory / "out"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "bundle")


def refusal(bundle: Path, error: type[PortraitError]) -> str:
    """The message with which the bundle is refused."""
    with pytest.raises(error) as caught:
        portrait.open(bundle)
    assert caught.type is error
    message = str(caught.value)
    assert message.startswith(str(bundle))
    assert message.isprintable()
    return message


def test_the_undamaged_copy_opens(bundle: Path) -> None:
    change_manifest(bundle, lambda _: None)
    change_shard(bundle, lambda data: data)
    assert portrait.open(bundle).query(TEXT).verdict == "found"


def test_a_path_with_nothing_there_is_not_a_portrait(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing", NotAPortraitError).endswith("no such file or directory")


def test_a_file_is_not_a_portrait(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    assert "not a portrait" in refusal(tmp_path / "file", NotAPortraitError)


def test_a_path_below_a_file_is_not_a_portrait(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}")
    refusal(tmp_path / "file" / "bundle", NotAPortraitError)


def test_an_impossible_path_is_not_a_portrait(tmp_path: Path) -> None:
    refusal(tmp_path / ("n" * 300), NotAPortraitError)


def test_a_directory_without_a_manifest_is_not_a_portrait(bundle: Path) -> None:
    (bundle / "portrait.json").unlink()
    assert "no portrait.json" in refusal(bundle, NotAPortraitError)


def test_a_directory_in_the_manifests_place_is_not_a_portrait(bundle: Path) -> None:
    (bundle / "portrait.json").unlink()
    (bundle / "portrait.json").mkdir()
    refusal(bundle, NotAPortraitError)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"hello", b"\xff\xfe\xfd", b"[" * 200_000, b'{"format": 1}}', b"9" * 5000, b"\0"]
)
def test_a_manifest_that_is_not_json_is_damaged(text: bytes, bundle: Path) -> None:
    (bundle / "portrait.json").write_bytes(text)
    assert "not JSON" in refusal(bundle, DamagedBundleError)


@pytest.mark.parametrize(
    "content", [[], None, 7, "portrait", {}, {"format": "other"}, {"format": ["portrait"]}]
)
def test_json_that_is_no_manifest_is_not_a_portrait(content: object, bundle: Path) -> None:
    (bundle / "portrait.json").write_text(json.dumps(content))
    assert "not a portrait's manifest" in refusal(bundle, NotAPortraitError)


@pytest.mark.parametrize("version", [2, 10**30])
def test_a_newer_version_is_unsupported_and_named(version: int, bundle: Path) -> None:
    # A newer format may look like anything otherwise.
    (bundle / "portrait.json").write_text(json.dumps({"format": "portrait", "format_version": version}))
    message = refusal(bundle, UnsupportedBundleError)
    assert f"version {version} is newer than 1" in message
    assert "upgrade" in message


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True, [1]])
def test_a_version_that_is_none_is_damage(version: object, bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest.update(format_version=version))
    assert "format_version" in refusal(bundle, DamagedBundleError)


def set_in(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change that puts ``value`` at a dotted path, in the first layer or shard where it matters."""
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


CONTRADICTIONS: dict[str, tuple[Callable[[dict[str, Any]], object], type[PortraitError], str]] = {
    "changed id": (set_in("id", "0" * 64), DamagedBundleError, "id does not belong"),
    "duplicate sources": (one_source_twice, DamagedBundleError, "different sources"),
    "no layers": (set_in("layers", []), DamagedBundleError, "layers"),
    "no shards": (set_in("layers.0.shards", []), DamagedBundleError, "shards"),
    "the same shard twice": (two_shards, DamagedBundleError, "files of their own"),
    "blank source": (set_in("layers.0.source", " "), DamagedBundleError, "source"),
    "unprintable source": (set_in("layers.0.source", "a\nb"), DamagedBundleError, "source"),
    "surrogate source": (set_in("layers.0.source", "\ud800"), DamagedBundleError, "source"),
    "unknown filter": (set_in("layers.0.filter.kind", "cuckoo"), UnsupportedBundleError, "'cuckoo'"),
    "unknown normalizer": (set_in("normalizer.name", "shout"), UnsupportedBundleError, "'shout'"),
    "newer normalizer": (set_in("normalizer.version", 2), UnsupportedBundleError, "'spaces' version 2"),
    "unknown hash": (set_in("hash.name", "md5"), UnsupportedBundleError, "'md5'"),
    "unknown seed": (set_in("hash.window_seed", 3), UnsupportedBundleError, "hash"),
    "unknown unit": (set_in("windows.unit", "verse"), DamagedBundleError, "'verse'"),
    "width 0": (set_in("windows.width", 0), DamagedBundleError, "width"),
    "width huge": (set_in("windows.width", 1 << 62), DamagedBundleError, "width"),
    "stride 0": (set_in("windows.stride", 0), DamagedBundleError, "stride"),
    "negative count": (set_in("layers.0.documents", -1), DamagedBundleError, "documents"),
    "huge count": (set_in("layers.0.windows", 1 << 64), DamagedBundleError, "windows"),
    "rate over 1": (set_in("layers.0.fpr", 1.5), DamagedBundleError, "fpr"),
    "negative rate": (set_in("layers.0.fpr", -0.1), DamagedBundleError, "fpr"),
    "infinite rate": (set_in("layers.0.fpr", float("inf")), DamagedBundleError, "fpr"),
    "rate not a number": (set_in("layers.0.fpr_target", float("nan")), DamagedBundleError, "fpr_target"),
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
    change, error, what = CONTRADICTIONS[kind]
    change_manifest(bundle, change)
    assert what in refusal(bundle, error)


@pytest.mark.parametrize("depth", [500, *range(900, 1010), 5000])
def test_nesting_of_any_depth_opens_or_is_refused(depth: int, bundle: Path) -> None:
    path = bundle / "portrait.json"
    text = path.read_text().replace('"kind"', f'"deep": {"[" * depth}{"]" * depth}, "kind"', 1)
    path.write_text(text)
    refusal(bundle, DamagedBundleError)


def fields(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all members that a reader needs; of lists, the first element stands for all."""
    for name, value in content.items():
        here = (*path, name)
        yield here
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from fields(value[0], (*here, 0))
        elif isinstance(value, dict) and name != "corpus":
            yield from fields(value, here)


OPTIONAL = {("license",)}
#: Counts that nobody may know.
NULLABLE = {("layers", 0, name) for name in ("documents", "short_documents", "windows", "text_bytes")}
#: Members that are checked as part of something else, by whose name they are refused.
CHECKED_AS = {
    ("format",): "format",
    ("hash", "name"): "hash",
    ("hash", "window_seed"): "hash",
    ("hash", "document_seed"): "hash",
    ("windows", "unit"): "unit",
    ("layers", 0, "filter", "kind"): "unknown filter",
    ("layers", 0, "filter", "n_blocks"): "blocks",
    ("layers", 0, "tensors", "blocks"): "layers[0].tensors",
}


def dotted(path: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


#: Takes a member away.
MISSING = object()
#: One value of every kind that JSON has.
KINDS: list[object] = [MISSING, None, True, 7, 1.5, "x", [], {}]


def wrong_values(path: tuple[Any, ...], value: object) -> list[object]:
    allowed = [type(value), *([type(None), str, type(MISSING)] if path in OPTIONAL else [])]
    allowed += [type(None)] * (path in NULLABLE)
    return [kind for kind in KINDS if type(kind) not in allowed]


def put(content: Any, path: tuple[Any, ...], value: object) -> None:
    *parents, last = path
    for part in parents:
        content = content[part]
    if value is MISSING:
        del content[last]
    else:
        content[last] = value


def test_every_field_must_be_there_with_its_type(whole: Path, bundle: Path) -> None:
    original = (whole / "portrait.json").read_bytes()
    unnoticed = []
    tried = 0
    for path in fields(json.loads(original)):
        value: Any = json.loads(original)
        for part in path:
            value = value[part]
        for wrong in wrong_values(path, value):
            (bundle / "portrait.json").write_bytes(original)
            change_manifest(bundle, partial(put, path=path, value=wrong))
            tried += 1
            try:
                portrait.open(bundle)
            except portrait.BundleError as error:
                if CHECKED_AS.get(path, dotted(path)) in str(error):
                    continue
                unnoticed.append(f"{dotted(path)} = {wrong!r}: {error}")
            else:
                unnoticed.append(f"{dotted(path)} = {wrong!r}")
    assert unnoticed == []
    assert tried > 250


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
def test_a_shard_outside_the_bundle_is_refused_unseen(name: str, bundle: Path) -> None:
    (bundle.parent / "secret").write_bytes(shard_path(bundle).read_bytes())
    change_manifest(bundle, set_in("layers.0.shards.0.file", name))
    message = refusal(bundle, DamagedBundleError)
    assert "must be the plain name of a file in the bundle" in message


def test_a_missing_shard_is_named(bundle: Path) -> None:
    path = shard_path(bundle)
    path.unlink()
    assert refusal(bundle, DamagedBundleError).startswith(f"{path}: the shard is missing")


def test_a_directory_for_a_shard_is_named(bundle: Path) -> None:
    path = shard_path(bundle)
    path.unlink()
    path.mkdir()
    assert refusal(bundle, DamagedBundleError).startswith(f"{path}: ")


def test_a_shard_with_an_impossible_name_is_refused(bundle: Path) -> None:
    change_manifest(bundle, set_in("layers.0.shards.0.file", "n" * 300))
    assert "too long" in refusal(bundle, DamagedBundleError)


@pytest.mark.parametrize("where", ["beside", "outside"])
def test_a_link_is_not_a_shard(where: str, bundle: Path) -> None:
    path = shard_path(bundle)
    target = (bundle if where == "beside" else bundle.parent) / "target"
    path.rename(target)
    path.symlink_to(target)
    assert refusal(bundle, DamagedBundleError).startswith(f"{path}: ")


@pytest.mark.parametrize("size", [0, 7, 8, 100, -32, -1, 1, 32])
def test_a_shard_of_another_size_is_named_with_both_sizes(size: int, bundle: Path) -> None:
    path = shard_path(bundle)
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data + b"x" * size if size in (1, 32) else data[:size])
    message = refusal(bundle, DamagedBundleError)
    assert message.startswith(f"{path}: {counted(path.stat().st_size, 'byte')} instead of {len(data)}")
