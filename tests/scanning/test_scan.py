"""``portrait scan`` as people run it: output is written whole or not at all, and a scan can resume."""

from __future__ import annotations

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
import pytest
from conftest import caught_sigint
from support.processes import eventually, is_alive
from support.scans import RECORDS, STORY, lines, rows_of

import portrait
from portrait.answers.judge import DEFAULT_ROW_EVALUE
from portrait.errors import CorpusError, OutputExistsError, SpecError, WorkerError
from portrait.scanning.scan import ScanSummary, scan_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Argument, Cli


REFUSED: dict[str, tuple[list[str], str]] = {
    "no portrait": (
        ["data.jsonl"],
        "no portrait among data.jsonl: name a portrait's directory, a .bf file or an address",
    ),
    "a portrait that is not there": (["nowhere.portrait", "data.jsonl"], "no portrait among "),
    "no data": (["WICK"], "no data among "),
    "data that are not there": (["WICK", "nowhere.jsonl"], "nowhere.jsonl: no such file or directory"),
    "a filter that is not there": (["no.50-50.bf", "data.jsonl"], "no.50-50.bf: "),
    "format of the output": (["WICK", "data.jsonl", "-o", "out.csv"], "out.csv: cannot tell the format"),
    "nowhere to write": (["WICK", "data.jsonl", "-o", "no/out.jsonl"], "no/out.jsonl: cannot write: No such"),
    "a directory": (["WICK", "data.jsonl", "-o", "dir.jsonl"], "dir.jsonl: is a directory"),
    "output exists": (
        ["WICK", "data.jsonl", "-o", "there.jsonl"],
        "there.jsonl: already exists: choose another",
    ),
    "output among the data": (
        ["WICK", "a.txt", "data.jsonl", "-o", "./data.jsonl", "--overwrite"],
        "data.jsonl: is one of the inputs: choose another name",
    ),
    "column": (
        ["WICK", "data.jsonl", "--column", "body"],
        "data.jsonl, line 1: no column 'body', only id, text",
    ),
    "no text": (
        ["WICK", "data.jsonl", "--column", "n"],
        "data.jsonl, line 1: column 'n' holds number, not text",
    ),
    "kept": (
        ["WICK", "data.jsonl", "--keep", "url"],
        "data.jsonl, line 1: no column 'url', only id, text, n: ch",
    ),
    "empty column": (["WICK", "data.jsonl", "--column", "text,"], "a column's name is empty"),
    "null": (["WICK", "null.jsonl"], "null.jsonl, line 2: column 'text' holds null, not text"),
    "surrogate": (["WICK", "surrogate.jsonl"], "surrogate.jsonl, line 2: column 'text' has a lone surrogate"),
    "UTF-8": (["WICK", "latin.jsonl"], "latin.jsonl, line 2: not UTF-8 at byte 3: "),
    "plain text": (["WICK", "a.txt", "--keep", "id"], "a.txt: plain text has no columns"),
    "E-value": (["WICK", "data.jsonl", "--evalue", "0"], "the E-value threshold must be a positive number"),
    "workers": (["WICK", "data.jsonl", "--workers", "0"], "the number of workers is 1 to 4,096, not 0"),
}


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_scanned_is_refused_in_one_line_and_leaves_nothing(
    kind: str, cli: Cli, wick: Path, tmp_path: Path
) -> None:
    (tmp_path / "dir.jsonl").mkdir()
    (tmp_path / "there.jsonl").write_text("mine")
    (tmp_path / "a.txt").write_text("x")
    good = b'{"text": "x"}\n'
    (tmp_path / "null.jsonl").write_bytes(good + b'{"text": null}\n')
    (tmp_path / "surrogate.jsonl").write_bytes(good + b'{"text": "ab\\ud800"}\n')
    (tmp_path / "latin.jsonl").write_bytes(good + b'{"text": "caf\xe9s"}\n')
    arguments, prefix = REFUSED[kind]
    before = sorted(tmp_path.iterdir())
    message = cli.refused("scan", *(wick if one == "WICK" else one for one in arguments))
    assert message.startswith(prefix)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "there.jsonl").read_text() == "mine"


