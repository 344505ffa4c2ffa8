"""Whatever the hub or its library says becomes one line of this library's own."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest
from huggingface_hub import HfApi
from huggingface_hub import errors as hub_errors
from support.hub_fixtures import TOKEN

from portrait import HubError, OutputError, SpecError
from portrait.hub.addresses import Address
from portrait.hub.failures import StaleParentError, explained, patiently

if TYPE_CHECKING:
    from pathlib import Path

    from support.hub_stand_in import StandIn

FERRY = Address("model", "org/ferry", "main", "deep")


def api(hub: StandIn, token: str | bool = TOKEN) -> HfApi:
    """Return a client of the stand-in."""
    return HfApi(endpoint=hub.url, token=token)


def explanation(error: Exception) -> Exception:
    """Return what becomes of an error."""
    with pytest.raises((HubError, OutputError)) as raised, explained(FERRY):
        raise error
    assert raised.value.__cause__ is error
    assert str(raised.value).isprintable()
    return raised.value


def test_errors_of_this_library_stay_as_they_are() -> None:
    error = SpecError("wrong")
    with pytest.raises(SpecError) as raised, explained(FERRY):
        raise error
    assert raised.value is error


def test_an_interrupt_stays_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), explained(FERRY):
        raise KeyboardInterrupt


def test_nothing_is_explained_where_nothing_went_wrong() -> None:
    with explained(FERRY):
        pass


def test_an_unknown_repository_is_named(hub: StandIn) -> None:
    with pytest.raises(HubError) as raised, explained(FERRY):
        api(hub).model_info("org/ferry")
    assert str(raised.value) == (
        "hf://org/ferry: no such repository, or one that you may not see: check its name, and log in "
        "(`hf auth login`), or set HF_TOKEN"
    )


def test_an_unknown_revision_is_named(hub: StandIn) -> None:
    hub.add_model("org/ferry", {})
    with (
        pytest.raises(HubError, match="hf://org/ferry: no revision 'main': name a branch, a tag or a commit"),
        explained(FERRY),
    ):
        api(hub).model_info("org/ferry", revision="other")


def test_a_missing_file_is_named(hub: StandIn) -> None:
    hub.add_model("org/ferry", {})
    with pytest.raises(HubError, match="hf://org/ferry@main/deep: no such file"), explained(FERRY):
        api(hub).hf_hub_download("org/ferry", "deep")


def test_a_gated_repository_is_named_with_the_page_to_ask_on(hub: StandIn) -> None:
    hub.add_model("org/ferry", {"deep": b"file"})
    hub.models["org/ferry"].gated = True
    with pytest.raises(HubError) as raised, explained(FERRY):
        api(hub).hf_hub_download("org/ferry", "deep")
    assert f"access is restricted: ask for it on {hub.url}/org/ferry" in str(raised.value)


def test_a_missing_permission_names_the_alternative(hub: StandIn) -> None:
    hub.add_model("else/ferry", {})
    with pytest.raises(HubError) as raised, explained(FERRY):
        api(hub).create_branch("else/ferry", branch="new")
    assert "your token does not allow this: You don't have the rights" in str(raised.value)
    assert raised.value.parameter == "create_pr"


def test_an_unknown_token_is_an_error(hub: StandIn) -> None:
    with pytest.raises(HubError, match=r"the hub does not know this token: .*[^.]: log in"), explained(FERRY):
        api(hub, "unknown").create_repo("org/ferry")


def answer(hub: StandIn, status: int, **headers: str) -> Exception:
    """Return the error of the hub's library for an answer with some status."""
    hub.add_model("org/ferry", {})
    with pytest.raises(hub_errors.HfHubHTTPError) as raised:
        api(hub).model_info("org/ferry", revision="none")
    response = raised.value.response
    response.status_code = status
    for name in ("X-Error-Code", "X-Error-Message"):
        del response.headers[name]
    response.headers.update(headers)
    return hub_errors.HfHubHTTPError("refused", response=response)


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (412, {}, "hf://org/ferry: somebody else has committed meanwhile: try again"),
        (429, {"Retry-After": "300"}, "hf://org/ferry: too many requests: try again in 300 seconds"),
        (429, {}, "hf://org/ferry: too many requests: try again later"),
        (503, {}, "hf://org/ferry: the hub answered 503: try again later"),
        (
            500,
            {"X-Error-Message": "Out of order.\nSee the log."},
            "hf://org/ferry: the hub answered 500: Out of order: try again later",
        ),
    ],
)
def test_an_answer_is_explained_by_its_status(
    hub: StandIn, status: int, headers: dict[str, str], message: str
) -> None:
    error = explanation(answer(hub, status, **headers))
    assert str(error) == message
    assert isinstance(error, StaleParentError) is (status == 412)


