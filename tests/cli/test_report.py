"""``portrait report`` as people run it: its output, its exit codes, and files written whole or not at all."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import caught_sigint
from support.evaluation import COLUMNS, ROWS, built, prose, write_jsonl

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

OPTIONS = ["--columns", "question,answer"]
OUTPUTS = ["--html", "r.html", "--json", "r.json", "--clean", "c.jsonl", "--contaminated", "d.jsonl"]
NAMES = {"r.html", "r.json", "c.jsonl", "d.jsonl"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a portrait that holds some of the rows."""
    return built(tmp_path_factory.mktemp("known"))


@pytest.fixture
def data(tmp_path: Path) -> str:
    """The name of a file of the rows in the working directory of the commands."""
    return write_jsonl(tmp_path / "data.jsonl", ROWS).name


def names(directory: Path) -> set[str]:
    """Return the names of the files in a directory."""
    return {path.name for path in directory.iterdir()}


SUMMARY = """\
5 of 10 rows match a passage of the corpus: 50% (95% interval 23.7% to 76.3%).
At the threshold of 1e-05 a row (E-value), chance alone would have N rows found, in expectation.
Of the rows not found, none could be recognised as a copy with edits; copies changed in every 50 characters \
(runs of white space counted as one) are invisible.

verdict       rows  share    95% interval
found            5    50%  23.7% to 76.3%
not found        4    40%  16.8% to 68.7%
inconclusive     1    10%  1.79% to 40.4%

source  rows found
books            2
web              3

The worst 5 rows:
"""


def test_a_summary_is_printed(bundle: Path, data: str, cli: Cli) -> None:
    result = cli.here("report", bundle, data, *OPTIONS)
    assert (result.code, result.err) == (0, "")
    begin, _, worst = result.out.partition("The worst 5 rows:\n")
    assert re.sub("have [0-9.e-]+ rows", "have N rows", begin) + "The worst 5 rows:\n" == SUMMARY
    lines = worst.splitlines()[1:]
    assert lines[0].split() == ["row", "place", "coverage", "longest", "(characters)", "E-value"]
    assert {line.split()[0] for line in lines[1:]} == {f"q/{i}" for i in range(5)}
    assert {line.split()[1] for line in lines[1:]} == {f"data.jsonl:{i + 1}" for i in range(5)}


def test_the_summary_is_short_if_nothing_is_found(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "clean.jsonl", ROWS[5:])
    result = cli.here("report", bundle, "clean.jsonl", *OPTIONS)
    assert result.code == 0
    assert result.out.startswith(
        "0 of 5 rows match a passage of the corpus: 0% (95% interval 0% to 43.4%).\n"
    )
    assert "worst" not in result.out


