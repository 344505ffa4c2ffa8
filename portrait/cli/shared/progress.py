"""Progress on stderr: a bar on a terminal, or lines of JSON for programs."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from portrait import extras
from portrait.cli.shared.options import quiet_option
from portrait.markup.numbers import counted, size
from portrait.progress import READING, Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from portrait.progress import Progress

_SECONDS_BETWEEN_LINES = 0.5
#: The variable with which the hub's library is told, before it is loaded, to show no bars.
_NO_HUB_BARS = "HF_HUB_DISABLE_PROGRESS_BARS"


class Bar:
    """A tqdm bar of bytes.

    Args:
        label: The name of a stage that has none of its own.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._meter = Meter(None, label)

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Show the bar of a stage."""
        self.finish()
        self._meter = Meter(n_bytes, stage or self._label)
        with_total = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}B{postfix}"
        self._bar = extras.load("tqdm", "build").tqdm(
            total=n_bytes,
            desc=self._meter.stage,
            unit_scale=True,
            leave=False,
            file=sys.stderr,
            bar_format="{desc}: {n_fmt}B{postfix}" if n_bytes is None else with_total,
        )

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Move the bar."""
        self._meter.advance(n_bytes, documents, text_bytes)
        if self._bar is not None:
            self._bar.set_postfix_str(_speed(self._meter, self._bar.format_interval), refresh=False)
            self._bar.update(self._meter.n_bytes - self._bar.n)

    def finish(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _speed(meter: Meter, interval: Callable[[float], str]) -> str:
    parts = []
    if meter.documents:
        parts.append(counted(meter.documents, "document"))
        parts.append(f"{size(round(meter.text_bytes_per_second))}/s of text")
    elif meter.n_bytes > meter.resumed_bytes:
        parts.append(f"{size(round(meter.bytes_per_second))}/s")
    if (eta := meter.eta_seconds) is not None:
        parts.append(f"{interval(eta)} left")
    return ", ".join(parts)


class Lines:
    """A JSON object a line on stderr: twice a second at most, and at the end of each stage.

    Args:
        label: The name of a stage that has none of its own.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._meter: Meter | None = None
        self._printed_at = 0.0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        """Begin a stage."""
        self.finish()
        self._meter = Meter(n_bytes, stage or self._label)
        self._printed_at = time.monotonic()

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        """Count, and print a line unless the last one is recent."""
        if self._meter is None:
            return
        self._meter.advance(n_bytes, documents, text_bytes)
        if time.monotonic() - self._printed_at >= _SECONDS_BETWEEN_LINES:
            self._print(done=False)

    def finish(self) -> None:
        """Print the last line of the stage."""
        if self._meter is not None:
            self._print(done=True)
            self._meter = None

    def _print(self, *, done: bool) -> None:
        if self._meter is not None:
            click.echo(json.dumps(self._meter.to_dict(done=done)), err=True)
        self._printed_at = time.monotonic()


def progress(label: str, *, quiet: bool = False) -> Progress | None:
    """Return a bar if stderr is a terminal and tqdm is installed.

    Args:
        label: The name of a stage that has none of its own.
        quiet: Whether to show nothing at all.
    """
    wanted = sys.stderr is not None and sys.stderr.isatty() and not quiet
    return Bar(label) if wanted and importlib.util.find_spec("tqdm") else None


def _chosen(kind: str, *, quiet: bool) -> Progress | None:
    if kind == "auto":
        return progress(READING, quiet=quiet)
    if kind == "bar":
        return Bar(READING)
    return Lines(READING) if kind == "json" else None


_progress_option = click.option(
    "--progress",
    "progress_kind",
    type=click.Choice(["auto", "bar", "json", "none"]),
    default="auto",
    show_default=True,
    help="Progress on stderr; auto: a bar on a terminal; json: an object a line.",
)


def progress_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of progress; the command gets ``quiet``, and a callback or nothing as ``progress``."""

    @wraps(command)
    def wrapped(*arguments: Any, progress_kind: str, quiet: bool, **options: Any) -> Any:
        callback = _chosen(progress_kind, quiet=quiet or options.get("as_json", False))
        return command(*arguments, quiet=quiet, progress=callback, **options)

    return _progress_option(quiet_option(wrapped))


def hide_progress(quiet: bool = False) -> None:
    """Hide the progress bars of the hub's library where nobody sees them, or nobody wants them.

    Args:
        quiet: Whether nobody wants them. Otherwise they are shown on a terminal.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    if quiet or not terminal:
        os.environ.setdefault(_NO_HUB_BARS, "1")
        if "huggingface_hub" in sys.modules:
            sys.modules["huggingface_hub"].utils.disable_progress_bars()