def test_a_full_disk_is_an_error_of_output(tmp_path: Path) -> None:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        error = explanation(OSError(number, "No space left", str(tmp_path / "blob")))
        assert type(error) is OutputError
        assert str(error).startswith(f"{tmp_path / 'blob'}: ")
        assert str(error).endswith("make room, or set HF_HOME to a directory with more")


def test_a_file_that_cannot_be_written_is_an_error_of_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = explanation(PermissionError(errno.EACCES, "Permission denied", str(tmp_path)))
    assert type(error) is OutputError
    assert str(error) == f"{tmp_path}: Permission denied"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert str(explanation(OSError(errno.EIO, "I/O error"))).startswith(f"{tmp_path / 'cache'}: ")


@pytest.mark.parametrize("error", [hub_errors.LocalEntryNotFoundError, hub_errors.RevisionResolutionError])
def test_what_is_not_in_the_cache_names_the_cache(error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(HubError) as raised, explained(FERRY, tmp_path, local_only=True):
        raise error("Nothing there.")
    assert str(raised.value) == (
        f"hf://org/ferry@main/deep: is not in the cache {tmp_path}, and nothing else may be asked: fetch it "
        "once while online"
    )
    with (
        pytest.raises(HubError, match=f"and it is not in the cache {tmp_path}: "),
        explained(FERRY, tmp_path),
    ):
        raise error("Nothing there.")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError("Consistency check failed: 3 bytes\nPlease retry."),
            "Consistency check failed: 3 bytes: try again",
        ),
        (ValueError("\n  What now?  \nmore"), "What now?"),
        (ValueError(), "ValueError"),
        (hub_errors.LocalTokenNotFoundError("none"), "no token: log in (`hf auth login`), or set HF_TOKEN"),
        (hub_errors.OfflineModeIsEnabled("Offline."), "and it is not in the cache"),
        (hub_errors.LocalEntryNotFoundError("Nothing there."), "and it is not in the cache"),
        (hub_errors.RevisionResolutionError("Nothing there."), "and it is not in the cache"),
    ],
)
def test_other_errors_keep_their_first_line(error: Exception, message: str) -> None:
    explained_error = explanation(error)
    assert type(explained_error) is HubError
    assert str(explained_error).startswith("hf://org/ferry")
    assert message in str(explained_error)


def test_an_upload_that_failed_says_why(hub: StandIn) -> None:
    def fail() -> None:
        try:
            raise answer(hub, 503)
        except hub_errors.HfHubHTTPError as cause:
            raise RuntimeError("Error while uploading 'a' to the Hub.") from cause

    with pytest.raises(HubError, match="the hub answered 503"), explained(FERRY):
        fail()


def test_a_request_is_repeated_as_the_hub_asks(hub: StandIn) -> None:
    hub.add_model("org/ferry", {})
    hub.refusals["/api/models/org/ferry"] = (3, 7)
    waits: list[float] = []
    info = patiently(lambda: api(hub).model_info("org/ferry"), wait=waits.append)
    assert info.id == "org/ferry"
    assert waits == [7, 7, 7]


@pytest.mark.parametrize(("refusals", "seconds", "n_waits"), [(9, 1, 4), (9, 61, 0)])
def test_patience_has_limits(hub: StandIn, refusals: int, seconds: int, n_waits: int) -> None:
    hub.add_model("org/ferry", {})
    hub.refusals["/api/models/org/ferry"] = (refusals, seconds)
    waits: list[float] = []
    with (
        pytest.raises(HubError, match=f"too many requests: try again in {seconds} seconds"),
        explained(FERRY),
    ):
        patiently(lambda: api(hub).model_info("org/ferry"), wait=waits.append)
    assert waits == [seconds] * n_waits


@pytest.mark.parametrize("stated", [{}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}])
def test_without_seconds_to_wait_there_is_no_second_request(hub: StandIn, stated: dict[str, str]) -> None:
    error = answer(hub, 429, **stated)
    requests: list[int] = []

    def request() -> Any:
        requests.append(1)
        raise error

    with pytest.raises(hub_errors.HfHubHTTPError):
        patiently(request, wait=lambda _: pytest.fail("it waited"))
    assert len(requests) == 1


def test_other_refusals_are_not_repeated(hub: StandIn) -> None:
    with pytest.raises(hub_errors.RepositoryNotFoundError):
        patiently(lambda: api(hub).model_info("org/none"), wait=lambda _: pytest.fail("it waited"))
    assert len(hub.requests) == 1
