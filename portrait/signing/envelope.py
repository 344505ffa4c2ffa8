"""DSSE, version 1: a payload, its type, and one signature over both."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait.errors import SignatureError

if TYPE_CHECKING:
    from portrait.bundle.fields import Fields

#: The media type of an in-toto statement.
PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed statement; ``keyid`` is a hint that no signature covers."""

    payload: bytes
    keyid: str
    signature: bytes

    def to_dict(self) -> dict[str, Any]:
        """Return the envelope as a JSON object."""
        return {
            "payload": to_base64(self.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": self.keyid, "sig": to_base64(self.signature)}],
        }


def pre_authentication_encoding(payload: bytes) -> bytes:
    """Return the bytes that are signed: the payload and its type, each after its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(fields: Fields) -> Envelope:
    """Read the JSON object of an envelope.

    Raises:
        SignatureError: The payload is not of the type of a statement, or there is not exactly one signature.
        DamagedBundleError: A member is missing or of another type.
    """
    kind = fields.text("payloadType")
    if kind != PAYLOAD_TYPE:
        raise SignatureError(
            f"{fields.where}: signs a payload of type {kind!r:.100}, not {PAYLOAD_TYPE}: it is not a "
            "portrait's signature"
        )
    signatures = fields.each("signatures")
    if len(signatures) != 1:
        raise SignatureError(
            f"{fields.where}: holds {len(signatures)} signatures, not exactly one: sign the portrait again"
        )
    (signature,) = signatures
    return Envelope(from_base64(fields, "payload"), signature.text("keyid"), from_base64(signature, "sig"))


def to_base64(data: bytes) -> str:
    """Return bytes in base64, with the standard alphabet and padding."""
    return base64.b64encode(data).decode()


def from_base64(fields: Fields, name: str) -> bytes:
    """Return the bytes of a member in base64: of the texts that decode to them, only what is written.

    Raises:
        DamagedBundleError: The member is missing, or not canonical base64.
    """
    text = fields.text(name)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise fields.wrong("base64", name) from error
    if to_base64(data) != text:
        raise fields.wrong("base64 without stray bits", name)
    return data