def test_data_without_rows_get_one_line(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    result = cli.here("report", bundle, "empty.jsonl", *OPTIONS, "--fail-over", "0")
    assert result == (0, "There are no rows, so there is nothing to say.\n", "")


def test_json_on_standard_output_is_the_library_s_report_on_one_line(
    bundle: Path, data: str, cli: Cli, tmp_path: Path
) -> None:
    result = cli("report", bundle, data, *OPTIONS, "--json", "-", "--date", "2024-02-29", "--worst", "2")
    assert (result.code, result.err) == (0, "")
    (line,) = result.out.splitlines()
    content = json.loads(line)
    command = content.pop("command")
    assert command.endswith("--json - --date 2024-02-29 --worst 2")
    report = portrait.report(bundle, tmp_path / data, columns=COLUMNS, worst=2, date="2024-02-29").to_dict()
    expected = json.loads(json.dumps(report).replace(f"{tmp_path}/", ""))
    assert expected.pop("command") is None
    assert content == expected


def test_all_files_are_written_and_nothing_is_printed(
    bundle: Path, data: str, cli: Cli, tmp_path: Path
) -> None:
    assert cli.here("report", bundle, data, *OPTIONS, *OUTPUTS) == (0, "", "")
    assert names(tmp_path) == NAMES | {data}
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")
    assert json.loads((tmp_path / "r.json").read_text())["totals"]["found"]["count"] == 5
    lines = (tmp_path / data).read_bytes().splitlines(keepends=True)
    assert (tmp_path / "d.jsonl").read_bytes() == b"".join(lines[:5])
    assert (tmp_path / "c.jsonl").read_bytes() == b"".join(lines[5:])
    assert cli.here("report", bundle, data, *OPTIONS, *OUTPUTS, "--overwrite") == (0, "", "")
    message = cli.refused("report", bundle, data, *OPTIONS, *OUTPUTS)
    assert message == "r.html: already exists: choose another name, or allow overwriting (--overwrite)"


def test_the_summary_is_still_printed_if_only_the_split_is_written(
    bundle: Path, data: str, cli: Cli, tmp_path: Path
) -> None:
    result = cli.here("report", bundle, data, *OPTIONS, "--clean", "c.jsonl", "--strict-clean")
    assert result.out.startswith("5 of 10 rows")
    assert len((tmp_path / "c.jsonl").read_bytes().splitlines()) == 4
    assert cli.here("report", bundle, data, *OPTIONS, "-q") == (0, "", "")


def test_tables_are_read_and_written(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "data.parquet")
    out = ["--clean", "c.parquet", "--contaminated", "d.jsonl"]
    assert cli.here("report", bundle, "data.parquet", *OPTIONS, *out, "-q") == (0, "", "")
    assert pq.read_table(tmp_path / "c.parquet").to_pylist() == ROWS[5:]
    assert [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()] == ROWS[:5]


def test_rows_may_come_from_standard_input(bundle: Path, data: str, cli: Cli, tmp_path: Path) -> None:
    piped = cli("report", bundle, "-", *OPTIONS, "--id", "id", stdin=(tmp_path / data).read_bytes())
    assert piped.code == 0
    lines = piped.out.replace("standard input:", "data.jsonl:").split()
    assert lines == cli.here("report", bundle, data, *OPTIONS).out.split()


@pytest.mark.parametrize(
    ("share", "code"), [("0", 1), ("0.01", 1), ("0.4999", 1), ("0.5", 0), ("0.51", 0), ("1", 0)]
)
def test_the_exit_code_is_1_if_too_many_rows_are_contaminated(
    share: str, code: int, bundle: Path, data: str, cli: Cli
) -> None:
    result = cli.here("report", bundle, data, *OPTIONS, "--fail-over", share)
    assert (result.code, result.err) == (code, "")
    assert result.out.startswith("5 of 10 rows")


def test_the_files_are_written_even_if_the_exit_code_is_1(
    bundle: Path, data: str, cli: Cli, tmp_path: Path
) -> None:
    assert cli.here("report", bundle, data, *OPTIONS, *OUTPUTS, "--fail-over", "0.1") == (1, "", "")
    assert names(tmp_path) == NAMES | {data}


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        (["--date", "none"], {}, None),
        (["--date", "2001-02-03"], {}, "2001-02-03"),
        ([], {"SOURCE_DATE_EPOCH": "1709164800"}, "2024-02-29"),
        (["--date", "2001-02-03"], {"SOURCE_DATE_EPOCH": "1709164800"}, "2001-02-03"),
    ],
)
def test_a_date_can_be_set_or_left_out(
    options: list[str], environment: dict[str, str], expected: str | None, bundle: Path, data: str, cli: Cli
) -> None:
    result = cli("report", bundle, data, *OPTIONS, "--json", "-", *options, environment=environment)
    assert json.loads(result.out)["date"] == expected


def test_the_default_date_is_today(bundle: Path, data: str, cli: Cli) -> None:
    content = json.loads(cli("report", bundle, data, *OPTIONS, "--json", "-").out)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", content["date"])


