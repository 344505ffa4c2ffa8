"""Builds: counts, the record in the manifest, what is left on disk, and builds in shares."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from support import corpora, oracle, samples

import portrait
from portrait import FilterSpec, Minimizer, Stride, WindowSpec
from portrait.bundle.manifest import MAX_MANIFEST_VALUES
from portrait.sizing import bloom_blocks, bloom_fpr
from portrait.storage.workdir import WorkDir

if TYPE_CHECKING:
    from conftest import Cli


def prose(seed: object, n_words: int) -> str:
    """Return random words of characters of one to four bytes, the same for the same seed."""
    dice = random.Random(str(seed))
    return " ".join("".join(dice.choices("etaoinshrdluéß京🦀", k=dice.randint(1, 9))) for _ in range(n_words))


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with plain texts, and the same rows as JSON Lines and as Parquet."""
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "corpus"
    directory.mkdir()
    (directory / "a.txt").write_text(prose("a", 300))
    (directory / "b.txt").write_text("  too   short ")
    rows = [{"text": prose(i, i)} for i in range(40)]
    (directory / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), directory / "d.parquet", row_group_size=7)
    (directory / "e.jsonl.gz").write_bytes(gzip.compress(json.dumps({"text": prose("e", 60)}).encode()))
    return tmp_path


def contents(bundle: Path) -> dict[str, bytes]:
    """Return the content of each file of a bundle, by its name."""
    return {path.name: path.read_bytes() for path in bundle.iterdir()}


