"""The options that say how a build is carried out."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portrait.cli.shared.sizes import parse_size
from portrait.engines.execution import ENGINES, Execution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OPTIONS = [
    click.option("--workers", type=int, metavar="N", help="Processes that read.  [default: one a CPU]"),
    click.option(
        "--memory",
        "memory_bytes",
        metavar="SIZE",
        callback=lambda _context, _parameter, text: None if text is None else parse_size(text),
        help="What all processes together may take: 1GB, 500MB, ...  [default: 512MiB a process]",
    ),
    click.option(
        "--work-dir",
        metavar="DIR",
        help="Where a build puts keys that do not fit into memory, and what resuming it takes: about 8 "
        "bytes a window.  [default: beside OUT]",
    ),
    click.option("--restart", is_flag=True, help="Discard an interrupted build and start over."),
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default="local",
        show_default=True,
        help="Who runs the build's tasks: processes of this machine, or Ray.",
    ),
    click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="The Ray cluster, which must see the same files.  [default: one is started here]",
    ),
]


def execution_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of :class:`portrait.Execution`, which the command gets as ``execution``."""

    @wraps(command)
    def wrapped(
        *arguments: Any,
        engine: Any,
        workers: int | None,
        memory_bytes: int | None,
        work_dir: str | None,
        restart: bool,
        ray_address: str | None,
        **options: Any,
    ) -> Any:
        execution = Execution(engine, workers, memory_bytes, work_dir, restart, ray_address)
        return command(*arguments, execution=execution, **options)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


@contextmanager
def resumable(execution: Execution, out: str) -> Iterator[None]:
    """Have Ctrl-C say that the same command resumes a build, where it does.

    Args:
        execution: How the build is carried out.
        out: The portrait it writes.

    Raises:
        KeyboardInterrupt: With that message, or as it came.
    """
    try:
        yield
    except KeyboardInterrupt:
        if execution.can_resume(Path(out)):
            raise KeyboardInterrupt("run the same command again to resume") from None
        raise
