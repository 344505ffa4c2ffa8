"""The date of a report."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

from portrait.errors import SpecError


def today() -> str:
    """Return the date in UTC, ``YYYY-MM-DD``: that of ``SOURCE_DATE_EPOCH`` if it is set, else today's.

    With the variable, two reports on the same data are identical byte for byte
    (https://reproducible-builds.org/specs/source-date-epoch/).

    Raises:
        SpecError: The variable is not a number of seconds.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        return f"{datetime.now(UTC):%Y-%m-%d}"
    # More digits would be a date beyond the year 9999.
    if not re.fullmatch("[0-9]{1,11}", given):
        raise SpecError(f"SOURCE_DATE_EPOCH is a number of seconds since 1970, not {given!r}")
    return f"{datetime.fromtimestamp(int(given), UTC):%Y-%m-%d}"