def tree(directory: Path) -> list[str]:
    """Return the relative paths of everything below ``directory``, sorted."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


FILES = ["corpus/a.txt", "corpus/b.txt", "corpus/c.jsonl", "corpus/d.parquet", "corpus/e.jsonl.gz"]


def test_the_order_of_the_files_does_not_matter(corpus: Path) -> None:
    dice = random.Random(7)
    bundles = []
    for i in range(4):
        files = [f"{name}={file}" for file in dice.sample(FILES, len(FILES)) for name in ("x", "y")]
        (corpus / f"{i}").mkdir()
        portrait.build(files, f"{i}/all.portrait")
        bundles.append(contents(corpus / f"{i}/all.portrait"))
    assert bundles.count(bundles[0]) == len(bundles)


def test_the_same_files_under_other_names_give_the_same_shard_and_id(corpus: Path) -> None:
    first = portrait.build(FILES, "first").manifest
    shutil.move(corpus / "corpus", corpus / "moved")
    second = portrait.build("moved", "second").manifest
    assert second.id == first.id
    assert second.layers == first.layers
    assert second.corpus != first.corpus


def stored_windows(text: str, spec: WindowSpec) -> tuple[list[bytes], bytes]:
    """Return the bytes of the windows that a document stores, and of the whole document."""
    plain = samples.plain(spec)
    normal, _ = oracle.normalise(text, spec.normalizer)
    windows = oracle.all_windows(normal, plain)
    starts = oracle.stored_offsets(oracle.units(normal, spec.unit), plain)
    return [windows[start] for start in starts], normal.encode()


SPECS = [
    WindowSpec(),
    WindowSpec(normalizer="none"),
    WindowSpec(width=8, sampling=Minimizer(1)),
    WindowSpec(width=30, sampling=Minimizer(12), unit="byte", normalizer="loose"),
    WindowSpec(width=3, sampling=Minimizer(4), unit="word"),
    WindowSpec(width=100_000),
    WindowSpec(width=1, sampling=Stride(1)),
    WindowSpec(width=7, sampling=Stride(50)),
    WindowSpec(width=20, sampling=Stride(3), unit="byte"),
    WindowSpec(width=100_000, sampling=Stride(1)),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
@pytest.mark.parametrize("short_documents", [False, True])
def test_the_counts_are_those_of_the_definition(
    short_documents: bool, spec: WindowSpec, corpus: Path
) -> None:
    texts = [prose(i, 3 * i) for i in range(50)] + ["", " x  y\n", prose(49, 147)]
    pq.write_table(pa.table({"text": texts}), corpus / "all.parquet")
    stored = [stored_windows(text, spec) for text in texts]
    keys = {xxhash.xxh3_64_intdigest(window, seed=0) for windows, _ in stored for window in windows}
    keys |= {
        xxhash.xxh3_64_intdigest(document, seed=1)
        for windows, document in stored
        if windows or short_documents
    }

    built = portrait.build("all.parquet", "out", windows=spec, short_documents=short_documents)
    (layer,) = built.manifest.layers
    assert layer.documents == len(texts)
    assert layer.short_documents == sum(not windows for windows, _ in stored)
    assert layer.windows == sum(len(windows) for windows, _ in stored)
    assert layer.distinct_keys == len(keys)
    assert layer.text_bytes == sum(len(text.encode()) for text in texts)
    assert built.spec == spec
    assert {int(key, 16) for key in layer.test_vectors.present} == set(sorted(keys)[:16])


def in_filter(blocks: bytes, key: int) -> bool:
    """Return whether the split-block Bloom filter of these blocks contains ``key``, by its definition."""
    salts = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
    block = (key * (len(blocks) // 32)) >> 64
    for i, salt in enumerate(salts):
        lane = int.from_bytes(blocks[32 * block + 4 * i :][:4], "little")
        if not lane >> ((key & 0xFFFFFFFF) * salt % (1 << 32) >> 27) & 1:
            return False
    return True


def test_the_filter_contains_the_present_test_vectors_and_not_the_absent_ones(corpus: Path) -> None:
    for layer in portrait.build({"x": FILES[:2], "y": FILES[2:]}, "out").manifest.layers:
        data = (corpus / "out" / layer.shards[0].file).read_bytes()
        blocks = data[len(data) - 32 * layer.filter["n_blocks"] :]
        present, absent = layer.test_vectors.present, layer.test_vectors.absent
        assert len(set(present)) == len(set(absent)) == 16
        assert all(in_filter(blocks, int(key, 16)) for key in present)
        assert not any(in_filter(blocks, int(key, 16)) for key in absent)


def test_two_named_sources_are_two_layers() -> None:
    both = portrait.build(["web=corpus/c.jsonl", "books=corpus/a.txt"], "both")
    assert both.sources == ("books", "web")
    books = portrait.build(["books=corpus/a.txt"], "books").manifest.layers[0]
    web = portrait.build(["web=corpus/c.jsonl"], "web").manifest.layers[0]
    assert both.manifest.layers == (books, web)
    assert sorted(both.manifest.corpus) == ["books", "web"]
    answer = both.query(prose("a", 300)[100:400])
    assert [layer.verdict for layer in answer.layers] == ["found", "not_found"]


def test_sources_whose_names_give_the_same_file_name_get_files_of_their_own() -> None:
    names = ["a/b", "a b", "A?B", "..", "日本", "京都", "x" * 100]
    built = portrait.build(dict.fromkeys(names, "corpus/a.txt"), "out")
    files = [one.file for layer in built.manifest.layers for one in layer.files]
    assert built.sources == tuple(sorted(names))
    assert len({file.casefold() for file in files}) == 2 * len(names)
    assert {*files, "portrait.json", "README.md"} == set(contents(Path("out")))
    assert portrait.open("out").sources == built.sources


@pytest.mark.parametrize("fpr", [0.3, 0.01, 0.0001])
def test_the_target_rate_the_real_rate_and_the_probe_are_recorded(fpr: float, corpus: Path) -> None:
    (corpus / "long.txt").write_text(prose("long", 20_000))
    (layer,) = portrait.build("long.txt", "out", filter=FilterSpec(fpr=fpr)).manifest.layers
    n_blocks = bloom_blocks(layer.distinct_keys, fpr)
    assert layer.filter == {"kind": "bloom", "n_blocks": n_blocks}
    assert layer.fpr_target == fpr
    expected = bloom_fpr(layer.distinct_keys, n_blocks)
    assert expected / 1.5 < layer.fpr < expected * 1.5
    assert layer.probe_keys == 1 << 20
    assert (
        abs(layer.probe_hits - layer.probe_keys * layer.fpr) < 7 * (layer.probe_keys * layer.fpr) ** 0.5 + 7
    )


def test_a_manifest_that_would_be_too_large_is_noticed_before_anything_is_read(corpus: Path) -> None:
    (corpus / "unreadable.txt").write_bytes(b"\xff")
    with pytest.raises(portrait.OutputError, match="values, of 2,500,000 that readers take"):
        portrait.build("corpus", "out", license="," * MAX_MANIFEST_VALUES)
    assert not Path("out").exists()


def test_licence_models_and_version_are_recorded(corpus: Path) -> None:
    built = portrait.build("corpus", "out", license="CC-BY-4.0", trained_models=["org/model-1b", "org/2"])
    assert built.manifest.license == "CC-BY-4.0"
    assert built.manifest.trained_models == ("org/model-1b", "org/2")
    assert built.manifest.tool == f"portrait {portrait.__version__}"
    assert portrait.open("out").manifest == built.manifest
    card = (corpus / "out/README.md").read_text()
    assert "CC-BY-4.0" in card
    assert "org/model-1b, org/2" in card
    assert portrait.build("corpus", "plain").manifest.license is None


def test_the_corpus_is_recorded_with_its_files(corpus: Path) -> None:
    record = portrait.build({"all": ["corpus/*.txt", "corpus/d.parquet"]}, "out").manifest.corpus
    files = [
        {
            "path": name,
            "bytes": (corpus / name).stat().st_size,
            "xxh3_128": xxhash.xxh3_128_hexdigest((corpus / name).read_bytes()),
        }
        for name in ("corpus/a.txt", "corpus/b.txt", "corpus/d.parquet")
    ]
    assert record == {
        "all": {"location": ["corpus/*.txt", "corpus/d.parquet"], "revision": None, "files": files}
    }


def test_a_file_whose_name_is_not_utf8_is_read(corpus: Path) -> None:
    name = os.fsdecode(b"corpus/caf\xe9.txt")
    (corpus / name).write_text(prose("a", 300))
    assert portrait.build(name, "out").manifest.layers[0].documents == 1
    assert portrait.open("out").query(prose("a", 300)).exact_document


class EventRecorder:
    """A progress callback that records the order of its calls, and the bytes of the stage "reading"."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.n_bytes: int | None = None
        self.bytes_read = 0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.events.append(f"start {stage}")
        if stage == "reading":
            self.n_bytes = n_bytes

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        assert min(n_bytes, documents, text_bytes) >= 0
        if self.events[-1] in ("start reading", "read"):
            self.events.append("read")
            self.bytes_read += n_bytes

    def finish(self) -> None:
        self.events.append("finish")


