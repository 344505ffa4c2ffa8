"""Parts of messages: counts, and reasons in the service's own words."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from portrait_server.messages import Complaint, OneLineFormatter, complaints, counted
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


def refuse(_: object) -> object:
    """Refuse every value."""
    raise ValueError("must be something else")


class Everything(BaseModel):
    """A field for each kind of value that the service checks."""

    model_config = ConfigDict(extra="forbid")

    string: str = ""
    number: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    below: Annotated[float, Field(lt=0.5)] = 0.0
    finite: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    count: Annotated[int, Field(ge=1)] = 1
    flag: bool = False
    path: Path = Path()
    texts: Annotated[list[str], Field(min_length=1, max_length=2)] = ["x"]
    names: tuple[str, ...] = ()
    mapping: dict[str, Any] = {}
    picky: Annotated[object, AfterValidator(refuse)] = None
    choice: Literal["a"] = "a"


def complaints_about(values: object, **options: Any) -> list[Complaint]:
    """Return the complaints about invalid values."""
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(values, **options)
    return list(complaints(caught.value))


@pytest.mark.parametrize(
    ("n", "expected"), [(0, "0 texts"), (1, "1 text"), (2, "2 texts"), (29_999, "29,999 texts")]
)
def test_counts_agree_with_their_nouns(n: int, expected: str) -> None:
    assert counted(n, "text") == expected
    assert counted(n, "query", "queries") == expected.replace("texts", "queries").replace("text", "query")


@pytest.mark.parametrize(
    ("values", "strict", "where", "reason"),
    [
        ({"string": 3}, True, "string", "must be a string"),
        ({"string": b"\xff"}, False, "string", "must be Unicode"),
        ({"number": True}, True, "number", "must be a number"),
        ({"number": "x"}, False, "number", "must be a number"),
        ({"number": 0}, True, "number", "must be greater than 0"),
        ({"number": 2e6}, True, "number", "must be at most 1,000,000"),
        ({"below": 1}, True, "below", "must be less than 0.5"),
        ({"finite": float("inf")}, True, "finite", "must be a finite number"),
        ({"count": 0}, True, "count", "must be at least 1"),
        ({"count": 1.5}, False, "count", "must be a whole number"),
        ({"count": "x"}, False, "count", "must be a whole number"),
        ({"count": "x"}, True, "count", "must be a whole number"),
        ({"count": "9" * 5000}, False, "count", "is too large a number"),
        ({"flag": 2}, True, "flag", "must be true or false"),
        ({"flag": "x"}, False, "flag", "must be true or false"),
        ({"path": 3}, False, "path", "must be a path"),
        ({"texts": "x"}, True, "texts", "must be a list"),
        ({"texts": []}, True, "texts", "must have at least 1 item"),
        ({"texts": ["x"] * 3}, True, "texts", "must have at most 2 items"),
        ({"texts": ["x", 1]}, True, "texts.1", "must be a string"),
        ({"names": "x"}, False, "names", "must be a list"),
        ({"mapping": 1}, True, "mapping", "must be an object"),
        ({"picky": 1}, True, "picky", "must be something else"),
        ({"choice": "b"}, True, "choice", "is not valid"),
        ({"colour": 1}, True, "colour", "is not known here"),
        ([], True, "", "must be an object"),
    ],
)
def test_every_reason_is_in_the_service_s_own_words(
    values: object, strict: bool, where: str, reason: str
) -> None:
    assert complaints_about(values, strict=strict) == [Complaint(where, reason)]


def test_a_missing_value_is_reported() -> None:
    class Needed(BaseModel):
        text: str

    with pytest.raises(ValidationError) as caught:
        Needed.model_validate({})
    assert list(complaints(caught.value)) == [Complaint("text", "is missing")]


def test_a_line_of_the_log_stays_one_line() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "", 0, "portrait %s is open", ("a\nb\x1b[31m\udce9é",), None
    )
    assert OneLineFormatter("%(levelname)s: %(message)s").format(record) == (
        "INFO: portrait a\\nb\\x1b[31m\\udce9é is open"
    )
