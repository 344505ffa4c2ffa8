"""Builds that must fail with a one-line message and leave nothing behind."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TEXT = "A paragraph of sixty or seventy characters, which is enough for a window."


GOOD = json.dumps({"text": TEXT}).encode() + b"\n"


@contextmanager
def refused(
    directory: Path, error: type[portrait.PortraitError] = portrait.CorpusError
) -> Iterator[list[str]]:
    """Check that the block raises this class of error and leaves no file in ``directory``.

    Yields a list that receives the error's message when the block has ended.
    """
    before = sorted(directory.iterdir())
    messages: list[str] = []
    with pytest.raises(error) as caught:
        yield messages
    assert caught.type is error
    messages.append(str(caught.value))
    assert "\n" not in messages[0]
    assert sorted(directory.iterdir()) == before


def message(
    sources: Any,
    directory: Path,
    error: type[portrait.PortraitError] = portrait.CorpusError,
    **options: Any,
) -> str:
    """Build a portrait that must be refused, and return the error's message."""
    with refused(directory, error) as messages:
        portrait.build(sources, directory / "out.portrait", **options)
    return messages[0]


def invalid_strings() -> pa.Array:
    """Return an Arrow array of strings whose second row is not UTF-8."""
    data = TEXT.encode() + b"ab\xff" + TEXT.encode()
    n = len(TEXT)
    offsets = pa.array([0, n, n + 3, 2 * n + 3], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(data)])


def arrow_bytes(column: Any, *, streamed: bool = False) -> bytes:
    """Return an Arrow file or stream with a column ``text``, in batches of 100 rows."""
    table = pa.table({"text": column})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(sink, table.schema) as file:
        file.write_table(table, 100)
    data: bytes = sink.getvalue().to_pybytes()
    return data
