"""The date of a report: today's, or the one that makes builds reproducible."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portrait.errors import SpecError
from portrait.reports.dates import today


def test_today_is_the_date_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = datetime.now(UTC)
    assert before.strftime("%Y-%m-%d") <= today() <= datetime.now(UTC).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("seconds", "date"), [("0", "1970-01-01"), ("86399", "1970-01-01"), ("1700000000", "2023-11-14")]
)
def test_the_environment_sets_the_date(seconds: str, date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    assert today() == date


@pytest.mark.parametrize("seconds", ["", "-1", "1.5", "soon", "1e9", "999999999999"])
def test_an_invalid_number_of_seconds_is_refused(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    with pytest.raises(SpecError, match="SOURCE_DATE_EPOCH is a number of seconds since 1970"):
        today()
