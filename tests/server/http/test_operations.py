"""Descriptions attached to the views of endpoints."""

from __future__ import annotations

from portrait_server.http.operations import Operation, operation, operation_of


def test_a_view_keeps_its_description() -> None:
    description = Operation("portraits", public=True)

    @operation(description)
    def view() -> str:
        return "answer"

    assert view() == "answer"
    assert operation_of(view) is description


def test_a_view_may_have_no_description() -> None:
    assert operation_of(lambda: "answer") is None
    assert operation_of(None) is None
