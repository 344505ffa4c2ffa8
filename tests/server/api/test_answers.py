"""Models of answers, which agree with the answers of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from portrait_server.api.answers import AnswerLine, AnswerModel, ErrorLine
from pydantic import ValidationError
from support.live import FERRY, build

import portrait

if TYPE_CHECKING:
    from pathlib import Path


def edited(text: str) -> str:
    """Return a copy of a text with a character changed here and there."""
    return "".join("#" if i % 70 == 69 else char for i, char in enumerate(text * 4))


def test_the_library_s_answers_fit_the_model(tmp_path: Path) -> None:
    opened = portrait.open(build(tmp_path / "ferry.portrait", FERRY * 4))
    for text in (FERRY, edited(FERRY), "nothing", ""):
        answer = opened.query(text).to_dict()
        assert AnswerModel.model_validate(answer).model_dump() == answer


def test_a_line_is_an_answer_or_an_error(tmp_path: Path) -> None:
    problem = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "x", "code": "y"}
    assert isinstance(AnswerLine.model_validate({"error": problem}).root, ErrorLine)
    answer = portrait.open(build(tmp_path / "ferry.portrait", FERRY)).query(FERRY).to_dict()
    assert isinstance(AnswerLine.model_validate(answer).root, AnswerModel)
    with pytest.raises(ValidationError):
        AnswerLine.model_validate({**answer, "more": 1})
