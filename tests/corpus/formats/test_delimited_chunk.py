"""Chunks of delimited text: good rows and bad rows."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

import portrait
from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path


def test_bad_rows_do_not_affect_the_good_rows_around_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    bad = {3, 4, 9, 17, 20}
    rows = [f"{i}" if i in bad else f"{i},text {i}" for i in range(1, 21)]
    path.write_text("\n".join(["id,text", *rows]))
    (chunk,) = resolve(path)[0].shards[0].chunks()
    assert (chunk.n_rows, len(chunk.places())) == (20, 20)
    texts, errors = {}, {}
    for i in range(20):
        row = pickle.loads(pickle.dumps(chunk.slice(i, i + 1)))
        (place,) = row.places()
        assert (place, row.n_rows) == (f"{path}:{i + 1}", 1)
        try:
            (texts[i + 1],) = row.batch().texts.to_pylist()
        except portrait.BadRowError as error:
            errors[i + 1] = str(error)
    assert texts == {i: f"text {i}" for i in range(1, 21) if i not in bad}
    assert errors.keys() == bad
    assert all(error.startswith(f"{path}, row {i}: ") for i, error in errors.items())
    assert chunk.slice(4, 8).batch().texts.to_pylist() == [f"text {i}" for i in range(5, 9)]
    with pytest.raises(portrait.BadRowError, match="row 9"):
        chunk.slice(4, 10).batch()
    # Of several bad rows, the first is named.
    with pytest.raises(portrait.BadRowError, match=r"a\.csv, row 3: "):
        chunk.batch()
