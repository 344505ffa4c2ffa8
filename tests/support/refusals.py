"""Builds that must fail: one line that says why, and nothing left behind."""

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
    """Collect the message of the error that the block raises, and check that it leaves nothing behind."""
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
    with refused(directory, error) as messages:
        portrait.build(sources, directory / "out.portrait", **options)
    return messages[0]


def invalid_strings() -> pa.Array:
    data = TEXT.encode() + b"ab\xff" + TEXT.encode()
    n = len(TEXT)
    offsets = pa.array([0, n, n + 3, 2 * n + 3], pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(data)])


def arrow_bytes(column: Any, *, streamed: bool = False) -> bytes:
    """Return an Arrow file or stream in batches of a hundred rows."""
    table = pa.table({"text": column})
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if streamed else pa.ipc.new_file)(sink, table.schema) as file:
        file.write_table(table, 100)
    data: bytes = sink.getvalue().to_pybytes()
    return data
