"""``portrait build`` as people run it: what it reads, what it says, and how it fails."""

from __future__ import annotations

import gzip
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

TALE = "When the mill at Anstey burned, the miller carried out the accounts first and the cat second. " * 3
SONG = "Over the weir and under the willow, down where the kingfisher never comes twice, I lost my hat. " * 3

ROWS = b"".join(json.dumps({"text": text, "id": i}).encode() + b"\n" for i, text in enumerate((TALE, SONG)))

FILES = {
    "tale.txt": TALE.encode(),
    "song.txt": SONG.encode(),
    "rows.jsonl": ROWS,
    "rows.jsonl.gz": gzip.compress(ROWS),
    "rows.dat": ROWS,
    "empty.txt": b"",
    "binary.txt": b"abc\0def",
    "latin.txt": b"caf\xe9 au lait",
    "array.jsonl": ROWS + b'["text"]\n',
    "body.jsonl": b'{"body": "x"}\n',
    "cut.jsonl.gz": gzip.compress(ROWS)[:-9],
    "table.parquet": ROWS,
}


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path) -> None:
    """Write the files that the tests name, valid and invalid, to the working directory of the commands."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)


def snapshot(directory: Path) -> dict[str, bytes | None]:
    """Map every path below a directory to its content, or to None if it is a directory."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


@pytest.mark.parametrize(
    ("sources", "stdin", "names", "documents"),
    [
        (["tale.txt", "song.txt"], b"", ["main"], 2),
        (["rows.jsonl"], b"", ["main"], 2),
        (["rows.jsonl.gz"], b"", ["main"], 2),
        (["rows.dat", "--format", "jsonl"], b"", ["main"], 2),
        (["[st]*[ge].txt"], b"", ["main"], 2),
        (["songs=song.txt", "tales=tale.txt", "songs=rows.jsonl"], b"", ["songs", "tales"], 4),
        (["-"], ROWS, ["main"], 2),
        (["pipe=-", "tale.txt"], SONG.encode(), ["main", "pipe"], 2),
    ],
    ids=["txt", "jsonl", "gzip", "format", "glob", "names", "lines on stdin", "document on stdin"],
)
def test_the_documents_of_every_source_are_found(
    sources: list[str], stdin: bytes, names: list[str], documents: int, cli: Cli, tmp_path: Path
) -> None:
    result = cli("build", *sources, "-o", "out", "--json", stdin=stdin)
    assert (result.code, result.err) == (0, "")
    record = json.loads(result.out)
    assert (record["sources"], record["documents"]) == (names, documents)
    opened = portrait.open(tmp_path / "out")
    assert {layer.source for text in (TALE, SONG) for layer, _ in opened.query(text).matches} == set(names)
    assert all(opened.query(text).exact_document for text in (TALE, SONG))


def test_the_summary_states_documents_and_sizes(cli: Cli, tmp_path: Path) -> None:
    result = cli("build", "songs=song.txt", "tales=rows.jsonl", "-o", "out.portrait")
    n_text = len(TALE) + 2 * len(SONG)
    n_bytes = sum(path.stat().st_size for path in (tmp_path / "out.portrait").glob("*-of-*.safetensors"))
    assert result.code == 0
    sizes = f"{n_text} B of text in {n_bytes} B ({n_bytes / n_text:.1%})"
    assert result.out == f"out.portrait: 3 documents of 2 sources, {sizes}\n"
    assert result.err.startswith("built in ")
    assert result.err.count("\n") == 1


def test_json_describes_the_portrait_on_one_line(cli: Cli, tmp_path: Path) -> None:
    result = cli("build", "songs=song.txt", "tales=rows.jsonl", "-o", "out.portrait", "--json")
    manifest = portrait.open(tmp_path / "out.portrait").manifest
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    assert json.loads(result.out) == {
        "path": "out.portrait",
        "id": manifest.id,
        "sources": ["songs", "tales"],
        "documents": 3,
        "windows": sum(layer.windows or 0 for layer in manifest.layers),
        "text_bytes": len(TALE) + 2 * len(SONG),
        "bytes": sum(path.stat().st_size for path in (tmp_path / "out.portrait").glob("*-of-*.safetensors")),
        "skipped": {"rows": 0, "files": 0},
        "unrecorded_documents": 0,
    }


def test_the_options_are_recorded_in_the_manifest(cli: Cli, tmp_path: Path) -> None:
    options = "--width 20 --stride 10 --unit byte --normalizer none --filter bloom --fpr 0.001 --column words"
    models = ["--trained-model", "ada", "--trained-model", "bob"]
    (tmp_path / "words.jsonl").write_text(json.dumps({"words": TALE, "text": 5}))
    result = cli("build", "words.jsonl", "-o", "out", *options.split(), "--license", "CC0-1.0", *models, "-q")
    assert result == (0, "", "")
    manifest: dict[str, Any] = json.loads(cli("info", "out", "--json").out)
    assert manifest["windows"] == {"width": 20, "sampling": "stride", "stride": 10, "unit": "byte"}
    assert manifest["normalizer"]["name"] == "none"
    assert manifest["license"] == "CC0-1.0"
    assert manifest["trained_models"] == ["ada", "bob"]
    (layer,) = manifest["layers"]
    assert (layer["filter"]["kind"], layer["fpr_target"]) == ("bloom", 0.001)
    assert layer["windows"] == math.ceil((len(TALE) - 20) / 10) + 1


