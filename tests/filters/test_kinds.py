"""Filters by kind: all that can be named can be built."""

from __future__ import annotations

import pytest

from portrait import FilterSpec, SpecError
from portrait.filters import kinds as filters
from portrait.filters import pybloom, redisbloom
from portrait.spec import FILTER_KINDS


def test_every_kind_of_filter_that_can_be_asked_for_can_be_built() -> None:
    assert set(filters.KINDS) == {*FILTER_KINDS, redisbloom.KIND}  # of which only the last is read only
    for kind in FILTER_KINDS:
        spec = FilterSpec(kind)  # type: ignore[arg-type]
        if kind == pybloom.KIND:  # of windows, not of keys
            with pytest.raises(SpecError, match="windows"):
                filters.layout(spec, 10)
        else:
            assert filters.layout(spec, 10).parameters["kind"] == kind
