"""``portrait query`` as people run it: exit codes, where the text comes from, and what is shown."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING

import pytest

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

STORY = (
    "The ferry to Norham left without its bell that winter, and the passengers learned to listen for "
    "the engine instead; by Easter they could tell the pilot by the way he throttled down before the pier."
)
VERSE = "seven lamps, six moths"
#: Long enough to be folded in the middle when all of it matches.
LEDGER = " ".join(f"{random.Random(1).getrandbits(32) * n % 99991}" for n in range(1, 1500))
#: A document with escape sequences that clear the screen and rename the window.
HOSTILE = (
    "The dam keeper\x1b[2J wrote his name\x1b]0;gone\x07 on a wall\x9b1m that was not his\u202e to walk on\n"
    * 3
)
CORPUS = {"letters": [STORY, VERSE], "ledger": [LEDGER], "walls": [HOSTILE]}

LETTER = f"Dear Ada, I copied this for you. {STORY} Was it not so?"
STRANGE = (
    "Nobody had asked the cartographer why the northern islands were drawn upside down on each map. " * 3
)
SHORT = "why the northern islands"

#: An escape sequence that sets a colour or style.
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two small portraits, ``known.portrait`` and ``other.portrait``."""
    directory = tmp_path_factory.mktemp("shelf")
    for source, documents in CORPUS.items():
        (directory / source).mkdir()
        for i, document in enumerate(documents):
            (directory / source / f"{i}.txt").write_text(document, encoding="utf-8")
    sources = {source: directory / source for source in CORPUS}
    portrait.build(sources, directory / "known.portrait", short_documents=True)
    portrait.build({"again": directory / "letters"}, directory / "other.portrait")
    return directory


@pytest.fixture(scope="session")
def bundle(shelf: Path) -> Path:
    """The path of ``known.portrait``."""
    return shelf / "known.portrait"


@pytest.mark.parametrize(
    ("text", "code", "prefix"),
    [
        (LETTER, 0, "FOUND: 1 passage of "),
        (STRANGE, 1, "NOT FOUND: no passage of "),
        (
            SHORT,
            1,
            "INCONCLUSIVE: the text has 24 characters (runs of white space counted as one); only a copy of ",
        ),
    ],
    ids=["found", "not found", "inconclusive"],
)
def test_the_exit_code_is_0_only_if_the_text_is_found(
    text: str, code: int, prefix: str, cli: Cli, bundle: Path
) -> None:
    result = cli.here("query", bundle, text)
    assert (result.code, result.err) == (code, "")
    assert result.out.startswith(prefix)
    assert f"{portrait.open(bundle).query(text).reason}.\n" in result.out
    assert cli.here("query", bundle, text, "-q") == (code, "", "")
    assert cli.here("query", bundle, text, "-q", "--json") == (code, "", "")


