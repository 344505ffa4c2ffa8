"""The date of a report: of the environment, else of today."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portrait.errors import SpecError
from portrait.reports.dates import today


def test_today_is_the_date_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = datetime.now(UTC)
    assert before.strftime("%Y-%m-%d") <= today() <= datetime.now(UTC).strftime("%Y-%m-%d")


@pytest.mark.parametrize(("epoch", "date"), [("0", "1970-01-01"), ("1700000000", "2023-11-14")])
def test_source_date_epoch_sets_the_date(epoch: str, date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    assert today() == date


@pytest.mark.parametrize("epoch", ["", "-1", "1.5", "tomorrow", "999999999999"])
def test_what_is_not_a_number_of_seconds_is_an_error(epoch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with pytest.raises(SpecError, match="SOURCE_DATE_EPOCH"):
        today()
