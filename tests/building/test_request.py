"""The options of a build as one value: defaults, presets, and options that are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from portrait import PRESETS, FilterSpec, SpecError, Stride, WindowSpec
from portrait.building.request import Request


def test_options_that_are_left_out_come_from_the_preset() -> None:
    for name in PRESETS:
        request = Request.of(preset=name)
        assert request == Request.of(request.windows, request.filter)
    windows, spec = WindowSpec(7, Stride(3)), FilterSpec("ribbon", 0.001)
    request = Request.of(windows, spec, preset="paper")
    assert (request.windows, request.filter) == (windows, spec)
    assert request.reading.windows == windows


def test_a_request_is_a_value() -> None:
    request = Request.of(column=["title", "text"], source_column="set", on_error="skip")
    assert request.columns.text == ("title", "text")
    assert request.columns.keep == ("set",)
    assert (request.reading.source_column, request.reading.on_error) == ("set", "skip")
    assert request == Request.of(column=("title", "text"), source_column="set", on_error="skip")
    assert hash(request) == hash(replace(request))
    assert request != Request.of(column="title", source_column="set", on_error="skip")


@pytest.mark.parametrize(
    ("options", "message", "parameter"),
    [
        ({"preset": "none"}, "preset", None),
        ({"column": ""}, "column", None),
        ({"on_error": "ignore"}, "unknown on_error 'ignore': choose one of fail, skip", "on_error"),
        ({"max_shard_bytes": 10}, "largest size of a shard", None),
    ],
)
def test_a_value_out_of_range_is_refused(
    options: dict[str, Any], message: str, parameter: str | None
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        Request.of(**options)
    assert parameter in (None, caught.value.parameter)


def test_the_caller_or_a_column_names_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"text": "a", "set": "x"}\n')
    assert [source.name for source in Request.of().resolve({"web": "a.jsonl"})] == ["web"]
    request = Request.of(source_column="set")
    assert [source.name for source in request.resolve("a.jsonl")] == ["main"]
    with pytest.raises(SpecError, match="source 'web' has a name, and column 'set' would name") as caught:
        request.resolve({"web": "a.jsonl"})
    assert caught.value.parameter == "source_column"
