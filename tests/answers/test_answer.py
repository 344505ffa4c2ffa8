"""``Answer``: its fields, their order, and its JSON object."""

from __future__ import annotations

import json
from dataclasses import replace

from support import samples
from support.evidence import ask, chain, evidence

import portrait
from portrait.answers.scan import Stretch


def test_hit_rate_is_hits_per_window_tested() -> None:
    assert ask(evidence(chain(0, 4), chain(50, 1))).layers[0].hit_rate == 5 / 100
    assert ask(evidence(units=3)).layers[0].hit_rate == 0.0


def test_an_answer_has_the_same_fields_in_every_form() -> None:
    opened = samples.build(
        {"a": ["it was the best of times"], "b": ["天地玄黃"]}, portrait.WindowSpec(8, portrait.Stride(4))
    )
    answer = opened.portrait.query("why,  it was the best of times!")
    result = answer.to_dict()
    assert list(result) == [
        "verdict",
        "reason",
        "evalue",
        "detectable_length",
        "coverage",
        "longest_match",
        "exact_document",
        "portraits",
        "layers",
    ]
    assert result["portraits"] == [
        {
            "portrait": "sample",
            "verdict": "found",
            "evalue": result["evalue"],
            "units": 30,
            "detectable_length": result["detectable_length"],
            "detectable": f"{result['detectable_length']} characters (runs of white space counted as one)",
            "counting": "characters, runs of white space counted as one",
        }
    ]
    for layer in result["layers"]:
        assert list(layer) == [
            "portrait",
            "source",
            "verdict",
            "windows",
            "hits",
            "hit_rate",
            "fpr",
            "evalue",
            "matches",
            "approximate",
        ]
    assert [layer["source"] for layer in result["layers"]] == ["a", "b"]
    assert {layer["portrait"] for layer in result["layers"]} == {"sample"}
    (match,) = result["layers"][0]["matches"]
    assert list(match) == ["start", "end", "windows", "evalue"]
    assert (match["start"], match["end"], match["windows"]) == (6, 30, 5)
    assert result["reason"]
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_matches_are_in_text_order_and_the_longer_comes_first() -> None:
    answer = ask(
        evidence(chain(30, 4), fpr=0.01, source="a"),
        evidence(chain(0, 4), chain(30, 9), fpr=0.01, source="b"),
    )
    assert [(layer.source, match.start, match.end) for layer, match in answer.matches] == [
        ("b", 0, 25),
        ("b", 30, 80),
        ("a", 30, 55),
    ]


def test_the_reason_covers_all_layers() -> None:
    answer = ask(evidence(chain(0, 4), fpr=0.01, source="a"), evidence(chain(30, 9), fpr=0.01, source="b"))
    assert answer.reason.startswith("2 passages match, the longest of 50 characters of this text; ")


def test_the_reason_tells_of_an_edited_copy_only_where_there_is_one() -> None:
    plain = ask(evidence(source="a"), evidence(source="b"))
    edited = ask(evidence(source="a"), evidence(source="b", stretch=Stretch(0, 55, 12, 8, 20.0, 0, 65)))
    assert plain.verdict == edited.verdict == "not_found"
    assert "edits" not in plain.reason
    assert "8 of 12 windows of characters 0-65" in edited.reason


def test_the_text_that_was_asked_about_is_not_shown_and_does_not_tell_answers_apart() -> None:
    one = ask(evidence(chain(0, 9)))
    other = replace(one, text="another text with the same answer")
    assert one == other
    assert "another text" not in repr(other)


def test_the_reason_names_a_missing_document_key_only_if_the_text_has_no_window_either() -> None:
    missing = "no key of documents shorter than a window was stored"
    assert missing in ask(evidence(units=7, document=None)).reason
    assert missing not in ask(evidence(units=7, document=False)).reason
    assert missing not in ask(evidence(document=None)).reason
    # A text that has windows for one portrait has some for the answer as a whole.
    assert missing not in ask(evidence(units=7, document=None), evidence(document=None)).reason


def test_what_chance_is_expected_to_find_adds_up_over_layers_and_is_at_most_one_text() -> None:
    two = ask(evidence(fpr=0.01), evidence(fpr=0.001, source="b"))
    first, second = (layer.expected_by_chance for layer in two.layers)
    assert 0 < second < first < 0.01
    assert two.expected_by_chance == first + second
    sure = ask(evidence(fpr=0.5, units=20), threshold=1000)
    assert sure.layers[0].expected_by_chance > 1
    assert sure.expected_by_chance == 1.0
