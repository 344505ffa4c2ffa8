"""Sketches on disk: what is written is read again, and whatever else is in the file is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import safetensors.numpy
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from support.forge import join_tensor_file, replace
from support.packed_keys import LAST_KEY, pack

import portrait
from portrait import DamagedBundleError
from portrait.bundle.manifest import SketchRecord
from portrait.bundle.pieces import MAX_SKETCH_KEYS
from portrait.bundle.reader import Bundle, read
from portrait.bundle.sketches import read_sketch, write_sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEYS = [0, 3, 1 << 63, LAST_KEY]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one layer."""
    directory = tmp_path_factory.mktemp("whole")
    (directory / "a.txt").write_text("The beekeeper spoke to each hive by number and to the queen by name.")
    return portrait.build(directory / "a.txt", directory / "out").path


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Bundle:
    """A copy of the bundle for the test to damage."""
    return read(shutil.copytree(whole, tmp_path / "bundle"))


def record_of(bundle: Bundle) -> SketchRecord:
    (layer,) = bundle.manifest.layers
    assert layer.sketch is not None
    return layer.sketch


def tensor_file(data: bytes, name: str = "keys", dtype: str = "U64", n: int | None = None) -> bytes:
    """Return a safetensors file of one tensor."""
    shape = [len(data) // 8 if n is None else n]
    return join_tensor_file({name: {"dtype": dtype, "shape": shape, "data_offsets": [0, len(data)]}}, data)


def refusal(bundle: Bundle, content: bytes, n_keys: int) -> str:
    """Return the message with which a file is refused whose size and digests are those of its record."""
    path = bundle.path / record_of(bundle).file
    replace(path, content)
    digests = hashlib.sha256(content).hexdigest(), xxhash.xxh3_128_hexdigest(content)
    with pytest.raises(DamagedBundleError) as caught:
        read_sketch(bundle, SketchRecord(path.name, n_keys, len(content), *digests))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message


@given(st.sets(st.integers(0, LAST_KEY), max_size=300))
def test_what_is_written_is_read_again(whole: Path, keys: set[int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "some-sketch.safetensors"
        record = write_sketch(path, sorted(keys), "some")
        content = path.read_bytes()
        assert list(read_sketch(Bundle(Path(directory), read(whole).manifest), record)) == sorted(keys)
    assert (record.file, record.n_keys, record.bytes) == (path.name, len(keys), len(content))
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert record.xxh3_128 == xxhash.xxh3_128_hexdigest(content)


def test_a_sketch_is_a_safetensors_file_of_one_aligned_tensor(tmp_path: Path) -> None:
    path = tmp_path / "sketch"
    write_sketch(path, KEYS, "日本 web")
    content = path.read_bytes()
    ((name, tensor),) = safetensors.numpy.load(content).items()
    assert (name, str(tensor.dtype), tensor.tolist()) == ("keys", "uint64", KEYS)
    assert content.endswith(pack(KEYS))
    assert (len(content) - 8 * len(KEYS)) % 64 == 0
    (n_bytes,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + n_bytes])
    assert header["__metadata__"] == {"format": "portrait", "format_version": "1", "source": "日本 web"}
    with pytest.raises(FileExistsError):
        write_sketch(path, KEYS, "again")


def test_the_largest_sketch_of_the_longest_name_is_read(tmp_path: Path, whole: Path) -> None:
    keys = range(0, 3 * MAX_SKETCH_KEYS, 3)
    record = write_sketch(tmp_path / "sketch", keys, "😀" * 100)
    assert list(read_sketch(Bundle(tmp_path, read(whole).manifest), record)) == [*keys]


CONTENTS: dict[str, tuple[bytes, int, str]] = {
    "keys in another order": (tensor_file(pack(KEYS[::-1])), 4, "its keys do not ascend"),
    "a key twice": (tensor_file(pack([1, 2, 2, 3])), 4, "its keys do not ascend"),
    "fewer keys than recorded": (tensor_file(pack(KEYS)), 5, "must hold one tensor 'keys' with the 5 keys"),
    "more keys than recorded": (tensor_file(pack(KEYS)), 1, "must hold one tensor 'keys' with the 1 key of"),
    "another name": (tensor_file(pack(KEYS), "blocks"), 4, "must hold one tensor 'keys'"),
    "another type": (tensor_file(pack(KEYS), dtype="U32", n=8), 8, "must hold one tensor 'keys'"),
    "another shape": (tensor_file(pack(KEYS), n=9), 4, "the shape and the data's offsets disagree"),
    "two tensors": (
        join_tensor_file(
            {
                "keys": {"dtype": "U64", "shape": [2], "data_offsets": [0, 16]},
                "more": {"dtype": "U64", "shape": [2], "data_offsets": [16, 32]},
            },
            pack(KEYS),
        ),
        2,
        "must hold one tensor 'keys'",
    ),
    "no tensor": (join_tensor_file({}, b""), 0, "does not describe tensors"),
    "no file of tensors": (b"keys", 0, "too few for a safetensors file"),
    "a header beyond the end": (struct.pack("<Q", 1 << 62), 0, "does not fit the file"),
    "too large": (tensor_file(bytes(8 * MAX_SKETCH_KEYS + 4096)), MAX_SKETCH_KEYS, "has more than "),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_file_that_is_not_the_sketch_of_its_record_is_refused(kind: str, bundle: Bundle) -> None:
    content, n_keys, message = CONTENTS[kind]
    assert message in refusal(bundle, content, n_keys)


def shorten(path: Path) -> None:
    replace(path, path.read_bytes()[:-8])


def change_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    replace(path, bytes(data))


def make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: list[tuple[Callable[[Path], Any], str]] = [
    (Path.unlink, "the sketch is missing: fetch the bundle again"),
    (shorten, "bytes instead of "),
    (change_a_byte, "its digest is not the recorded one: fetch the bundle again"),
    (make_directory, "is a directory, not a regular file"),
    (make_fifo, "is a FIFO, not a regular file"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_every_damage_is_named_with_its_file(
    damage: Callable[[Path], Any], message: str, bundle: Bundle
) -> None:
    path = bundle.path / record_of(bundle).file
    damage(path)
    with pytest.raises(DamagedBundleError) as caught:
        read_sketch(bundle, record_of(bundle))
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_opening_and_asking_read_no_sketch(bundle: Bundle) -> None:
    path = bundle.path / record_of(bundle).file
    make_fifo(path)
    opened = portrait.open(bundle.path)
    assert opened.query((bundle.path.parent / "x").name).verdict == "inconclusive"


def keys_of(bundle: Bundle) -> Sequence[int]:
    return read_sketch(bundle, record_of(bundle))


def test_the_first_keys_are_the_test_vectors(bundle: Bundle) -> None:
    (layer,) = bundle.manifest.layers
    assert [f"{key:016x}" for key in keys_of(bundle)][:16] == list(layer.test_vectors.present)
