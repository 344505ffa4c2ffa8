"""Opening a bundle: paths that are not bundles, and shards that are missing, damaged or inconsistent."""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import (
    change_manifest,
    change_shard,
    join_tensor_file,
    opens_or_is_refused,
    replace,
    restore,
    shard_path,
    split_tensor_file,
    within,
)
from support.sample_bundles import SOURCES, build_two_sources, refusal, shards

import portrait
from portrait import DamagedBundleError, NotAPortraitError
from portrait.bundle import reader as bundles
from portrait.bundle.manifest import MAX_MANIFEST_BYTES
from portrait.markup.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of two sources."""
    return build_two_sources(tmp_path_factory.mktemp("two"))


def test_the_mapped_blocks_are_those_of_the_file(two: Path) -> None:
    opened = bundles.read(two)
    for layer, (_, _, path) in zip(opened.manifest.layers, shards(two), strict=True):
        info, data = opened.map_shard(layer.shards[0])["blocks"]
        expected = safetensors.numpy.load_file(path)["blocks"]
        assert (info.name, info.dtype, info.shape) == ("blocks", "U32", expected.shape)
        assert info.n_bytes == data.nbytes == expected.nbytes
        assert bytes(data) == expected.tobytes()
        assert data.readonly


def test_a_bundle_is_named_after_its_directory(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert portrait.open(two).name == "two"
    monkeypatch.chdir(two)
    assert portrait.open(".").name == "two"


def test_opening_a_bundle_does_not_read_the_shards_data(two: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "portrait.json").write_bytes((two / "portrait.json").read_bytes())
    for path in two.glob("*.safetensors"):
        data = path.read_bytes()
        (header_bytes,) = struct.unpack_from("<Q", data)
        # A file of the right size, with a hole in place of the blocks.
        with (copy / path.name).open("wb") as file:
            file.write(data[: 8 + header_bytes])
            file.truncate(len(data))
    assert portrait.open(copy).query(SOURCES["arxiv"]).verdict == "not_found"


TEXT = "Nobody had told the gardener that the party was over, so he went on lighting the lanterns. "
#: The text of the bundle's one document, and a part of it.
DOCUMENT = "".join(f"{TEXT}{i} " for i in range(54))
QUOTED = DOCUMENT[:200]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undamaged bundle of one source."""
    directory = tmp_path_factory.mktemp("whole")
    (directory / "a.txt").write_text(DOCUMENT)
    portrait.build(directory / "a.txt", directory / "out")
    return directory / "out"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of the undamaged bundle, for the test to damage."""
    return shutil.copytree(whole, tmp_path / "bundle")


def test_the_undamaged_copy_opens(bundle: Path) -> None:
    change_manifest(bundle, lambda _: None)
    change_shard(bundle, lambda data: data)
    assert portrait.open(bundle).query(QUOTED).verdict == "found"


def test_a_missing_path_is_not_a_portrait(tmp_path: Path) -> None:
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


def test_a_directory_in_the_manifest_s_place_is_not_a_portrait(bundle: Path) -> None:
    (bundle / "portrait.json").unlink()
    (bundle / "portrait.json").mkdir()
    refusal(bundle, NotAPortraitError)


def test_a_missing_shard_is_named(bundle: Path) -> None:
    path = shard_path(bundle)
    path.unlink()
    assert refusal(bundle, DamagedBundleError).startswith(f"{path}: the shard is missing")


def test_a_directory_in_a_shard_s_place_is_named(bundle: Path) -> None:
    path = shard_path(bundle)
    path.unlink()
    path.mkdir()
    assert refusal(bundle, DamagedBundleError).startswith(f"{path}: ")


def test_a_shard_with_an_impossible_name_is_refused(bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest["layers"][0]["shards"][0].update(file="n" * 300))
    assert "too long" in refusal(bundle, DamagedBundleError)


@pytest.mark.parametrize("where", ["beside", "outside"])
def test_links_to_regular_files_are_followed(where: str, bundle: Path) -> None:
    for path in (shard_path(bundle), bundle / "portrait.json"):
        target = (bundle if where == "beside" else bundle.parent) / f"blob-{path.name}"
        path.rename(target)
        path.symlink_to(target)
    assert portrait.open(bundle).query(QUOTED).verdict == "found"
    portrait.verify(bundle)


@pytest.mark.parametrize("where", ["shard", "manifest"])
@pytest.mark.parametrize(
    ("obstacle", "words"),
    [
        ("fifo", "is a FIFO, not a regular file"),
        ("directory", "is a directory, not a regular file"),
        ("device", "is a device, not a regular file"),
        ("socket", "is a socket, not a regular file"),
        ("dangling", "is a link to nowhere, which is missing"),
        ("link to fifo", "is a FIFO, not a regular file"),
    ],
)
def test_what_is_not_a_regular_file_is_refused_at_once(
    obstacle: str, words: str, where: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle.parent)  # a socket's path is short
    path = Path("bundle") / (shard_path(bundle).name if where == "shard" else "portrait.json")
    path.unlink()
    if obstacle == "fifo":
        os.mkfifo(path)
    elif obstacle == "directory":
        path.mkdir()
    elif obstacle == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(path))
    elif obstacle == "link to fifo":
        os.mkfifo("fifo")
        path.symlink_to("../fifo")
    else:
        path.symlink_to("/dev/zero" if obstacle == "device" else "nowhere")
    error = DamagedBundleError if where == "shard" else NotAPortraitError
    assert refusal(Path("bundle"), error) == f"{path}: {words}"
    with pytest.raises(error):
        portrait.verify("bundle")


@pytest.mark.parametrize("size", [0, 7, 8, 100, -32, -1, 1, 32])
def test_a_shard_of_another_size_is_named_with_both_sizes(size: int, bundle: Path) -> None:
    path = shard_path(bundle)
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data + b"x" * size if size in (1, 32) else data[:size])
    message = refusal(bundle, DamagedBundleError)
    assert message.startswith(f"{path}: {counted(path.stat().st_size, 'byte')} instead of {len(data)}")


def header_length(n_bytes: int) -> Callable[[bytes], bytes]:
    """Return a change of a shard that makes it state a header of ``n_bytes``."""
    return lambda data: struct.pack("<Q", n_bytes) + data[8:]


def header(content: object) -> Callable[[bytes], bytes]:
    """Return a change of a shard that replaces its header."""
    return lambda data: join_tensor_file(content, split_tensor_file(data)[1])


def entry(**fields: Any) -> Callable[[bytes], bytes]:
    """Return a change of a shard that sets members of its tensor's description; ``None`` removes a member."""

    def change(data: bytes) -> bytes:
        content, blocks = split_tensor_file(data)
        content["blocks"].update(fields)
        content["blocks"] = {name: value for name, value in content["blocks"].items() if value is not None}
        return join_tensor_file(content, blocks)

    return change


