"""``portrait convert``."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

import portrait
from portrait.cli.shared.options import overwrite_option, quiet_option
from portrait.cli.shared.progress import progress
from portrait.cli.shared.sizes import stored_bytes
from portrait.cli.shared.specs import sampling
from portrait.cli.shared.writing import license_option, max_shard_size_option, note_missing_card
from portrait.errors import printable
from portrait.filters.redisbloom_dump import SUFFIX
from portrait.hub.local import local_path
from portrait.markup.numbers import counted, size
from portrait.operations.wrap import is_foreign
from portrait.spec import NORMALIZERS, UNITS, WindowSpec

#: The options that say how the windows of a foreign filter were cut.
_WINDOWS = ("width", "span", "stride", "unit", "normalizer")


@click.command("convert")
@click.argument("path", metavar="IN")
@click.argument("out", metavar="OUT")
@max_shard_size_option
@click.option("--width", type=int, help="Units in a window, for a .pybloom file.")
@click.option("--span", type=int, help="The span of windows chosen by content, for a .pybloom file.")
@click.option(
    "--stride",
    type=int,
    help="Units between stored windows, for a .pybloom file, or a .bf file whose name does not say it.",
)
@click.option(
    "--unit", type=click.Choice(UNITS), help="What windows count, for a .pybloom file.  [default: char]"
)
@click.option(
    "--normalizer",
    type=click.Choice(NORMALIZERS),
    help="What every text went through first, for a .pybloom file.  [default: none]",
)
@click.option(
    "--source", metavar="NAME", help="The layer's name, for a .bf or .pybloom file.  [default: the file's]"
)
@license_option
@overwrite_option()
@quiet_option
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
    """Rewrite a portrait with files of another size, or turn another program's filter into one.

    A portrait keeps its id and its answers; layers of kind pybloom and redisbloom cannot be cut.

    A filter of the original Data Portraits library (.bf) or of pybloom-live (.pybloom) gets a
    manifest, and its bits stay where they are: OUT is the directory of its files, or a new one on the
    same file system, which shares them by hard links.

    \b
    portrait convert corpus.portrait small-files.portrait --max-shard-size 64MB
    portrait convert published/pile.50-50.bf published
    """
    source_path = local_path(path)
    foreign = is_foreign(source_path)
    bar = progress("reading" if foreign else "writing", quiet=quiet)
    if foreign:
        _refuse(context, ["max_shard_bytes"], f"{path}: its files are kept as they are")
        spec, stride = _cut(str(source_path), **windows)
        written = portrait.wrap(
            source_path,
            out,
            windows=spec,
            stride=stride,
            source=source,
            license=license_,
            overwrite=overwrite,
            progress=bar,
        )
    else:
        _refuse(context, [*_WINDOWS, "source", "license_"], f"{path}: a portrait states its own")
        written = portrait.convert(
            source_path, out, max_shard_bytes=max_shard_bytes, overwrite=overwrite, progress=bar
        )
    if not quiet:
        n_shards = sum(len(layer.shards) for layer in written.manifest.layers)
        n_bytes = stored_bytes(written.manifest)
        click.echo(f"{printable(str(written.path))}: {counted(n_shards, 'shard')}, {size(n_bytes)}")
        note_missing_card(written.path)


def _cut(
    path: str, width: int | None, span: int | None, stride: int | None, unit: Any, normalizer: Any
) -> tuple[WindowSpec | None, int | None]:
    """Return how the windows of a foreign filter were cut: their spec, or the stride alone.

    Raises:
        click.UsageError: Options are missing, or repeat what the file says.
    """
    if path.endswith(SUFFIX):
        if span is not None:
            raise click.UsageError(
                f"--span is for .pybloom files: the windows of {path} are a stride apart, as those of all "
                "filters of the original library"
            )
        given = {"width": width, "unit": unit, "normalizer": normalizer}
        for name, value in given.items():
            if value is not None:
                raise click.UsageError(f"--{name} is for .pybloom files: {path} says it itself")
        return None, stride
    chosen = sampling(span, stride)
    if width is None or chosen is None:
        raise click.UsageError(
            f"{path} does not say how its windows were cut: give --width, and --stride or --span"
        )
    return WindowSpec(width, chosen, unit or "char", normalizer or "none"), None


def _refuse(context: click.Context, names: list[str], why: str) -> None:
    """Refuse options that would have no effect."""
    for parameter in context.command.params:
        if (
            parameter.name in names
            and context.get_parameter_source(parameter.name) != ParameterSource.DEFAULT
        ):
            raise click.UsageError(f"{parameter.opts[0]} has no use here: {why}")