def test_an_output_is_replaced_when_the_new_one_is_whole(
    cli: Cli, wick: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    assert "line 1: no column" in cli.refused(
        "scan", wick, data, "-o", out, "--overwrite", "--column", "body"
    )
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "out.jsonl"]
    assert cli("scan", wick, data, "-o", out, "--overwrite").code == 0
    assert len(rows_of(out.read_text())) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.jsonl", "out.jsonl"]


N_MANY = 60_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of enough rows for a scan of a second or more."""
    path = tmp_path_factory.mktemp("many") / "many.jsonl"
    dice = random.Random(3)
    words = [f"{dice.randrange(16**6):x}" for _ in range(999)]
    with path.open("w") as file:
        for i in range(N_MANY):
            text = STORY if i % 1000 == 0 else " ".join(dice.choices(words, k=70))
            file.write(json.dumps({"id": i, "text": text}) + "\n")
    return path


@pytest.fixture(scope="module")
def outputs(many: Path, shelf: Path) -> dict[str, bytes]:
    """The output of an uninterrupted scan of the many rows, by format."""
    files = {}
    for suffix in ("jsonl", "parquet"):
        out = many.parent / f"out.{suffix}"
        scan_rows([portrait.open(shelf / "wick.portrait")], many, out, keep=["id"])
        files[suffix] = out.read_bytes()
    assert [row["row"] for row in rows_of(files["jsonl"])] == list(range(N_MANY))
    return files


def test_the_output_does_not_depend_on_the_number_of_workers(
    many: Path, outputs: dict[str, bytes], cli: Cli, wick: Path, tmp_path: Path
) -> None:
    for suffix, data in outputs.items():
        result = cli("scan", wick, many, "--keep", "id", "--workers", "3", "-o", f"out.{suffix}")
        assert result.code == 0, result.err
        assert (tmp_path / f"out.{suffix}").read_bytes() == data
    assert cli("scan", wick, many, "--keep", "id", "--workers", "2").out.encode() == outputs["jsonl"]


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait until a condition holds, which must happen before the process ends."""
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def n_pieces(parts: Path) -> int:
    """Return the number of pieces that the checkpoint in this directory records."""
    with suppress(OSError):
        return int(json.loads((parts / "note.json").read_text())["done"]["n_pieces"])
    return 0


def n_bytes_written(parts: Path) -> int:
    """Return the size of the output so far, whose last piece may be incomplete."""
    rows = parts / "rows"
    return rows.stat().st_size if rows.exists() else 0


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize(("suffix", "workers"), [("jsonl", 1), ("parquet", 1), ("jsonl", 2)])
def test_a_killed_scan_resumes_and_gives_the_same_output(
    suffix: str,
    workers: int,
    many: Path,
    outputs: dict[str, bytes],
    cli: Cli,
    wick: Path,
    tmp_path: Path,
) -> None:
    out, parts = tmp_path / f"out.{suffix}", tmp_path / f".out.{suffix}.parts"
    command: list[Argument] = ["scan", wick, many, "--keep", "id", "-o", out, "--workers", str(workers)]
    with cli.start(*command) as process:
        wait_for(lambda: n_pieces(parts), process)
        workers_of_scan = children(process.pid)
        process.kill()
        process.communicate()
    assert not out.exists()
    eventually(lambda: not any(map(is_alive, workers_of_scan)))
    # A crash may leave an incomplete piece after the last one in the checkpoint.
    with (parts / "rows").open("ab") as file:
        file.write(b'{"row": ')
    result = cli(*command)
    assert result.code == 0, result.err
    assert f"{N_MANY:,} rows, " in result.err
    assert " of them before: " in result.err
    assert out.read_bytes() == outputs[suffix]
    assert not parts.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_exits_130_and_the_scan_resumes(
    workers: int, many: Path, outputs: dict[str, bytes], cli: Cli, wick: Path, tmp_path: Path
) -> None:
    out, parts = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.parts"
    command: list[Argument] = ["scan", wick, many, "--keep", "id", "-o", out, "--workers", str(workers)]
    with caught_sigint(), cli.start(*command) as process:
        wait_for(lambda: n_bytes_written(parts) > 1_000_000, process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err.strip()) == (130, b"portrait: error: interrupted")
    assert n_pieces(parts) > 0
    assert not out.exists()
    result = cli(*command)
    assert " of them before: " in result.err
    assert out.read_bytes() == outputs["jsonl"]