def second_tensor(data: bytes) -> bytes:
    content, blocks = split_tensor_file(data)
    n = len(blocks)
    content["more"] = {"dtype": "U8", "shape": [8], "data_offsets": [n, n + 8]}
    return join_tensor_file(content, blocks + b"8 bytes.")


def rename_tensor(data: bytes) -> bytes:
    content, blocks = split_tensor_file(data)
    content["bricks"] = content.pop("blocks")
    return join_tensor_file(content, blocks)


def no_blocks(data: bytes) -> bytes:
    return entry(shape=[0, 8], data_offsets=[0, 0])(data)[: -len(split_tensor_file(data)[1])]


def extra_block(data: bytes) -> bytes:
    return data + bytes(32)


#: The size of the shard that the bad headers are made for.
N_BLOCKS = 3
N_BYTES = 32 * N_BLOCKS


BAD_SHARDS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no bytes": (lambda _: b"", "too few"),
    "seven bytes": (lambda data: data[:7], "too few"),
    "header length only": (lambda data: data[:8], "header's length"),
    "header length huge": (header_length((1 << 64) - 1), "header's length"),
    "header length overflowing": (header_length((1 << 63) - 8), "header's length"),
    "header length a byte beyond": (lambda data: header_length(len(data) - 7)(data), "header's length"),
    "header length to the end": (lambda data: header_length(len(data) - 8)(data), "not JSON"),
    "header length 0": (header_length(0), "not JSON"),
    "header over a megabyte": (header(b"{}" + b" " * (1 << 20)), "header's length"),
    "header not JSON": (header(b"not JSON"), "not JSON"),
    "header not UTF-8": (header(b'{"\xff": 1}'), "not JSON"),
    "header nested deeply": (header(b"[" * 100_000), "the header is JSON nested more than 64 deep"),
    "header a list": (header([]), "describe tensors"),
    "header a number": (header(7), "describe tensors"),
    "no tensor": (header({"__metadata__": {}}), "describe tensors"),
    "two tensors": (second_tensor, "'more'"),
    "tensor not an object": (header({"blocks": [0, 32]}), "describe tensors"),
    "other name": (rename_tensor, "'bricks'"),
    "no dtype": (entry(dtype=None), "dtype"),
    "unknown dtype": (entry(dtype="F32"), "dtype 'F32'"),
    "dtype not a string": (entry(dtype=["U32"]), "dtype"),
    "other dtype of that size": (entry(dtype="U64", shape=[N_BLOCKS, 4]), "U64"),
    "bytes": (entry(dtype="U8", shape=[N_BYTES]), "U8"),
    "no shape": (entry(shape=None), "shape"),
    "flat shape": (entry(shape=[8 * N_BLOCKS]), f"[{8 * N_BLOCKS}]"),
    "transposed shape": (entry(shape=[8, N_BLOCKS]), f"[8, {N_BLOCKS}]"),
    "negative shape": (entry(shape=[-N_BLOCKS, -8]), "shape"),
    "fractional shape": (entry(shape=[float(N_BLOCKS), 8]), "shape"),
    "shape of booleans": (entry(shape=[True, 8]), "shape"),
    "many dimensions": (entry(shape=[1] * 5000), "shape"),
    "huge shape": (entry(shape=[1 << 62, 8]), "disagree"),
    "absurd shape": (entry(shape=[10**1000] * 4), "disagree"),
    "no offsets": (entry(data_offsets=None), "disagree"),
    "offsets too short": (entry(data_offsets=[0, N_BYTES - 1]), "disagree"),
    "offsets too long": (entry(data_offsets=[0, N_BYTES + 32]), "disagree"),
    "offsets shifted": (entry(data_offsets=[32, N_BYTES + 32]), "disagree"),
    "offsets reversed": (entry(data_offsets=[N_BYTES, 0]), "disagree"),
    "offsets of strings": (entry(data_offsets=["0", "32"]), "disagree"),
    "a block more than announced": (extra_block, "announces"),
    "a byte fewer than announced": (lambda data: data[:-1], "announces"),
    "more announced than there": (entry(shape=[4, 8], data_offsets=[0, 128]), "announces"),
    "no blocks at all": (no_blocks, "blocks"),
}


