"""What can go wrong on the way to a hub and back, in one line each."""

from __future__ import annotations

import errno
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from portrait.errors import HubError, OutputError, PortraitError
from portrait.extras import load
from portrait.hub.environment import cache_directory, endpoint_url
from portrait.storage.failures import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from portrait.hub.addresses import Address

T = TypeVar("T")

#: How often a request is repeated that the hub refuses for now, and how long each wait may be.
_TRIES = 5
_LONGEST_WAIT_SECONDS = 60.0
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LOG_IN = "log in (`hf auth login`), or set HF_TOKEN"


class StaleParentError(HubError):
    """A commit that the hub refused, because somebody else has committed meanwhile."""


@contextmanager
def explained(address: Address, cache: Path | None = None, *, local_only: bool = False) -> Iterator[None]:
    """Turn the errors of the hub's library into this library's.

    Args:
        address: What the messages name.
        cache: The hub's cache; by default, where the hub's library has it.
        local_only: Whether only the cache may be asked.

    Raises:
        HubError: The hub refused a request, or could not be reached.
        OutputError: A file could not be written.
    """
    try:
        yield
    except (PortraitError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise _explanation(address, error, cache or cache_directory(), local_only) from error


def not_cached(address: Address, cache: Path) -> HubError:
    """Return the error of what the cache does not have, if nothing else may be asked."""
    return HubError(
        f"{address}: is not in the cache {cache}, and nothing else may be asked: fetch it once while online"
    )


def patiently(request: Callable[[], T], wait: Callable[[float], object] = time.sleep) -> T:
    """Make a request, and repeat it while the hub asks for patience (429, ``Retry-After``).

    Args:
        request: The request, which raises the errors of the hub's library.
        wait: The function that waits a number of seconds.
    """
    errors = load("huggingface_hub.errors", "hub")
    for _ in range(_TRIES - 1):
        try:
            return request()
        except errors.HfHubHTTPError as error:
            seconds = _retry_after(error)
            if seconds is None or seconds > _LONGEST_WAIT_SECONDS:
                raise
            wait(seconds)
    return request()


def _retry_after(error: Any) -> float | None:
    """Return how many seconds the hub asks to wait, if it refused a request for now."""
    response = getattr(error, "response", None)
    if response is None or response.status_code != 429:
        return None
    try:
        return max(0.0, float(response.headers.get("Retry-After", "")))
    except ValueError:
        return None


def _explanation(address: Address, error: Exception, cache: Path, local_only: bool) -> PortraitError:
    """Return the error that says what was wrong, and what to do."""
    errors = load("huggingface_hub.errors", "hub")
    if isinstance(error, errors.RevisionResolutionError | errors.LocalEntryNotFoundError):
        return not_cached(address, cache) if local_only else _unreachable(address, error, cache)
    repository = address.at(None).inside("")
    for kind, message in (
        (
            errors.GatedRepoError,
            f"{repository}: access is restricted: ask for it on {address.page}, and {_LOG_IN}",
        ),
        (
            errors.RepositoryNotFoundError,
            _missing(repository),
        ),
        (
            errors.RevisionNotFoundError,
            f"{repository}: no revision {address.revision!r}: name a branch, a tag or a commit of it",
        ),
        (errors.LocalTokenNotFoundError, f"{repository}: no token: {_LOG_IN}"),
        (errors.EntryNotFoundError, f"{address}: no such file"),
    ):
        if isinstance(error, kind):
            return HubError(message)
    if isinstance(error, errors.HfHubHTTPError):
        return _refusal(repository, error)
    if isinstance(error, errors.OfflineModeIsEnabled | errors.HTTPError):
        return _unreachable(address, error, cache)
    if isinstance(error, OSError):
        return _not_written(address, error, cache)
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        # The library says which file it could not send; the cause says why.
        return _explanation(address, error.__cause__, cache, local_only)
    return HubError(f"{address}: {_first_line(error)}")


def _refusal(repository: Address, error: Any) -> HubError:
    """Return the error of a request that the hub answered with an error."""
    status = error.response.status_code
    said = (
        error.response.headers.get("X-Error-Message") or getattr(error, "server_message", "") or ""
    ).strip()
    said = f": {said.splitlines()[0].rstrip('.')}" if said else ""
    if status == 401 and not _has_token(error):
        # Strangers are not told which repositories there are.
        return HubError(_missing(repository))
    if status == 401:
        return HubError(f"{repository}: the hub does not know this token{said}: {_LOG_IN}")
    if status == 403:
        return HubError(
            f"{repository}: your token does not allow this{said}: use one that may write there, or propose "
            "the change as a pull request",
            parameter="create_pr",
        )
    if status == 412:
        return StaleParentError(f"{repository}: somebody else has committed meanwhile: try again")
    if status == 429:
        seconds = error.response.headers.get("Retry-After")
        when = f"in {seconds} seconds" if seconds else "later"
        return HubError(f"{repository}: too many requests: try again {when}")
    return HubError(f"{repository}: the hub answered {status}{said}: try again later")


def _has_token(error: Any) -> bool:
    return "authorization" in error.response.request.headers


def _missing(repository: Address) -> str:
    return f"{repository}: no such repository, or one that you may not see: check its name, and {_LOG_IN}"


def _unreachable(address: Address, error: Exception, cache: Path) -> HubError:
    return HubError(
        f"{address}: cannot reach {endpoint_url()}, and it is not in the cache {cache}: {_first_line(error)}"
    )


def _not_written(address: Address, error: OSError, cache: Path) -> PortraitError:
    where = error.filename or cache
    if error.errno in _NO_ROOM:
        return OutputError(
            f"{where}: {reason(error)} for {address}: make room, or set HF_HOME to a directory with more"
        )
    if error.errno is None:  # the hub's library reports files of the wrong size so
        return HubError(f"{address}: {_first_line(error)}: try again")
    return OutputError(f"{where}: {reason(error)}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
