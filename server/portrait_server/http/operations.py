"""What an endpoint says about itself, next to its code: the source of the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pydantic import BaseModel

View = TypeVar("View", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Operation:
    """The description of an endpoint.

    Attributes:
        tag: The group that the endpoint belongs to.
        answer: The model of the answer; ``None`` if it has no model.
        request: The model of the request's body; ``None`` if it has none.
        lines: The models of a line of NDJSON, in the request and in the answer.
        problems: The statuses of the problems that it may answer with, besides the general ones.
        public: Whether it answers anyone, without a key.
        media_type: The media type of an answer without a model.
    """

    tag: str
    answer: type[BaseModel] | None = None
    request: type[BaseModel] | None = None
    lines: tuple[type[BaseModel], type[BaseModel]] | None = None
    problems: tuple[int, ...] = ()
    public: bool = False
    media_type: str = "application/json"


def operation(description: Operation) -> Callable[[View], View]:
    """Return a decorator that attaches a description to a view."""

    def attach(view: View) -> View:
        view.operation = description  # type: ignore[attr-defined]
        return view

    return attach


def operation_of(view: Callable[..., Any] | None) -> Operation | None:
    """Return the description of a view, if it has one."""
    return getattr(view, "operation", None)
