"""``portrait build``."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

import portrait
from portrait.cli.shared.execution import execution_options, resumable
from portrait.cli.shared.options import json_option, overwrite_option
from portrait.cli.shared.progress import progress_options
from portrait.cli.shared.reading import corpus_options, short_documents_option
from portrait.cli.shared.sizes import stored_bytes
from portrait.cli.shared.specs import spec_options
from portrait.cli.shared.writing import license_option, max_shard_size_option, note_missing_card, out_option
from portrait.corpus.provenance import skipped_rows
from portrait.disclosure import density_warning
from portrait.errors import printable
from portrait.markup.numbers import counted, size

if TYPE_CHECKING:
    from portrait.engines.execution import Execution
    from portrait.portraits.portrait import Portrait
    from portrait.progress import Progress
    from portrait.spec import FilterSpec, WindowSpec


def _share(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    number, slash, total = text.partition("/")
    if not slash or not number.isdecimal() or not total.isdecimal():
        raise click.BadParameter(f"{text!r} is not a share, such as 3/16")
    return int(number), int(total)


@click.command("build")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@out_option
@corpus_options
@spec_options
@short_documents_option()
@license_option
@click.option(
    "--trained-model",
    "trained_models",
    multiple=True,
    metavar="NAME",
    help="A model trained on this corpus; repeatable.",
)
@max_shard_size_option
@execution_options
@click.option(
    "--task",
    "share",
    metavar="I/N",
    callback=_share,
    help="Only read the I-th of N shares of the corpus; N such tasks may run in any order, wherever the "
    "same files are visible.",
)
@click.option("--finish", is_flag=True, help="Only make the portrait of what all tasks have read.")
@overwrite_option()
@progress_options
@json_option
def command(
    sources: tuple[str, ...],
    out: str,
    columns: list[str],
    format_: Any,
    source_column: str | None,
    on_error: Any,
    max_document_bytes: int,
    windows: WindowSpec,
    filter_: FilterSpec,
    short_documents: bool,
    license_: str | None,
    trained_models: tuple[str, ...],
    max_shard_bytes: int,
    execution: Execution,
    share: tuple[int, int] | None,
    finish: bool,
    overwrite: bool,
    quiet: bool,
    progress: Progress | None,
    as_json: bool,
) -> None:
    """Build the portrait of a corpus.

    SOURCE is a file (.txt: one document; .jsonl, .parquet, .arrow, .feather, .csv, .tsv: one a row;
    text also as .gz, .zst, .bz2, .xz), a directory or quoted glob of them, a URL of
    any of these (https://, s3://, zip://*.jsonl::dump.zip, ...), or - for standard input.
    NAME=SOURCE puts it into a layer of its own, so that answers can name it. A file of another suffix
    is one document of plain text. hf://datasets/ORG/NAME?config=...&split=...&column=... is a dataset
    on the Hugging Face hub.

    \b
    portrait build books/ web=crawl/*.jsonl.zst -o corpus.portrait
    portrait build train.parquet -o train.portrait --preset gpt3

    Re-running the same command resumes an interrupted build.
    """
    if share is not None and finish:
        raise click.UsageError("--task and --finish are different commands")
    begin = time.perf_counter()
    if (warning := density_warning(windows)) is not None and not quiet:
        click.echo(f"portrait: warning: {warning}", err=True)
    request: dict[str, Any] = {
        "windows": windows,
        "filter": filter_,
        "column": columns,
        "source_column": source_column,
        "format": format_,
        "on_error": on_error,
        "short_documents": short_documents,
        "max_document_bytes": max_document_bytes,
        "execution": execution,
        "progress": progress,
    }
    with resumable(execution, out), warnings.catch_warnings():
        warnings.simplefilter("ignore", portrait.DisclosureWarning)  # printed above
        if share is not None:
            portrait.read_share(list(sources), out, share, **request)
            return
        built = portrait.build(
            list(sources),
            out,
            max_shard_bytes=max_shard_bytes,
            overwrite=overwrite,
            license=license_,
            trained_models=trained_models,
            finish=finish,
            **request,
        )
    _print(_Summary.of(built), time.perf_counter() - begin, quiet=quiet, as_json=as_json)
    if not quiet:
        note_missing_card(built.path)


@dataclass(frozen=True, slots=True)
class _Summary:
    """What became of a corpus."""

    path: str
    id: str
    sources: list[str]
    documents: int
    windows: int
    text_bytes: int
    bytes: int
    skipped_rows: int
    skipped_files: int
    unrecorded_documents: int

    @classmethod
    def of(cls, built: Portrait) -> _Summary:
        """Return the summary of a portrait that was just built."""
        layers = built.manifest.layers
        n_rows, n_files = skipped_rows(built.manifest.corpus)
        return cls(
            path=str(built.path),
            id=built.manifest.id,
            sources=list(built.sources),
            documents=sum(layer.documents or 0 for layer in layers),
            windows=sum(layer.windows or 0 for layer in layers),
            text_bytes=sum(layer.text_bytes or 0 for layer in layers),
            bytes=stored_bytes(built.manifest),
            skipped_rows=n_rows,
            skipped_files=n_files,
            unrecorded_documents=sum(
                layer.short_documents or 0 for layer in layers if layer.document_keys == "long"
            ),
        )

    def to_json(self) -> str:
        """Return the summary as one line of JSON."""
        return json.dumps(
            {
                "path": self.path,
                "id": self.id,
                "sources": self.sources,
                "documents": self.documents,
                "windows": self.windows,
                "text_bytes": self.text_bytes,
                "bytes": self.bytes,
                "skipped": {"rows": self.skipped_rows, "files": self.skipped_files},
                "unrecorded_documents": self.unrecorded_documents,
            }
        )

    def to_text(self) -> str:
        """Return the summary as a line for people."""
        return (
            f"{printable(self.path)}: {counted(self.documents, 'document')} "
            f"of {counted(len(self.sources), 'source')}, {size(self.text_bytes)} of text "
            f"in {size(self.bytes)} ({self.bytes / self.text_bytes:.1%})"
        )


def _print(summary: _Summary, seconds: float, *, quiet: bool, as_json: bool) -> None:
    """Print the result to stdout, and speed and omissions to stderr."""
    if as_json:
        click.echo(summary.to_json())
    if quiet:
        return
    if not as_json:
        click.echo(summary.to_text())
        click.echo(f"built in {seconds:.1f} s, {size(round(summary.text_bytes / seconds))}/s", err=True)
    if summary.unrecorded_documents:
        click.echo(
            f"not recorded: {counted(summary.unrecorded_documents, 'document')} shorter than a window; "
            "--short-documents would record the whole text of each",
            err=True,
        )
    skipped = [counted(summary.skipped_rows, "row")] * (summary.skipped_rows > 0)
    skipped += [f"the rest of {counted(summary.skipped_files, 'file')}"] * (summary.skipped_files > 0)
    if skipped:
        click.echo(f"left out: {' and '.join(skipped)}; portrait.json says where", err=True)
