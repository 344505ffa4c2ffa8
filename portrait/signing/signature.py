"""A signature that was made or checked, as the library tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portrait.signing.statement import Subject


@dataclass(frozen=True, slots=True)
class Signature:
    """Who vouches for a portrait, and for what.

    ``keyid`` is the SHA-256 of the signer's public key. ``identity`` and ``issuer`` are known where a
    certificate was used to sign or to check. ``weights_absent`` names the weights that the signature vouches
    for and that were not found, so that nothing is known about them.
    """

    path: str
    keyid: str
    identity: str | None
    issuer: str | None
    subjects: tuple[Subject, ...]
    weights_checked: tuple[str, ...]
    weights_absent: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as a JSON object."""
        lists = ("subjects", "weights_checked", "weights_absent")
        content = asdict(self)
        return {name: list(value) if name in lists else value for name, value in content.items()}
