"""URLs of datasets on a hub: parsing, and the columns they name."""

from __future__ import annotations

import pytest
from support.hub_corpora import HF

from portrait.corpus.columns import Columns
from portrait.corpus.datasets import hub_url as urls


def test_urls_of_files_inside_a_dataset_are_not_urls_of_datasets() -> None:
    for location in ("x/y/z.parquet", "x/y/data/*.jsonl", "x/y@main/z.parquet", "x/y@refs/pr/1/z.parquet"):
        assert urls.parse(f"{HF}/{location}") is None
    assert urls.parse("hf://buckets/x/y") is None
    assert urls.parse("data/*.jsonl") is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("org/name", urls.HubDataset("org/name")),
        ("org/name/", urls.HubDataset("org/name")),
        ("name", urls.HubDataset("name")),
        ("org/name@v1.0", urls.HubDataset("org/name", revision="v1.0")),
        ("org/name@refs/convert/parquet", urls.HubDataset("org/name", revision="refs/convert/parquet")),
        ("org/name@a%2Fb", urls.HubDataset("org/name", revision="a/b")),
        ("org/name?column=a.b,%20c", urls.HubDataset("org/name", column=("a.b", "c"))),
        (
            "org/name@v1?config=x%26y&split=train+test",
            urls.HubDataset("org/name", "x&y", "train+test", revision="v1"),
        ),
    ],
)
def test_a_url_names_a_dataset(location: str, expected: urls.HubDataset) -> None:
    assert urls.parse(f"{HF}/{location}") == expected


def test_columns_in_the_url_replace_only_the_text_columns() -> None:
    columns = Columns(("text",), ("id",), "source_column")
    plain, own = urls.HubDataset("org/name"), urls.HubDataset("org/name", column=("a", "b"))
    assert plain.columns(columns) is columns
    assert own.columns(columns) == Columns(("a", "b"), ("id",), "source_column")
    assert own.url == f"{HF}/org/name"