@pytest.mark.parametrize("kind", BAD_SHARDS)
def test_a_shard_with_a_bad_header_is_named(kind: str, bundle: Path) -> None:
    change, reason = BAD_SHARDS[kind]
    change_shard(bundle, change)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(bundle)
    message = str(caught.value)
    assert message.startswith(f"{shard_path(bundle)}: ")
    assert reason in message
    assert message.isprintable()
    assert len(message) < 1000


def test_the_bad_headers_are_made_for_a_shard_of_this_size(whole: Path) -> None:
    assert len(split_tensor_file(shard_path(whole).read_bytes())[1]) == N_BYTES


@pytest.mark.parametrize("padding", [0, 1, 31])
def test_a_shard_whose_data_is_not_aligned_gives_the_same_answers(padding: int, bundle: Path) -> None:
    def change(data: bytes) -> bytes:
        content, blocks = split_tensor_file(data)
        return join_tensor_file(json.dumps(content).encode() + b" " * padding, blocks)

    expected = portrait.open(bundle).query(TEXT).to_dict()
    change_shard(bundle, change)
    assert portrait.open(bundle).query(TEXT).to_dict() == {
        **expected,
        "layers": [{**layer, "portrait": "bundle"} for layer in expected["layers"]],
    }


@pytest.mark.parametrize("fpr", [0.0, 5e-324, 0.01, 0.5, 1 - 1e-6, 1 - 1e-10, 1 - 1e-13, 1 - 2**-53, 1.0])
def test_any_rate_gets_an_answer(fpr: float, bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest["layers"][0].update(fpr=fpr))
    opened = portrait.open(bundle)
    with within(5):
        answer = opened.query(TEXT * 3)
    assert answer.layers[0].fpr == fpr
    assert answer.verdict == ("found" if fpr < 0.5 else "inconclusive")


