"""``publish``: the files of a report are all written whole, or none is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.evaluation import COLUMNS, ROWS, TABLE, write_jsonl
from support.file_server import serving
from support.publishing import OPTIONS, assert_refused

import portrait
from portrait.corpus import rows
from portrait.corpus.resolve import resolve
from portrait.errors import CorpusError, OutputError, OutputExistsError, PortraitError, SpecError
from portrait.progress import Silent
from portrait.reports.publish import Files, publish

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, holding data and files that outputs must not replace."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(Path("data.jsonl"), ROWS)
    pq.write_table(TABLE, "data.parquet")
    Path("a.txt").write_text("some text")
    with pa.ipc.new_file("a.arrow", TABLE.schema) as sink:
        sink.write_table(TABLE)
    Path("taken.html").write_text("mine")
    Path("there").mkdir()
    Path("link").symlink_to("taken.html")
    Path("dangling").symlink_to("nowhere")
    return tmp_path


CASES: dict[str, tuple[str, type[PortraitError], str, Files]] = {
    "taken": ("data.jsonl", OutputExistsError, "taken.html: already exists", Files(html=Path("taken.html"))),
    "directory": (
        "data.jsonl",
        OutputExistsError,
        "there: exists and is not a file",
        Files(html=Path("there"), overwrite=True),
    ),
    "link": (
        "data.jsonl",
        OutputExistsError,
        "link: exists and is not",
        Files(html=Path("link"), overwrite=True),
    ),
    "dangling": (
        "data.jsonl",
        OutputExistsError,
        "dangling: exists",
        Files(json=Path("dangling"), overwrite=True),
    ),
    "device": (
        "data.jsonl",
        OutputExistsError,
        "/dev/null: exists and is not a file",
        Files(json=Path("/dev/null"), overwrite=True),
    ),
    "the data": (
        "data.jsonl",
        OutputExistsError,
        "data.jsonl: is one of the inputs",
        Files(clean=Path("./data.jsonl"), overwrite=True),
    ),
    "two_pass": (
        "data.jsonl",
        OutputExistsError,
        "named for two outputs",
        Files(clean=Path("x.jsonl"), contaminated=Path("there/../x.jsonl")),
    ),
    "nowhere": (
        "data.jsonl",
        OutputError,
        "missing/x: cannot write: No such file",
        Files(html=Path("missing/x")),
    ),
    "compressed": (
        "data.jsonl",
        SpecError,
        "x.jsonl.gz: the output is not compressed",
        Files(clean=Path("x.jsonl.gz")),
    ),
    "lines as a table": ("data.jsonl", SpecError, "as JSON lines", Files(clean=Path("x.parquet"))),
    "plain text": ("a.txt", CorpusError, "a.txt: plain text has no rows", Files(clean=Path("x.jsonl"))),
    "table": ("a.arrow", CorpusError, "a.arrow: only JSON lines and P", Files(clean=Path("x.jsonl"))),
    "pipe": ("-", CorpusError, "only files can be split", Files(clean=Path("x.jsonl"))),
    "missing": ("missing.jsonl", CorpusError, "missing.jsonl: no such file", Files(clean=Path("x.jsonl"))),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", CASES)
def test_invalid_outputs_are_refused_and_no_file_changes(kind: str, bundle: Path) -> None:
    data, error, message, files = CASES[kind]
    assert_refused(bundle, data, error, message, files)


@pytest.mark.usefixtures("here")
def test_files_are_replaced_on_demand(bundle: Path) -> None:
    publish(
        bundle, "data.jsonl", OPTIONS, Files(html=Path("taken.html"), json=Path("x.json"), overwrite=True)
    )
    assert Path("taken.html").read_text().startswith("<!DOCTYPE html>")
    content = json.loads(Path("x.json").read_text())
    assert content == portrait.report(bundle, "data.jsonl", columns=COLUMNS).to_dict()


@pytest.mark.usefixtures("here")
def test_the_numbers_are_readable_json(bundle: Path) -> None:
    write_jsonl(Path("donn\u00e9es.jsonl"), ROWS)
    report = publish(bundle, "donn\u00e9es.jsonl", OPTIONS, Files(json=Path("x.json")))
    expected = json.dumps(report.to_dict(), ensure_ascii=False, indent=2) + "\n"
    assert Path("x.json").read_text(encoding="utf-8") == expected
    assert '"donn\u00e9es.jsonl"' in expected


def test_files_of_rows_receive_the_rows_of_their_verdicts() -> None:
    page, numbers, clean, dirty = (Path(name) for name in ("a.html", "a.json", "c.jsonl", "d.jsonl"))
    assert (Files().paths, Files().splits, Files().overwrite) == ([], [], False)
    every = Files(page, numbers, clean, dirty)
    assert every.paths == [page, numbers, clean, dirty]
    assert every.splits == [(clean, b"ni"), (dirty, b"f")]
    assert Files(contaminated=dirty).splits == [(dirty, b"f")]
    assert Files(html=page, clean=clean, strict_clean=True).splits == [(clean, b"n")]


@pytest.mark.usefixtures("here")
def test_each_row_is_in_one_of_both_files(bundle: Path) -> None:
    files = Files(clean=Path("c.jsonl"), contaminated=Path("d.jsonl"))
    publish(bundle, "data.jsonl", OPTIONS, files)
    clean, dirty = (Path(name).read_bytes().splitlines() for name in ("c.jsonl", "d.jsonl"))
    assert (len(clean), len(dirty)) == (5, 5)
    assert sorted([*clean, *dirty]) == sorted(Path("data.jsonl").read_bytes().splitlines())


@pytest.mark.usefixtures("here")
def test_rows_that_cannot_be_split_can_be_reported_on(bundle: Path) -> None:
    for name in ("data.parquet", "a.arrow"):
        report = publish(bundle, name, OPTIONS, Files(html=Path(f"{name}.html")))
        assert report.findings.totals.found.count == 5
        assert Path(f"{name}.html").stat().st_size > 1000


class FileRewriter(Silent):
    """A progress callback that rewrites a file while it is read."""

    def __init__(self, path: Path, rows: list[dict[str, Any]]) -> None:
        self._path, self._rows = path, rows

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        write_jsonl(self._path, self._rows)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("change", [ROWS[:9], [*ROWS, ROWS[0]]])
def test_data_that_changes_while_it_is_read_is_an_error(change: list[dict[str, Any]], bundle: Path) -> None:
    files = Files(clean=Path("x.jsonl"), html=Path("x.html"))
    with pytest.raises(CorpusError, match="changed while it was read"):
        publish(bundle, "data.jsonl", OPTIONS, files, FileRewriter(Path("data.jsonl"), change))
    assert not list(Path().glob("*x.*"))


@pytest.mark.usefixtures("here")
def test_a_report_without_files_writes_none(bundle: Path) -> None:
    before = sorted(Path().iterdir())
    report = publish(bundle, "data.jsonl", OPTIONS, Files())
    assert report.to_dict() == portrait.report(bundle, "data.jsonl", columns=COLUMNS).to_dict()
    assert sorted(Path().iterdir()) == before


def resolutions_and_requests(
    action: Callable[[str], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[str]]:
    """Return how often an action on the URL of a file resolves data, and which requests it makes."""
    resolutions: list[Any] = []

    def counting(*arguments: Any, **options: Any) -> Any:
        resolutions.append(arguments)
        return resolve(*arguments, **options)

    requests: list[str] = []
    with monkeypatch.context() as patch, serving({name: Path(name).read_bytes()}, requests) as url:
        patch.setattr("portrait.corpus.rows.resolve", counting)
        action(f"{url}/{name}")
    return len(resolutions), requests


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["data.jsonl", "data.jsonl.gz", "data.parquet", "unnamed.jsonl"])
def test_the_data_is_resolved_and_read_once(name: str, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that ids, findings and both files of rows come from one pass, even if no row has an id."""
    Path("data.jsonl.gz").write_bytes(gzip.compress(Path("data.jsonl").read_bytes()))
    write_jsonl(Path("unnamed.jsonl"), [{key: row[key] for key in COLUMNS} for row in ROWS])
    files = Files(clean=Path("c.jsonl"), contaminated=Path("d.jsonl"), html=Path("r.html"))

    def read(url: str) -> None:
        for _ in rows.read(url, columns=COLUMNS, whole=True):
            pass

    reading = resolutions_and_requests(read, name, monkeypatch)
    reporting = resolutions_and_requests(
        lambda url: portrait.report(bundle, url, columns=COLUMNS), name, monkeypatch
    )
    publishing = resolutions_and_requests(lambda url: publish(bundle, url, OPTIONS, files), name, monkeypatch)
    assert reading[0] == reporting[0] == publishing[0] == 1
    gets = [
        [request for request in requests if request.startswith("GET")]
        for _, requests in (reading, reporting, publishing)
    ]
    assert gets[0]
    assert gets[0] == gets[1] == gets[2]
