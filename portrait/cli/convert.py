"""``portrait convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import portrait
from portrait.cli.shared.progress import progress
from portrait.cli.shared.show import size
from portrait.cli.shared.sizes import max_shard_size_option
from portrait.errors import printable
from portrait.operations.wrap import is_foreign
from portrait.spec import NORMALIZERS, UNITS, WindowSpec

if TYPE_CHECKING:
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress

#: What says how the windows of a foreign filter were cut.
_WINDOWS = ("width", "stride", "unit", "normalizer")


@click.command("convert")
@click.argument("path", metavar="IN")
@click.argument("out", metavar="OUT")
@max_shard_size_option
@click.option("--width", type=int, help="For a .pybloom file: units in a window.")
@click.option("--stride", type=int, help="For a .pybloom file, or a .bf whose name does not say it.")
@click.option("--unit", type=click.Choice(UNITS), help="For a .pybloom file.  [default: char]")
@click.option("--normalizer", type=click.Choice(NORMALIZERS), help="For a .pybloom file.  [default: none]")
@click.option("--source", metavar="NAME", help="The layer of a .bf or .pybloom file; else named like it.")
@click.option("--license", "license_", metavar="TEXT", help="As for build, of a .bf or .pybloom file.")
@click.option("--overwrite", is_flag=True, help="Replace a portrait that stands at OUT.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@click.pass_context
def command(
    context: click.Context,
    /,
    path: str,
    out: str,
    max_shard_bytes: int,
    source: str | None,
    license_: str | None,
    overwrite: bool,
    quiet: bool,
    **windows: Any,
) -> None:
    """Write a portrait anew with files of another size, or make one of another program's filter.

    A portrait keeps its id and its answers; layers of kind pybloom and redisbloom cannot be cut.

    A filter of the original Data Portraits library (.bf) or of pybloom-live (.pybloom) gets a
    manifest, and its bits stay where they are: OUT is the directory that its files are in, or a new
    one on the same file system, which shares them by hard links.

    \b
    portrait convert corpus.portrait small-files.portrait --max-shard-size 64MB
    portrait convert published/pile.50-50.bf published
    """
    shown = progress("reading" if is_foreign(Path(path)) else "writing", quiet=quiet)
    if is_foreign(Path(path)):
        _refuse(context, ["max_shard_bytes"], f"{path}: its files are kept as they are")
        options = {"source": source, "license": license_, "overwrite": overwrite}
        written = _wrap(path, out, windows, options, shown)
    else:
        _refuse(context, [*_WINDOWS, "source", "license_"], f"{path}: a portrait says this of itself")
        written = portrait.convert(
            path, out, max_shard_bytes=max_shard_bytes, overwrite=overwrite, progress=shown
        )
    if not quiet:
        shards = [shard for layer in written.manifest.layers for shard in layer.shards]
        n_bytes = sum(shard.bytes for shard in shards)
        where = printable(str(written.path))
        click.echo(f"{where}: {len(shards)} shard{'s' * (len(shards) != 1)}, {size(n_bytes)}")


def _wrap(
    path: str, out: str, windows: dict[str, Any], options: dict[str, Any], shown: Progress | None
) -> Portrait:
    if path.endswith(".bf"):
        given = [name for name in _WINDOWS if name != "stride" and windows[name] is not None]
        if given:
            raise click.UsageError(f"--{given[0]} is for .pybloom files: {path} says it itself")
        return portrait.wrap(path, out, stride=windows["stride"], progress=shown, **options)
    if windows["width"] is None or windows["stride"] is None:
        raise click.UsageError(f"{path} does not say how its windows were cut: give --width and --stride")
    spec = WindowSpec(
        windows["width"], windows["stride"], windows["unit"] or "char", windows["normalizer"] or "none"
    )
    return portrait.wrap(path, out, windows=spec, progress=shown, **options)


def _refuse(context: click.Context, names: list[str], why: str) -> None:
    """Refuse options that would have no effect."""
    for parameter in context.command.params:
        if (
            parameter.name in names
            and context.get_parameter_source(parameter.name) != ParameterSource.DEFAULT
        ):
            raise click.UsageError(f"{parameter.opts[0]} has no use here: {why}")
