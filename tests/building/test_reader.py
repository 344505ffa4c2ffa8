"""Readers: which source a row belongs to, and rows and files that cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import corpora, oracle

import portrait
from portrait import CorpusError, EmptyCorpusError, Execution, SpecError, Stride, WindowSpec
from portrait.building import read_plan

SPEC = WindowSpec(20, Stride(10))
#: A build in memory, and a build on disk.
WAYS = [Execution(workers=1), Execution(workers=1, work_dir="work")]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory where the tests run, whose files are read in many small tasks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(read_plan, "TASK_TEXT_BYTES", 3000)
    return tmp_path


def layers(path: str) -> dict[str, tuple[int | None, int]]:
    """Return the numbers of documents and of distinct keys of each source of a portrait."""
    return {
        layer.source: (layer.documents, layer.distinct_keys) for layer in portrait.open(path).manifest.layers
    }


def files(path: str, source: str = "main") -> dict[str, dict[str, object]]:
    """Return the record of each file of a source of a portrait, by the file's path."""
    return {file["path"]: file for file in portrait.open(path).manifest.corpus[source]["files"]}


# Sources named by a column.


@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
def test_a_column_names_the_sources(execution: Execution) -> None:
    corpora.write(Path("corpus"), n_files=6)
    portrait.build("corpus", "out", windows=SPEC, source_column="meta.set", execution=execution)
    expected = {}
    for name in ("code", "papers", "web"):
        texts = [
            str(row["text"])
            for number in range(6)
            for row in corpora.rows(40, number)
            if row["meta"] == {"set": name}
        ]
        Path(f"{name}.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        expected[name] = len(texts), len(oracle.portrait(texts, oracle.Spec(20, 10)))
    assert layers("out") == expected
    # The portrait equals the one of the same texts in a file for each source.
    named = portrait.build({name: f"{name}.jsonl" for name in expected}, "named", windows=SPEC)
    assert portrait.open("out").manifest.id == named.manifest.id
    record = portrait.open("out").manifest.corpus["web"]
    assert record["column"] == "meta.set"
    assert len(record["files"]) == 6
    portrait.verify("out")


@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
def test_a_source_lists_the_files_that_hold_some_of_its_rows(execution: Execution) -> None:
    for name, sets in {"a": ["x", "y"], "b": ["y"], "c": ["x"]}.items():
        table = {
            "text": [corpora.prose((name, i), 40) for i in sets],
            "set": pa.array(sets).dictionary_encode(),
        }
        pq.write_table(pa.table(table), f"{name}.parquet")
    portrait.build("*.parquet", "out", source_column="set", execution=execution)
    assert set(files("out", "x")) == {"a.parquet", "c.parquet"}
    assert set(files("out", "y")) == {"a.parquet", "b.parquet"}
    assert all(len(str(file["xxh3_128"])) == 32 for file in files("out", "x").values())


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "is null"), ("", "1 to 100 printable"), ("a\nb", "1 to 100 printable"), ("x" * 101, "1 to 100")],
    ids=["null", "empty", "line feed", "long"],
)
@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
def test_a_row_whose_column_is_not_a_source_name_is_named(
    value: str | None, reason: str, execution: Execution
) -> None:
    rows = [{"text": corpora.prose(i, 30), "set": "web"} for i in range(3)]
    rows[1]["set"] = value  # type: ignore[assignment]
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(CorpusError, match=rf"a\.jsonl, line 2: column 'set', which names .*{reason}"):
        portrait.build("a.jsonl", "out", source_column="set", execution=execution)
    portrait.build(
        "a.jsonl",
        "out",
        source_column="set",
        on_error="skip",
        execution=Execution(workers=1, work_dir="other"),
    )
    assert layers("out")["web"][0] == 2
    assert files("out", "web")["a.jsonl"]["skipped_rows"] == 1


