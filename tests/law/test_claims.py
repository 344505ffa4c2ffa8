"""What the outputs claim is true: lengths, of the text that they count; and words, of the evidence."""

from __future__ import annotations

import html
import json
import random
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from portrait_server import create_app
from support import oracle, samples
from support.places import DOCS, ROOT

import portrait
from portrait.cli.main import cli
from portrait.evidence import FORGEABLE

if TYPE_CHECKING:
    from pathlib import Path

    from portrait import Portrait

PHRASE = "runs of white space counted as one"
#: A length that a sentence claims, and the words after it.
CLAIM = re.compile(r"([\d,]+) (characters|bytes|words) or more(?: \(([^)]*)\))?")


def code(n_lines: int = 400) -> str:
    """Return lines of code, deeply indented as the bodies of nested loops are."""
    dice = random.Random(7)
    names = ["".join(dice.choices("abcdefghijklmnop", k=dice.randint(3, 7))) for _ in range(300)]
    return "\n".join(
        f"{' ' * 4 * dice.randint(6, 10)}{dice.choice(names)} = {dice.choice(names)}" for _ in range(n_lines)
    )


CODE = code()
#: A passage that stands in the corpus character by character, in text that does not.
PASSAGE = CODE[40:277]
QUESTION = f"{'zwölf Boxkämpfer jagen Viktor. ' * 9}{PASSAGE}{' quer über den großen Sylter Deich.' * 9}"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a file of indented code, its portrait, and a question as a row of data."""
    where = tmp_path_factory.mktemp("claims")
    (where / "code.txt").write_text(CODE)
    (where / "data.jsonl").write_text(json.dumps({"text": QUESTION}) + "\n")
    portrait.build(where / "code.txt", where / "code.portrait")
    return where


@pytest.fixture(scope="module")
def opened(corpus: Path) -> Portrait:
    """The portrait of indented code."""
    return portrait.open(corpus / "code.portrait")


def run(*arguments: object) -> str:
    """Run a command and return what it prints."""
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exit_code in (0, 1), result.output
    return str(result.output)


def page_text(client_html: str) -> str:
    """Return the text of a page, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", client_html)).split())


def outputs(corpus: Path, opened: Portrait) -> dict[str, str]:
    """Return every text that states a length, by where it stands."""
    bundle = corpus / "code.portrait"
    report = portrait.report(opened, corpus / "data.jsonl")
    app = create_app({"PORTRAITS": [bundle]})
    return {
        "query": run("query", bundle, QUESTION),
        "query --json": json.loads(run("query", bundle, QUESTION, "--json"))["reason"],
        "snippet": page_text(opened.query(QUESTION).to_html()),
        "info": run("info", bundle),
        "plan": run("plan", corpus / "code.txt"),
        "report": run("report", bundle, corpus / "data.jsonl"),
        "report page": page_text(report.to_html()),
        "page": page_text(app.test_client().post("/", data={"text": QUESTION}).text),
        "card": (bundle / "README.md").read_text(encoding="utf-8"),
    }


def test_a_passage_of_237_characters_of_indented_code_is_not_found(opened: Portrait) -> None:
    assert len(PASSAGE) == 237
    assert PASSAGE in CODE
    answer = opened.query(QUESTION)
    assert answer.verdict == "not_found"
    assert answer.detectable_length is not None
    assert answer.detectable_length < len(PASSAGE)
    normalised, _ = opened.normalize(PASSAGE)
    assert len(normalised) < answer.detectable_length
    length = f"{answer.detectable_length} characters or more ({PHRASE})"
    assert answer.reason == f"no passage of {length} appears verbatim in the corpus"


def test_every_length_says_what_it_counts(corpus: Path, opened: Portrait) -> None:
    for where, text in outputs(corpus, opened).items():
        claims = CLAIM.findall(text)
        assert PHRASE in text, where
        for number, unit, manner in claims:
            assert (unit, manner) == ("characters", PHRASE), f"{where}: {number} {unit} {manner}"
    # The page states the same length with the answer's facts.
    length = opened.query(QUESTION).detectable_length
    assert f"Shortest copy sure to be seen {length} characters ({PHRASE})" in outputs(corpus, opened)["page"]


def test_the_length_that_an_answer_denies_is_in_no_document(corpus: Path, opened: Portrait) -> None:
    stored, _ = oracle.normalise(CODE)
    asked, _ = oracle.normalise(QUESTION)
    texts = outputs(corpus, opened)
    for where in ("query", "query --json", "snippet", "page"):
        denied = [int(number.replace(",", "")) for number, *_ in CLAIM.findall(texts[where])]
        assert denied, where
        for length in denied:
            common = [asked[i : i + length] in stored for i in range(len(asked) - length + 1)]
            assert not any(common), where


def test_the_length_that_hits_does_so_in_each_document(opened: Portrait) -> None:
    stored, _ = oracle.normalise(CODE)
    length = opened.spec.guaranteed_length
    for start in range(0, len(stored) - length, 37):
        passage = stored[start : start + length]
        # Normalising would trim a space at an end, and so make the passage shorter.
        if passage.strip() == passage:
            assert 1 in opened.hits(passage)["main"]


spaced = st.lists(
    st.tuples(st.text("abcd", min_size=1, max_size=3), st.text(" \n\t", min_size=1, max_size=9)),
    min_size=20,
    max_size=60,
).map(lambda pieces: "".join(word + space for word, space in pieces))


