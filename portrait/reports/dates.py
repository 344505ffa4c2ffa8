"""The date of a report."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

from portrait.errors import SpecError


def today() -> str:
    """The date in UTC, ``YYYY-MM-DD``: of ``SOURCE_DATE_EPOCH`` where that is set, else of now.

    With the variable two reports of the same data are the same, byte for byte
    (https://reproducible-builds.org/specs/source-date-epoch/). Raises :class:`SpecError` where it is
    not a number of seconds.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        return f"{datetime.now(UTC):%Y-%m-%d}"
    # What lies beyond the year 9999 is no date either.
    if not re.fullmatch("[0-9]{1,11}", given):
        raise SpecError(f"SOURCE_DATE_EPOCH is a number of seconds since 1970, not {given!r}")
    return f"{datetime.fromtimestamp(int(given), UTC):%Y-%m-%d}"
