"""Shards whose header lies, and bundles damaged at random."""

from __future__ import annotations

import json
import shutil
import signal
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forge import (
    change_manifest,
    change_shard,
    join_tensor_file,
    replace,
    shard_path,
    split_tensor_file,
)

import portrait
from portrait import DamagedBundleError, PortraitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TEXT = "Nobody had told the gardener that the party was over, so he went on lighting the lanterns. "


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait in good order."""
    directory = tmp_path_factory.mktemp("whole")
    (directory / "a.txt").write_text(TEXT * 20)
    portrait.build(directory / "a.txt", directory / "out")
    return directory / "out"


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(whole, tmp_path / "bundle")


def header_length(n_bytes: int) -> Callable[[bytes], bytes]:
    return lambda data: struct.pack("<Q", n_bytes) + data[8:]


def header(text: object) -> Callable[[bytes], bytes]:
    return lambda data: join_tensor_file(text, split_tensor_file(data)[1])


def entry(**fields: Any) -> Callable[[bytes], bytes]:
    """Change members of the tensor's description; ``None`` removes them."""

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


def renamed(data: bytes) -> bytes:
    content, blocks = split_tensor_file(data)
    content["bricks"] = content.pop("blocks")
    return join_tensor_file(content, blocks)


def no_blocks(data: bytes) -> bytes:
    return entry(shape=[0, 8], data_offsets=[0, 0])(data)[: -len(split_tensor_file(data)[1])]


def block_more(data: bytes) -> bytes:
    return data + bytes(32)


N_BLOCKS = 3
N_BYTES = 32 * N_BLOCKS

LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
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
    "header nested deeply": (header(b"[" * 100_000), "not JSON"),
    "header a list": (header([]), "describe tensors"),
    "header a number": (header(7), "describe tensors"),
    "no tensor": (header({"__metadata__": {}}), "describe tensors"),
    "two tensors": (second_tensor, "'more'"),
    "tensor not an object": (header({"blocks": [0, 32]}), "describe tensors"),
    "other name": (renamed, "'bricks'"),
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
    "a block more than announced": (block_more, "announces"),
    "a byte fewer than announced": (lambda data: data[:-1], "announces"),
    "more announced than there": (entry(shape=[4, 8], data_offsets=[0, 128]), "announces"),
    "no blocks at all": (no_blocks, "blocks"),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_shard_whose_header_lies_is_named(kind: str, bundle: Path) -> None:
    change, what = LIES[kind]
    change_shard(bundle, change)
    with pytest.raises(DamagedBundleError) as caught:
        portrait.open(bundle)
    message = str(caught.value)
    assert message.startswith(f"{shard_path(bundle)}: ")
    assert what in message
    assert message.isprintable()
    assert len(message) < 1000


def test_the_lies_are_told_of_a_shard_of_this_size(whole: Path) -> None:
    assert len(split_tensor_file(shard_path(whole).read_bytes())[1]) == N_BYTES


@pytest.mark.parametrize("padding", [0, 1, 31])
def test_a_shard_that_is_not_aligned_answers_the_same(padding: int, bundle: Path) -> None:
    def change(data: bytes) -> bytes:
        content, blocks = split_tensor_file(data)
        return join_tensor_file(json.dumps(content).encode() + b" " * padding, blocks)

    expected = portrait.open(bundle).query(TEXT).to_dict()
    change_shard(bundle, change)
    assert portrait.open(bundle).query(TEXT).to_dict() == {
        **expected,
        "layers": [{**layer, "portrait": "bundle"} for layer in expected["layers"]],
    }


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Turn a hang into a failure."""

    def fail(*_: object) -> None:
        raise AssertionError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("fpr", [0.0, 5e-324, 0.01, 0.5, 1 - 1e-6, 1 - 1e-10, 1 - 1e-13, 1 - 2**-53, 1.0])
def test_any_rate_gets_an_answer(fpr: float, bundle: Path) -> None:
    change_manifest(bundle, lambda manifest: manifest["layers"][0].update(fpr=fpr))
    opened = portrait.open(bundle)
    with within(5):
        answer = opened.query(TEXT * 3)
    assert answer.layers[0].fpr == fpr
    assert answer.verdict == ("found" if fpr < 0.5 else "inconclusive")


def opens_or_is_refused(bundle: Path) -> None:
    """Either way, nothing but a PortraitError may come out of it."""
    with within(20):
        try:
            answer = portrait.open(bundle).query(TEXT * 3)
        except PortraitError:
            return
    assert answer.verdict in ("found", "not_found", "inconclusive")
    assert json.loads(json.dumps(answer.to_dict(), allow_nan=False))["verdict"] == answer.verdict


@pytest.fixture(scope="module")
def scratch(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that is damaged anew in every example."""
    return shutil.copytree(whole, tmp_path_factory.mktemp("scratch") / "bundle")


def restore(whole: Path, scratch: Path) -> None:
    for path in whole.iterdir():
        replace(scratch / path.name, path.read_bytes())


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_one_changed_byte_in_the_manifest(whole: Path, scratch: Path, data: st.DataObject) -> None:
    restore(whole, scratch)
    text = bytearray((whole / "portrait.json").read_bytes())
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    replace(scratch / "portrait.json", bytes(text))
    opens_or_is_refused(scratch)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_manifest_cut_short(whole: Path, scratch: Path, data: st.DataObject) -> None:
    restore(whole, scratch)
    text = (whole / "portrait.json").read_bytes()
    replace(scratch / "portrait.json", text[: data.draw(st.integers(0, len(text)))])
    opens_or_is_refused(scratch)


@given(st.data(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_one_changed_byte_in_the_head_of_a_shard(
    whole: Path, scratch: Path, data: st.DataObject, recorded: bool
) -> None:
    restore(whole, scratch)
    head = min(256, shard_path(whole).stat().st_size)
    at, byte = data.draw(st.integers(0, head - 1)), data.draw(st.integers(0, 255))

    def change(content: bytes) -> bytes:
        return content[:at] + bytes([byte]) + content[at + 1 :]

    if recorded:
        change_shard(scratch, change)
    else:
        path = shard_path(scratch)
        replace(path, change(path.read_bytes()))
    opens_or_is_refused(scratch)


@given(st.data(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_shard_cut_short(whole: Path, scratch: Path, data: st.DataObject, recorded: bool) -> None:
    restore(whole, scratch)
    path = shard_path(scratch)
    content = path.read_bytes()
    length = data.draw(st.integers(0, min(256, len(content))))
    if recorded:
        change_shard(scratch, lambda whole_shard: whole_shard[:length])
    else:
        replace(path, content[:length])
    opens_or_is_refused(scratch)


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
def test_anything_in_any_field_of_the_manifest(
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
    opens_or_is_refused(scratch)