@pytest.fixture(scope="module")
def scratch(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the undamaged bundle, which every example restores and damages in another way."""
    return shutil.copytree(whole, tmp_path_factory.mktemp("scratch") / "bundle")


@given(st.data(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_shard_with_a_changed_byte_in_its_header_opens_or_is_refused(
    whole: Path, scratch: Path, data: st.DataObject, recorded: bool
) -> None:
    restore(whole, scratch)
    n_bytes = min(256, shard_path(whole).stat().st_size)
    at, byte = data.draw(st.integers(0, n_bytes - 1)), data.draw(st.integers(0, 255))

    def change(content: bytes) -> bytes:
        return content[:at] + bytes([byte]) + content[at + 1 :]

    if recorded:
        change_shard(scratch, change)
    else:
        path = shard_path(scratch)
        replace(path, change(path.read_bytes()))
    opens_or_is_refused(scratch, TEXT * 3)


@given(st.data(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_truncated_shard_opens_or_is_refused(
    whole: Path, scratch: Path, data: st.DataObject, recorded: bool
) -> None:
    restore(whole, scratch)
    path = shard_path(scratch)
    content = path.read_bytes()
    length = data.draw(st.integers(0, min(256, len(content))))
    if recorded:
        change_shard(scratch, lambda whole_shard: whole_shard[:length])
    else:
        replace(path, content[:length])
    opens_or_is_refused(scratch, TEXT * 3)


def test_a_manifest_of_the_largest_size_is_read(two: Path, tmp_path: Path) -> None:
    text = (two / "portrait.json").read_bytes()
    (tmp_path / "portrait.json").write_bytes(text.ljust(MAX_MANIFEST_BYTES))
    assert bundles.read(tmp_path).manifest == bundles.read(two).manifest


def test_a_manifest_over_the_size_limit_is_not_read(two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "copy")
    os.truncate(copy / "portrait.json", (1 << 30) + 1)
    with pytest.raises(DamagedBundleError) as caught:
        bundles.read(copy)
    assert str(caught.value) == (
        f"{copy / 'portrait.json'}: larger than any manifest, which has 67,108,864 bytes at most"
    )


def test_shards_are_not_opened_until_they_are_mapped(two: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(two, tmp_path / "copy")
    for path in copy.glob("*.safetensors"):
        path.unlink()
    opened = bundles.read(copy)
    with pytest.raises(DamagedBundleError, match="the shard is missing: fetch the bundle again"):
        opened.map_shard(opened.manifest.layers[0].shards[0])


def test_a_bundle_is_a_directory_with_a_manifest(two: Path, tmp_path: Path) -> None:
    assert bundles.is_bundle(two)
    assert not bundles.is_bundle(two / "portrait.json")
    assert not bundles.is_bundle(tmp_path)


def test_a_shard_that_cannot_be_read_is_named(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("portrait.bundle.reader.map_tensors", refuse)
    opened = bundles.read(two)
    shard = opened.manifest.layers[0].shards[0]
    with pytest.raises(DamagedBundleError) as caught:
        opened.map_shard(shard)
    assert str(caught.value) == f"{two / shard.file}: Input/output error"