@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
def test_a_column_of_too_many_values_is_refused(execution: Execution) -> None:
    for part in range(3):
        rows = [{"text": "a b c", "url": f"https://example.org/{part}/{i}"} for i in range(400)]
        Path(f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(CorpusError, match="column 'url' names more than 1,000 sources"):
        portrait.build("*.jsonl", "out", source_column="url", execution=execution)
    assert not Path("out").exists()


def test_numbers_name_sources_too() -> None:
    Path("a.jsonl").write_text(
        "".join(json.dumps({"text": "a b c", "year": year}) + "\n" for year in (1999, 2001))
    )
    portrait.build("a.jsonl", "out", source_column="year")
    assert set(layers("out")) == {"1999", "2001"}


def test_sources_cannot_be_named_by_the_caller_and_by_a_column() -> None:
    corpora.write(Path("corpus"), n_files=1)
    with pytest.raises(SpecError, match="do one or the other"):
        portrait.build({"web": "corpus"}, "out", source_column="meta.set")
    Path("a.txt").write_text("plain")
    with pytest.raises(CorpusError, match="plain text has no columns"):
        portrait.build("a.txt", "out", source_column="meta.set")
    with pytest.raises(CorpusError, match=r"no column 'meta\.sort'.*choose others"):
        portrait.build("corpus", "out", source_column="meta.sort")


# Rows and files that cannot be read.

GOOD = [corpora.prose(i, 30) for i in range(6)]


def write_bad_corpus() -> None:
    """Write the directory ``bad``: the texts of GOOD, once each, among bad rows and bad files."""
    at = Path("bad")
    at.mkdir()
    lines = [json.dumps({"text": text}) for text in GOOD[:2]]
    (at / "a.jsonl").write_text(
        "\n".join(
            [lines[0], "no JSON", '{"text": null}', '{"txt": "other"}', '{"text": "\\ud800"}', lines[1]]
        )
    )
    (at / "b.jsonl").write_bytes(json.dumps({"text": GOOD[2]}).encode() + b'\n{"text": "caf\xe9"}\n[1]\n')
    whole = gzip.compress(
        b"".join(json.dumps({"text": corpora.noise(i, 3000)}).encode() + b"\n" for i in range(40))
    )
    (at / "c.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    pq.write_table(pa.table({"text": [GOOD[3], None, GOOD[4], None]}), at / "d.parquet")
    (at / "e.parquet").write_bytes(b"PAR1 and no more")
    (at / "f.txt").write_bytes(b"caf\xe9")
    (at / "g.txt").write_text(GOOD[5])
    (at / "h.txt").write_bytes(b"a\0b")


@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
def test_rows_and_files_that_cannot_be_read_are_skipped_and_counted(execution: Execution) -> None:
    write_bad_corpus()
    out = portrait.build("bad", "out", on_error="skip", execution=execution)
    records = files("out")
    assert {path: file.get("skipped_rows", 0) for path, file in records.items()} == {
        "bad/a.jsonl": 4,
        "bad/b.jsonl": 2,
        "bad/c.jsonl.gz": 0,
        "bad/d.parquet": 2,
        "bad/e.parquet": 0,
        "bad/f.txt": 1,
        "bad/g.txt": 0,
        "bad/h.txt": 0,
    }
    assert [path for path, file in records.items() if "unreadable" in file] == [
        "bad/c.jsonl.gz",
        "bad/e.parquet",
        "bad/h.txt",
    ]
    assert "a.jsonl, line 2: not JSON" in str(records["bad/a.jsonl"]["first_skipped"])
    assert "truncated" in str(records["bad/c.jsonl.gz"]["unreadable"])
    assert all(out.query(text).exact_document for text in GOOD)
    assert "xxh3_128" in records["bad/g.txt"]
    assert "xxh3_128" not in records["bad/c.jsonl.gz"]


@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
def test_by_default_a_file_that_cannot_be_read_is_an_error(execution: Execution) -> None:
    write_bad_corpus()
    for name in sorted(path.name for path in Path("bad").iterdir() if path.name != "g.txt"):
        with pytest.raises(CorpusError, match=rf"bad/{name}"):
            portrait.build(f"bad/{name}", "out", execution=execution)
    assert not Path("out").exists()
    assert not Path("work").exists()


@pytest.mark.parametrize("execution", WAYS, ids=["in memory", "on disk"])
@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("a.jsonl", None, "source 'main' holds no text: a.jsonl; left out: a.jsonl, line 1: not JSON"),
        ("b.parquet", None, "source 'main' holds no text: b.parquet; left out: b.parquet: not a readable"),
        ("a.jsonl", "set", "the sources hold no text; left out: a.jsonl, line 1: not JSON"),
    ],
)
def test_a_corpus_of_which_everything_is_skipped_is_empty_and_the_error_says_why(
    name: str, column: str | None, message: str, execution: Execution
) -> None:
    Path("a.jsonl").write_text("no JSON\n")
    Path("b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(EmptyCorpusError) as caught:
        portrait.build(name, "out", on_error="skip", source_column=column, execution=execution)
    assert str(caught.value).startswith(message)


def test_a_wrong_column_is_an_error_even_where_bad_rows_are_skipped() -> None:
    pq.write_table(pa.table({"text": ["a"], "number": [1]}), "a.parquet")
    for column in ("words", "number"):
        with pytest.raises(CorpusError, match=f"column '{column}'"):
            portrait.build("a.parquet", "out", column=column, on_error="skip")


def test_skipped_rows_of_a_dataset_in_memory_are_counted() -> None:
    import datasets

    rows = datasets.Dataset.from_dict({"text": [GOOD[0], None, GOOD[1]]})
    out = portrait.build(rows, "out", on_error="skip")
    assert out.manifest.corpus["main"]["skipped_rows"] == 1
    assert out.manifest.layers[0].documents == 2


def test_the_command_reports_what_was_skipped(directory: Path) -> None:
    from conftest import Cli

    write_bad_corpus()
    done = Cli(directory)("build", "bad", "-o", "out", "--on-error", "skip")
    assert done.code == 0
    assert "left out: 9 rows and the rest of 3 files; portrait.json says where" in done.err
    done = Cli(directory)("build", "bad", "-o", "again", "--on-error", "skip", "--json")
    assert json.loads(done.out)["skipped"] == {"rows": 9, "files": 3}