def test_two_reports_are_the_same_byte_for_byte(bundle: Path, data: str, cli: Cli, tmp_path: Path) -> None:
    for _ in range(2):
        arguments = ["--html", "r.html", "--overwrite"]
        cli("report", bundle, data, *OPTIONS, *arguments, environment={"SOURCE_DATE_EPOCH": "0"})
        (tmp_path / "r.html").rename(tmp_path / f"r{len(names(tmp_path))}.html")
    one, other = tmp_path.glob("r*.html")
    assert one.read_bytes() == other.read_bytes()


def test_a_row_cannot_control_the_terminal(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    rows = [ROWS[0] | {"id": "\x1b[2Jx\n\u202e"}]
    write_jsonl(tmp_path / "a\x1b[1mb.jsonl", rows)
    result = cli.here("report", bundle, "a\x1b[1mb.jsonl", *OPTIONS)
    assert result.code == 0
    assert all(line.isprintable() for line in result.out.splitlines())
    assert r"\x1b[2Jx\n\u202e" in result.out


def test_a_progress_bar_is_shown_only_on_a_terminal_on_stderr(bundle: Path, data: str, cli: Cli) -> None:
    assert "reading" in cli.on_terminal("stderr", "report", bundle, data, *OPTIONS).err
    assert cli.on_terminal("stderr", "report", bundle, data, *OPTIONS, "-q").err == ""


REFUSED = {
    "only one": (["KNOWN"], "name one or more portraits, and then the data: see portrait report --help"),
    "both": (
        ["KNOWN", "data.jsonl", *OPTIONS, "--benchmark", "gsm8k"],
        "--benchmark names the columns itself",
    ),
    "column": (
        ["KNOWN", "data.jsonl", "--columns", "question,solution"],
        "data.jsonl, line 1: no column 'sol",
    ),
    "no text": (
        ["KNOWN", "data.jsonl", "--columns", "n"],
        "data.jsonl, line 1: column 'n' holds number, not",
    ),
    "default column": (["KNOWN", "data.jsonl"], "data.jsonl, line 1: no column 'text', only id, question, "),
    "empty name": (["KNOWN", "data.jsonl", "--columns", "question,"], "a column's name is empty"),
    "benchmark": (
        ["KNOWN", "data.jsonl", "--benchmark", "x"],
        "Invalid value for '--benchmark': 'x' is not one",
    ),
    "portrait": (["data.jsonl", "data.jsonl", *OPTIONS], "data.jsonl: not a portrait"),
    "data": (["KNOWN", "missing.jsonl", *OPTIONS], "missing.jsonl: no such file or directory"),
    "share": (
        ["KNOWN", "data.jsonl", *OPTIONS, "--fail-over", "2"],
        "Invalid value for '--fail-over': 2.0 is",
    ),
    "worst": (
        ["KNOWN", "data.jsonl", *OPTIONS, "--worst", "-1"],
        "Invalid value for '--worst': -1 is not in ",
    ),
    "evalue": (
        ["KNOWN", "data.jsonl", *OPTIONS, "--evalue", "0"],
        "the E-value threshold must be a positive",
    ),
    "nowhere": (
        ["KNOWN", "data.jsonl", *OPTIONS, "--html", "no/r.html"],
        "no/r.html: cannot write: No such ",
    ),
    "page to stdout": (
        ["KNOWN", "data.jsonl", *OPTIONS, "--html", "-"],
        "only --json can go to standard output",
    ),
    "stdin split": (["KNOWN", "-", *OPTIONS, "--clean", "c.jsonl"], "only files can be split: save the data"),
}


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("kind", REFUSED)
def test_an_invalid_command_is_refused_in_one_line(kind: str, bundle: Path, cli: Cli, tmp_path: Path) -> None:
    arguments, prefix = REFUSED[kind]
    message = cli.refused_here("report", *(bundle if one == "KNOWN" else one for one in arguments))
    assert message.startswith(prefix)
    assert names(tmp_path) == {"data.jsonl"}


def test_an_invalid_date_is_an_error(bundle: Path, data: str, cli: Cli) -> None:
    result = cli("report", bundle, data, *OPTIONS, environment={"SOURCE_DATE_EPOCH": "tomorrow"})
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "portrait: error: SOURCE_DATE_EPOCH is a number of seconds since 1970, not 'tomorrow'\n"
    )