@pytest.mark.parametrize("seconds", [0, 0.1, 0.3, 0.6])
def test_ctrl_c_reaches_all_processes_and_is_reported_once(
    seconds: float, many: Path, cli: Cli, wick: Path, tmp_path: Path
) -> None:
    """Check that workers, which a terminal interrupts as well, print nothing, even while they start."""
    group = ("-c", "import os; os.setpgrp(); from portrait.cli.main import main; main()")
    command = ("scan", wick, many, "-o", tmp_path / "out.jsonl", "--workers", "2")
    with caught_sigint(), cli.start(*command, program=group) as process:
        wait_for(lambda: children(process.pid), process)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err.strip()) == (130, b"portrait: error: interrupted")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_progress_is_shown_on_a_terminal(workers: str, many: Path, cli: Cli, wick: Path) -> None:
    result = cli.on_terminal("stderr", "scan", wick, many, "-o", "out.jsonl", "--workers", workers)
    assert result.code == 0
    assert re.search(r"scanning: +\d+%.*/30\.\dMB, .*B/s, .* left", result.err), result.err
    assert f"{N_MANY:,} rows: " in result.err


def test_nothing_is_shown_if_the_scan_is_quiet(cli: Cli, wick: Path, data: Path) -> None:
    assert cli.on_terminal("stderr", "scan", wick, data, "-o", "out.jsonl", "-q").err == ""


@pytest.fixture
def unfinished_output(many: Path, cli: Cli, wick: Path, tmp_path: Path) -> Path:
    """The output of an interrupted scan of ``many.jsonl``, which a test may change."""
    data = tmp_path / "many.jsonl"
    data.write_bytes(many.read_bytes())
    with caught_sigint(), cli.start("scan", wick, data, "-o", "out.jsonl", "--workers", "1") as process:
        wait_for(lambda: n_pieces(tmp_path / ".out.jsonl.parts"), process)
        process.send_signal(signal.SIGINT)
        process.communicate()
    return tmp_path / "out.jsonl"


def test_a_different_scan_does_not_resume_an_interrupted_one(
    unfinished_output: Path, cli: Cli, wick: Path, shelf: Path, tmp_path: Path
) -> None:
    data = tmp_path / "many.jsonl"
    advice = "repeat the original call to resume it, or restart (--restart)"
    for options, other in (
        (["--evalue", "1"], "threshold"),
        (["--keep", "id"], "columns to keep"),
        (["--column", "id"], "columns"),
        (["--no-matches"], "matches"),
    ):
        message = cli.refused("scan", wick, data, "-o", unfinished_output, *options)
        assert message == f"{unfinished_output}: begun with other {other}: {advice}"
    assert "begun with other portraits: " in cli.refused(
        "scan", shelf / "other.portrait", data, "-o", unfinished_output
    )
    with data.open("ab") as file:
        file.write(lines(RECORDS))
    assert (
        cli.refused("scan", wick, data, "-o", unfinished_output)
        == f"{unfinished_output}: begun with other data: {advice}"
    )
    result = cli("scan", wick, data, "-o", unfinished_output, "--restart")
    assert (result.code, "before" in result.err) == (0, False)
    assert len(rows_of(unfinished_output.read_bytes())) == N_MANY + 7