@settings(max_examples=40, deadline=None)
@given(spaced, st.data())
def test_a_text_with_runs_of_white_space_has_no_passage_of_the_length_that_is_denied(
    document: str, data: st.DataObject
) -> None:
    opened = samples.build({"main": [document]}, portrait.WindowSpec(12, portrait.Stride(4))).portrait
    start = data.draw(st.integers(0, len(document) - 1), label="start")
    size = data.draw(st.integers(1, 120), label="size")
    text = f"{'efgh ' * 9}{document[start : start + size]}{' hgfe' * 9}"
    answer = opened.query(text)
    if answer.verdict != "not_found":
        return
    ((number, unit, manner),) = CLAIM.findall(answer.reason)
    assert (unit, manner) == ("characters", PHRASE)
    stored, asked = (oracle.normalise(one)[0] for one in (document, text))
    length = int(number)
    assert not any(asked[i : i + length] in stored for i in range(len(asked) - length + 1))


def test_portraits_that_count_differently_are_asked_together(corpus: Path, opened: Portrait) -> None:
    windows = portrait.WindowSpec(13, portrait.Stride(1), "word", "loose")
    words = portrait.build({"main": corpus / "code.txt"}, corpus / "words.portrait", windows=windows)
    text = "天地玄黃宇宙洪荒日月盈昃辰宿列張" * 6
    answer = portrait.query([words, opened], text)
    assert [one.units for one in answer.portraits] == [1, 96]
    assert "words: the text has 1 word (" in answer.reason
    assert "code: the text has 96 characters (" in answer.reason
    assert answer.verdict == "inconclusive"
    # Each portrait says what it says alone.
    for one, alone in zip(answer.portraits, (words.query(text), opened.query(text)), strict=True):
        assert one == alone.portraits[0]
    printed = run("query", corpus / "words.portrait", corpus / "code.portrait", text)
    assert answer.reason in printed
    as_json = json.loads(run("query", corpus / "words.portrait", corpus / "code.portrait", text, "--json"))
    assert [one["units"] for one in as_json["portraits"]] == [1, 96]
    (row,) = run(
        "scan", "-q", corpus / "words.portrait", corpus / "code.portrait", corpus / "data.jsonl"
    ).splitlines()
    assert [one["counting"] for one in json.loads(row)["portraits"]] == [
        windows.counting,
        opened.spec.counting,
    ]
    report = portrait.report([words, opened], corpus / "data.jsonl")
    assert [one.portrait for one in report.findings.portraits] == ["words", "code"]
    summary = run("report", corpus / "words.portrait", corpus / "code.portrait", corpus / "data.jsonl")
    assert "words  " in summary
    assert windows.length(report.findings.portraits[0].detectable_length.least, "or more") in summary  # type: ignore[union-attr]
    app = create_app({"PORTRAITS": [corpus / "words.portrait", corpus / "code.portrait"]})
    client = app.test_client()
    (served,) = client.post("/v1/query", json={"text": text}).get_json()["answers"]
    assert sorted(one["units"] for one in served["portraits"]) == [1, 96]
    shown = page_text(client.post("/", data={"text": text}).text)
    assert f"words: {answer.portraits[0].detectable}" in shown
    assert f"code: {answer.portraits[1].detectable}" in shown


@pytest.mark.parametrize("evalue", [1e-5, 0.01, 10.0])
def test_scan_and_report_agree_at_the_same_threshold(evalue: float, corpus: Path) -> None:
    rows = [QUESTION, CODE[500:900], "short", CODE[1000:1180], "x" * 300]
    (corpus / "rows.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in rows))
    asked = (corpus / "code.portrait", corpus / "rows.jsonl", "--evalue", evalue)
    scanned, reported = run("scan", *asked), run("report", *asked)
    (chance,) = re.findall(r"At the threshold of .*", scanned)
    assert f"At the threshold of {evalue:g} a row" in chance
    assert chance in reported
    report = portrait.report(corpus / "code.portrait", corpus / "rows.jsonl", evalue=evalue)
    totals = report.findings.totals
    assert (
        f"5 rows: {totals.found.count} found, {totals.not_found.count} not found, "
        f"{totals.inconclusive.count} inconclusive"
    ) in scanned
    assert report.to_dict()["evalue"] == evalue


def test_the_docs_quote_what_forging_costs() -> None:
    command = [sys.executable, "forgery.py"]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", capture_output=True, text=True, check=True)
    assert f"```\n{done.stdout}```\n" in (DOCS / "answers.md").read_text(encoding="utf-8")


def test_every_page_that_explains_an_answer_says_that_texts_can_be_forged(
    corpus: Path, opened: Portrait
) -> None:
    pages = {
        "card": (corpus / "code.portrait" / "README.md").read_text(encoding="utf-8"),
        "report": portrait.report(opened, corpus / "data.jsonl").to_html(),
        "page": create_app({"PORTRAITS": [opened.path]}).test_client().get("/").text,
        "README": (ROOT / "README.md").read_text(encoding="utf-8"),
        "answers": (DOCS / "answers.md").read_text(encoding="utf-8"),
        "report docs": (DOCS / "report.md").read_text(encoding="utf-8"),
        "page docs": (DOCS / "page.md").read_text(encoding="utf-8"),
    }
    for name, text in pages.items():
        assert FORGEABLE in page_text(text), name
