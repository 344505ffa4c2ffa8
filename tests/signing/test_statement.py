"""The statement says what is signed, and nothing else is read as one."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import portrait
from portrait import SignatureError
from portrait.signing.statement import (
    MAX_SUBJECTS,
    PREDICATE_TYPE,
    Statement,
    Subject,
    is_portable_name,
    parse_statement,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ZEROS, ONES = "0" * 64, "1" * 64


@pytest.fixture
def statement(whole: Path) -> Statement:
    """A statement about the portrait and two weights."""
    text = (whole / "portrait.json").read_bytes()
    weights = [Subject("unet/b.bin", ONES), Subject("a.bin", ZEROS)]
    return Statement.of(portrait.open(whole).manifest, text, weights)


def content_of(statement: Statement) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(statement.to_json())
    return content


def test_the_subjects_are_the_id_the_manifest_and_the_weights_in_order(
    statement: Statement, whole: Path
) -> None:
    manifest = (whole / "portrait.json").read_bytes()
    content = content_of(statement)
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"] == PREDICATE_TYPE
    assert content["subject"] == [
        {"name": "portrait:id", "digest": {"sha256": json.loads(manifest)["id"]}},
        {"name": "portrait.json", "digest": {"sha256": hashlib.sha256(manifest).hexdigest()}},
        {"name": "a.bin", "digest": {"sha256": ZEROS}},
        {"name": "unet/b.bin", "digest": {"sha256": ONES}},
    ]


def test_the_predicate_sums_the_manifest_up(statement: Statement, whole: Path) -> None:
    manifest = json.loads((whole / "portrait.json").read_bytes())
    predicate = content_of(statement)["predicate"]
    assert predicate == {name: manifest[name] for name in predicate}
    assert set(predicate) == {"format_version", "tool", "license", "trained_models", "windows"}


def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    assert parse_statement(statement.to_json(), "it") == statement


def test_a_statement_is_about_one_version_of_one_portrait(statement: Statement, whole: Path) -> None:
    manifest, text = portrait.open(whole).manifest, (whole / "portrait.json").read_bytes()
    assert statement.is_about(manifest, text)
    assert not statement.is_about(manifest, text + b"\n")


def subject(name: str, digest: Any = ZEROS) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest}}


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "other type": (lambda c: c.update(_type="https://in-toto.io/Statement/v0.1"), "_type must be https"),
    "other predicate": (lambda c: c.update(predicateType="https://slsa.dev/provenance/v1"), "predicateType"),
    "no predicate": (lambda c: c.pop("predicate"), "predicate must be an object"),
    "no id": (lambda c: c["subject"].pop(0), "subject must be a list with portrait:id and portrait.json"),
    "no manifest": (lambda c: c["subject"].pop(1), "subject must be a list with portrait:id"),
    "no subjects": (lambda c: c.pop("subject"), "subject must be a list of objects"),
    "two ids": (lambda c: c["subject"].append(subject("portrait:id")), "subject[4].name must be a name"),
    "two weights": (lambda c: c["subject"].append(subject("a.bin")), "subject[4].name must be a name"),
    "short digest": (lambda c: c["subject"].append(subject("c", "0")), "subject[4].digest.sha256 must be 64"),
    "no digest": (lambda c: c["subject"].append({"name": "c"}), "subject[4].digest must be an object"),
    "a number": (lambda c: c["subject"].append(subject(7)), "subject[4].name must be a string"),  # type: ignore[arg-type]
    "absolute": (lambda c: c["subject"].append(subject("/etc/passwd")), "names inside a directory"),
    "above": (lambda c: c["subject"].append(subject("a/../../b")), "names inside a directory"),
    "too many": (
        lambda c: c.update(subject=[subject(str(i)) for i in range(MAX_SUBJECTS + 1)]),
        "subject must be a list of 10,000 subjects at most",
    ),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_another_statement_is_refused_by_name(
    change: Callable[[dict[str, Any]], object], message: str, statement: Statement
) -> None:
    content = content_of(statement)
    change(content)
    with pytest.raises(SignatureError) as caught:
        parse_statement(json.dumps(content).encode(), "it")
    assert str(caught.value).startswith("it: the signed statement: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"7", b'{"a": 1, "a": 2}', b"\xff", b"[" * 10_000])
def test_what_is_no_object_is_refused(payload: bytes) -> None:
    with pytest.raises(SignatureError, match=r"^it: the signed statement"):
        parse_statement(payload, "it")


def test_an_unknown_member_is_ignored(statement: Statement) -> None:
    content = content_of(statement) | {"more": [1]}
    content["subject"][3]["uri"] = "https://example.org/a.bin"
    assert parse_statement(json.dumps(content).encode(), "it") == statement


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a",
        "a/..",
        "/a",
        "a//b",
        "a/",
        "a\\b",
        "a\nb",
        "a" * 1025,
        "portrait.json",
        "portrait:id",
    ],
)
def test_a_name_that_leads_elsewhere_is_not_portable(name: str) -> None:
    assert not is_portable_name(name)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5), min_size=1, max_size=4))
def test_a_portable_name_stays_below_its_directory(parts: list[str]) -> None:
    name = "/".join(parts)
    if is_portable_name(name):
        inside = os.path.normpath(f"/models/{name}")
        assert inside == f"/models/{name}"