def test_two_scans_do_not_write_the_same_file(many: Path, cli: Cli, wick: Path, tmp_path: Path) -> None:
    command: list[Argument] = ["scan", wick, many, "-o", tmp_path / "out.jsonl", "--workers", "1"]
    with cli.start(*command) as process:
        wait_for((tmp_path / ".out.jsonl.parts" / "rows").exists, process)
        for more in ([], ["--restart"], ["--overwrite"]):
            assert "out.jsonl: another process is writing it: " in cli.refused(*command, *more)
        process.communicate()
    assert process.returncode == 0


def test_a_dead_worker_is_an_error_and_the_scan_resumes(
    many: Path, outputs: dict[str, bytes], cli: Cli, wick: Path, tmp_path: Path
) -> None:
    out, parts = tmp_path / "out.jsonl", tmp_path / ".out.jsonl.parts"
    command: list[Argument] = ["scan", wick, many, "--keep", "id", "-o", out, "--workers", "2"]
    with cli.start(*command) as process:
        wait_for(lambda: n_bytes_written(parts) > 1_000_000, process)
        os.kill(children(process.pid)[-1], signal.SIGKILL)
        _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith(b"portrait: error: a worker process died: ")
    assert err.count(b"\n") == 1
    assert cli(*command).code == 0
    assert out.read_bytes() == outputs["jsonl"]


def test_a_full_disk_is_an_error_and_the_scan_resumes(
    many: Path, outputs: dict[str, bytes], cli: Cli, wick: Path, tmp_path: Path
) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000,) * 2)\n"
        "sys.argv[0] = 'portrait'; from portrait.cli.main import main; main()"
    )
    command: list[Argument] = [
        "scan",
        wick,
        many,
        "--keep",
        "id",
        "-o",
        tmp_path / "out.jsonl",
        "--workers",
        "1",
    ]
    result = cli(*command, program=("-c", code))
    assert (result.code, result.out) == (2, "")
    assert result.err == f"portrait: error: {tmp_path / 'out.jsonl'}: cannot write: File too large\n"
    assert not (tmp_path / "out.jsonl").exists()
    assert cli(*command).code == 0
    assert (tmp_path / "out.jsonl").read_bytes() == outputs["jsonl"]


