"""A report on a real benchmark, some of whose rows were planted into a real corpus.

The oracle is an exact search over the set of all windows that the corpus stores, as strings, without
a filter. The texts are not part of the project; where they are missing, the test is skipped.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support import oracle, second_reader
from support.places import TEXTS

import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cli

#: The files that the test reads, in the directory ``TEXTS``.
FILES = ["gsm8k-test.jsonl", "gsm8k-train.jsonl", "wikitext-2-test.txt"]
#: How the portrait cuts text into windows: the defaults.
WINDOWS = second_reader.Windows({"width": 50, "sampling": "minimizer", "span": 42, "unit": "char"})
EVALUE = 1e-5
N_PLANTED = 60


class Planted(NamedTuple):
    """A benchmark, the corpus that some of its rows were planted into, and the numbers of these rows.

    Rows are numbered from 0. The long ones are long enough to be told from chance.
    """

    rows: list[dict[str, str]]
    documents: dict[str, list[str]]
    long: set[int]
    short: set[int]


@pytest.fixture(scope="module")
def texts() -> Path:
    """The directory of the texts."""
    missing = [name for name in FILES if not (TEXTS / name).exists()]
    if missing:
        pytest.skip(f"no {missing[0]} in {TEXTS}: PORTRAIT_TEXTS names the directory that holds it")
    return TEXTS


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def respace(text: str, rng: random.Random) -> str:
    """Replace the spaces of ``text`` with other white space."""
    return "".join(rng.choice(["\n", "  ", "\n\n  ", "\t", " "]) if c == " " else c for c in text)


def normalize(text: str) -> str:
    """Apply the normaliser ``spaces``, as defined."""
    spaces = "".join(oracle.WHITE_SPACE)
    return re.sub(f"[{spaces}]+", " ", unicodedata.normalize("NFC", text)).strip(" ")


@pytest.fixture(scope="module")
def planted(texts: Path) -> Planted:
    """A benchmark, some of whose rows are planted into a corpus."""
    rng = random.Random(20)
    rows = rows_of(texts / "gsm8k-test.jsonl")
    # At this threshold, a passage of 217 characters can be told from chance in a row of this size.
    lengths = [len(normalize(row["question"])) for row in rows]
    long = set(rng.sample([i for i, n in enumerate(lengths) if n >= 217], N_PLANTED))
    short = set(rng.sample([i for i, n in enumerate(lengths) if n < 120], 10))
    wiki = (texts / "wikitext-2-test.txt").read_text(encoding="utf-8")
    places = sorted(rng.sample(range(len(wiki)), len(long | short)))
    pieces, at = [], 0
    for i, place in zip(rng.sample(sorted(long | short), len(places)), places, strict=True):
        text = rows[i]["question"]
        if i in long and rng.random() < 0.35:
            text += "\n" + rows[i]["answer"]
        if rng.random() < 0.5:
            text = respace(text, rng)
        pieces += [wiki[at:place], text]
        at = place
    train = [f"{row['question']}\n{row['answer']}" for row in rows_of(texts / "gsm8k-train.jsonl")]
    return Planted(rows, {"wiki": ["".join([*pieces, wiki[at:]])], "train": train}, long, short)


@pytest.fixture(scope="module")
def stored(planted: Planted) -> dict[str, set[str]]:
    """Every window that the corpus stores, by source."""
    windows_by_source: dict[str, set[str]] = {}
    for source, documents in planted.documents.items():
        windows = windows_by_source.setdefault(source, set())
        for document in map(normalize, documents):
            windows.update(document[i : i + WINDOWS.width] for i in WINDOWS.stored(document))
    return windows_by_source


def longest_chain(text: str, windows: set[str]) -> int:
    """Return the largest number of asked windows in a row that are really in the corpus."""
    best = chain = 0
    for i in WINDOWS.asked(text):
        chain = chain + 1 if text[i : i + WINDOWS.width] in windows else 0
        best = max(best, chain)
    return best


def test_all_long_planted_rows_are_reported_and_no_others(
    planted: Planted, stored: dict[str, set[str]], texts: Path, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "wiki.txt").write_text(planted.documents["wiki"][0], encoding="utf-8")
    train = "".join(json.dumps({"text": text}) + "\n" for text in planted.documents["train"])
    (tmp_path / "train.jsonl").write_text(train, encoding="utf-8")
    assert cli("build", "wiki=wiki.txt", "train=train.jsonl", "-o", "c.portrait", "-q").code == 0

    data = texts / "gsm8k-test.jsonl"
    files = ["--json", "r.json", "--html", "r.html", "--clean", "c.jsonl", "--contaminated", "d.jsonl"]
    options = ["--benchmark", "gsm8k", "--worst", "2000", "--fail-over", "0.04"]
    # 60 of 1319 rows are 4.5 %.
    assert cli("report", "c.portrait", data, *options, *files) == (1, "", "")

    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    reported = {row["number"] - 1: row for row in report["worst"]}
    texts_of_rows = [normalize(f"{row['question']}\n{row['answer']}") for row in planted.rows]
    chains = [
        {name: longest_chain(text, windows) for name, windows in stored.items()} for text in texts_of_rows
    ]

    # Every long planted row is reported, with the source that it was planted into.
    assert planted.long <= set(reported)
    for i in planted.long:
        (layer,) = [one for one in reported[i]["answer"]["layers"] if one["source"] == "wiki"]
        assert layer["verdict"] == "found"

    # No row is reported without windows that are really in the corpus. A chain may end with one false
    # positive, but two are ruled out by the E-value.
    epsilon = max(layer["fpr"] for layer in report["portraits"][0]["layers"])
    for i, row in reported.items():
        best = max(match["windows"] for layer in row["answer"]["layers"] for match in layer["matches"])
        assert best >= 3
        assert max(chains[i].values()) >= best - 1, planted.rows[i]

    # No row whose true chain is long enough is left out.
    for i, text in enumerate(texts_of_rows):
        enough = next(k for k in range(1, 99) if 2 * len(WINDOWS.asked(text)) * epsilon**k <= EVALUE)
        if max(chains[i].values()) >= enough:
            assert i in reported

    # Short planted rows may be missed, and then they are shorter than the detectable length.
    opened = portrait.open(tmp_path / "c.portrait")
    for i in planted.short - set(reported):
        row = planted.rows[i]
        answer = opened.query(f"{row['question']}\n{row['answer']}", evalue=EVALUE)
        assert answer.detectable_length is not None
        assert len(normalize(row["question"])) < answer.detectable_length

    assert report["totals"]["found"]["count"] == len(reported)
    assert report["totals"]["expected_by_chance"] < 0.02
    lines = data.read_bytes().splitlines(keepends=True)
    assert (tmp_path / "d.jsonl").read_bytes() == b"".join(lines[i] for i in sorted(reported))
    clean = b"".join(line for i, line in enumerate(lines) if i not in reported)
    assert (tmp_path / "c.jsonl").read_bytes() == clean