REFUSED = {
    "no such file": ("missing.txt", "missing.txt: no such file or directory"),
    "no such file of a name": ("web=missing.txt", "missing.txt: no such file or directory"),
    "no match": ("*.md", "*.md: no file matches"),
    "hostile name": ("\x1b]0;x\x07\n", r"\x1b]0;x\x07\n: no such file or directory"),
    "name without a path": ("web=", "web=: no path after the source's name"),
    "empty corpus": ("empty.txt", "source 'main' holds no text: empty.txt"),
    "empty source": ("a=empty.txt b=tale.txt", "source 'a' holds no text: empty.txt"),
    "binary": ("tale.txt binary.txt", "binary.txt: a NUL byte at byte 3"),
    "not UTF-8": ("tale.txt latin.txt", "latin.txt: not UTF-8 at byte 3"),
    "not an object": ("array.jsonl", "array.jsonl, line 3: a JSON array instead of an object"),
    "missing column": (
        "body.jsonl",
        "body.jsonl, line 1: no column 'text', only body: choose another (--column)",
    ),
    "wrong column": ("rows.jsonl --column words", "rows.jsonl, line 1: no column 'words', only text, id"),
    "no column": ("rows.jsonl --column ''", "a column's name is empty"),
    "truncated": (
        "cut.jsonl.gz",
        "cut.jsonl.gz: the compressed data ends too early: the file is truncated",
    ),
    "not Parquet": ("table.parquet", "table.parquet: not a readable Parquet file: "),
    "width 0": ("tale.txt --width 0", "width must be a whole number from 1 to "),
    "width word": ("tale.txt --width wide", "Invalid value for '--width': 'wide' is not a valid integer"),
    "span 0": ("tale.txt --span 0", "span must be a whole number from 1 to "),
    "stride 0": ("tale.txt --stride 0", "stride must be a whole number from 1 to "),
    "fpr 0": ("tale.txt --fpr 0", "the false-positive rate must lie between 0 and 1, not be 0.0"),
    "fpr 1": ("tale.txt --fpr 1", "the false-positive rate must lie between 0 and 1, not be 1.0"),
    "fpr 1.5": ("tale.txt --fpr 1.5", "the false-positive rate must lie between 0 and 1, not be 1.5"),
    "fpr nan": ("tale.txt --fpr nan", "the false-positive rate must lie between 0 and 1, not be nan"),
    "format": ("tale.txt --format xml", "Invalid value for '--format': 'xml' is not one of 'auto', "),
    "unit": ("tale.txt --unit line", "Invalid value for '--unit': 'line' is not one of 'char', "),
    "filter": ("tale.txt --filter cuckoo", "Invalid value for '--filter': 'cuckoo' is not "),
    "no source": ("", "Missing argument 'SOURCE...'"),
    "option": ("tale.txt --depth 3", "No such option '--depth'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_built_is_refused_in_one_line_and_leaves_nothing(
    kind: str, cli: Cli, tmp_path: Path
) -> None:
    command, prefix = REFUSED[kind]
    before = snapshot(tmp_path)
    arguments = ["" if one == "''" else one for one in command.split(" ") if one]
    assert cli.refused_here("build", *arguments, "-o", "out").startswith(prefix)
    assert snapshot(tmp_path) == before


def test_a_bad_line_of_standard_input_is_named(cli: Cli, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    message = cli.refused("build", "-", "-o", "out", stdin=FILES["array.jsonl"])
    assert message == "standard input, line 3: a JSON array instead of an object"
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("out", ["missing/out", "tale.txt/out"])
def test_an_output_that_cannot_be_written_is_named(out: str, cli: Cli, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    parent = out.partition("/")[0]
    assert cli.refused_here("build", "tale.txt", "-o", out).startswith(f"{parent}: cannot write: ")
    assert snapshot(tmp_path) == before


def test_an_output_must_be_named(cli: Cli) -> None:
    assert cli.refused("build", "tale.txt").startswith("Missing option '-o' / '--out'")


def test_a_portrait_is_replaced_only_on_demand(cli: Cli, tmp_path: Path) -> None:
    assert cli("build", "tale.txt", "-o", "out", "-q").code == 0
    before = snapshot(tmp_path)
    message = cli.refused("build", "song.txt", "-o", "out")
    assert message == "out: already exists: choose another name, or allow overwriting (--overwrite)"
    assert snapshot(tmp_path) == before
    assert cli("build", "song.txt", "-o", "out", "-q", "--overwrite") == (0, "", "")
    opened = portrait.open(tmp_path / "out")
    assert opened.query(SONG).exact_document
    assert not opened.query(TALE).exact_document
    # The old files keep their names until the new ones stand beside them.
    names = {path.replace("/main-", "/main-2-") for path in before}
    assert set(snapshot(tmp_path)) == names


def test_only_portraits_are_replaced_even_on_demand(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    before = snapshot(tmp_path)
    message = cli.refused("build", "song.txt", "-o", "out", "--overwrite")
    assert message == "out: exists and is not a portrait: choose another name"
    assert snapshot(tmp_path) == before


def test_a_progress_bar_is_shown_only_on_a_terminal(cli: Cli) -> None:
    result = cli.on_terminal("stderr", "build", "tale.txt", "-o", "a")
    bar, _, rest = result.err.rpartition("\r")
    assert "reading:   0%" in bar
    assert rest.startswith("built in ")
    assert result.out.startswith("a: 1 document of 1 source, ")
    assert "reading" not in cli("build", "tale.txt", "-o", "b").err
    assert "reading" not in cli.on_terminal("stdout", "build", "tale.txt", "-o", "c").err


@pytest.mark.parametrize("option", ["-q", "--json"])
def test_only_the_result_is_printed_on_request(option: str, cli: Cli) -> None:
    result = cli.on_terminal("stderr", "build", "tale.txt", "-o", "a", option)
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == (option == "--json")


def test_ctrl_c_exits_130_and_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    before = snapshot(tmp_path)
    result = cli.interrupted("build", "-", "-o", "out")
    assert (result.code, result.out, result.err.strip()) == (130, "", "portrait: error: interrupted")
    assert snapshot(tmp_path) == before


def test_a_closed_pipe_does_not_undo_the_build(cli: Cli, tmp_path: Path) -> None:
    assert cli.into_closed_pipe("build", "tale.txt", "-o", "out") == (141, "", "")
    assert portrait.open(tmp_path / "out").query(TALE).exact_document


def without(module: str) -> tuple[str, ...]:
    """Return arguments of Python that run ``portrait`` as if ``module`` were not installed."""
    return (
        "-c",
        f"import sys; sys.modules[{module!r}] = None; from portrait.cli.main import run; sys.exit(run())",
    )


@pytest.mark.parametrize(
    ("source", "module"), [("tale.txt", "pyarrow"), ("rows.jsonl", "pyarrow"), ("rows.jsonl.gz", "isal")]
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    source: str, module: str, cli: Cli, tmp_path: Path
) -> None:
    before = snapshot(tmp_path)
    result = cli("build", source, "-o", "out", program=without(module))
    message = f"this needs {module}, which is not installed: pip install 'data-portrait[build]'"
    assert result == (2, "", f"portrait: error: {message}\n")
    assert snapshot(tmp_path) == before


def test_without_tqdm_there_is_no_bar_and_no_error(cli: Cli) -> None:
    result = cli.on_terminal("stderr", "build", "tale.txt", "-o", "out", program=without("tqdm"))
    assert (result.code, len(result.err.splitlines())) == (0, 1)
    assert result.err.startswith("built in ")


def test_documents_shorter_than_a_window_are_recorded_only_if_asked_for(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "phones.jsonl").write_text('{"text": "0221 555 0123"}\n{"text": "0221 555 0177"}\n')
    result = cli("build", "phones.jsonl", "tale.txt", "-o", "out")
    assert "not recorded: 2 documents shorter than a window; --short-documents would record" in result.err
    answer = portrait.open(tmp_path / "out").query("0221 555 0123")
    assert (answer.verdict, answer.exact_document) == ("inconclusive", None)
    assert answer.reason.endswith("; no key of documents shorter than a window was stored")

    result = cli("build", "phones.jsonl", "tale.txt", "-o", "all", "--short-documents")
    assert "not recorded" not in result.err
    opened = portrait.open(tmp_path / "all")
    assert opened.query("0221 555 0123").exact_document is True
    assert opened.query("a tale").exact_document is False
    assert opened.manifest.layers[0].document_keys == "all"
    assert opened.manifest.id != portrait.open(tmp_path / "out").manifest.id


def test_a_stride_from_which_text_can_be_rebuilt_is_warned_of(cli: Cli) -> None:
    result = cli("build", "tale.txt", "-o", "out", "--preset", "gpt3", "--json")
    assert result.err.startswith(
        "portrait: warning: at a stride of 1, whoever holds the portrait can rebuild "
    )
    assert result.err.count("\n") == 1
    assert cli("build", "tale.txt", "-o", "out", "--preset", "gpt3", "--overwrite", "--quiet").err == ""
    assert "warning    at a stride of 1, " in cli("plan", "tale.txt", "--preset", "quip").out