def test_a_full_disk_behind_stdout_is_not_an_internal_error(cli: Cli, wick: Path, data: Path) -> None:
    result = cli.onto_full_disk("scan", wick, data)
    assert result.code == 2
    assert "No space left on device" in result.err
    assert "internal error" not in result.err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_pipe_that_is_closed_early_is_not_an_error(workers: str, many: Path, cli: Cli, wick: Path) -> None:
    with cli.start("scan", wick, many, "--workers", workers) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_memory_does_not_grow_with_the_data(many: Path, wick: Path, tmp_path: Path) -> None:
    code = (
        "import resource, sys, portrait\n"
        "from portrait.scanning.scan import ScanSummary, scan_rows\n"
        "portraits = [portrait.open(sys.argv[1])]\n"
        "def peak():\n"
        "    scan_rows(portraits, sys.argv[2:], 'out.jsonl', overwrite=True)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "sys.argv, rest = sys.argv[:3], sys.argv[3:]\n"
        "once = peak()\n"
        "sys.argv += rest\n"
        "print(once, peak())\n"
    )
    copies = [tmp_path / f"{i}.jsonl" for i in range(2)]
    for copy in copies:
        copy.symlink_to(many)
    copies[0].unlink()
    copies[0].write_bytes(many.read_bytes())
    result = subprocess.run(
        [sys.executable, "-c", code, wick, *copies], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    once, twice = map(int, result.stdout.split())
    assert twice < once + 20_000, f"{once} kB for one file, {twice} kB for two"


def test_datasets_can_be_scanned_into_a_file(wick: Path, tmp_path: Path) -> None:
    rows = datasets.Dataset.from_list(RECORDS)
    summary = scan_rows([portrait.open(wick)], rows, tmp_path / "out.jsonl", keep=["id", "n"], workers=2)
    assert (summary.rows, summary.found, summary.not_found, summary.inconclusive) == (7, 3, 2, 2)
    assert summary.text_bytes == sum(len(record["text"].encode()) for record in RECORDS)
    rows_written = rows_of((tmp_path / "out.jsonl").read_text())
    assert [row["values"]["id"] for row in rows_written] == list("abcdefg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl"]


def test_a_scan_of_nothing_counts_nothing(wick: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_bytes(b"")
    for out in (tmp_path / "out.jsonl", io.BytesIO()):
        summary = scan_rows([portrait.open(wick)], tmp_path / "none.jsonl", out)
        assert summary == ScanSummary.of_counts(DEFAULT_ROW_EVALUE, {}, {})


def test_an_interrupted_scan_resumes_from_another_directory(
    wick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same file is recognised, whether its path is relative or absolute; no finished row is asked again.
    folder = tmp_path / "data"
    folder.mkdir()
    record = json.dumps({"text": STORY})
    (folder / "many.jsonl").write_text(f"{record}\n" * 20_000 + '{"text": 7}\n')
    portraits, out = [portrait.open(wick)], tmp_path / "out.jsonl"
    monkeypatch.chdir(folder)
    with pytest.raises(portrait.BadRowError, match="line 20001"):
        scan_rows(portraits, "many.jsonl", out)
    before = n_pieces(tmp_path / ".out.jsonl.parts")
    assert before > 0
    monkeypatch.chdir(tmp_path)
    with pytest.raises(portrait.BadRowError, match="line 20001"):
        scan_rows(portraits, str(folder / "many.jsonl"), out)
    assert n_pieces(tmp_path / ".out.jsonl.parts") >= before


def test_the_library_refuses_invalid_arguments(wick: Path, data: Path, tmp_path: Path) -> None:
    portraits = [portrait.open(wick)]
    with pytest.raises(SpecError, match="no portrait to ask"):
        scan_rows([], data, tmp_path / "out.jsonl")
    with pytest.raises(SpecError, match="the number of workers"):
        scan_rows(portraits, data, tmp_path / "out.jsonl", workers=True)
    with pytest.raises(CorpusError, match="no location"):
        scan_rows(portraits, [], tmp_path / "out.jsonl")
    (tmp_path / ".out.jsonl.parts").write_text("in the way")
    with pytest.raises(portrait.OutputError, match=r"out.jsonl: cannot write: File exists"):
        scan_rows(portraits, data, tmp_path / "out.jsonl")


def test_data_that_change_during_the_scan_are_an_error(wick: Path, data: Path, tmp_path: Path) -> None:
    class FileToucher:
        """A progress callback that changes the time of the data when the scan starts."""

        def start(self, n_bytes: int | None, stage: str = "") -> None:
            assert n_bytes == data.stat().st_size
            os.utime(data, ns=(0, 0))

        def advance(self, n_bytes: int, documents: int = 0, text_bytes: int = 0, /) -> None: ...

        def finish(self) -> None: ...

    with pytest.raises(CorpusError, match="the data changed while they were read"):
        scan_rows([portrait.open(wick)], data, tmp_path / "out.jsonl", progress=FileToucher())
    with pytest.raises(OutputExistsError, match="begun with other data"):
        scan_rows([portrait.open(wick)], data, tmp_path / "out.jsonl")
    assert scan_rows([portrait.open(wick)], data, tmp_path / "out.jsonl", restart=True).rows == 7


def test_a_portrait_that_disappears_before_a_worker_opens_it_is_named(
    shelf: Path, many: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(STORY)
    built = portrait.build(tmp_path / "a.txt", tmp_path / "gone.portrait")
    (built.path / "portrait.json").rename(tmp_path / "moved")
    with pytest.raises(portrait.NotAPortraitError, match=r"gone.portrait: not a portrait"):
        scan_rows([built], many, tmp_path / "out.jsonl", workers=2)
    assert WorkerError.exit_code == 2
    assert shelf.exists()
