"""What an endpoint says of itself, where it is written: the source of the OpenAPI document."""

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
    """An endpoint: its models, the problems it may answer with, and whether it wants a key.

    ``lines``: the models of a line of NDJSON in and out. ``media_type`` is for answers without a model.
    """

    tag: str
    answer: type[BaseModel] | None = None
    request: type[BaseModel] | None = None
    lines: tuple[type[BaseModel], type[BaseModel]] | None = None
    problems: tuple[int, ...] = ()
    public: bool = False
    media_type: str = "application/json"


def operation(described: Operation) -> Callable[[View], View]:
    """Attach a description to a view."""

    def attach(view: View) -> View:
        view.operation = described  # type: ignore[attr-defined]
        return view

    return attach


def described(view: Callable[..., Any] | None) -> Operation | None:
    """The description of a view, if it has one."""
    return getattr(view, "operation", None)
