"""Chunks of delimited text: good rows and bad ones."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

import portrait
from portrait.corpus.resolve import resolve

if TYPE_CHECKING:
    from pathlib import Path


def test_bad_rows_of_delimited_text_can_be_told_from_the_good_ones_around_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    bad = {3, 4, 9, 17, 20}
    rows = [f"{i}" if i in bad else f"{i},text {i}" for i in range(1, 21)]
    path.write_text("\n".join(["id,text", *rows]))
    (chunk,) = resolve(path)[0].shards[0].chunks()
    assert (chunk.n_rows, len(chunk.places())) == (20, 20)
    found, refused = {}, {}
    for i in range(20):
        one = pickle.loads(pickle.dumps(chunk.slice(i, i + 1)))
        (place,) = one.places()
        assert (place, one.n_rows) == (f"{path}:{i + 1}", 1)
        try:
            (found[i + 1],) = one.batch().texts.to_pylist()
        except portrait.BadRowError as error:
            refused[i + 1] = str(error)
    assert found == {i: f"text {i}" for i in range(1, 21) if i not in bad}
    assert refused.keys() == bad
    assert all(text.startswith(f"{path}, row {i}: ") for i, text in refused.items())
    assert chunk.slice(4, 8).batch().texts.to_pylist() == [f"text {i}" for i in range(5, 9)]
    with pytest.raises(portrait.BadRowError, match="row 9"):
        chunk.slice(4, 10).batch()
