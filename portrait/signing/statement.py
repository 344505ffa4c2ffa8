"""What is signed: an in-toto statement with the digests of a portrait, its manifest and a model's weights."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait import strict_json
from portrait.bundle.fields import Fields
from portrait.bundle.manifest import FORMAT_VERSION
from portrait.bundle.reader import MANIFEST_NAME
from portrait.errors import DamagedBundleError, SignatureError
from portrait.markup.numbers import count
from portrait.strict_json import JsonError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portrait.bundle.manifest import Manifest

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
#: The type of the predicate: the release of a portrait.
PREDICATE_TYPE = "https://pypi.org/project/data-portrait/#release-v1"
#: The name of the subject whose digest is the portrait's id.
ID_SUBJECT = "portrait:id"

#: A statement names no more than this.
MAX_SUBJECTS = 10_000
_MAX_NAME_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that a statement names, and its SHA-256 in hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signature vouches for.

    ``weights`` are files of the model; their names are relative to the directory of the weights. The
    predicate is a summary of the manifest for readers; nothing relies on it.
    """

    portrait_id: str
    manifest_sha256: str
    weights: tuple[Subject, ...]
    predicate: dict[str, Any]

    @classmethod
    def of(cls, manifest: Manifest, manifest_text: bytes, weights: Iterable[Subject]) -> Statement:
        """Return the statement about a portrait and the weights of a model.

        Args:
            manifest: The portrait's manifest.
            manifest_text: The bytes of its file.
            weights: The weights.
        """
        return cls(
            portrait_id=manifest.id,
            manifest_sha256=hashlib.sha256(manifest_text).hexdigest(),
            weights=tuple(sorted(weights, key=lambda subject: subject.name)),
            predicate={
                "format_version": FORMAT_VERSION,
                "tool": manifest.tool,
                "license": manifest.license,
                "trained_models": list(manifest.trained_models),
                "windows": manifest.windows.to_dict(),
            },
        )

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All that the statement names: the portrait's id, its manifest, the weights."""
        return (
            Subject(ID_SUBJECT, self.portrait_id),
            Subject(MANIFEST_NAME, self.manifest_sha256),
            *self.weights,
        )

    def is_about(self, manifest: Manifest, manifest_text: bytes) -> bool:
        """Return whether the statement is about this very portrait: its id and each byte of its manifest."""
        stated = (self.portrait_id, self.manifest_sha256)
        return stated == (manifest.id, hashlib.sha256(manifest_text).hexdigest())

    def to_json(self) -> bytes:
        """Return the payload to sign: JSON with sorted names and no white space."""
        content = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": one.name, "digest": {"sha256": one.sha256}} for one in self.subjects],
            "predicateType": PREDICATE_TYPE,
            "predicate": self.predicate,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def is_portable_name(name: str) -> bool:
    """Return whether weights may have a name: one that stays inside the directory that it is relative to."""
    parts = name.split("/")
    return (
        name not in (ID_SUBJECT, MANIFEST_NAME)
        and len(name) <= _MAX_NAME_CHARACTERS
        and name.isprintable()
        and "\\" not in name
        and not any(part in ("", ".", "..") for part in parts)
    )


def parse_statement(payload: bytes, where: str) -> Statement:
    """Read a payload.

    Args:
        payload: The bytes that were signed.
        where: The name of the signature's file, for messages.

    Raises:
        SignatureError: They are no statement about a portrait.
    """
    where = f"{where}: the signed statement"
    try:
        content = strict_json.loads(payload)
        if not isinstance(content, dict):
            raise SignatureError(f"{where} must be an object")
        return _statement(Fields(content, where))
    except (JsonError, DamagedBundleError) as error:
        raise SignatureError(f"{where}: {error}" if isinstance(error, JsonError) else str(error)) from error


def _statement(fields: Fields) -> Statement:
    for name, known in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if fields.text(name) != known:
            raise fields.wrong(known, name)
    listed = fields.each("subject")
    if len(listed) > MAX_SUBJECTS:
        raise fields.wrong(f"a list of {count(MAX_SUBJECTS)} subjects at most", "subject")
    subjects = {}
    for one in listed:
        subject = Subject(one.text("name"), one.fields("digest").hexadecimal("sha256", 64))
        if subject.name in subjects:
            raise one.wrong("a name that no other subject has", "name")
        subjects[subject.name] = subject
    if not {ID_SUBJECT, MANIFEST_NAME} <= set(subjects):
        raise fields.wrong(f"a list with {ID_SUBJECT} and {MANIFEST_NAME}", "subject")
    portrait_id, manifest = subjects.pop(ID_SUBJECT), subjects.pop(MANIFEST_NAME)
    for name in subjects:
        if not is_portable_name(name):
            raise fields.wrong("a list of names inside a directory, without .. or \\", "subject")
    return Statement(
        portrait_id.sha256, manifest.sha256, tuple(subjects.values()), fields.fields("predicate").content
    )
