"""Messages of Arrow files and streams: how much memory they ask for, and damage."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portrait.corpus.formats.sizes.arrow_messages import MessageError, file_messages, read_message

N_ROWS = 1000
TEXTS = [f"{i:060}" for i in range(N_ROWS)]
#: Columns of every layout of buffers, each followed by one of text whose size is known.
COLUMNS: dict[str, Any] = {
    "text": pa.array(TEXTS),
    "large text": pa.array(TEXTS, pa.large_string()),
    "numbers": pa.array(range(N_ROWS)),
    "bits": pa.array([True] * N_ROWS),
    "nulls": pa.nulls(N_ROWS),
    "fixed": pa.array([b"abcd"] * N_ROWS, pa.binary(4)),
    "views": pa.array(TEXTS, pa.string_view()),
    "short views": pa.array(["x"] * N_ROWS, pa.string_view()),
    "list": pa.array([[text] for text in TEXTS]),
    "list view": pa.array([[text] for text in TEXTS], pa.list_view(pa.string())),
    "fixed list": pa.array([[1, 2]] * N_ROWS, pa.list_(pa.int32(), 2)),
    "map": pa.array([[(text, text)] for text in TEXTS], pa.map_(pa.string(), pa.string())),
    "struct": pa.array([{"a": text, "b": {"c": i}} for i, text in enumerate(TEXTS)]),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "run ends": pa.RunEndEncodedArray.from_arrays(pa.array([N_ROWS], pa.int32()), pa.array(["x"])),
    "sparse union": pa.UnionArray.from_sparse(pa.array([0] * N_ROWS, pa.int8()), [pa.array(TEXTS)]),
    "dense union": pa.UnionArray.from_dense(
        pa.array([0] * N_ROWS, pa.int8()), pa.array(range(N_ROWS), pa.int32()), [pa.array(TEXTS)]
    ),
}


def written(columns: dict[str, Any], codec: str | None, *, streamed: bool = False) -> pa.BufferReader:
    """Return a file or a stream of a record batch."""
    table = pa.record_batch(columns)
    sink = pa.BufferOutputStream()
    new = pa.ipc.new_stream if streamed else pa.ipc.new_file
    with new(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_batch(table)
    return pa.BufferReader(sink.getvalue())


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("name", COLUMNS)
def test_the_columns_that_are_read_are_found_beside_those_of_every_type(name: str, codec: str) -> None:
    columns = {"before": pa.array(range(N_ROWS)), "it": COLUMNS[name], "after": pa.array(TEXTS)}
    source = written(columns, codec)
    schema = pa.ipc.open_file(source).schema
    _, (at,) = file_messages(source)
    message = read_message(source, at)
    assert message is not None
    assert (message.n_rows, message.is_dictionary) == (N_ROWS, False)
    # Offsets of 4 bytes, and 60 characters a row; sizes of buffers may be rounded up.
    assert message.unpacked_bytes(schema, [0]) == pytest.approx(8 * N_ROWS, abs=128)
    assert message.unpacked_bytes(schema, [2]) == pytest.approx(64 * N_ROWS, abs=128)
    every = message.unpacked_bytes(schema, [0, 1, 2])
    assert every == sum(message.sizes) == sum(message.unpacked_bytes(schema, [i]) for i in range(3))


@pytest.mark.parametrize("streamed", [False, True], ids=["file", "stream"])
def test_a_dictionary_is_decompressed_whatever_is_read(streamed: bool) -> None:
    source = written({"it": COLUMNS["dictionary"]}, "zstd", streamed=streamed)
    schema = pa.ipc.open_stream(source).schema if streamed else pa.ipc.open_file(source).schema
    at = source.tell() if streamed else file_messages(source)[0][0]
    dictionary = read_message(source, at)
    assert dictionary is not None
    assert dictionary.is_dictionary
    assert dictionary.unpacked_bytes(schema, []) == pytest.approx(64 * N_ROWS, abs=128)
    batch = read_message(source, dictionary.end)
    assert batch is not None
    assert not batch.is_dictionary
    assert batch.unpacked_bytes(schema, [0]) == pytest.approx(4 * N_ROWS, abs=128)
    assert read_message(source, batch.end) is None


def test_what_is_not_compressed_takes_no_more_than_the_file() -> None:
    source = written({"it": COLUMNS["text"]}, None)
    _, (at,) = file_messages(source)
    message = read_message(source, at)
    assert message is not None
    assert message.unpacked_bytes(pa.ipc.open_file(source).schema, [0]) == 0
    assert sum(message.sizes) == pytest.approx(64 * N_ROWS, abs=128)


WHOLE = written({"it": COLUMNS["dictionary"], "text": COLUMNS["text"]}, "zstd").read()
MESSAGES = [at for some in file_messages(pa.BufferReader(WHOLE)) for at in some]


@given(st.sampled_from([*MESSAGES, len(WHOLE) - 300]), st.integers(0, 299), st.binary(min_size=1, max_size=8))
def test_damage_is_one_error(at: int, offset: int, damage: bytes) -> None:
    data = bytearray(WHOLE)
    data[at + offset : at + offset + len(damage)] = damage
    source = pa.BufferReader(bytes(data[: len(WHOLE)]))
    try:
        dictionaries, batches = file_messages(source)
        for position in (*dictionaries, *batches):
            read_message(source, position)
    except (MessageError, OSError, pa.ArrowException):
        pass


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 40, b"\xff" * 40, bytes(40)])
def test_a_file_without_a_footer_is_an_error(data: bytes) -> None:
    with pytest.raises(MessageError):
        file_messages(pa.PythonFile(io.BytesIO(data), "r"))
