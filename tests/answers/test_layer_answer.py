"""What layers say, and what the layers of one portrait say together."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from support.evidence import ask, chain, evidence

from portrait.answers.layer_answer import LayerAnswer, by_portrait, longest_detectable
from portrait.answers.scan import Stretch

ANSWER = ask(
    evidence(chain(0, 19, distinct=2), source="a"),
    evidence(source="b"),
    replace(evidence(source="a"), number=1),
)


def test_each_portrait_speaks_for_its_own_layers_even_if_two_have_one_name() -> None:
    first, second = by_portrait(ANSWER.layers)
    assert (first.portrait, second.portrait) == ("pile", "pile")
    assert (first.verdict, second.verdict) == ("inconclusive", "not_found")
    assert (first.evalue, second.evalue) == (ANSWER.layers[0].evalue, None)
    assert (first.units, first.spec) == (109, ANSWER.layers[0].spec)


def test_a_layer_s_answer_as_an_object_has_its_rate_and_its_approximate_match() -> None:
    found = ask(evidence(chain(0, 5), stretch=Stretch(0, 55, 12, 8, 20.0, 0, 65))).layers[0]
    assert found.approximate is not None
    content = found.to_dict()
    assert content["approximate"] == found.approximate.to_dict()
    assert content["matches"] == [match.to_dict() for match in found.matches]
    assert (content["hits"], content["windows"], content["hit_rate"]) == (5, 100, 0.05)
    nothing = ask(evidence(units=3)).layers[0].to_dict()
    assert (nothing["windows"], nothing["hit_rate"], nothing["approximate"]) == (0, 0.0, None)


def test_a_layer_belongs_to_the_first_portrait_unless_it_says_otherwise() -> None:
    given = {field.name: getattr(ANSWER.layers[0], field.name) for field in fields(LayerAnswer)}
    del given["number"]
    assert len(by_portrait([ANSWER.layers[0], LayerAnswer(**given)])) == 1


def test_a_portrait_s_answer_says_what_its_lengths_count() -> None:
    first, _ = by_portrait(ANSWER.layers)
    assert first.to_dict() == {
        "portrait": "pile",
        "verdict": "inconclusive",
        "evalue": first.evalue,
        "units": 109,
        "detectable_length": first.detectable_length,
        "detectable": f"{first.detectable_length} characters (runs of white space counted as one)",
        "counting": "characters, runs of white space counted as one",
    }
    assert replace(first, detectable_length=None).detectable == "none"


@pytest.mark.parametrize(
    ("lengths", "longest"), [([74], 74), ([74, 99, 74], 99), ([74, None], None), ([None], None)]
)
def test_several_layers_have_the_largest_of_their_lengths(
    lengths: list[int | None], longest: int | None
) -> None:
    assert longest_detectable(lengths) == longest