def test_an_error_late_in_the_data_leaves_no_files(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "bad.jsonl", [ROWS[i % 10] for i in range(5000)])
    with (tmp_path / "bad.jsonl").open("ab") as file:
        file.write(b'{"question": 1}\n')
    message = cli.refused("report", bundle, "bad.jsonl", *OPTIONS, *OUTPUTS)
    assert message.startswith("bad.jsonl, line 5001: column 'question' holds number")
    assert names(tmp_path) == {"bad.jsonl"}


#: A program that runs ``portrait`` with a limit to the size of files, which stands for a full disk.
LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from portrait.cli.main import main
main()
"""


@pytest.mark.parametrize("kind", ["html", "clean", "table"])
def test_a_full_disk_leaves_no_files_and_old_ones_as_they_were(
    kind: str, bundle: Path, cli: Cli, tmp_path: Path
) -> None:
    rows = [ROWS[i % 10] | {"n": i, "other": prose(i)} for i in range(300)]
    write_jsonl(tmp_path / "data.jsonl", rows)
    pq.write_table(
        pa.Table.from_pylist(rows), tmp_path / "data.parquet", compression="none", use_dictionary=False
    )
    (tmp_path / "old").write_text("old")
    before = names(tmp_path)
    data, option, out = {
        "html": ("data.jsonl", "--html", "old"),
        "clean": ("data.jsonl", "--clean", "old"),
        "table": ("data.parquet", "--contaminated", "d.parquet"),
    }[kind]
    result = cli("report", bundle, data, *OPTIONS, option, out, "--overwrite", program=("-c", LIMITED))
    assert (result.code, result.out) == (2, "")
    assert re.fullmatch(f"portrait: error: {out}: cannot write: .*[Ff]ile too large.*\n", result.err)
    assert names(tmp_path) == before
    assert (tmp_path / "old").read_text() == "old"


def test_ctrl_c_leaves_no_files(bundle: Path, cli: Cli, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "data.jsonl", [ROWS[i % 10] for i in range(200_000)])
    with (
        caught_sigint(),
        cli.start("report", bundle, "data.jsonl", *OPTIONS, *OUTPUTS, stdin=subprocess.DEVNULL) as process,
    ):
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob(".r.html.*.part")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.3)
        assert len(list(tmp_path.glob(".*.part"))) == 4
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, b"", b"portrait: error: interrupted")
    assert names(tmp_path) == {"data.jsonl"}


def test_a_full_standard_output_is_an_error(bundle: Path, data: str, cli: Cli) -> None:
    result = cli.onto_full_disk("report", bundle, data, *OPTIONS, "--json", "-")
    assert result.code == 2
    assert re.fullmatch("portrait: error: standard output: No space left on device\n", result.err)
    assert cli.into_closed_pipe("report", bundle, data, *OPTIONS) == (141, "", "")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    bundle: Path, data: str, cli: Cli
) -> None:
    block = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'pyarrow':\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "from portrait.cli.main import main\n"
        "main()"
    )
    result = cli("report", bundle, data, *OPTIONS, program=("-c", block))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("portrait: error: this needs pyarrow, which is not installed: pip install ")


def test_memory_does_not_grow_with_the_texts(bundle: Path, tmp_path: Path) -> None:
    """Check that ten times the rows, all of them found, take hardly more memory."""
    code = (
        "import resource, sys, portrait\n"
        "portrait.report(sys.argv[1], sys.argv[2], columns=['question', 'answer'], worst=10)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for n in (4_000, 40_000):
        path = write_jsonl(tmp_path / f"{n}.jsonl", [ROWS[i % 5] | {"n": i} for i in range(n)])
        result = subprocess.run(
            [sys.executable, "-c", code, bundle, path], check=True, capture_output=True, text=True
        )
        peaks.append(int(result.stdout) * 1024)
    grown = path.stat().st_size * 9 // 10
    assert peaks[1] - peaks[0] < grown / 2
