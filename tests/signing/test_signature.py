"""The facts of a signature, as JSON."""

from __future__ import annotations

import json

from portrait.signing.signature import Signature
from portrait.signing.statement import Subject


def test_the_facts_are_json() -> None:
    signature = Signature("p", "key", None, "CN=Root", (Subject("a.bin", "00"),), ("a.bin",), ("b.bin",))
    content = signature.to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content == {
        "path": "p",
        "keyid": "key",
        "identity": None,
        "issuer": "CN=Root",
        "subjects": [{"name": "a.bin", "sha256": "00"}],
        "weights_checked": ["a.bin"],
        "weights_absent": ["b.bin"],
    }
