"""API keys: making one, reading the file that lists them, and checking a key that a client presents.

The file is TOML, one line a key:

    alice = { sha256 = "…", portraits = ["law"], rate = "600/minute", revoked = false }

It contains no keys, only their SHA-256. A key has 256 random bits, so a slow hash would not make it
harder to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portrait import SpecError

from ..errors import UnauthorizedError
from .rates import parse_rate

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_RULE = "a key's name has 1 to 64 letters, digits, hyphens and underscores"
_FIELDS = {"sha256", "portraits", "rate", "revoked"}
#: An unknown name is compared with this digest, so that response times do not reveal which names exist.
_NO_DIGEST = "0" * 64
_REFUSAL = "a valid key is required: send Authorization: Bearer KEY"


def refusal() -> UnauthorizedError:
    """Return the error for a request without a valid key; it never says what is wrong with the key."""
    return UnauthorizedError(_REFUSAL)


@dataclass(frozen=True, slots=True)
class Key:
    """What the file says of a key.

    Attributes:
        name: The key's name, which the access log shows.
        sha256: The SHA-256 of the key, in hexadecimal digits.
        portraits: The portraits that the key may ask; ``None`` for all.
        rate: The key's own rate; ``None`` for the server's.
        revoked: Whether the key is no longer valid.
    """

    name: str
    sha256: str
    portraits: tuple[str, ...] | None = None
    rate: str | None = None
    revoked: bool = False

    def to_line(self) -> str:
        """Return the key's line in the file."""
        fields = [f'sha256 = "{self.sha256}"']
        if self.portraits is not None:
            fields.append(f"portraits = {json.dumps(list(self.portraits))}")
        if self.rate is not None:
            fields.append(f"rate = {json.dumps(self.rate)}")
        return f"{self.name} = {{ {', '.join(fields)} }}"


def new_key(name: str, portraits: tuple[str, ...] | None = None, rate: str | None = None) -> tuple[str, Key]:
    """Make a new key.

    Args:
        name: The key's name.
        portraits: The portraits that the key may ask; ``None`` for all.
        rate: The key's rate; ``None`` for the server's.

    Returns:
        The secret that the client presents, and what the file keeps of it.

    Raises:
        SpecError: The name or the rate is not valid.
    """
    if not _NAME.fullmatch(name):
        raise SpecError(f"{_NAME_RULE}, unlike {name!r}")
    if rate is not None:
        parse_rate(rate)
    secret = f"{name}.{secrets.token_urlsafe(32)}"
    return secret, Key(name, _digest(secret), portraits, rate)


def presented_key(authorization: str, api_key: str | None) -> str | None:
    """Return the key in the headers of a request, if any.

    Args:
        authorization: The header ``Authorization``; empty if it is missing.
        api_key: The header ``X-API-Key``.
    """
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else api_key


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a file, by name."""

    keys: dict[str, Key]

    @property
    def has_rates(self) -> bool:
        """Whether any key has a rate of its own."""
        return any(key.rate is not None for key in self.keys.values())

    def find(self, secret: str | None) -> Key:
        """Return the key that a client presents.

        Raises:
            UnauthorizedError: The key is missing, wrong or revoked; the message is always the same.
        """
        if secret is None:
            raise refusal()
        key = self.keys.get(secret.partition(".")[0])
        matches = hmac.compare_digest(_NO_DIGEST if key is None else key.sha256, _digest(secret))
        if key is None or not matches or key.revoked:
            raise refusal()
        return key


def read_keys(path: Path) -> Keyring:
    """Return the keys in a file.

    Raises:
        SpecError: The file cannot be read, or an entry is wrong; the message names it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{path}: not a file of keys: {error}") from error
    except RecursionError as error:
        raise SpecError(f"{path}: not a file of keys: it is nested too deeply") from error
    return Keyring({name: _key(path, name, fields) for name, fields in content.items()})


def _key(path: Path, name: str, fields: Any) -> Key:
    def wrong(reason: str) -> SpecError:
        return SpecError(f"{path}: key {name!r}: {reason}")

    if not _NAME.fullmatch(name):
        raise wrong(_NAME_RULE)
    if not isinstance(fields, dict) or not set(fields) <= _FIELDS:
        raise wrong(f"a key has {', '.join(sorted(_FIELDS))} and nothing else")
    digest, portraits = fields.get("sha256"), fields.get("portraits")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise wrong("sha256 must be 64 lower-case hexadecimal digits")
    if portraits is not None and not (
        isinstance(portraits, list) and all(isinstance(one, str) for one in portraits)
    ):
        raise wrong("portraits must be a list of names")
    rate, revoked = fields.get("rate"), fields.get("revoked", False)
    if not isinstance(revoked, bool):
        raise wrong("revoked must be true or false")
    if rate is not None:
        try:
            parse_rate(rate)
        except SpecError as error:
            raise wrong(str(error)) from error
    return Key(name, digest, None if portraits is None else tuple(portraits), rate, revoked)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
