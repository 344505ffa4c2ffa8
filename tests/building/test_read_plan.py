"""The division of a corpus into tasks: the same every time, and recognised by later builds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from support import corpora

from portrait import FilterSpec, WindowSpec
from portrait.building import read_plan
from portrait.building.read_plan import plan_reading
from portrait.building.request import Request


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of several kinds in the directory where the tests run."""
    monkeypatch.chdir(tmp_path)
    corpora.write(Path("corpus"), n_files=5)


def test_the_order_of_files_does_not_matter() -> None:
    request = Request.of()
    files = sorted(map(str, Path("corpus").iterdir()))
    first = plan_reading(request.resolve(files), request)
    random.Random(1).shuffle(files)
    second = plan_reading(request.resolve(files), request)
    assert first.to_json() == second.to_json()
    assert [shard.label for _, shard in first.shards] == [shard.label for _, shard in second.shards]
    assert first.resumable


def test_a_large_file_is_several_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request.of()
    assert len(plan_reading(request.resolve("corpus/00.jsonl"), request).shards) == 1
    monkeypatch.setattr(read_plan, "TASK_TEXT_BYTES", 3000)
    plan = plan_reading(request.resolve("corpus/00.jsonl"), request)
    assert len(plan.shards) > 1
    assert {source for source, _ in plan.shards} == {"main"}
    names = {plan.record_name(i) for i in range(len(plan.shards))}
    assert len(names) == len(plan.shards)
    # A file is one input, however many tasks read it.
    assert [path for path, *_ in plan.to_json()["inputs"]] == ["corpus/00.jsonl"]


@pytest.mark.parametrize(
    ("other", "name"),
    [
        (Request.of(WindowSpec(40)), "windows"),
        (Request.of(filter=FilterSpec("ribbon")), "filter"),
        (Request.of(source_column="meta.set"), "source column"),
        (Request.of(column="body"), "columns"),
        (Request.of(format="jsonl"), "format"),
    ],
)
def test_options_that_change_the_portrait_change_the_plan(other: Request, name: str) -> None:
    request = Request.of()
    sources = request.resolve("corpus")
    one, another = (plan_reading(sources, options).to_json() for options in (request, other))
    assert {key for key in one if one[key] != another[key]} == {name}
    assert json.loads(json.dumps(one)) == one


def test_the_treatment_of_bad_rows_and_the_size_of_shards_may_change() -> None:
    request = Request.of()
    sources = request.resolve("corpus")
    plans = [
        plan_reading(sources, options).to_json()
        for options in (request, Request.of(on_error="skip"), Request.of(max_shard_bytes=10_000))
    ]
    assert plans[0] == plans[1] == plans[2]


def test_the_same_files_in_other_sources_are_another_corpus() -> None:
    request = Request.of()
    one = plan_reading(request.resolve({"a": "corpus/0[01]*", "b": "corpus/02*"}), request).to_json()
    other = plan_reading(request.resolve({"a": "corpus/00*", "b": "corpus/0[12]*"}), request).to_json()
    assert {key for key in one if one[key] != other[key]} == {"inputs"}


def test_an_input_that_can_be_read_only_once_cannot_be_resumed() -> None:
    request = Request.of()
    assert not plan_reading(request.resolve("-"), request).resumable


def test_a_file_that_cannot_be_divided_is_one_task() -> None:
    Path("bad.parquet").write_bytes(b"PAR1 and no more")
    request = Request.of()
    plan = plan_reading(request.resolve("bad.parquet"), request)
    assert [shard.label for _, shard in plan.shards] == ["bad.parquet"]
