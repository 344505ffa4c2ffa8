"""The errors of the service, in the family of the library's errors.

Each class carries its HTTP status, as every :class:`portrait.PortraitError` does.
"""

from __future__ import annotations

from portrait import PortraitError


class UnknownPortraitError(PortraitError):
    """A question for a portrait that this server does not serve, or not to this caller."""

    http_status = 404


class WithdrawnPortraitError(PortraitError):
    """A question for a portrait whose files became unreadable while the server was running."""

    http_status = 503


class ForbiddenFileError(PortraitError):
    """A file of a portrait that the service must not read: outside the roots, or not a regular file."""

    http_status = 503


class ServiceError(PortraitError):
    """A request that the service refuses.

    Attributes:
        retry_after: Seconds after which the client may try again; ``None`` says nothing about it.
    """

    http_status = 400

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MalformedRequestError(ServiceError):
    """A body that the endpoint cannot read."""


class CutOffError(ServiceError):
    """A body that ends before its announced end."""


class UnauthorizedError(ServiceError):
    """A missing, wrong or revoked API key; the client is never told which."""

    http_status = 401


class SlowRequestError(ServiceError):
    """A client that took too long to send its request."""

    http_status = 408


class TooLargeError(ServiceError):
    """More bytes, texts or characters than one request may contain."""

    http_status = 413


class MediaTypeError(ServiceError):
    """An unsupported media type."""

    http_status = 415


class UnknownHostError(ServiceError):
    """A request under a host name that is not the server's: its page may belong to somebody else."""

    http_status = 421


class RateLimitError(ServiceError):
    """A caller that has used up its rate."""

    http_status = 429


class BusyError(ServiceError):
    """A server that already handles as many requests as it may."""

    http_status = 503


class OvertimeError(ServiceError):
    """An answer that took longer than a request may."""

    http_status = 503


class StoreError(ServiceError):
    """A shared store of the rate limits that does not answer."""

    http_status = 503
