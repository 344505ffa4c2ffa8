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


class ServiceError(PortraitError):
    """A request that is refused. ``retry_after``: seconds after which it may be tried again."""

    http_status = 400

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MalformedRequestError(ServiceError):
    """A body that is not what the endpoint takes."""


class UnauthorizedError(ServiceError):
    """No key, a wrong one, or one that was revoked: which of these, nobody is told."""

    http_status = 401


class SlowRequestError(ServiceError):
    """The client took too long to send its request."""

    http_status = 408


class TooLargeError(ServiceError):
    """More bytes, texts or characters than one request may bring."""

    http_status = 413


class MediaTypeError(ServiceError):
    """The body's content type is none that the endpoint takes."""

    http_status = 415


class RateLimitError(ServiceError):
    """The key, or the address, asked as much as it may for now."""

    http_status = 429


class BusyError(ServiceError):
    """The server has as much to do as it takes on at once."""

    http_status = 503


class OvertimeError(ServiceError):
    """Answering took longer than a request may."""

    http_status = 503


class StoreError(ServiceError):
    """The shared store of the rate limits does not answer."""

    http_status = 503
