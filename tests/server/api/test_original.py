"""Reports in the form of the original server, checked against a slow implementation of its definitions."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from portrait_server.api.original import WindowReport, report
from support.live import FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path

TEXT = f"He wrote:\n\n {FERRY[:120]}\tand then {FERRY[30:110]}. No more."


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> portrait.Portrait:
    """A portrait of one text."""
    windows = portrait.WindowSpec(sampling=portrait.Stride(25))
    return portrait.open(build(tmp_path_factory.mktemp("original") / "ferry.portrait", FERRY, windows))


def example(hits: str, *chains: list[int]) -> WindowReport:
    """Return a report on a text of letters, with windows of three characters."""
    doc = "abcdefghij"[: len(hits) + 2]
    origins = [(i, i + 1) for i in range(len(doc))]
    return WindowReport(
        "p", 3, 2, doc, origins, list(range(len(hits))), [c == "x" for c in hits], list(chains)
    )


def test_chains_are_maximal_runs_of_hits(opened: portrait.Portrait) -> None:
    answer = report(opened, TEXT)
    assert answer.doc == " ".join(TEXT.split())
    assert answer.hits == [bool(hit) for hit in opened.hits(TEXT)["main"]]
    assert answer.windows == list(range(len(answer.hits)))
    runs = []
    for first, hit in enumerate(answer.hits):
        if hit and (first < answer.gap or not answer.hits[first - answer.gap]):
            run = [first]
            while run[-1] + answer.gap < len(answer.hits) and answer.hits[run[-1] + answer.gap]:
                run.append(run[-1] + answer.gap)
            runs.append(run)
    assert answer.chains == sorted(runs, key=len, reverse=True)
    for (start, end), chain in zip(answer.spans(), answer.chains, strict=True):
        assert " ".join(TEXT[start:end].split()) == answer.doc[chain[0] : chain[-1] + answer.width]


def test_windows_that_the_text_chooses_are_listed_alone(tmp_path: Path) -> None:
    opened = portrait.open(build(tmp_path / "ferry.portrait", FERRY, portrait.WindowSpec()))
    text = (
        f"He wrote: {FERRY[:200]} and no more than that, whatever they say of him in the harbour of the town."
    )
    answer = report(opened, text)
    assert answer.windows == opened.asked(text)
    assert 0 < len(answer.windows) < len(text) / 15
    assert answer.segments() == [answer.doc[at : at + 50] for at in answer.windows]
    runs = [list(run) for hit, run in groupby(range(len(answer.hits)), answer.hits.__getitem__) if hit]
    expected = [[answer.windows[i] for i in run] for run in runs]
    assert answer.chains == sorted(expected, key=len, reverse=True)
    assert len(answer.chains[0]) >= 2


def test_segments_are_the_windows_of_chains() -> None:
    answer = example("x.x.x...", [0, 2, 4])
    assert answer.segments()[:3] == ["abc", "bcd", "cde"]
    assert answer.chain_segments() == [["abc", "cde", "efg"]]
    assert answer.spans() == [(0, 7)]


def test_brackets_count_the_chains_that_cover_a_stretch() -> None:
    answer = example("xx.x....", [1, 3], [0])
    assert answer.brackets() == "[a][[bc]][def]ghij"
    one, two = (f"{{\\sethlcolor{{quoted!{n}}}\\hl{{" for n in (20, 40))
    assert answer.latex() == (f"{one}a}}}}{two}bc}}}}{one}def}}}}" + "{\\sethlcolor{quoted!0}\\hl{ghij}}")


def test_a_score_is_the_share_of_windows_that_hit() -> None:
    assert example("xx.x").score() == {
        "too_short": False,
        "numerator": 3,
        "denominator": 4,
        "quip_25_beta": 0.75,
    }
    assert example("").score()["quip_25_beta"] is None


def test_a_text_without_windows_has_no_badness(opened: portrait.Portrait) -> None:
    fields = report(opened, "short").to_dict(3)
    assert (fields["idx"], fields["doc"], fields["longest_chain"]) == (3, "short", 0)
    assert (fields["expected_longest"], fields["badness"]) == (0, 0.0)
    spec = opened.spec
    assert fields["sketch_signature"] == f"ferry [{spec.width}-{spec.sampling.gap}]"


def test_the_size_of_a_report_is_known_in_advance(opened: portrait.Portrait) -> None:
    for text in (FERRY, TEXT, "é漢 " * 500):
        answer = report(opened, text)
        fields = answer.to_dict(0)
        size = len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
        assert 0.8 < answer.n_json_bytes(every_window=True) / size < 1.25
        del fields["segments"]
        size = len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
        assert answer.n_json_bytes(every_window=False) < size * 1.25
