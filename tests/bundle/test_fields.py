"""Members of a JSON object: returned if they have the right type, and named in an error if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portrait.bundle.fields import Fields, is_hexadecimal
from portrait.errors import DamagedBundleError

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT: dict[str, Any] = {
    "text": "x",
    "count": 7,
    "null": None,
    "rate": 0.25,
    "digits": "00ff",
    "texts": ["a", "b"],
    "object": {"inner": {"n": 1}},
    "objects": [{"n": 1}, {"n": 2}],
    "bool": True,
}
FIELDS = Fields(CONTENT, "portrait.json")


def test_members_of_the_right_type_are_returned() -> None:
    assert FIELDS.text("text") == "x"
    assert FIELDS.count("count") == FIELDS.count_or_null("count") == 7
    assert FIELDS.count_or_null("null") is None
    assert FIELDS.rate("rate") == 0.25
    assert FIELDS.hexadecimal("digits", 4) == "00ff"
    assert FIELDS.texts("texts") == ("a", "b")
    assert FIELDS.fields("object").fields("inner").count("n") == 1
    assert [fields.count("n") for fields in FIELDS.each("objects")] == [1, 2]


WRONG: dict[str, tuple[Callable[[Fields], object], str]] = {
    "missing": (lambda fields: fields.text("none"), "none must be a string"),
    "missing count": (lambda fields: fields.count_or_null("none"), "none must be a whole number"),
    "text": (lambda fields: fields.text("count"), "count must be a string"),
    "count": (lambda fields: fields.count("rate"), "rate must be a whole number"),
    "boolean count": (lambda fields: fields.count("bool"), "bool must be a whole number"),
    "rate": (lambda fields: fields.rate("count"), "count must be a number from 0 to 1"),
    "digits": (lambda fields: fields.hexadecimal("digits", 5), "digits must be 5 hexadecimal digits"),
    "texts": (lambda fields: fields.texts("objects"), "objects must be a list of strings"),
    "texts of a text": (lambda fields: fields.texts("text"), "text must be a list of strings"),
    "object": (lambda fields: fields.fields("texts"), "texts must be an object"),
    "objects": (lambda fields: fields.each("texts"), "texts[0] must be an object"),
    "objects of an object": (lambda fields: fields.each("object"), "object must be a list of objects"),
    "inner": (
        lambda fields: fields.fields("object").fields("inner").text("n"),
        "object.inner.n must be a string",
    ),
    "element": (lambda fields: fields.each("objects")[1].text("n"), "objects[1].n must be a string"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_member_of_the_wrong_type_is_named(kind: str) -> None:
    take, message = WRONG[kind]
    with pytest.raises(DamagedBundleError) as caught:
        take(FIELDS)
    assert str(caught.value) == f"portrait.json: {message}"


@pytest.mark.parametrize("value", [-1, 1 << 63, 10**30])
def test_counts_fit_signed_64_bit_integers(value: int) -> None:
    with pytest.raises(DamagedBundleError, match="n must be a whole number from 0"):
        Fields({"n": value}, "x").count("n")
    assert Fields({"n": (1 << 63) - 1}, "x").count("n") == (1 << 63) - 1
    assert Fields({"n": 0}, "x").count("n") == 0


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_rates_are_from_0_to_1(value: float) -> None:
    with pytest.raises(DamagedBundleError, match="n must be a number from 0 to 1"):
        Fields({"n": value}, "x").rate("n")
    assert Fields({"n": 1.0}, "x").rate("n") == 1.0
    assert Fields({"n": 0.0}, "x").rate("n") == 0.0


@pytest.mark.parametrize("content", [None, [], "x", 7])
def test_the_whole_manifest_must_be_an_object(content: object) -> None:
    with pytest.raises(DamagedBundleError, match="x: the manifest must be an object"):
        Fields(content, "x")


@pytest.mark.parametrize("value", ["ABCD", "abc", "abcde", "abcg", "٣٣٣٣", "+abc", 1234, None])
def test_hexadecimal_digits_are_in_lower_case(value: object) -> None:
    assert not is_hexadecimal(value, 4)
    assert is_hexadecimal("09af", 4)
