"""Builds: what is counted, what is recorded, what is left on the disk, and builds in shares."""

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
from support import corpora

import portrait
from portrait import FilterSpec, WindowSpec
from portrait.sizing import bloom_blocks, bloom_fpr
from portrait.storage.workdir import WorkDir

if TYPE_CHECKING:
    from conftest import Cli


def prose(seed: object, n_words: int) -> str:
    dice = random.Random(str(seed))
    return " ".join("".join(dice.choices("etaoinshrdluéß京🦀", k=dice.randint(1, 9))) for _ in range(n_words))


@pytest.fixture(autouse=True)
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: two documents as text, and the same rows as two kinds of tables."""
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
    return {path.name: path.read_bytes() for path in bundle.iterdir()}


def tree(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


FILES = ["corpus/a.txt", "corpus/b.txt", "corpus/c.jsonl", "corpus/d.parquet", "corpus/e.jsonl.gz"]


def test_the_order_of_the_files_leaves_no_trace(corpus: Path) -> None:
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


def stored_keys(text: str, spec: WindowSpec) -> tuple[list[bytes], bytes]:
    """The windows' and the document's bytes, straight from the definition (with few normalisers)."""
    normal = " ".join(text.split()) if spec.normalizer == "spaces" else text
    units: Any = normal if spec.unit == "char" else normal.encode()
    last = len(units) - spec.width
    starts = [*range(0, last, spec.stride), last] if last >= 0 else []
    windows = [units[start : start + spec.width] for start in starts]
    return [w.encode() if isinstance(w, str) else w for w in windows], normal.encode()


SPECS = [
    WindowSpec(),
    WindowSpec(normalizer="none"),
    WindowSpec(width=1, stride=1),
    WindowSpec(width=7, stride=50),
    WindowSpec(width=20, stride=3, unit="byte"),
    WindowSpec(width=100_000, stride=1),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_counts_are_those_of_the_definition(spec: WindowSpec, corpus: Path) -> None:
    texts = [prose(i, 3 * i) for i in range(50)] + ["", " x  y\n", prose(49, 147)]
    pq.write_table(pa.table({"text": texts}), corpus / "all.parquet")
    cut = [stored_keys(text, spec) for text in texts]
    keys = {xxhash.xxh3_64_intdigest(window, seed=0) for windows, _ in cut for window in windows}
    keys |= {xxhash.xxh3_64_intdigest(document, seed=1) for _, document in cut}

    built = portrait.build("all.parquet", "out", windows=spec)
    (layer,) = built.manifest.layers
    assert layer.documents == len(texts)
    assert layer.short_documents == sum(not windows for windows, _ in cut)
    assert layer.windows == sum(len(windows) for windows, _ in cut)
    assert layer.distinct_keys == len(keys)
    assert layer.text_bytes == sum(len(text.encode()) for text in texts)
    assert built.spec == spec
    assert {int(key, 16) for key in layer.test_vectors.present} == set(sorted(keys)[:16])


def in_filter(blocks: bytes, key: int) -> bool:
    """A split-block Bloom filter asked the way its definition reads."""
    salts = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)
    block = (key * (len(blocks) // 32)) >> 64
    for i, salt in enumerate(salts):
        lane = int.from_bytes(blocks[32 * block + 4 * i :][:4], "little")
        if not lane >> ((key & 0xFFFFFFFF) * salt % (1 << 32) >> 27) & 1:
            return False
    return True


def test_the_test_vectors_are_in_the_filter_or_not(corpus: Path) -> None:
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


def test_sources_whose_names_make_the_same_file_name_keep_apart() -> None:
    names = ["a/b", "a b", "A?B", "..", "日本", "京都", "x" * 100]
    built = portrait.build(dict.fromkeys(names, "corpus/a.txt"), "out")
    files = [layer.shards[0].file for layer in built.manifest.layers]
    assert built.sources == tuple(sorted(names))
    assert len({file.casefold() for file in files}) == len(names)
    assert {*files, "portrait.json", "README.md"} == set(contents(Path("out")))
    assert portrait.open("out").sources == built.sources


@pytest.mark.parametrize("fpr", [0.3, 0.01, 0.0001])
def test_the_rate_aimed_at_the_rate_there_is_and_the_probe_are_recorded(fpr: float, corpus: Path) -> None:
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


class Listener:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.n_bytes: int | None = None
        self.n_read = 0

    def start(self, n_bytes: int | None, stage: str = "") -> None:
        self.events.append(f"start {stage}")
        if stage == "reading":
            self.n_bytes = n_bytes

    def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None:
        assert min(n_bytes, documents, text_bytes) >= 0
        if self.events[-1] in ("start reading", "read"):
            self.events.append("read")
            self.n_read += n_bytes

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
    listener = Listener()
    built = portrait.build(PROGRESS[sources](corpus), "out", progress=listener)
    size = sum(file["bytes"] for record in built.manifest.corpus.values() for file in record["files"])
    assert (listener.n_bytes, listener.n_read) == (size, size)
    reading, building = listener.events[:-3], listener.events[-3:]
    assert reading[0] == "start reading"
    assert set(reading[1:]) == {"read"}
    assert building == ["finish", "start building", "finish"]


def test_progress_ends_where_the_build_fails(corpus: Path) -> None:
    (corpus / "bad.txt").write_bytes(b"\xff")
    listener = Listener()
    with pytest.raises(portrait.CorpusError):
        portrait.build(["corpus", "bad.txt"], "out", progress=listener)
    assert listener.events[0] == "start reading"
    assert listener.events.count("finish") == 1


def test_an_empty_column_name_is_refused(corpus: Path) -> None:
    with pytest.raises(portrait.SpecError, match="column"):
        portrait.build("corpus/c.jsonl", "out", column="")
    assert tree(corpus) == ["corpus", *FILES]


def run_limited(cwd: Path, limit: int, call: str) -> subprocess.CompletedProcess[str]:
    """Run ``call`` where no file may grow beyond ``limit`` bytes, as on a full disk."""
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
def test_a_full_disk_is_named_and_nothing_is_left(
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
    """Another corpus, of several files, in its place; the id of its portrait."""
    shutil.rmtree(corpus / "corpus")
    corpora.write(Path("corpus"), N_FILES)
    return portrait.build("corpus", "plain").manifest.id


def task(cli: Cli, share: str) -> None:
    done = cli(*BUILD, "--task", share)
    assert (done.code, done.out, done.err) == (0, "", "")


def times() -> dict[str, int]:
    """When each file of keys was written."""
    return {path.name: path.stat().st_mtime_ns for path in Path("work/data").glob("*.keys")}


def test_shares_may_be_read_in_any_order_and_again(cli: Cli, plain: str) -> None:
    shares = [f"{i}/4" for i in range(1, 5)]
    random.Random(3).shuffle(shares)
    for share in shares:
        task(cli, share)
        assert not Path("out").exists()
    before = times()
    assert len(before) >= N_FILES
    task(cli, shares[1])
    assert times() == before
    done = cli(*BUILD, "--finish", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert portrait.open("out").manifest.id == plain
    assert portrait.open("out").manifest.corpus == portrait.open("plain").manifest.corpus
    assert not Path("work").exists()


def test_shares_may_be_more_than_there_is_to_read(plain: str) -> None:
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


def test_finishing_names_what_is_not_read_yet(cli: Cli, plain: str) -> None:
    said = cli.refused(*BUILD, "--finish")
    assert said == "work: no shard has been read there: read the shares first (--task)"
    task(cli, "1/3")
    task(cli, "3/3")
    said = cli.refused(*BUILD, "--finish")
    assert said.startswith("work: 2 of 6 shards are not read yet, corpus/01.jsonl.gz among them")
    assert not Path("out").exists()
    # The plain build reads what is missing, too.
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
def test_reading_and_finishing_are_different_commands(cli: Cli) -> None:
    said = cli.refused(*BUILD, "--task", "1/2", "--finish")
    assert said.startswith("--task and --finish are different commands")


@pytest.mark.parametrize("option", [["--width", "40"], ["--filter", "fuse"], ["--unit", "word"]])
def test_tasks_of_other_specs_are_refused(option: list[str], cli: Cli, plain: str) -> None:
    task(cli, "1/2")
    before = times()
    for what in (["--task", "2/2"], ["--finish"]):
        assert cli.refused(*BUILD, *option, *what).startswith("work: begun with other ")
    assert times() == before
    task(cli, "2/2")
    assert cli(*BUILD, "--finish", "--quiet").code == 0
    assert portrait.open("out").manifest.id == plain


@pytest.mark.usefixtures("plain")
def test_files_that_have_changed_between_tasks_are_refused(cli: Cli) -> None:
    task(cli, "1/2")
    with Path("corpus/00.jsonl").open("a") as file:
        file.write('{"text": "one more"}\n')
    assert "inputs (corpus/00.jsonl)" in cli.refused(*BUILD, "--task", "2/2")


@pytest.mark.usefixtures("plain")
def test_a_task_and_a_plain_build_do_not_work_in_one_directory(cli: Cli) -> None:
    pipe = Path("corpus/zz.jsonl")
    pipe.touch()
    command = ("build", "corpus", "rest=-", "--format", "jsonl", *BUILD[2:])
    with cli.start(*command) as building:  # it waits for standard input
        assert building.stdin is not None
        while not Path("work/data").exists():
            assert building.poll() is None
        said = cli.refused(*BUILD, "--task", "1/2")
        assert (
            said
            == "work: another build is at work there: wait until it ends, or choose another work directory "
            "(--work-dir)"
        )
        building.kill()
    # And the other way round.
    task(cli, "1/2")
    with WorkDir(Path("taken"), {"of": "a task"}, shared=True):
        said = cli.refused(*BUILD[:4], "--work-dir", "taken")
    assert said.startswith("taken: another build is at work there")


@pytest.mark.usefixtures("plain")
def test_standard_input_has_no_shares(cli: Cli) -> None:
    said = cli.refused("build", "corpus", "rest=-", *BUILD[2:], "--task", "1/2")
    assert (
        said == "standard input, pipes and streams in memory are read by one process, not in shares (--task)"
    )
    said = cli.refused(*BUILD, "--filter", "pybloom", "--task", "1/2")
    assert said == "a pybloom filter is built by one process, not in shares (--task)"


def test_no_task_removes_what_others_have_read(cli: Cli, plain: str) -> None:
    task(cli, "1/1")
    for option in (["--task", "1/1"], ["--finish"]):
        refused = cli(*BUILD, *option, "--restart")
        assert refused.code == 2
        assert "delete work first" in refused.err
    assert cli(*BUILD, "--finish", "--quiet").code == 0
    assert portrait.open("out").manifest.id == plain
