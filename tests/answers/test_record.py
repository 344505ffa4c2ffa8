"""Flat records of answers."""

from __future__ import annotations

from support.evidence import ask, chain, evidence

from portrait.answers.record import (
    ANSWER_FIELDS,
    FIELDS,
    LAYER_FIELDS,
    MATCH_FIELDS,
    PORTRAIT_FIELDS,
    to_record,
)

ANSWER = ask(
    evidence(chain(0, 4), fpr=0.01, source="a"),
    evidence(fpr=0.01, source="b"),
    evidence(chain(30, 9), fpr=0.01, source="c"),
)


def test_a_record_has_the_answer_s_fields_and_a_summary_of_its_layers() -> None:
    record = to_record(ANSWER, matches=False, qualified=False)
    assert list(record) == [*FIELDS, "sources"]
    assert {**ANSWER_FIELDS, **LAYER_FIELDS} == FIELDS
    assert all(record[name] == getattr(ANSWER, name) for name in ANSWER_FIELDS)
    assert record["hit_rate"] == 9 / 100
    assert record["sources"] == ["a", "c"]


def test_sources_of_several_portraits_are_qualified_with_the_portrait_s_name() -> None:
    assert to_record(ANSWER, matches=False, qualified=True)["sources"] == ["pile:a", "pile:c"]


def test_several_portraits_are_listed_each_with_its_own_length() -> None:
    record = to_record(ANSWER, matches=False, qualified=True)
    assert list(record) == [*FIELDS, "sources", "portraits"]
    (portrait,) = record["portraits"]
    assert list(portrait) == list(PORTRAIT_FIELDS)
    assert portrait == {
        "portrait": "pile",
        "verdict": "found",
        "detectable_length": ANSWER.detectable_length,
        "counting": "characters, runs of white space counted as one",
    }


def test_matches_are_listed_on_request() -> None:
    matches = to_record(ANSWER, matches=True, qualified=False)["matches"]
    assert matches == [
        {"portrait": "pile", "source": layer.source, **match.to_dict()} for layer, match in ANSWER.matches
    ]
    assert [list(match) for match in matches] == [list(MATCH_FIELDS)] * 2
