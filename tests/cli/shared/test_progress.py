"""Progress reports: a bar for people, JSON lines for programs."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from conftest import caught_sigint
from support.places import README

import portrait
from portrait.engines.execution import Execution

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

FIELDS = {
    "stage",
    "bytes",
    "total_bytes",
    "documents",
    "text_bytes",
    "seconds",
    "text_bytes_per_second",
    "eta_seconds",
    "done",
}
PROSE = "The ferry to Norham was late again, and number {} of its passengers wrote it down. "


def write_corpus(where: Path, n_files: int, n_rows: int = 300) -> None:
    """Write ``n_files`` files of ``n_rows`` JSON lines each to the new directory ``where``."""
    where.mkdir()
    for i in range(n_files):
        rows = [json.dumps({"text": PROSE.format(i * n_rows + j) * 5}) + "\n" for j in range(n_rows)]
        (where / f"{i:03}.jsonl").write_text("".join(rows))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of 20 files of 300 rows: ``corpus`` in the working directory of the commands."""
    write_corpus(tmp_path / "corpus", 20)
    return tmp_path / "corpus"


def records_by_stage(err: str) -> dict[str, list[dict[str, Any]]]:
    """Parse JSON lines of progress, and group them by stage."""
    stages: dict[str, list[dict[str, Any]]] = {}
    for line in err.splitlines():
        record = json.loads(line)
        assert set(record) == FIELDS
        stages.setdefault(record["stage"], []).append(record)
    return stages


