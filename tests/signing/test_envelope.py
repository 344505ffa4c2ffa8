"""The envelope is that of DSSE, and only in one spelling."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope

from portrait import DamagedBundleError, SignatureError
from portrait.bundle.fields import Fields
from portrait.signing.envelope import Envelope, parse_envelope, pre_authentication_encoding


def test_the_encoding_is_the_one_that_dsse_defines() -> None:
    assert pre_authentication_encoding(b"hello world") == (
        b"DSSEv1 28 application/vnd.in-toto+json 11 hello world"
    )


@given(st.binary(max_size=300), st.text(min_size=1), st.binary(min_size=1, max_size=80))
def test_another_implementation_reads_the_same_bytes(payload: bytes, keyid: str, signature: bytes) -> None:
    envelope = Envelope(payload, keyid, signature)
    theirs = TheirEnvelope.from_dict(envelope.to_dict())
    assert (theirs.payload, theirs.pae()) == (payload, pre_authentication_encoding(payload))
    assert theirs.signatures[keyid].signature == signature.hex()
    assert parse_envelope(Fields(envelope.to_dict(), "it")) == envelope


def refusal(**changes: Any) -> str:
    """Return the message with which an envelope is refused that has other members than it should."""
    content = {**Envelope(b"payload", "key", b"signature").to_dict(), **changes}
    with pytest.raises((SignatureError, DamagedBundleError)) as caught:
        parse_envelope(Fields(content, "it"))
    return str(caught.value)


def test_a_payload_of_another_type_is_refused() -> None:
    assert "signs a payload of type 'text/plain', not application/vnd.in-toto+json" in refusal(
        payloadType="text/plain"
    )


@pytest.mark.parametrize("n", [0, 2])
def test_there_is_exactly_one_signature(n: int) -> None:
    signature = {"keyid": "key", "sig": "AAAA"}
    assert f"holds {n} signatures, not exactly one" in refusal(signatures=[signature] * n)


@pytest.mark.parametrize(
    "text", ["A", "QQ", "QR==", "QQ==\n", " QQ==", "QQ==QQ==", "_-_-", "é", "QQ=", "====", None, 7, ["QQ=="]]
)
def test_base64_has_one_spelling(text: object) -> None:
    assert refusal(payload=text).startswith("it: payload must be ")
    assert refusal(signatures=[{"keyid": "key", "sig": text}]).startswith("it: signatures[0].sig must be ")


@given(st.binary(min_size=1, max_size=60), st.data())
def test_no_changed_character_decodes_to_the_same_payload(payload: bytes, data: st.DataObject) -> None:
    text = base64.b64encode(payload).decode()
    i = data.draw(st.integers(0, len(text) - 1))
    changed = text[:i] + data.draw(st.characters(exclude_characters=text[i])) + text[i + 1 :]
    content = {**Envelope(payload, "key", b"signature").to_dict(), "payload": changed}
    try:
        assert parse_envelope(Fields(content, "it")).payload != payload
    except DamagedBundleError as error:
        assert "payload must be base64" in str(error)  # noqa: PT017
