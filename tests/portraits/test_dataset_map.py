"""``Portrait.scan``: the answers as additional columns of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import datasets
import pytest

import portrait
from portrait.answers.judge import DEFAULT_ROW_EVALUE
from portrait.errors import CorpusError, SpecError

if TYPE_CHECKING:
    from pathlib import Path

STORY = (
    "The tide clerk of Sandholm wrote two numbers into his book every morning, and on Sundays a third, "
    "which he explained to nobody and which his successor found to be the price of eels in the town."
)
ROWS = [
    {"id": 0, "text": f"He read aloud: {STORY}", "raw": b"\xff"},
    {"id": 1, "text": "short", "raw": b""},
    {"id": 2, "text": "", "raw": b""},
    {
        "id": 3,
        "text": "Of all this, nothing was ever written down in any book of the harbour office. " * 4,
        "raw": b"",
    },
]
TYPES = {
    "verdict": "string",
    "evalue": "float64",
    "detectable_length": "int64",
    "coverage": "float64",
    "longest_match": "int64",
    "exact_document": "bool",
    "hit_rate": "float64",
}


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """No progress bars."""
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def book(tmp_path: Path) -> portrait.Portrait:
    """A portrait that knows the story in the first row."""
    (tmp_path / "book.txt").write_text(STORY)
    return portrait.build({"books": tmp_path / "book.txt"}, tmp_path / "book.portrait")


def check(rows: Any, book: portrait.Portrait) -> None:
    """Check that scanned rows keep their columns and have the answers of ``book`` about their texts."""
    rows = list(rows)
    assert len(rows) == len(ROWS)
    for row, source in zip(rows, ROWS, strict=True):
        assert {name: row[name] for name in source} == source
        answer = book.query(str(source["text"]), evalue=DEFAULT_ROW_EVALUE)
        for name in TYPES.keys() - {"hit_rate"}:
            assert row[f"portrait_{name}"] == getattr(answer, name)
        assert row["portrait_hit_rate"] == answer.layers[0].hit_rate
        assert row["portrait_sources"] == (["books"] if answer.matches else [])
        assert row["portrait_matches"] == [
            {"portrait": "book", "source": "books", **match.to_dict()} for _, match in answer.matches
        ]
    assert [row["portrait_verdict"] for row in rows] == [
        "found",
        "inconclusive",
        "inconclusive",
        "not_found",
    ]


def check_types(features: Any) -> None:
    """Check the types of the columns that a scan adds."""
    assert {name: features[f"portrait_{name}"].dtype for name in TYPES} == TYPES
    assert features["portrait_sources"].feature.dtype == "string"
    kinds = {name: kind.dtype for name, kind in features["portrait_matches"].feature.items()}
    assert kinds == {
        "portrait": "string",
        "source": "string",
        "start": "int64",
        "end": "int64",
        "windows": "int64",
        "evalue": "float64",
    }


@pytest.mark.parametrize("num_proc", [None, 2])
def test_a_dataset_gets_columns_of_the_right_types(num_proc: int | None, book: portrait.Portrait) -> None:
    scanned = book.scan(datasets.Dataset.from_list(ROWS), num_proc=num_proc)
    check(scanned, book)
    check_types(scanned.features)


def test_the_types_do_not_depend_on_the_rows(book: portrait.Portrait) -> None:
    whole = datasets.Dataset.from_list(ROWS)
    check_types(book.scan(whole.select([1, 2])).features)
    check_types(book.scan(whole.select([])).features)


def test_a_stream_gets_the_same_columns(book: portrait.Portrait) -> None:
    scanned = book.scan(datasets.Dataset.from_list(ROWS).to_iterable_dataset())
    check(scanned, book)
    check_types(scanned.features)


def test_a_stream_of_unknown_columns_gets_the_same_columns(book: portrait.Portrait) -> None:
    def rows() -> Any:
        yield from ROWS

    check(book.scan(datasets.IterableDataset.from_generator(rows)), book)


def test_every_split_of_a_dictionary_is_scanned(book: portrait.Portrait) -> None:
    whole = datasets.Dataset.from_list(ROWS)
    scanned = book.scan(datasets.DatasetDict(train=whole, test=whole.select([0])))
    assert isinstance(scanned, datasets.DatasetDict)
    check(scanned["train"], book)
    assert scanned["test"]["portrait_verdict"][:] == ["found"]


def test_a_dataset_keeps_its_format(book: portrait.Portrait) -> None:
    scanned = book.scan(datasets.Dataset.from_list(ROWS).with_format("numpy"))
    assert scanned.format["type"] == "numpy"
    assert scanned["portrait_longest_match"][:].sum() > 100


def test_column_prefix_threshold_and_matches_can_be_chosen(book: portrait.Portrait) -> None:
    rows = [{"body": row["text"]} for row in ROWS]
    scanned = book.scan(
        datasets.Dataset.from_list(rows), column="body", prefix="x.", evalue=1e-300, matches=False
    )
    assert {name for name in scanned.column_names if name != "body"} == {
        *(f"x.{n}" for n in TYPES),
        "x.sources",
    }
    assert scanned["x.verdict"][0] != "found"


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (ROWS, {"column": "body"}, CorpusError, "dataset: no column 'body', only id, text, raw"),
        (
            [{"text": "x"}, {"text": None}],
            {},
            CorpusError,
            "dataset, row 2: column 'text' holds null, not text",
        ),
        ([{"text": 1}], {}, CorpusError, "dataset, row 1: column 'text' holds int, not text"),
        ([{"text": "x", "portrait_verdict": 1}], {}, SpecError, "has a column 'portrait_verdict' already"),
        (ROWS, {"evalue": 0}, SpecError, "the E-value threshold must be a positive number"),
    ],
)
def test_a_dataset_that_cannot_be_scanned_is_an_error(
    rows: Any, options: dict[str, Any], error: type[Exception], message: str, book: portrait.Portrait
) -> None:
    with pytest.raises(error, match=message):
        book.scan(datasets.Dataset.from_list(rows), **options)
    with pytest.raises(error, match=message):
        list(book.scan(datasets.Dataset.from_list(rows).to_iterable_dataset(), **options))


def test_only_datasets_can_be_scanned(book: portrait.Portrait) -> None:
    with pytest.raises(SpecError, match="cannot scan a list: pass a dataset"):
        book.scan(["text"])