def blank_file(_: Path) -> str:
    Path("blank.jsonl").write_bytes(b'{"text": "x"}\n' + b"\n" * 3_000_000)
    return "blank.jsonl"


def empty_table(_: Path) -> list[str]:
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), "empty.parquet")
    return ["corpus/a.txt", "empty.parquet"]


PROGRESS: dict[str, Any] = {
    **{name: lambda _, name=name: name for name in FILES},
    "everything": lambda _: {"x": "corpus", "y": FILES[:2]},
    "blank lines": blank_file,
    "an empty table": empty_table,
}


@pytest.mark.parametrize("sources", PROGRESS)
def test_progress_adds_up_to_the_size_of_the_input(sources: str, corpus: Path) -> None:
    recorder = EventRecorder()
    built = portrait.build(PROGRESS[sources](corpus), "out", progress=recorder)
    size = sum(file["bytes"] for record in built.manifest.corpus.values() for file in record["files"])
    assert (recorder.n_bytes, recorder.bytes_read) == (size, size)
    reading, building = recorder.events[:-3], recorder.events[-3:]
    assert reading[0] == "start reading"
    assert set(reading[1:]) == {"read"}
    assert building == ["finish", "start building", "finish"]


def test_progress_finishes_when_the_build_fails(corpus: Path) -> None:
    (corpus / "bad.txt").write_bytes(b"\xff")
    recorder = EventRecorder()
    with pytest.raises(portrait.CorpusError):
        portrait.build(["corpus", "bad.txt"], "out", progress=recorder)
    assert recorder.events[0] == "start reading"
    assert recorder.events.count("finish") == 1


def test_an_empty_column_name_is_refused(corpus: Path) -> None:
    with pytest.raises(portrait.SpecError, match="column"):
        portrait.build("corpus/c.jsonl", "out", column="")
    assert tree(corpus) == ["corpus", *FILES]


