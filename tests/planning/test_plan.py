"""``plan`` predicts what ``build`` then does."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import random
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import corpora

import portrait
from portrait.engines.execution import Execution
from portrait.planning.plan import SAMPLE_TEXT_BYTES, TEXT_UNITS

if TYPE_CHECKING:
    from conftest import Cli

MB = 1_000_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source files of the standard library, shuffled, in files of every format."""
    where = tmp_path_factory.mktemp("corpus")
    library = Path(sysconfig.get_path("stdlib"))
    names = sorted([*library.glob("*.py"), *library.glob("[a-l]*/*.py"), *library.glob("test/test_*.py")])
    random.Random(3).shuffle(names)
    texts = [text for name in names[:1200] if (text := _text(name))]
    (where / "txt").mkdir()
    for i, text in enumerate(texts):
        (where / "txt" / f"{i:04}.txt").write_text(text)
    third = len(texts) // 3
    rows = [json.dumps({"text": text, "set": "odd" if i % 2 else "even"}) for i, text in enumerate(texts)]
    (where / "all.jsonl").write_text("\n".join(rows))
    (where / "gz").mkdir()
    for i in range(3):
        part = "".join(f"{row}\n" for row in rows[i * third : (i + 1) * third]).encode()
        (where / "gz" / f"{i}.jsonl.gz").write_bytes(gzip.compress(part))
    table = pa.table({"text": texts, "set": ["odd" if i % 2 else "even" for i in range(len(texts))]})
    pq.write_table(table, where / "all.parquet", compression="zstd", row_group_size=50)
    pq.write_table(table.slice(0, third), where / "third.parquet", compression="none")
    return where


