"""``portrait.report``: the rows that are found, their passages, and the facts about the report."""

from __future__ import annotations

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.evaluation import COLUMNS, FOUND, ROWS, prose, write_jsonl

import portrait
from portrait.errors import CorpusError, NotAPortraitError, SpecError
from portrait.reports.evaluation_sets import BENCHMARKS
from portrait.reports.findings import ColumnSpan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The evaluation set as a file of JSON lines."""
    return write_jsonl(tmp_path / "data.jsonl", ROWS)


def test_each_row_has_the_portrait_s_answer(bundle: Path, data: Path) -> None:
    report = portrait.report(bundle, data, columns=COLUMNS, evalue=1e-5)
    opened = portrait.open(bundle)
    texts = [f"{row['question']}\n{row['answer']}" for row in ROWS]
    answers = opened.query(texts, evalue=1e-5)
    letters = "".join({"found": "f", "not_found": "n", "inconclusive": "i"}[one.verdict] for one in answers)
    assert letters == "fffff" + "nnnn" + "i"
    assert report.findings.verdicts.decode() == letters
    for row in report.findings.worst:
        assert row.answer == answers[row.number - 1]
        assert row.text == texts[row.number - 1]
        assert row.id == f"q/{row.number - 1}"
        assert row.place == f"{data}:{row.number}"
    assert sorted(row.number - 1 for row in report.findings.worst) == FOUND


def test_column_spans_are_the_texts_of_the_columns(bundle: Path, data: Path) -> None:
    report = portrait.report(bundle, data, columns=COLUMNS)
    for row in report.findings.worst:
        texts = {one.column: row.text[one.start : one.end] for one in row.columns}
        assert texts == {name: ROWS[row.number - 1][name] for name in COLUMNS}
    question, answer = report.findings.columns
    assert (question.touched.count, question.mostly.count) == (3, 3)
    assert (answer.touched.count, answer.mostly.count) == (5, 5)


def test_rows_are_counted_by_source(bundle: Path, data: Path) -> None:
    report = portrait.report(bundle, data, columns=COLUMNS)
    counts = {one.source: one.found.count for one in report.findings.sources}
    assert counts == {"web": 3, "books": 2}


def jsonl(directory: Path) -> Any:
    """Write the rows as JSON lines."""
    return write_jsonl(directory / "rows.jsonl", ROWS)


def parquet(directory: Path) -> Any:
    """Write the rows as a Parquet file of several row groups."""
    pq.write_table(pa.Table.from_pylist(ROWS), directory / "rows.parquet", row_group_size=3)
    return directory / "rows.parquet"


def several(directory: Path) -> Any:
    """Write the rows as two files of different formats."""
    one = write_jsonl(directory / "one.jsonl", ROWS[:4])
    pq.write_table(pa.Table.from_pylist(ROWS[4:]), directory / "other.parquet")
    return [one, directory / "other.parquet"]


def dataset(_: Path) -> Any:
    """Return the rows as a dataset."""
    return datasets.Dataset.from_list(ROWS)


@pytest.mark.parametrize("form", [jsonl, parquet, several, dataset])
def test_the_findings_do_not_depend_on_the_format_of_the_data(
    form: Callable[[Path], Any], bundle: Path, tmp_path: Path
) -> None:
    findings = portrait.report(bundle, form(tmp_path), columns=COLUMNS).findings
    expected = portrait.report(bundle, jsonl(tmp_path), columns=COLUMNS).findings
    assert findings.totals == expected.totals
    assert [row.id for row in findings.worst] == [row.id for row in expected.worst]
    assert findings.verdicts == expected.verdicts


def test_several_portraits_are_queried_together(bundle: Path, data: Path) -> None:
    opened = portrait.open(bundle)
    report = portrait.report([opened, bundle], data, columns=COLUMNS)
    assert [one.id for one in report.portraits] == [opened.manifest.id] * 2
    assert [one.found.count for one in report.findings.sources] == [2, 3, 2, 3]


def test_a_report_as_json_states_its_inputs_and_options(bundle: Path, data: Path) -> None:
    report = portrait.report(
        bundle, data, columns=COLUMNS, evalue=0.001, date="2024-02-29", command="portrait report"
    )
    content = json.loads(json.dumps(report.to_dict()))
    manifest = portrait.open(bundle).manifest
    assert content["data"] == str(data)
    assert content["columns_asked"] == COLUMNS
    assert content["evalue"] == 0.001
    assert content["date"] == "2024-02-29"
    assert content["command"] == "portrait report"
    assert content["tool"] == f"portrait {portrait.__version__}"
    (entry,) = content["portraits"]
    assert (entry["name"], entry["id"]) == ("known", manifest.id)
    assert (entry["width"], entry["unit"], entry["normalizer"]) == (50, "char", "spaces")
    assert (entry["sampling"], entry["span"]) == ("minimizer", 42)
    assert entry["layers"] == [{"source": one.source, "fpr": one.fpr} for one in manifest.layers]
    assert content["totals"]["found"]["count"] == 5
    assert content["totals"]["found"]["share"] == 0.5
    assert [row["id"] for row in content["worst"]] == [row.id for row in report.findings.worst]


def test_a_report_has_no_date_by_default(bundle: Path, data: Path) -> None:
    report = portrait.report(bundle, data, columns=COLUMNS)
    assert report.date is None
    assert report.to_html() == portrait.report(bundle, data, columns=COLUMNS).to_html()


@pytest.mark.parametrize(
    ("ids", "option", "expected"),
    [
        ({"task_id": "T", "id": "I"}, None, "T"),
        ({"id": 7}, None, "7"),
        ({}, None, None),
        ({"id": "I"}, "", None),
        ({"id": "I", "name": "N"}, "name", "N"),
        ({"id": None}, None, None),
        ({"id": "I" * 1000}, None, "I" * 200),
    ],
)
def test_a_row_s_id_comes_from_the_chosen_or_a_usual_column(
    ids: dict[str, Any], option: str | None, expected: str | None, bundle: Path, tmp_path: Path
) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", [{"text": ROWS[0]["question"], **ids}])
    (row,) = portrait.report(bundle, data, id_column=option).findings.worst
    assert row.id == expected


def test_a_usual_column_that_some_rows_lack_is_not_used(bundle: Path, tmp_path: Path) -> None:
    rows = [{"text": ROWS[0]["question"], "id": "I"}, {"text": ROWS[1]["question"]}]
    data = write_jsonl(tmp_path / "data.jsonl", rows)
    report = portrait.report(bundle, data)
    assert [row.id for row in report.findings.worst] == [None, None]
    with pytest.raises(CorpusError, match="line 2: no column 'id'"):
        portrait.report(bundle, data, id_column="id")


CHOICES = [prose(1), "", prose(2)[:40]]
PUBLISHED: dict[str, dict[str, Any]] = {
    "arc": {"id": "A1", "question": "Q", "choices": {"text": CHOICES, "label": ["A", "B", "C"]}},
    "gsm8k": {"question": "Q", "answer": ROWS[1]["answer"]},
    "hellaswag": {"ind": 4, "ctx": "Q", "endings": CHOICES, "label": "1"},
    "humaneval": {"task_id": "HumanEval/0", "prompt": "Q", "canonical_solution": ROWS[1]["answer"]},
    "mbpp": {"task_id": 11, "text": "Q", "code": ROWS[1]["answer"], "test_list": ["assert x"]},
    "mmlu": {"question": "Q", "subject": "anatomy", "choices": CHOICES, "answer": 2},
}


@pytest.mark.parametrize("name", BENCHMARKS)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_benchmarks_are_read_as_they_are_published(
    name: str, form: str, bundle: Path, tmp_path: Path
) -> None:
    row = PUBLISHED[name]
    path = tmp_path / f"data.{form}"
    if form == "jsonl":
        write_jsonl(path, [row])
    else:
        pq.write_table(pa.Table.from_pylist([row]), path)
    report = portrait.report(bundle, path, benchmark=name)
    (worst,) = report.findings.worst
    value: Any = row
    for member in BENCHMARKS[name].columns[1].split("."):
        value = value[member]
    expected = value if isinstance(value, str) else "\n".join(value)
    assert worst.text == f"Q\n{expected}"
    assert worst.text[worst.columns[1].start : worst.columns[1].end] == expected
    id_column = BENCHMARKS[name].id_column
    assert worst.id == (str(row[id_column]) if id_column else None)
    assert report.columns == BENCHMARKS[name].columns


def test_data_without_rows_have_a_report(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    report = portrait.report(bundle, tmp_path / "empty.jsonl", columns=COLUMNS)
    assert report.contaminated.share is None
    assert report.findings.totals.rows == 0
    assert "There are no rows" in report.to_html()


@pytest.mark.parametrize(("row", "share"), [(ROWS[0], 1.0), (ROWS[8], 0.0)])
def test_a_single_row_has_a_report(row: dict[str, Any], share: float, bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "one.jsonl", [row])
    report = portrait.report(bundle, data, columns=COLUMNS)
    assert report.contaminated.share == share
    assert report.to_html()


def test_all_rows_may_be_contaminated(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "all.jsonl", ROWS[:5])
    report = portrait.report(bundle, data, columns=COLUMNS, worst=2)
    assert report.contaminated.share == 1.0
    assert report.contaminated.interval[1] == 1.0
    assert len(report.findings.worst) == 2
    assert "2 rows of 5 found" in report.to_html()


def test_a_hundred_rows_are_shown_by_default(bundle: Path, tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "all.jsonl", [ROWS[0]] * 120)
    report = portrait.report(bundle, data, columns=COLUMNS)
    assert [row.number for row in report.findings.worst] == list(range(1, 101))


def test_a_single_column_is_the_whole_text(bundle: Path, data: Path) -> None:
    report = portrait.report(bundle, data, columns="question")
    assert report.columns == ("question",)
    for row in report.findings.worst:
        assert row.columns == (ColumnSpan("question", 0, len(row.text)),)


def test_a_report_names_its_data_as_they_were_given(
    bundle: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def label(what: Any) -> str:
        return portrait.report(bundle, what, columns=COLUMNS).data

    assert label(data) == label(str(data)) == str(data)
    other = write_jsonl(data.parent / "other.jsonl", ROWS)
    assert label([data, str(other)]) == label((data, other)) == f"{data}, {other}"
    assert label(datasets.Dataset.from_list(ROWS)) == "a dataset"
    with data.open("rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        report = portrait.report(bundle, "-", columns=COLUMNS, format="jsonl")
    assert report.data == "standard input"


def test_exact_documents_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A short verse.")
    built = portrait.build(tmp_path / "a.txt", tmp_path / "out", short_documents=True)
    data = write_jsonl(tmp_path / "data.jsonl", [{"text": "A short  verse."}, {"text": "Another."}])
    totals = portrait.report(built, data).findings.totals
    assert (totals.exact_documents.count, totals.found.count, totals.inconclusive.count) == (1, 0, 2)
    without = portrait.build(tmp_path / "a.txt", tmp_path / "without")
    assert portrait.report(without, data).findings.totals.exact_documents.count == 0


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "missing column": ({"columns": ["question", "solution"]}, CorpusError, "no column 'solution'"),
    "missing id": ({"columns": COLUMNS, "id_column": "name"}, CorpusError, "no column 'name'"),
    "no text": ({"columns": ["n"]}, CorpusError, "line 1: column 'n' holds number, not text"),
    "both": ({"columns": COLUMNS, "benchmark": "gsm8k"}, SpecError, "give either a benchmark or columns"),
    "unknown": ({"benchmark": "trivia"}, SpecError, "unknown benchmark 'trivia': choose one of arc, "),
    "threshold": ({"columns": COLUMNS, "evalue": 0}, SpecError, "the E-value threshold must be"),
    "no columns": ({"columns": []}, SpecError, "no column holds the text"),
    "worst": ({"columns": COLUMNS, "worst": -1}, SpecError, "the number of worst rows"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_invalid_options_are_refused(kind: str, bundle: Path, data: Path) -> None:
    options, error, message = REFUSED[kind]
    with pytest.raises(error, match=message):
        portrait.report(bundle, data, **options)


def test_anything_but_a_portrait_is_refused(bundle: Path, data: Path) -> None:
    with pytest.raises(NotAPortraitError):
        portrait.report(data, bundle)
    with pytest.raises(SpecError, match="no portrait to query"):
        portrait.report([], data)


@pytest.mark.parametrize(
    ("choices", "message"),
    [(["a", None], r"choices\[1\]' holds null"), ([1], r"choices\[0\]' holds number"), ({"a": 1}, "object")],
)
def test_a_list_that_holds_anything_but_texts_is_refused(
    choices: Any, message: str, bundle: Path, tmp_path: Path
) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", [{"question": "x", "choices": choices}])
    with pytest.raises(CorpusError, match=message):
        portrait.report(bundle, data, columns=["question", "choices"])


def test_a_list_in_a_table_that_holds_anything_but_texts_is_refused(bundle: Path, tmp_path: Path) -> None:
    for column, message in [([["a"], ["b", None]], "null"), ([[1], [2]], "not text")]:
        pq.write_table(pa.table({"q": ["x", "y"], "c": column}), tmp_path / "a.parquet")
        with pytest.raises(CorpusError, match=message):
            portrait.report(bundle, tmp_path / "a.parquet", columns=["q", "c"])


def test_progress_counts_every_byte(bundle: Path, data: Path) -> None:
    calls: list[Any] = []

    class Recorder:
        def start(self, n_bytes: int | None, stage: str = "") -> None:
            calls.append(("start", n_bytes))

        def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
            calls.append(n_bytes)

        def finish(self) -> None:
            calls.append("finish")

    portrait.report(bundle, data, columns=COLUMNS, progress=Recorder())
    assert calls[0] == ("start", data.stat().st_size)
    assert sum(calls[1:-1]) == data.stat().st_size
    assert calls[-1] == "finish"


def test_a_pipe_is_read_once(bundle: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = json.dumps({"id": "a", "text": "two words"}) + "\n"
    with ThreadPoolExecutor() as writer:
        written = writer.submit(pipe.write_text, line * 3)
        report = portrait.report(bundle, pipe, format="jsonl")
        assert written.result() == 3 * len(line)
    assert report.contaminated.total == 3
