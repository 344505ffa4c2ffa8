"""Every setting of the service with its default and its range: the one place that names them.

Settings come from a TOML file, from the command line, or as upper-case names in the configuration of
``create_app``.
"""

from __future__ import annotations

import tomllib
from pathlib import Path  # pydantic reads it
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from portrait import SpecError

from .messages import complaints

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How the address of a portrait on a hub begins.
ADDRESS_SCHEME = "hf://"
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


def _not_empty(path: object) -> object:
    if path == "":
        # It would be the working directory, of which somebody with an unset variable has not thought.
        raise ValueError("must not be empty")
    return path


def _location(portrait: object) -> object:
    """Return an address as it is, and everything else as a path."""
    if isinstance(portrait, str):
        return portrait if portrait.startswith(ADDRESS_SCHEME) else Path(portrait)
    if not isinstance(portrait, Path):
        raise ValueError("must be a path")
    return portrait


Root = Annotated[Path, BeforeValidator(_not_empty)]
Location = Annotated[Path | str, BeforeValidator(_location)]


class Settings(BaseModel):
    """The settings of one server; docs/service.md lists each with its ``description``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    portraits: Annotated[
        tuple[Location, ...],
        Field(description="Paths of the portraits to serve, or addresses on a hub (`hf://ORG/NAME`)."),
    ] = ()
    roots: Annotated[
        tuple[Root, ...],
        Field(description="Directories that links in the portraits may lead to, besides the portraits' own."),
    ] = ()
    host: Annotated[str, Field(description="The address to listen on.")] = "127.0.0.1"
    hosts: Annotated[
        tuple[str, ...],
        Field(description="Names that requests may use for this server (`Host`); without any, all."),
    ] = ()
    port: Annotated[int, Field(ge=0, le=65535, description="The port; 0 picks a free one.")] = 8000
    workers: Annotated[
        Count, Field(le=1000, description="Worker processes; they share the portraits' memory.")
    ] = 1
    threads: Annotated[Count, Field(description="Questions that a worker answers at the same time.")] = 4

    max_body_bytes: Annotated[Count, Field(description="The largest body other than NDJSON.")] = 4 << 20
    max_texts: Annotated[Count, Field(description="Texts in one request other than NDJSON.")] = 100
    max_chars: Annotated[Count, Field(description="Characters in one request, or in one line of NDJSON.")] = (
        1_000_000
    )
    max_bulk_bytes: Annotated[Count, Field(description="The largest NDJSON body.")] = 1 << 30
    max_answer_bytes: Annotated[
        Count, Field(description="The largest answer of `/q`, `/overlap` and `/quip`.")
    ] = 8 << 20
    concurrency: Annotated[Count, Field(description="Requests that a worker accepts at the same time.")] = 256
    bulk_concurrency: Annotated[
        Count, Field(description="NDJSON requests answered at the same time; others wait for their turn.")
    ] = 4
    bulk_connections: Annotated[
        Count, Field(description="NDJSON requests that a worker accepts at the same time.")
    ] = 64
    header_seconds: Annotated[
        Seconds, Field(description="Time to send a request's head, and to stay idle between requests.")
    ] = 15.0
    body_seconds: Annotated[Seconds, Field(description="Time to send a whole body other than NDJSON.")] = 20.0
    request_seconds: Annotated[Seconds, Field(description="Time to answer a request other than NDJSON.")] = (
        30.0
    )
    response_seconds: Annotated[
        Seconds, Field(description="Time to receive a whole response other than NDJSON.")
    ] = 20.0
    idle_seconds: Annotated[
        Seconds, Field(description="Time to send or to receive the next piece of NDJSON.")
    ] = 10.0
    bulk_seconds: Annotated[Seconds, Field(description="Time for a whole NDJSON request.")] = 600.0
    shutdown_seconds: Annotated[
        Count, Field(description="Time for open requests to finish after SIGTERM.")
    ] = 30

    keys: Annotated[Path | None, Field(description="The file of API keys; without one, anyone may ask.")] = (
        None
    )
    rate: Annotated[
        str | None,
        Field(description="Texts per key without a rate of its own, or per address: `600/minute`."),
    ] = None
    store: Annotated[
        str | None,
        Field(description="Where all workers count rates together: `redis://…` or `memcached://…`."),
    ] = None
    trusted_proxies: Annotated[
        int, Field(ge=0, le=10, description="How many proxies in a row set trustworthy headers.")
    ] = 0
    cors_origins: Annotated[
        tuple[str, ...], Field(description="Origins whose pages may ask; `*` allows all.")
    ] = ()

    compat: Annotated[
        str | None, Field(description="The portrait behind `/q`, `/overlap`, `/quip`; otherwise the first.")
    ] = None
    reload_seconds: Annotated[Seconds, Field(description="Time between checks for changed files.")] = 1.0
    access_log: Annotated[
        bool, Field(description="Write a JSON line to standard output for each request.")
    ] = True
    benchmark: Annotated[
        bool, Field(description="Add `/v1/constant`, which reads a question and asks nothing.")
    ] = False


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Return checked settings.

    Raises:
        SpecError: A setting is unknown or wrong; the message names the first such setting.
    """
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        where, reason = next(complaints(error))
        if where.partition(".")[0] not in Settings.model_fields:
            reason = "there is no such setting"
        raise SpecError(f"setting {where!r}: {reason}") from None


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a TOML file, unchecked.

    Raises:
        SpecError: The file cannot be read or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{path}: not a TOML file: {error}") from error
    except RecursionError as error:
        raise SpecError(f"{path}: not a file of settings: it is nested too deeply") from error