def run_limited(cwd: Path, limit: int, call: str) -> subprocess.CompletedProcess[str]:
    """Run ``call`` in a process whose files may not grow beyond ``limit`` bytes, as on a full disk."""
    code = (
        "import resource, signal, portrait, portrait.corpus.formats.plain, pyarrow\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        f"try: {call}\n"
        "except portrait.OutputError as error: print(error)\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, check=True, capture_output=True, text=True)


@pytest.mark.parametrize(("n_words", "where"), [(10, "out: "), (200_000, "layer 'main'")])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_is_reported_and_leaves_nothing_behind(
    n_words: int, where: str, overwrite: bool, corpus: Path
) -> None:
    shutil.rmtree("corpus")
    Path("a.txt").write_text(prose("a", 50))
    if overwrite:
        portrait.build("a.txt", "out")
    before = contents(corpus / "out") if overwrite else None
    Path("a.txt").write_text(prose("b", n_words))
    done = run_limited(corpus, 1000, f"portrait.build('a.txt', 'out', overwrite={overwrite})")
    assert done.stdout.count("\n") == 1
    assert where in done.stdout
    assert done.stdout.endswith(": File too large\n")
    assert before is None or contents(corpus / "out") == before
    assert {path.name for path in corpus.iterdir()} == {"a.txt", *(["out"] if overwrite else [])}


# Builds in shares, for schedulers: ``portrait build --task I/N`` and ``--finish``.

BUILD = ("build", "corpus", "-o", "out", "--work-dir", "work", "--workers", "1")
N_FILES = 6


@pytest.fixture
def plain(corpus: Path) -> str:
    """The id of the portrait of a corpus of several files, which takes the place of the other corpus."""
    shutil.rmtree(corpus / "corpus")
    corpora.write(Path("corpus"), N_FILES)
    return portrait.build("corpus", "plain").manifest.id


def read_share(cli: Cli, share: str) -> None:
    """Read one share of the corpus, such as ``"1/4"``, with the command line."""
    done = cli(*BUILD, "--task", share)
    assert (done.code, done.out, done.err) == (0, "", "")


def modification_times() -> dict[str, int]:
    """Return when each file of keys was written, in nanoseconds, by the file's name."""
    return {path.name: path.stat().st_mtime_ns for path in Path("work/data").glob("*.keys")}


def test_shares_may_be_read_in_any_order_and_again(cli: Cli, plain: str) -> None:
    shares = [f"{i}/4" for i in range(1, 5)]
    random.Random(3).shuffle(shares)
    for share in shares:
        read_share(cli, share)
        assert not Path("out").exists()
    before = modification_times()
    assert len(before) >= N_FILES
    read_share(cli, shares[1])
    assert modification_times() == before
    done = cli(*BUILD, "--finish", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == plain
    assert portrait.open("out").manifest.corpus == portrait.open("plain").manifest.corpus
    assert not Path("work").exists()


def test_there_may_be_more_shares_than_files(plain: str) -> None:
    execution = portrait.Execution(workers=1, work_dir="work")
    for i in range(1, 10):
        portrait.read_share("corpus", "out", (i, 9), execution=execution)
    assert portrait.build("corpus", "out", execution=execution, finish=True).manifest.id == plain


@pytest.mark.parametrize("shares", [["1/2", "2/2"], ["1/1", "1/1"]], ids=["different", "the same"])
def test_shares_may_be_read_at_the_same_time(shares: list[str], cli: Cli, plain: str) -> None:
    running = [cli.start(*BUILD, "--task", share) for share in shares]
    for process in running:
        assert (process.communicate(timeout=60), process.returncode) == ((b"", b""), 0)
    done = cli(*BUILD, "--finish", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == plain


def test_finishing_names_the_shards_that_are_not_read_yet(cli: Cli, plain: str) -> None:
    message = cli.refused(*BUILD, "--finish")
    assert message == "work: no shard has been read there: read the shares first (--task)"
    read_share(cli, "1/3")
    read_share(cli, "3/3")
    message = cli.refused(*BUILD, "--finish")
    assert message.startswith("work: 2 of 6 shards are not read yet, corpus/01.jsonl.gz among them")
    assert not Path("out").exists()
    # A build that is not in shares reads the missing shards itself.
    assert cli(*BUILD, "--quiet").code == 0
    assert portrait.open("out").manifest.id == plain


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ("0/4", "there is no share 0/4: the shares are 1/4 to 4/4 (--task)"),
        ("5/4", "there is no share 5/4: the shares are 1/4 to 4/4 (--task)"),
        ("x", "'x' is not a share, such as 3/16"),
        ("3", "'3' is not a share, such as 3/16"),
        ("1/", "'1/' is not a share, such as 3/16"),
        ("-1/4", "'-1/4' is not a share, such as 3/16"),
        ("1/4/2", "'1/4/2' is not a share, such as 3/16"),
    ],
)
@pytest.mark.usefixtures("plain")
def test_a_share_that_does_not_exist_is_refused(share: str, message: str, cli: Cli) -> None:
    assert message in cli.refused(*BUILD, "--task", share)
    assert not Path("work").exists()


@pytest.mark.usefixtures("plain")
def test_reading_a_share_and_finishing_in_one_command_is_refused(cli: Cli) -> None:
    message = cli.refused(*BUILD, "--task", "1/2", "--finish")
    assert message.startswith("--task and --finish are different commands")


@pytest.mark.parametrize("option", [["--width", "40"], ["--filter", "ribbon"], ["--unit", "word"]])
def test_tasks_with_other_specs_are_refused(option: list[str], cli: Cli, plain: str) -> None:
    read_share(cli, "1/2")
    before = modification_times()
    for step in (["--task", "2/2"], ["--finish"]):
        assert cli.refused(*BUILD, *option, *step).startswith("work: begun with other ")
    assert modification_times() == before
    read_share(cli, "2/2")
    assert cli(*BUILD, "--finish", "--quiet").code == 0
    assert portrait.open("out").manifest.id == plain


@pytest.mark.usefixtures("plain")
def test_files_that_have_changed_between_tasks_are_refused(cli: Cli) -> None:
    read_share(cli, "1/2")
    with Path("corpus/00.jsonl").open("a") as file:
        file.write('{"text": "one more"}\n')
    assert "inputs (corpus/00.jsonl)" in cli.refused(*BUILD, "--task", "2/2")


@pytest.mark.usefixtures("plain")
def test_a_task_and_a_whole_build_do_not_share_a_work_directory(cli: Cli) -> None:
    Path("corpus/zz.jsonl").touch()
    command = ("build", "corpus", "rest=-", "--format", "jsonl", *BUILD[2:])
    with cli.start(*command) as building:  # waits for standard input
        assert building.stdin is not None
        while not Path("work/data").exists():
            assert building.poll() is None
        message = cli.refused(*BUILD, "--task", "1/2")
        assert (
            message
            == "work: another build is at work there: wait until it ends, or choose another work directory "
            "(--work-dir)"
        )
        building.kill()
    # And the other way round: a build beside a task.
    read_share(cli, "1/2")
    with WorkDir(Path("taken"), {"of": "a task"}, shared=True):
        message = cli.refused(*BUILD[:4], "--work-dir", "taken")
    assert message.startswith("taken: another build is at work there")


@pytest.mark.usefixtures("plain")
def test_standard_input_has_no_shares(cli: Cli) -> None:
    message = cli.refused("build", "corpus", "rest=-", *BUILD[2:], "--task", "1/2")
    assert (
        message
        == "standard input, pipes and streams in memory are read by one process, not in shares (--task)"
    )
    message = cli.refused(*BUILD, "--filter", "pybloom", "--task", "1/2")
    assert message == "a pybloom filter is built by one process, not in shares (--task)"


def test_a_task_does_not_remove_what_others_have_read(cli: Cli, plain: str) -> None:
    read_share(cli, "1/1")
    for option in (["--task", "1/1"], ["--finish"]):
        refused = cli(*BUILD, *option, "--restart")
        assert refused.code == 2
        assert "delete work first" in refused.err
    assert cli(*BUILD, "--finish", "--quiet").code == 0
    assert portrait.open("out").manifest.id == plain
