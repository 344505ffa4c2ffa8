"""How far a piece of work is: a bar on stderr where somebody is looking, or lines of JSON for programs."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from portrait import extras
from portrait.cli.shared.show import count, size
from portrait.progress import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.progress import Progress

_SECONDS_BETWEEN_LINES = 0.5


class Bar:
    """Bytes done so far, as a tqdm bar."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._meter = Meter(None, label)

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Show the bar."""
        self.finish()
        self._meter = Meter(n_bytes, stage or self._label)
        known = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}B{postfix}"
        self._bar = extras.load("tqdm", "build").tqdm(
            total=n_bytes,
            desc=self._meter.stage,
            unit_scale=True,
            leave=False,
            file=sys.stderr,
            bar_format="{desc}: {n_fmt}B{postfix}" if n_bytes is None else known,
        )

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Move it."""
        self._meter.advance(n_bytes, documents, text_bytes)
        if self._bar is not None:
            self._bar.set_postfix_str(_speed(self._meter, self._bar.format_interval), refresh=False)
            self._bar.update(self._meter.n_bytes - self._bar.n)

    def finish(self) -> None:
        """Take it away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _speed(meter: Meter, interval: Callable[[float], str]) -> str:
    parts = []
    if meter.documents:
        parts.append(f"{count(meter.documents)} document{'s' * (meter.documents != 1)}")
        parts.append(f"{size(round(meter.text_bytes_per_second))}/s of text")
    elif meter.n_bytes > meter.resumed_bytes:
        parts.append(f"{size(round(meter.bytes_per_second))}/s")
    if (eta := meter.eta_seconds) is not None:
        parts.append(f"{interval(eta)} left")
    return ", ".join(parts)


class Lines:
    """A JSON object a line on stderr: now and then, and at the end of each stage."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._meter: Meter | None = None
        self._said = 0.0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """A stage begins."""
        self.finish()
        self._meter = Meter(n_bytes, stage or self._label)
        self._said = time.monotonic()

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Say so, unless something was said just now."""
        if self._meter is None:
            return
        self._meter.advance(n_bytes, documents, text_bytes)
        if time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES:
            self._say(done=False)

    def finish(self) -> None:
        """Say that the stage is over."""
        if self._meter is not None:
            self._say(done=True)
            self._meter = None

    def _say(self, *, done: bool) -> None:
        if self._meter is not None:
            click.echo(json.dumps(self._meter.to_dict(done=done)), err=True)
        self._said = time.monotonic()


def progress(label: str, *, quiet: bool = False) -> Progress | None:
    """A bar if stderr is a terminal; none where the package that draws it is not installed."""
    wanted = sys.stderr is not None and sys.stderr.isatty() and not quiet
    return Bar(label) if wanted and importlib.util.find_spec("tqdm") else None


_OPTIONS = [
    click.option(
        "--progress",
        "progress_kind",
        type=click.Choice(["auto", "bar", "json", "none"]),
        default="auto",
        show_default=True,
        help="How far it is, on stderr; auto: a bar on a terminal; json: an object a line.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary."),
]


def progress_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How far a build is; the command gets ``quiet``, and as ``progress`` who hears of it, if anybody."""

    @wraps(command)
    def wrapped(*arguments: Any, progress_kind: str, quiet: bool, **options: Any) -> Any:
        hears: Progress | None = None
        if progress_kind == "auto":
            hears = progress("reading", quiet=quiet or options.get("as_json", False))
        elif progress_kind != "none":
            hears = Bar("reading") if progress_kind == "bar" else Lines("reading")
        return command(*arguments, quiet=quiet, progress=hears, **options)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
