"""What a sample of a corpus says of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import datasets
import pyarrow.parquet as pq
import pytest
from support.plans import CORPORA, MB, actual

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "bloom") for name in CORPORA), ("Parquet", "fuse"), ("several", "pybloom")]
)
def test_a_sample_predicts_the_build(name: str, kind: Any, corpus: Path, tmp_path: Path) -> None:
    sources = {source: [corpus / path for path in paths] for source, paths in CORPORA[name].items()}
    spec = portrait.FilterSpec(kind, 0.004)
    planned = portrait.plan(sources, filter=spec, sample_text_bytes=3 * MB)
    assert not planned.whole
    built = portrait.build(sources, tmp_path / "out", filter=spec)
    real = actual(built)
    assert real.text_bytes > 10 * MB
    assert planned.text_bytes == pytest.approx(real.text_bytes, rel=0.15)
    assert planned.stored_windows == pytest.approx(real.windows, rel=0.15)
    assert planned.bundle_bytes[kind] == pytest.approx(real.bundle_bytes, rel=0.15)
    assert planned.sampled_text_bytes < 0.8 * real.text_bytes
    assert [source.source for source in planned.sources] == list(built.sources)
    for source in planned.sources:
        assert source.text_bytes == pytest.approx(actual(built, source.source).text_bytes, rel=0.25)


def test_the_rows_of_a_column_s_sources_are_told_apart(corpus: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"source_column": "set"}
    planned = portrait.plan(corpus / "all.parquet", sample_text_bytes=4 * MB, **given)
    built = portrait.build(corpus / "all.parquet", tmp_path / "out", **given)
    assert [source.source for source in planned.sources] == ["even", "odd"]
    for source in planned.sources:
        assert source.windows == pytest.approx(actual(built, source.source).windows, rel=0.2)


def test_a_dataset_is_planned(corpus: Path) -> None:
    rows = pq.read_table(corpus / "third.parquet")
    planned = portrait.plan(datasets.Dataset(rows))
    assert (planned.documents, planned.whole) == (rows.num_rows, True)


def test_no_source_is_left_out_for_being_small(corpus: Path) -> None:
    few = {f"few{i}": corpus / "txt" / f"{i:04}.txt" for i in range(5)}
    planned = portrait.plan({"much": corpus / "all.jsonl", **few}, sample_text_bytes=MB)
    lengths = {source.source: source.text_bytes for source in planned.sources}
    for name, path in few.items():
        assert lengths[name] == path.stat().st_size


def test_of_a_long_document_only_the_beginning_is_read(corpus: Path, tmp_path: Path) -> None:
    text = "é".join(path.read_text() for path in sorted((corpus / "txt").iterdir()))
    (tmp_path / "long.txt").write_text(text)
    planned = portrait.plan(tmp_path / "long.txt", sample_text_bytes=MB)
    assert (planned.documents, planned.whole) == (1, False)
    assert planned.sampled_text_bytes < 5 * MB < planned.text_bytes
    assert planned.text_bytes == pytest.approx(len(text.encode()), rel=0.01)


def test_what_can_be_read_once_is_not_used_up(cli: Cli) -> None:
    message = cli.refused("plan", "-", stdin=b"a text")
    assert message == "standard input: can be read once, so that a plan would use it up: plan files instead"


def test_a_sample_of_nothing_is_refused(corpus: Path) -> None:
    with pytest.raises(portrait.SpecError, match="the sample is 1 byte or more, not 0"):
        portrait.plan(corpus / "txt", sample_text_bytes=0)
