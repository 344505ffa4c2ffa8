"""Files of several tensors: aligned, readable by the safetensors library, and checked before use."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import safetensors.numpy
from support.forge import join_tensor_file

from portrait import DamagedBundleError
from portrait.bundle.tensors import HEADER_RESERVE_BYTES, TensorInfo, header, map_tensors, read_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from portrait.storage.mapping import Access

TABLE = TensorInfo.of("table", "U64", 3, 8)
PRINTS = TensorInfo.of("fingerprints", "U8", 77)
DATA = bytes(range(192)) + bytes(range(77))


def write(path: Path, *tensors: TensorInfo, data: bytes = DATA) -> Path:
    """Write a file of ``tensors`` whose data is ``data``, and return its path."""
    path.write_bytes(header(tensors, {"format": "portrait"}) + data)
    return path


def test_two_tensors_are_opened_by_the_safetensors_library(tmp_path: Path) -> None:
    arrays = safetensors.numpy.load_file(write(tmp_path / "two", TABLE, PRINTS))
    assert set(arrays) == {"table", "fingerprints"}
    assert arrays["table"].dtype == np.dtype("<u8")
    assert arrays["table"].shape == (3, 8)
    assert arrays["table"].tobytes() + arrays["fingerprints"].tobytes() == DATA


def test_two_tensors_are_mapped_in_the_order_of_their_data(tmp_path: Path) -> None:
    tensors = map_tensors(write(tmp_path / "two", TABLE, PRINTS))
    assert [info for info, _ in tensors.values()] == [TABLE, PRINTS]
    assert [bytes(data) for _, data in tensors.values()] == [DATA[:192], DATA[192:]]
    assert all(data.readonly for _, data in tensors.values())


@pytest.mark.parametrize("n_tensors", [1, 2, 3, 9])
def test_every_tensor_begins_at_a_multiple_of_64(n_tensors: int, tmp_path: Path) -> None:
    tensors = [TensorInfo.of(f"t{i}", "U32", 16 * (i % 3 + 1)) for i in range(n_tensors)]
    total = sum(tensor.n_bytes for tensor in tensors)
    path = write(tmp_path / "many", *tensors, data=bytes(total))
    offset = len(path.read_bytes()) - total
    for tensor in tensors:
        assert offset % 64 == 0
        offset += tensor.n_bytes
    assert list(map_tensors(path)) == [tensor.name for tensor in tensors]


def test_a_tensor_that_would_not_be_aligned_is_not_written() -> None:
    with pytest.raises(ValueError, match="'table' would begin at byte 77"):
        header([PRINTS, TABLE], {})


def test_two_tensors_of_one_name_are_not_written() -> None:
    with pytest.raises(ValueError, match="the same name"):
        header([TABLE, TABLE], {})


def test_the_header_reserve_is_enough_for_the_longest_source_name() -> None:
    metadata = {"format": "portrait", "format_version": "1", "filter": "bloom", "source": "\U0001f980" * 100}
    assert len(header([TABLE, PRINTS], metadata)) <= HEADER_RESERVE_BYTES / 2


def entry(start: int, end: int, dtype: str = "U8", shape: list[int] | None = None) -> dict[str, Any]:
    """Return a header's description of a tensor at the bytes ``[start, end)`` of the data."""
    return {"dtype": dtype, "shape": [end - start] if shape is None else shape, "data_offsets": [start, end]}


HUGE = 10**4000
BAD_HEADERS: dict[str, tuple[object, str]] = {
    "gap": ({"a": entry(0, 64), "b": entry(65, 128)}, "gaps or overlap"),
    "overlap": ({"a": entry(0, 65), "b": entry(64, 128)}, "gaps or overlap"),
    "the same twice": ({"a": entry(0, 128), "b": entry(0, 128)}, "gaps or overlap"),
    "one within another": ({"a": entry(0, 128), "b": entry(32, 64)}, "gaps or overlap"),
    "gap before": ({"a": entry(1, 64), "b": entry(64, 128)}, "gaps or overlap"),
    "negative": ({"a": entry(-64, 0), "b": entry(0, 128)}, "gaps or overlap"),
    "too short": ({"a": entry(0, 64), "b": entry(64, 127)}, "announces 127 bytes of data, and 128 follow"),
    "too long": ({"a": entry(0, 64), "b": entry(64, 129)}, "announces"),
    "beyond any memory": ({"a": entry(0, 64), "b": entry(64, 1 << 70)}, "announces"),
    "beyond any number": ({"a": entry(0, 64), "b": entry(64, HUGE + 64, shape=[HUGE])}, "announces"),
    "overflowing shape": ({"a": entry(0, 128, "U64", [1 << 61, 8])}, "disagree"),
    "reversed": ({"a": entry(64, 0, shape=[0]), "b": entry(64, 128)}, "disagree"),
    "boolean offsets": ({"a": {"dtype": "U8", "shape": [1], "data_offsets": [False, True]}}, "disagree"),
    "three offsets": ({"a": {"dtype": "U8", "shape": [128], "data_offsets": [0, 64, 128]}}, "disagree"),
    "one offset": ({"a": {"dtype": "U8", "shape": [128], "data_offsets": [128]}}, "disagree"),
    "an offset too many": ({"a": {"dtype": "U8", "shape": [128], "data_offsets": [0, 128, 128]}}, "disagree"),
    "a number for offsets": ({"a": {"dtype": "U8", "shape": [128], "data_offsets": 128}}, "disagree"),
    "a number for a shape": ({"a": {"dtype": "U8", "shape": 128, "data_offsets": [0, 128]}}, "shape 128"),
    "five dimensions": ({"a": entry(0, 128, "U8", [1, 1, 1, 1, 128])}, "unexpected shape"),
    "negative dimensions": ({"a": entry(0, 128, "U8", [-1, -128])}, "unexpected shape"),
    "boolean dimension": ({"a": entry(0, 128, "U8", [True, 128])}, "unexpected shape"),
    "name twice": (b'{"a": {}, "a": {}}', "the header is JSON with the name 'a' twice in an object"),
    "one no object": ({"a": entry(0, 128), "b": 7}, "describe tensors"),
    "unknown type": ({"a": entry(0, 64), "b": entry(64, 128, "BF16")}, "'b': unexpected dtype 'BF16'"),
}


