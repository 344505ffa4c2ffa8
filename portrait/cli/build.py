"""``portrait build``."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.options import column_option, format_option
from portrait.cli.progress import progress
from portrait.cli.show import count, json_option, size
from portrait.cli.sizes import max_shard_size_option
from portrait.errors import printable
from portrait.presets import PRESETS, preset
from portrait.spec import FILTER_KINDS, NORMALIZERS, UNITS

if TYPE_CHECKING:
    from portrait.portraits import Portrait


@click.command("build")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--out", required=True, metavar="OUT", help="The portrait to write: a directory.")
@column_option
@format_option
@click.option(
    "--preset",
    "preset_name",
    type=click.Choice(list(PRESETS)),
    default="default",
    show_default=True,
    help="Several of the options below at once; each that is given as well counts for itself.",
)
@click.option("--width", type=int, help="Units in a window.  [default: 50]")
@click.option("--stride", type=int, help="Units between stored windows.  [default: 25]")
@click.option("--unit", type=click.Choice(UNITS), help="What windows are counted in.  [default: char]")
@click.option(
    "--normalizer",
    type=click.Choice(NORMALIZERS),
    help="What is done to a text first; spaces: Unicode NFC, and any white space is one space; loose: "
    "case and compatibility forms, too, are folded, and anything between letters and digits is one space.  "
    "[default: spaces]",
)
@click.option(
    "--filter",
    "kind",
    type=click.Choice(FILTER_KINDS),
    help="What remembers the windows; fuse is smaller, bloom is built faster.  [default: bloom]",
)
@click.option("--fpr", type=float, help="False-positive rate per window.  [default: 0.01]")
@click.option(
    "--fingerprint-bits",
    type=click.IntRange(1, 32),
    help="Instead of --fpr, for a fuse filter: the rate is 2^-bits.",
)
@click.option(
    "--license", "license_", metavar="TEXT", help="The portrait's licence, for its manifest and card."
)
@click.option(
    "--trained-model",
    "models",
    multiple=True,
    metavar="NAME",
    help="A model trained on this corpus; repeatable.",
)
@max_shard_size_option
@click.option("--overwrite", is_flag=True, help="Replace a portrait that stands at OUT.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no summary.")
@json_option
def command(
    sources: tuple[str, ...],
    out: str,
    columns: list[str],
    format_: Any,
    preset_name: str,
    width: int | None,
    stride: int | None,
    unit: Any,
    normalizer: Any,
    kind: Any,
    fpr: float | None,
    fingerprint_bits: int | None,
    license_: str | None,
    models: tuple[str, ...],
    max_shard_bytes: int,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Build the portrait of a corpus.

    SOURCE is a file (.txt: one document; .jsonl, .parquet: one a row; also .gz, .zst, .bz2, .xz), a
    directory or quoted glob of them, or - for standard input. NAME=SOURCE puts it into a layer of
    its own, so that answers can name it. A file of another suffix is one document of plain text.

    \b
    portrait build books/ web=crawl/*.jsonl.zst -o corpus.portrait
    portrait build train.parquet -o train.portrait --preset gpt3
    """
    if fingerprint_bits is not None:
        if kind != "fuse":
            raise click.UsageError("--fingerprint-bits is for --filter fuse")
        fpr = 2.0**-fingerprint_bits
    chosen = preset(preset_name)
    windows = {"width": width, "stride": stride, "unit": unit, "normalizer": normalizer}
    filter_ = {"kind": kind, "fpr": fpr}
    begin = time.perf_counter()
    built = portrait.build(
        list(sources),
        out,
        windows=replace(chosen.windows, **_given(windows)),
        filter=replace(chosen.filter, **_given(filter_)),
        column=columns,
        format=format_,
        max_shard_bytes=max_shard_bytes,
        overwrite=overwrite,
        license=license_,
        trained_models=models,
        progress=progress("reading", quiet=quiet or as_json),
    )
    if as_json:
        click.echo(json.dumps(_record(built)))
    elif not quiet:
        click.echo(_summary(built))
        seconds = time.perf_counter() - begin
        text_bytes = _record(built)["text_bytes"]
        click.echo(f"built in {seconds:.1f} s, {size(round(text_bytes / seconds))}/s", err=True)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _record(built: Portrait) -> dict[str, Any]:
    layers = built.manifest.layers
    return {
        "path": str(built.path),
        "id": built.manifest.id,
        "sources": list(built.sources),
        "documents": sum(layer.documents or 0 for layer in layers),
        "windows": sum(layer.windows or 0 for layer in layers),
        "text_bytes": sum(layer.text_bytes or 0 for layer in layers),
        "bytes": sum(shard.bytes for layer in layers for shard in layer.shards),
    }


def _summary(built: Portrait) -> str:
    record = _record(built)
    n_sources = len(record["sources"])
    share = record["bytes"] / record["text_bytes"]
    return (
        f"{printable(str(built.path))}: "
        f"{count(record['documents'])} document{'s' * (record['documents'] != 1)} "
        f"of {n_sources} source{'s' * (n_sources != 1)}, {size(record['text_bytes'])} of text "
        f"in {size(record['bytes'])} ({share:.1%})"
    )
