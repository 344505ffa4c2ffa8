"""Every setting of the service, its default and its range: the one place where they are named.

They come from a TOML file, from the command line, or as upper-case names in ``create_app``'s config.
"""

from __future__ import annotations

import tomllib
from pathlib import Path  # noqa: TC003  # pydantic reads it
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portrait import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class Settings(BaseModel):
    """How a server behaves. ``description`` is what docs/service.md says of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    portraits: Annotated[tuple[Path, ...], Field(description="Paths of the portraits to serve.")] = ()
    host: Annotated[str, Field(description="The address to listen at.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="The port; 0 takes a free one.")] = 8000
    workers: Annotated[Count, Field(description="Processes; they share the portraits' memory.")] = 1
    threads: Annotated[Count, Field(description="Questions that a worker computes at once.")] = 4

    max_body_bytes: Annotated[Count, Field(description="Largest body that is not NDJSON.")] = 4 << 20
    max_texts: Annotated[Count, Field(description="Texts in one request that is not NDJSON.")] = 100
    max_chars: Annotated[Count, Field(description="Characters in such a request, or in a line.")] = 1_000_000
    max_bulk_bytes: Annotated[Count, Field(description="Largest NDJSON body.")] = 1 << 30
    concurrency: Annotated[Count, Field(description="Requests a worker takes on at once.")] = 256
    bulk_concurrency: Annotated[
        Count, Field(description="NDJSON requests answered at once; others wait.")
    ] = 4
    header_seconds: Annotated[Seconds, Field(description="To send a request's head, and idle between.")] = (
        15.0
    )
    body_seconds: Annotated[Seconds, Field(description="To send a whole body that is not NDJSON.")] = 20.0
    request_seconds: Annotated[Seconds, Field(description="To answer a request that is not NDJSON.")] = 30.0
    idle_seconds: Annotated[Seconds, Field(description="To send or take the next piece of NDJSON.")] = 10.0
    bulk_seconds: Annotated[Seconds, Field(description="For a whole NDJSON request.")] = 600.0
    shutdown_seconds: Annotated[Count, Field(description="For requests under way to end on SIGTERM.")] = 30

    keys: Annotated[Path | None, Field(description="The file of API keys; without one anyone may ask.")] = (
        None
    )
    rate: Annotated[
        str | None,
        Field(description="Texts for each key without a rate of its own, or address: `600/minute`."),
    ] = None
    store: Annotated[
        str | None, Field(description="`redis://…` or `memcached://…`: where workers count rates together.")
    ] = None
    trusted_proxies: Annotated[int, Field(ge=0, le=10, description="Proxies whose headers are believed.")] = 0
    cors_origins: Annotated[
        tuple[str, ...], Field(description="Origins whose pages may ask; `*` is all.")
    ] = ()

    compat: Annotated[
        str | None, Field(description="The portrait behind `/q`, `/overlap`, `/quip`; else the first.")
    ] = None
    reload_seconds: Annotated[Seconds, Field(description="How often changed files are looked for.")] = 1.0
    access_log: Annotated[bool, Field(description="A JSON line on standard output for each request.")] = True
    benchmark: Annotated[
        bool, Field(description="Adds `/v1/constant`, which parses a query and asks nothing.")
    ] = False


def settings_of(values: Mapping[str, Any]) -> Settings:
    """Checked settings. Raises :class:`SpecError` that names the first wrong one."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise SpecError(f"setting {where!r}: {what}") from None


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in a TOML file, not yet checked. Raises :class:`SpecError`."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{path}: not a TOML file: {error}") from error