@pytest.mark.parametrize("arguments", [["-f", "letter.txt"], ["--file", "-"], ["-f-"], []])
def test_the_text_may_come_from_a_file_or_from_standard_input(
    arguments: list[str], cli: Cli, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_bytes(b"\xef\xbb\xbf" + LETTER.encode())
    stdin = b"" if "letter.txt" in arguments else LETTER.encode()
    assert cli("query", bundle, *arguments, stdin=stdin) == cli.here("query", bundle, LETTER)


@pytest.mark.parametrize("text", [LETTER, STRANGE, SHORT, VERSE, "", HOSTILE, "«»\u2028\n\U0001f980" * 40])
def test_json_is_the_library_s_answer_on_one_line(text: str, cli: Cli, bundle: Path) -> None:
    answer = portrait.open(bundle).query(text)
    result = cli("query", bundle, "-f", "-", "--json", stdin=text.encode())
    assert (result.code, result.err) == (0 if answer.verdict == "found" else 1, "")
    (line,) = result.out.splitlines()
    assert result.out == f"{line}\n"
    assert json.loads(line) == answer.to_dict()


def test_several_portraits_are_queried_at_once(cli: Cli, shelf: Path) -> None:
    paths = [shelf / "known.portrait", shelf / "other.portrait"]
    answer = portrait.query([portrait.open(path) for path in paths], LETTER)
    assert json.loads(cli.here("query", *paths, LETTER, "--json").out) == answer.to_dict()
    result = cli("query", *paths, stdin=LETTER.encode())
    assert result.code == 0
    # Both portraits hold the same passage, which is listed once.
    assert re.findall(r"  in (.+?)  \d", result.out) == ["known:letters, other:again"]


def test_every_source_has_a_colour_of_its_own(cli: Cli, shelf: Path) -> None:
    (shelf / "a.txt").write_text(STORY)
    (shelf / "b.txt").write_text(STORY[::-1])
    built = portrait.build({"there": shelf / "a.txt", "back": shelf / "b.txt"}, shelf / "both.portrait")
    result = cli.here("query", built.path, f"{STORY} And {STORY[::-1]}", "--color", "always")
    assert set(re.findall(r"in \x1b\[(\d+)m(\w+)\x1b", result.out)) == {("31", "back"), ("36", "there")}


def test_the_threshold_can_be_chosen(cli: Cli, bundle: Path) -> None:
    value = portrait.open(bundle).query(LETTER).evalue
    assert value is not None
    assert cli.here("query", bundle, LETTER, "--evalue", str(value * 2), "-q").code == 0
    assert cli.here("query", bundle, LETTER, "--evalue", str(value / 2), "-q").code == 1


def test_a_match_is_marked_in_the_text(cli: Cli, bundle: Path) -> None:
    ((layer, match),) = portrait.open(bundle).query(LETTER).matches
    result = cli.here("query", bundle, LETTER)
    assert re.findall("»(.*)«", result.out) == [LETTER[match.start : match.end]]
    assert f"  {LETTER[: match.start]}»" in result.out
    assert f"«{LETTER[match.end :]}\n" in result.out
    place = f"  characters {match.start}-{match.end} ({match.end - match.start})  in {layer.source}  "
    assert place in result.out


@pytest.mark.parametrize(
    ("stream", "options", "environment", "coloured"),
    [
        ("stdout", [], {}, True),
        ("stdout", ["--color", "never"], {}, False),
        ("stdout", [], {"NO_COLOR": "1"}, False),
        ("stdout", [], {"NO_COLOR": ""}, True),
        ("stdout", [], {"TERM": "dumb"}, False),
        ("stdout", ["--color", "always"], {"NO_COLOR": "1"}, True),
        ("stderr", [], {}, False),
        ("stderr", ["--color", "always"], {}, True),
        ("stderr", ["--color", "auto"], {"NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_used_on_terminals_and_on_request(
    stream: str, options: list[str], environment: dict[str, str], coloured: bool, cli: Cli, bundle: Path
) -> None:
    result = cli.on_terminal(stream, "query", bundle, LETTER, *options, environment=environment)
    plain = cli.here("query", bundle, LETTER).out
    assert (result.code, result.err) == (0, "")
    if not coloured:
        assert result.out == plain
        return
    (match,) = re.findall("»(.*)«", plain)
    assert re.findall(r"m([^\x1b]+)\x1b\[0m", result.out) == ["FOUND", match, "letters"]
    assert COLOUR.sub("", result.out) == plain.replace(f"»{match}«", match)


@pytest.mark.parametrize(
    "text",
    [HOSTILE, f"\x1b[2J\x07{LETTER}\r\x1b]0;x\x07\x00\x9b2J\u202e", f"{STORY}\x1b[8m\n\x1b[31m{STORY}"],
    ids=["in a match", "around a match", "between matches"],
)
def test_a_text_cannot_control_the_terminal(text: str, cli: Cli, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(text.encode())
    coloured = cli.on_terminal("stdout", "query", bundle, "-f", "text")
    plain = cli.here("query", bundle, "-f", "text", "--color", "never")
    for result in (coloured, plain):
        assert result.code == 0
        assert r"\x1b[" in result.out
    own = {"\x1b[0m", "\x1b[1m", "\x1b[4m", "\x1b[31m"}
    assert set(COLOUR.findall(coloured.out)) == own
    # Matches are red; escape sequences in the text itself are escaped.
    assert coloured.out.count("\x1b[31m") == coloured.out.count("\x1b[0m")
    for output in (COLOUR.sub("", coloured.out), plain.out):
        assert all(line.isprintable() for line in output.split("\n"))


def test_text_far_from_a_match_is_folded(cli: Cli, bundle: Path) -> None:
    far = "0123456789 " * 1000
    text = f"{far}{STORY}{far}{STORY}{far}"
    result = cli("query", bundle, "-f-", stdin=text.encode())
    assert result.code == 0
    excerpt = re.search(
        r"^  \[…\] (.*)»(.*)«(.*) \[…\] (.*)»(.*)«(.*) \[…\]$", result.out, flags=re.MULTILINE
    )
    assert excerpt is not None
    assert all(one in text for one in excerpt.groups())
    assert [len(one) <= 60 for one in excerpt.groups()] == [True, False, True] * 2


def test_a_long_match_is_folded_in_the_middle(cli: Cli, bundle: Path) -> None:
    result = cli.here("query", bundle, LEDGER)
    (marked_text,) = re.findall("»(.*)«", result.out)
    first, last = marked_text.split(" […] ")
    # A match may leave out what is less than a span at its ends.
    assert 0 <= LEDGER.find(first) < 42
    assert LEDGER.rfind(last) + len(last) > len(LEDGER) - 42
    assert 1000 < len(marked_text) < 4000 < len(LEDGER)


@pytest.mark.parametrize(("text", "code"), [(STORY, 0), (VERSE, 1)])
def test_a_whole_document_is_recognised_at_any_length(text: str, code: int, cli: Cli, bundle: Path) -> None:
    line = "\nThe very text seems to be a document of the corpus, as far as its key can tell.\n"
    result = cli.here("query", bundle, text)
    assert result.code == code
    assert line in result.out
    assert line not in cli.here("query", bundle, f"{text}!").out


def test_an_empty_text_can_be_queried(cli: Cli, bundle: Path) -> None:
    result = cli.here("query", bundle, "")
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("INCONCLUSIVE: the text has 0 characters")


def test_a_text_may_look_like_an_option(cli: Cli, bundle: Path) -> None:
    assert cli.here("query", bundle, "--", f"--help {LETTER}").code == 0


def test_an_argument_that_is_a_file_is_a_portrait_and_not_a_text(
    cli: Cli, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "seven lamps").write_text(LETTER)
    message = cli.refused("query", bundle, "seven lamps", stdin=LETTER.encode())
    assert message == "seven lamps: not a portrait: it holds no portrait.json"
    assert cli("query", bundle, "-f", "-", stdin=b"seven lamps").code == 1


REFUSED: dict[str, tuple[list[str | bytes], str]] = {
    "surrogates": (["KNOWN", b"caf\xe9 au lait"], "the text is not valid Unicode: lone surrogate U+DCE9 at "),
    "no such file": (["KNOWN", "-f", "missing.txt"], "missing.txt: No such file or directory"),
    "hostile file": (["KNOWN", "-f", "\x1b[2J\n"], r"\x1b[2J\n: No such file or directory"),
    "directory": (["KNOWN", "-f", "foreign"], "foreign: Is a directory"),
    "Latin-1": (["KNOWN", "-f", "latin.txt"], "latin.txt: not UTF-8 at byte 3: convert it first"),
    "no file": (["KNOWN", "-f", ""], ""),
    "E-value 0": (["KNOWN", "x", "--evalue", "0"], "the E-value threshold must be a positive number up to "),
    "E-value -1": (
        ["KNOWN", "x", "--evalue", "-1"],
        "the E-value threshold must be a positive number up to ",
    ),
    "E-value nan": (["KNOWN", "x", "--evalue", "nan"], "the E-value threshold must be a positive number up "),
    "E-value inf": (["KNOWN", "x", "--evalue", "inf"], "the E-value threshold must be a positive number up "),
    "E-value word": (
        ["KNOWN", "x", "--evalue", "few"],
        "Invalid value for '--evalue': 'few' is not a valid ",
    ),
    "colour": (["KNOWN", "x", "--color", "pink"], "Invalid value for '--color': 'pink' is not one of "),
    "missing": (["missing.portrait", "x"], "missing.portrait: no such file or directory"),
    "missing among": (["KNOWN", "missing.portrait", "x"], "missing.portrait: no such file or directory"),
    "foreign": (["foreign", "x"], "foreign: not a portrait: it holds no portrait.json"),
    "option": (["KNOWN", "x", "--colour"], "No such option '--colour'"),
    "nothing": ([], "Missing argument 'PORTRAIT... [TEXT]': see portrait query --help"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_invalid_command_is_refused_in_one_line(kind: str, cli: Cli, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 au lait")
    arguments, prefix = REFUSED[kind]
    message = cli.refused_here("query", *(bundle if one == "KNOWN" else one for one in arguments))
    assert message.startswith(prefix)


def test_standard_input_that_is_not_utf_8_is_refused(cli: Cli, bundle: Path) -> None:
    message = cli.refused("query", bundle, stdin=b"caf\xe9")
    assert message == "standard input: not UTF-8 at byte 3: convert it first"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_pipe_that_is_closed_early_is_not_an_error(options: list[str], cli: Cli, bundle: Path) -> None:
    many = " ".join(f"{STORY} {n:099}" for n in range(2000)).encode()
    with cli.start("query", bundle, "-f-", *options) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(many)
        process.stdin.close()
        assert len(process.stdout.read(10)) == 10
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("option", ["", "--json", "--help"])
def test_a_closed_pipe_exits_141(option: str, cli: Cli, bundle: Path) -> None:
    assert cli.into_closed_pipe("query", bundle, LETTER, *option.split()) == (141, "", "")


def test_a_full_disk_is_not_an_internal_error(cli: Cli, bundle: Path) -> None:
    result = cli.onto_full_disk("query", bundle, LETTER)
    assert result.code == 2
    assert re.fullmatch("portrait: error: (?!internal).*No space left on device.*\n", result.err)


def test_closed_standard_input_is_refused(cli: Cli, bundle: Path) -> None:
    close = ("-c", "import os, sys; os.close(0); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])")
    result = cli("-m", "portrait", "query", bundle, program=close)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("portrait: error: standard input: ")


def test_ctrl_c_exits_130(cli: Cli, bundle: Path) -> None:
    result = cli.interrupted("query", bundle)
    assert (result.code, result.out, result.err.strip()) == (130, "", "portrait: error: interrupted")
