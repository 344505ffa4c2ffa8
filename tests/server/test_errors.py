"""The errors of the service."""

from __future__ import annotations

from portrait_server import errors

import portrait


def test_every_error_has_a_status_for_clients() -> None:
    family = [
        one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__
    ]
    assert len(family) >= 10
    for error in family:
        assert issubclass(error, portrait.PortraitError)
        assert error.http_status in (400, 401, 404, 408, 413, 415, 421, 429, 503)
        assert error.__doc__


def test_a_refusal_may_say_when_to_try_again() -> None:
    assert errors.BusyError("busy", retry_after=3).retry_after == 3
    assert errors.BusyError("busy").retry_after is None