WAYS = {
    "in memory": (["--workers", "1"], ["reading", "building"]),
    "in files": (["--workers", "1", "--work-dir", "w"], ["reading", "building", "writing"]),
    "in processes": (["--workers", "2", "--work-dir", "w"], ["reading", "building", "writing"]),
    "two_pass": (["--filter", "pybloom"], ["reading", "building"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_json_lines_add_up_to_the_size_of_the_corpus(way: str, corpus: Path, cli: Cli) -> None:
    options, stages = WAYS[way]
    result = cli("build", "corpus", "-o", "out", "--json", "--progress", "json", *options)
    assert result.code == 0
    summary = json.loads(result.out)
    lines = records_by_stage(result.err)
    assert list(lines) == stages
    for records in lines.values():
        assert [record["done"] for record in records] == [False] * (len(records) - 1) + [True]
        for name in ("bytes", "documents", "text_bytes", "seconds"):
            values = [record[name] for record in records]
            assert values == sorted(values)
        assert records[-1]["bytes"] == records[-1]["total_bytes"]
        assert records[-1]["eta_seconds"] == 0
    last = lines["reading"][-1]
    assert (last["documents"], last["text_bytes"]) == (summary["documents"], summary["text_bytes"])
    assert last["total_bytes"] == sum(path.stat().st_size for path in corpus.iterdir())
    assert last["text_bytes_per_second"] == pytest.approx(last["text_bytes"] / last["seconds"], rel=0.2)


@pytest.mark.usefixtures("corpus")
def test_adding_a_layer_reports_progress(cli: Cli) -> None:
    assert cli("build", "corpus/000.jsonl", "-o", "out", "-q").code == 0
    result = cli("add", "out", "more=corpus", "--progress", "json", "-q")
    assert (result.code, result.out) == (0, "")
    assert records_by_stage(result.err)["reading"][-1]["documents"] == 20 * 300


def test_the_speed_counts_only_what_this_process_reads(corpus: Path, cli: Cli, tmp_path: Path) -> None:
    execution = Execution(workers=1, work_dir=tmp_path / "w")
    portrait.read_share(corpus, tmp_path / "out", (1, 2), execution=execution)
    options = ["--work-dir", "w", "--workers", "1", "--json", "--progress", "json"]
    result = cli("build", str(corpus), "-o", str(tmp_path / "out"), *options)
    assert result.code == 0, result.err
    last = records_by_stage(result.err)["reading"][-1]
    assert last["bytes"] == last["total_bytes"]
    assert last["documents"] == json.loads(result.out)["documents"] // 2


def test_lines_are_at_least_half_a_second_apart(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from portrait.cli.shared.progress import Lines

    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    lines = Lines("reading")
    lines.start(1000)
    for _ in range(10):
        clock[0] += 0.125
        lines.advance(100, 1, 80)
    lines.finish()
    lines.finish()
    seconds = [record["seconds"] for record in records_by_stage(capsys.readouterr().err)["reading"]]
    assert seconds == [0.5, 1.0, 1.25]


@pytest.mark.usefixtures("corpus")
def test_a_bar_shows_every_stage(cli: Cli) -> None:
    result = cli.on_terminal("stderr", "build", "corpus", "-o", "out", "--work-dir", "w", "--workers", "1")
    assert result.code == 0
    for stage in ("reading", "building", "writing"):
        assert f"{stage}:   0%|" in result.err
    result = cli.on_terminal("stderr", "add", "out", "a=corpus/000.jsonl")
    assert "reading:   0%|" in result.err


def test_a_bar_shows_how_much_was_read(capsys: Any) -> None:
    from portrait.cli.shared.progress import Bar

    bar = Bar("reading")
    bar.start(4_000_000, "reading")
    time.sleep(0.15)  # the bar is drawn ten times a second
    bar.advance(1_000_000, 1234, 900_000)
    bar.finish()
    bar.start(None)
    time.sleep(0.15)
    bar.advance(5000, 1, 4000)
    bar.finish()
    output = capsys.readouterr().err
    assert "reading:  25%|" in output
    assert "1.00M/4.00MB, 1,234 documents, " in output
    assert "/s of text, 00:0" in output
    assert " left" in output
    assert "reading: 5.00kB, 1 document, " in output


MODES = [("none", False), ("bar", True), ("json", False), ("auto", False)]


@pytest.mark.parametrize(("mode", "has_bar"), MODES)
@pytest.mark.usefixtures("corpus")
def test_the_form_of_progress_can_be_chosen(mode: str, has_bar: bool, cli: Cli) -> None:
    result = cli("build", "corpus/000.jsonl", "-o", "out", "--progress", mode)
    assert result.code == 0
    assert ("reading:   0%" in result.err) == has_bar
    assert ('"stage": "reading"' in result.err) == (mode == "json")
    assert "built in " in result.err
    message = cli.refused("build", "corpus", "-o", "b", "--progress", "loud")
    assert message.startswith("Invalid value for '--progress': 'loud' is not one of 'auto', 'bar', ")


def test_the_same_command_resumes_after_ctrl_c(cli: Cli, tmp_path: Path) -> None:
    write_corpus(tmp_path / "many", 600, 100)
    arguments = ["build", "many", "-o", "out", "--workers", "1", "--work-dir", "w", "-q"]
    data = tmp_path / "w" / "data"
    with caught_sigint(), cli.start(*arguments) as process:
        while process.poll() is None and not any(data.glob("read-*.json")):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert err.strip() == b"portrait: error: interrupted: run the same command again to resume"
    assert not (tmp_path / "out").exists()
    assert cli(*arguments) == (0, "", "")
    assert not (tmp_path / "w").exists()
    assert portrait.open(tmp_path / "out").manifest.layers[0].documents == 60_000


def test_every_field_is_documented() -> None:
    readme = README.read_text(encoding="utf-8")
    assert [name for name in sorted(FIELDS) if f"`{name}`" not in readme] == []


NO_BARS = "HF_HUB_DISABLE_PROGRESS_BARS"
#: Hides the bars before or after the library is loaded, and prints whether they are hidden.
_HIDE = """
import sys
from portrait.cli.shared.progress import hide_progress
order, quiet = sys.argv[1:]
if order == "after":
    import huggingface_hub.utils
hide_progress(quiet == "quiet")
import huggingface_hub.utils
print(huggingface_hub.utils.are_progress_bars_disabled())
"""


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the variable of the hub's library not be set."""
    monkeypatch.delenv(NO_BARS, raising=False)


@pytest.mark.parametrize("order", ["before", "after"])
def test_on_a_pipe_there_are_no_bars(cli: Cli, order: str) -> None:
    assert cli(order, "", program=("-c", _HIDE)) == (0, "True\n", "")


@pytest.mark.parametrize(
    ("order", "quiet", "hidden"),
    [("before", "", "False"), ("before", "quiet", "True"), ("after", "quiet", "True")],
)
def test_on_a_terminal_there_are_bars_unless_nobody_wants_them(
    cli: Cli, order: str, quiet: str, hidden: str
) -> None:
    assert cli.on_terminal("stderr", order, quiet, program=("-c", _HIDE)) == (0, f"{hidden}\n", "")


def test_what_the_user_has_set_counts(cli: Cli) -> None:
    done = cli("before", "", program=("-c", _HIDE), environment={NO_BARS: "0"})
    assert (done.code, done.out) == (0, "False\n")
