"""What can go wrong in the service, by name, in the family of the library's errors.

The HTTP status is read off the class, as with every :class:`portrait.PortraitError`.
"""

from __future__ import annotations

from portrait import PortraitError


class UnknownPortraitError(PortraitError):
    """A portrait was asked for that this server does not hold, or that this key does not show."""

    http_status = 404


class WithdrawnPortraitError(PortraitError):
    """A portrait whose files became unreadable while the server ran."""

    http_status = 503