def _text(path: Path) -> str:
    """Return the text of a file, or nothing if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8").replace("\0", "")
    except UnicodeDecodeError:
        return ""


class Actual(NamedTuple):
    """The counts and the size of a portrait."""

    documents: int
    text_bytes: int
    windows: int
    distinct_keys: int
    bundle_bytes: int


def actual(opened: portrait.Portrait, source: str | None = None) -> Actual:
    """Return the counts and the size of one source, or of all."""
    layers = [layer for layer in opened.manifest.layers if source in (None, layer.source)]
    return Actual(
        sum(layer.documents or 0 for layer in layers),
        sum(layer.text_bytes or 0 for layer in layers),
        sum(layer.windows or 0 for layer in layers),
        sum(layer.distinct_keys for layer in layers),
        sum(shard.bytes for layer in layers for shard in layer.shards),
    )


CORPORA: dict[str, dict[str, list[str]]] = {
    "text files": {"main": ["txt"]},
    "JSON lines": {"main": ["all.jsonl"]},
    "gzip": {"main": ["gz"]},
    "Parquet": {"main": ["all.parquet"]},
    "several": {"a": ["gz/0.jsonl.gz", "third.parquet"], "b": ["txt"], "c": ["gz/1.jsonl.gz"]},
}


@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "bloom") for name in CORPORA), ("Parquet", "ribbon"), ("several", "pybloom")]
)
def test_a_sample_predicts_the_build(name: str, kind: Any, corpus: Path, tmp_path: Path) -> None:
    sources = {source: [corpus / path for path in paths] for source, paths in CORPORA[name].items()}
    spec = portrait.FilterSpec(kind, 0.004)
    planned = portrait.plan(sources, filter=spec, sample_text_bytes=3 * MB)
    assert not planned.whole
    built = portrait.build(sources, tmp_path / "out", filter=spec)
    real = actual(built)
    assert real.text_bytes > 10 * MB
    assert planned.text_bytes == pytest.approx(real.text_bytes, rel=0.15)
    assert planned.stored_windows == pytest.approx(real.windows, rel=0.15)
    assert planned.bundle_bytes[kind] == pytest.approx(real.bundle_bytes, rel=0.15)
    assert planned.sampled_text_bytes < 0.8 * real.text_bytes
    assert [source.source for source in planned.sources] == list(built.sources)
    for source in planned.sources:
        assert source.text_bytes == pytest.approx(actual(built, source.source).text_bytes, rel=0.25)


@pytest.mark.parametrize("kind", ["bloom", "ribbon", "pybloom"])
def test_a_small_corpus_is_counted_exactly(kind: Any, corpus: Path, tmp_path: Path) -> None:
    sources = {"parquet": corpus / "third.parquet", "text": sorted((corpus / "txt").iterdir())[:40]}
    spec = portrait.FilterSpec(kind, 0.02)
    planned = portrait.plan(sources, filter=spec)
    assert planned.whole
    built = portrait.build(sources, tmp_path / "out", filter=spec)
    for source in planned.sources:
        real = actual(built, source.source)
        assert (source.documents, source.text_bytes, source.windows, source.distinct_keys) == real[:4]
    assert planned.bundle_bytes[kind] == pytest.approx(actual(built).bundle_bytes, rel=0.02)
    assert sum(source.distinct_keys for source in planned.sources) == planned.distinct_keys


def test_sources_named_by_a_column_are_counted_separately(corpus: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"source_column": "set"}
    planned = portrait.plan(corpus / "all.parquet", sample_text_bytes=4 * MB, **options)
    built = portrait.build(corpus / "all.parquet", tmp_path / "out", **options)
    assert [source.source for source in planned.sources] == ["even", "odd"]
    for source in planned.sources:
        assert source.windows == pytest.approx(actual(built, source.source).windows, rel=0.2)


def test_a_dataset_is_planned(corpus: Path) -> None:
    rows = pq.read_table(corpus / "third.parquet")
    planned = portrait.plan(datasets.Dataset(rows))
    assert (planned.documents, planned.whole) == (rows.num_rows, True)


def test_no_source_is_left_out_for_being_small(corpus: Path) -> None:
    few = {f"few{i}": corpus / "txt" / f"{i:04}.txt" for i in range(5)}
    planned = portrait.plan({"much": corpus / "all.jsonl", **few}, sample_text_bytes=MB)
    lengths = {source.source: source.text_bytes for source in planned.sources}
    for name, path in few.items():
        assert lengths[name] == path.stat().st_size


def test_only_the_beginning_of_a_long_document_is_read(corpus: Path, tmp_path: Path) -> None:
    text = "é".join(path.read_text() for path in sorted((corpus / "txt").iterdir()))
    (tmp_path / "long.txt").write_text(text)
    planned = portrait.plan(tmp_path / "long.txt", sample_text_bytes=MB)
    assert (planned.documents, planned.whole) == (1, False)
    assert planned.sampled_text_bytes < 5 * MB < planned.text_bytes
    assert planned.text_bytes == pytest.approx(len(text.encode()), rel=0.01)


def test_the_work_directory_is_as_large_as_planned(corpus: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    execution = Execution(workers=1, work_dir=work)
    sources = [corpus / "all.jsonl", corpus / "gz"]
    planned = portrait.plan(sources, out=tmp_path / "out", execution=execution, sample_text_bytes=4 * MB)
    assert (planned.way, planned.work_dir) == ("disk", str(work))
    assert not work.exists()
    portrait.read_share(sources, tmp_path / "out", (1, 1), execution=execution)
    n_bytes = sum(path.stat().st_size for path in (work / "data").glob("*.keys"))
    assert planned.work_dir_bytes - planned.bundle_bytes["bloom"] == pytest.approx(n_bytes, rel=0.15)
    assert planned.tasks == len(list((work / "data").glob("read-*.json"))) == 4


def test_the_plan_chooses_the_same_way_as_the_build(corpus: Path, tmp_path: Path) -> None:
    def way(out: str = "out", kind: Any = "bloom", stride: int = 25, **options: Any) -> str:
        spec = portrait.FilterSpec(kind)
        windows = portrait.WindowSpec(sampling=portrait.Stride(stride))
        execution = Execution(**options)
        planned = portrait.plan(corpus, out=tmp_path / out, windows=windows, filter=spec, execution=execution)
        assert (planned.work_dir_bytes > 0) == (planned.way == "disk") == (planned.work_dir is not None)
        return planned.way

    assert way() == "memory"
    assert way(memory_bytes=512 << 20) == "memory"
    assert way(memory_bytes=512 << 20, stride=1) == "disk"
    assert way(kind="pybloom") == "two_pass"
    assert way(work_dir=tmp_path / "work") == "disk"
    (tmp_path / ".started.build").mkdir()
    assert way("started") == "disk"
    with pytest.raises(portrait.SpecError, match="pybloom filter is built in the memory of one process"):
        way(kind="pybloom", work_dir=tmp_path / "work")


def test_detectable_lengths_agree_with_answers(corpus: Path, tmp_path: Path) -> None:
    spec = portrait.FilterSpec("ribbon", 1 / 128)
    sources = {"a": corpus / "txt" / "0000.txt", "b": corpus / "third.parquet"}
    planned = portrait.plan(sources, filter=spec)
    built = portrait.build(sources, tmp_path / "out", filter=spec)
    assert planned.fpr == 1 / 128
    assert planned.guaranteed_units == 91
    for n_chars, length in planned.detectable_units.items():
        # A text that repeats itself would be asked about more windows than is typical.
        assert built.query(corpora.noise(n_chars, n_chars)).detectable_length == length


def test_a_text_in_which_nothing_is_detectable_has_no_length(corpus: Path) -> None:
    windows = portrait.WindowSpec(width=900, sampling=portrait.Stride(900))
    planned = portrait.plan(corpus / "third.parquet", windows=windows)
    assert planned.detectable_units[1000] is None
    assert planned.detectable_units[10_000] is not None


def test_a_copy_may_be_as_long_as_its_text(corpus: Path) -> None:
    def detectable(width: int) -> int | None:
        windows, spec = portrait.WindowSpec(width, portrait.Stride(1)), portrait.FilterSpec("ribbon", 1 / 128)
        return portrait.plan(corpus / "third.parquet", windows=windows, filter=spec).detectable_units[1000]

    # A single window of one source is evidence: 1/128 is less than the threshold of 1/100. Two are not.
    assert detectable(1000) == 1000
    assert detectable(1001) is None
    assert detectable(999) == 1000


def test_the_interval_of_all_text_is_that_of_independent_sources(corpus: Path) -> None:
    sources = {"a": corpus / "all.jsonl", "b": corpus / "all.parquet"}
    planned = portrait.plan(sources, sample_text_bytes=MB)
    low, high = planned.text_bytes_range
    below = [one.text_bytes - one.text_bytes_range.low for one in planned.sources]
    above = [one.text_bytes_range.high - one.text_bytes for one in planned.sources]
    assert planned.text_bytes - low == pytest.approx(math.hypot(*below), abs=1)
    assert high - planned.text_bytes == pytest.approx(math.hypot(*above), abs=1)
    assert min(*below, *above) > 1000
    keys = planned.distinct_keys_range
    assert keys.low == sum(one.distinct_keys_range.low for one in planned.sources)
    assert keys.high == sum(one.distinct_keys_range.high for one in planned.sources)


def test_the_defaults_of_a_plan_are_the_documented_ones(tmp_path: Path) -> None:
    assert (SAMPLE_TEXT_BYTES, TEXT_UNITS) == (32_000_000, (1000, 10_000))
    (tmp_path / "a.txt").write_text("a short text")
    assert portrait.plan(tmp_path / "a.txt").distinct_keys == 0
    assert portrait.plan(tmp_path / "a.txt", short_documents=True).distinct_keys == 1
    assert portrait.plan(tmp_path / "a.txt", sample_text_bytes=1).documents == 1


def test_a_sample_is_read_for_three_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "0123456789"}\n' * 3200)
    # Each of 32 places has 100 rows, and takes three looks at the clock, a quarter of a second each.
    clock = itertools.count(0.0, 0.25)
    monkeypatch.setattr("portrait.planning.sample.time.perf_counter", lambda: next(clock))
    planned = portrait.plan(tmp_path / "a.jsonl")
    assert planned.sampled_text_bytes == 4 * 1000


REFUSED: dict[str, tuple[Any, dict[str, Any]]] = {
    "no such file": ("missing.txt", {}),
    "no match": ("*.nothing", {}),
    "empty": ("empty.txt", {}),
    "binary": ("binary.txt", {}),
    "not UTF-8": ("latin.txt", {}),
    "no column": ("rows.jsonl", {"column": "words"}),
    "no column in a table": ("table.parquet", {"column": "words"}),
    "not Parquet": ("rows.jsonl", {"format": "parquet"}),
    "truncated": ("cut.jsonl.gz", {}),
    "no source's name": ("rows.jsonl", {"source_column": "set"}),
    "format": ("rows.jsonl", {"format": "xml"}),
    "preset": ("rows.jsonl", {"preset": "none"}),
    "bytes for pybloom": (
        "rows.jsonl",
        {"windows": portrait.WindowSpec(unit="byte"), "filter": portrait.FilterSpec("pybloom")},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_plan_refuses_what_build_refuses(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = b'{"text": "one"}\n{"text": "two"}\n'
    Path("empty.txt").touch()
    Path("binary.txt").write_bytes(b"a\0b")
    Path("latin.txt").write_bytes(b"caf\xe9 au lait")
    Path("rows.jsonl").write_bytes(rows)
    Path("cut.jsonl.gz").write_bytes(gzip.compress(rows)[:-9])
    pq.write_table(pa.table({"text": ["one"]}), "table.parquet")
    sources, options = REFUSED[name]
    with pytest.raises(portrait.PortraitError) as build_error:
        portrait.build(sources, "out", **options)
    with pytest.raises(portrait.PortraitError) as plan_error:
        portrait.plan(sources, out="out", **options)
    assert (plan_error.type, str(plan_error.value)) == (build_error.type, str(build_error.value))


def test_standard_input_is_not_consumed(cli: Cli) -> None:
    message = cli.refused("plan", "-", stdin=b"a text")
    assert message == "standard input: can be read only once, so planning would use it up: plan files instead"


def test_a_sample_of_nothing_is_refused(corpus: Path) -> None:
    with pytest.raises(portrait.SpecError, match="the sample is 1 byte or more, not 0"):
        portrait.plan(corpus / "txt", sample_text_bytes=0)
    with pytest.raises(portrait.SpecError, match="the sample is 1 byte or more, not '32MB'"):
        portrait.plan(corpus / "txt", sample_text_bytes="32MB")  # type: ignore[arg-type]


def test_rows_that_cannot_be_read_are_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["one", None, "three", None]}), path)
    (warning,) = portrait.plan(path).warnings
    assert warning.startswith("2 of 4 rows of the sample cannot be read (")
    assert "row 2" in warning
    assert warning.endswith(": the build stops there, unless it is told to skip such rows")
    (warning,) = portrait.plan(path, on_error="skip").warnings
    assert warning.endswith(": they are left out")
    with pytest.raises(portrait.BadRowError):
        portrait.build(path, tmp_path / "out")


def test_a_disk_that_is_too_small_is_a_warning(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = Execution(work_dir=tmp_path / "work" / "deep")

    def warnings() -> tuple[str, ...]:
        return portrait.plan(corpus / "txt", out=tmp_path / "out", execution=execution).warnings

    assert warnings() == ()
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    (warning,) = warnings()
    assert warning.startswith(f"{tmp_path}")
    assert "the portrait and the keys meanwhile take about " in warning


def test_a_file_that_delays_the_build_is_named(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The task takes far less time than is worth a warning.
    monkeypatch.setattr("portrait.planning.caveats.LONG_TASK_SECONDS", 0)
    rows = b"".join((corpus / "gz" / f"{i}.jsonl.gz").read_bytes() for i in range(3))
    (tmp_path / "big.jsonl.gz").write_bytes(rows)
    sources = [tmp_path / "big.jsonl.gz", *sorted((corpus / "txt").iterdir())[:9]]
    execution = Execution(workers=2, work_dir=tmp_path / "work")
    (warning,) = portrait.plan(sources, execution=execution).warnings
    assert warning.startswith(f"{tmp_path / 'big.jsonl.gz'}: cannot be divided")
    alone = Execution(workers=1, work_dir=tmp_path / "work")
    assert portrait.plan(sources, execution=alone).warnings == ()


def test_keys_that_exceed_the_memory_are_a_warning(corpus: Path) -> None:
    planned = portrait.plan(
        corpus / "txt",
        windows=portrait.WindowSpec(sampling=portrait.Stride(1)),
        filter=portrait.FilterSpec("pybloom"),
        execution=Execution(memory_bytes=256 << 20),
        sample_text_bytes=MB,
    )
    dense, warning = planned.warnings
    assert dense.startswith("at a stride of 1, ")
    assert warning.startswith("a pybloom filter is built in memory: about ")
    assert planned.memory_bytes > 256 << 20


def test_a_plan_is_printed_as_json_and_writes_nothing(corpus: Path, cli: Cli, tmp_path: Path) -> None:
    result = cli("plan", f"web={corpus / 'third.parquet'}", "--json", "--filter", "ribbon", "--fpr", "0.001")
    assert (result.code, result.err, result.out.count("\n")) == (0, "", 1)
    record = json.loads(result.out)
    planned = portrait.plan({"web": corpus / "third.parquet"}, filter=portrait.FilterSpec("ribbon", 0.001))
    expected = json.loads(json.dumps(planned.to_dict()))
    assert record.pop("seconds") > 0
    expected.pop("seconds")
    assert record == expected
    assert record["fpr"] == 1 / 1024
    assert list(tmp_path.iterdir()) == []


def test_a_plan_is_printed_for_people_and_writes_nothing(corpus: Path, cli: Cli, tmp_path: Path) -> None:
    result = cli(
        "plan", f"a={corpus / 'third.parquet'}", f"b={corpus / 'txt'}", "--sample", "2MB", "--work-dir", "w"
    )
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].split() == ["source", "documents", "text", "windows", "distinct", "keys"]
    assert [line.split()[0] for line in lines[1:4]] == ["a", "b", "all"]
    facts = {line[:10].strip(): line[11:] for line in lines[5:]}
    names = ["sample", "portrait", "publishing", "rate", "guarantee", "detectable", "keys", "memory", "time"]
    assert list(facts) == names
    assert " in w, read in 2 tasks" in facts["keys"]
    assert "of text in 2 of 2 files; in brackets, what it leaves open" in facts["sample"]
    assert " - " in lines[1]
    assert list(tmp_path.iterdir()) == []
