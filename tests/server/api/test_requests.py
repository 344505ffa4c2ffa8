"""Models of requests."""

from __future__ import annotations

import pytest
from portrait_server.api.requests import DocumentRequest, ManyTexts, OneOrMany, OneText, QuipRequest
from pydantic import TypeAdapter, ValidationError

QUESTION: TypeAdapter[OneText | ManyTexts] = TypeAdapter(OneOrMany)


def test_a_question_has_one_text_or_several() -> None:
    one = QUESTION.validate_python({"text": "x", "portraits": ["a"], "evalue": 0.5}, strict=True)
    many = QUESTION.validate_python({"texts": ["x", "y"]}, strict=True)
    assert (type(one), one.texts, one.portraits, one.evalue) == (OneText, ["x"], ["a"], 0.5)
    assert (type(many), many.texts, many.portraits, many.evalue) == (ManyTexts, ["x", "y"], None, None)


@pytest.mark.parametrize("value", [{"text": 1}, {"texts": "x"}, {"text": "x", "portraits": ["a", "a"]}, 3])
def test_anything_else_is_not_a_question(value: object) -> None:
    with pytest.raises(ValidationError):
        QUESTION.validate_python(value, strict=True)


def test_unknown_fields_in_requests_to_the_original_s_endpoints_are_ignored() -> None:
    assert DocumentRequest.model_validate({"document": "x", "seq_id": [7], "more": 1}).seq_id == [7]
    assert QuipRequest.model_validate({"documents": ["x"], "more": 1}).format_quotes is False
