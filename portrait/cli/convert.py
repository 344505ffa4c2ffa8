"""``portrait convert``."""

from __future__ import annotations

import click

import portrait
from portrait.cli.progress import progress
from portrait.cli.show import size
from portrait.cli.sizes import max_shard_size_option


@click.command("convert")
@click.argument("path", metavar="IN")
@click.argument("out", metavar="OUT")
@max_shard_size_option
@click.option("--overwrite", is_flag=True, help="Replace a portrait that stands at OUT.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
def command(path: str, out: str, max_shard_bytes: int, overwrite: bool, quiet: bool) -> None:
    """Write a portrait anew with files of another size; its id and its answers stay the same.

    \b
    portrait convert corpus.portrait small-files.portrait --max-shard-size 64MB
    """
    written = portrait.convert(
        path,
        out,
        max_shard_bytes=max_shard_bytes,
        overwrite=overwrite,
        progress=progress("writing", quiet=quiet),
    )
    if not quiet:
        shards = [shard for layer in written.manifest.layers for shard in layer.shards]
        n_bytes = sum(shard.bytes for shard in shards)
        click.echo(f"{written.path}: {len(shards)} shard{'s' * (len(shards) != 1)}, {size(n_bytes)}")