@pytest.mark.parametrize("kind", BAD_HEADERS)
def test_a_bad_header_is_refused(kind: str, tmp_path: Path) -> None:
    content, message = BAD_HEADERS[kind]
    (tmp_path / "file").write_bytes(join_tensor_file(content, bytes(128)))
    with pytest.raises(DamagedBundleError) as caught:
        map_tensors(tmp_path / "file")
    assert str(caught.value).startswith(f"{tmp_path / 'file'}: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_an_empty_tensor_is_mapped(tmp_path: Path) -> None:
    empty = TensorInfo.of("empty", "U8", 0)
    tensors = map_tensors(write(tmp_path / "file", empty, PRINTS, data=DATA[192:]))
    assert bytes(tensors["empty"][1]) == b""
    assert bytes(tensors["fingerprints"][1]) == DATA[192:]


@pytest.mark.parametrize("access", ["random", "sequential", "memory"])
def test_tensors_are_the_same_however_they_are_reached(access: Access, tmp_path: Path) -> None:
    tensors = map_tensors(write(tmp_path / "two", TABLE, PRINTS), access)
    assert [bytes(data) for _, data in tensors.values()] == [DATA[:192], DATA[192:]]
    assert all(data.readonly for _, data in tensors.values())


def test_a_missing_file_is_an_error_of_the_operating_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        map_tensors(tmp_path / "missing")


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_file_too_short_for_a_header_is_refused(size: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(size))
    with pytest.raises(DamagedBundleError, match="too few for a safetensors file"):
        map_tensors(tmp_path / "file")


def test_a_header_longer_than_its_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(struct.pack("<Q", 1234567) + b"{}")
    with pytest.raises(DamagedBundleError, match="the header's length, 1,234,567, does not fit the file"):
        map_tensors(tmp_path / "file")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "has 0 bytes, too few for a safetensors file"),
        (bytes(7), "has 7 bytes, too few for a safetensors file"),
        (bytes(8), "the header is not JSON"),
        (struct.pack("<Q", 1), "the header's length, 1, does not fit the file"),
        (struct.pack("<Q", 2) + b"{}", "the header does not describe tensors"),
    ],
)
def test_a_file_that_is_too_short_is_refused(data: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(DamagedBundleError) as caught:
        map_tensors(tmp_path / "file")
    assert str(caught.value).startswith(f"{tmp_path / 'file'}: {what}")


def test_tensors_may_have_four_dimensions_and_no_data(tmp_path: Path) -> None:
    content = {"a": entry(0, 128, "U8", [2, 2, 4, 8]), "b": entry(128, 128, "U64", [0, 8])}
    (tmp_path / "file").write_bytes(join_tensor_file(content, DATA[:128]))
    tensors = map_tensors(tmp_path / "file")
    assert {name: (info.shape, bytes(data)) for name, (info, data) in tensors.items()} == {
        "a": ((2, 2, 4, 8), DATA[:128]),
        "b": ((0, 8), b""),
    }


def test_a_file_in_memory_has_the_same_tensors(tmp_path: Path) -> None:
    path = write(tmp_path / "two", TABLE, PRINTS)
    assert read_tensors(path, path.read_bytes()) == map_tensors(path)
    for n_bytes in (0, 7, 8, 100, path.stat().st_size - 1):
        with pytest.raises(DamagedBundleError, match=f"{path}: "):
            read_tensors(path, path.read_bytes()[:n_bytes])
