"""API keys: how one is made, the file that lists them, and finding the one that was presented.

The file is TOML, a line a key:

    alice = { sha256 = "…", portraits = ["law"], rate = "600/minute", revoked = false }

It holds no keys, only their SHA-256: a key has 256 random bits, which no slow hash would make harder
to guess.
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

from .errors import UnauthorizedError
from .rates import require_rate

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIELDS = {"sha256", "portraits", "rate", "revoked"}
#: Compared with where nobody has the name presented, so that names cannot be told by the time it takes.
_NOBODY = "0" * 64
_REFUSAL = "this takes a valid key: Authorization: Bearer KEY"


@dataclass(frozen=True, slots=True)
class Key:
    """What a key may do: ``None`` stands for all portraits, and for the server's own rate."""

    name: str
    sha256: str
    portraits: tuple[str, ...] | None = None
    rate: str | None = None
    revoked: bool = False

    def to_line(self) -> str:
        """The key's line in the file."""
        fields = [f'sha256 = "{self.sha256}"']
        if self.portraits is not None:
            fields.append(f"portraits = {json.dumps(list(self.portraits))}")
        if self.rate is not None:
            fields.append(f"rate = {json.dumps(self.rate)}")
        return f"{self.name} = {{ {', '.join(fields)} }}"


def new_key(name: str, portraits: tuple[str, ...] | None = None, rate: str | None = None) -> tuple[str, Key]:
    """A new key and what is kept of it. Raises :class:`SpecError`."""
    if not _NAME.fullmatch(name):
        raise SpecError(f"a key's name is 1 to 64 letters, digits, - and _, not {name!r}")
    if rate is not None:
        require_rate(rate)
    secret = f"{name}.{secrets.token_urlsafe(32)}"
    return secret, Key(name, _digest(secret), portraits, rate)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a file, by name."""

    keys: dict[str, Key]

    @property
    def rated(self) -> bool:
        """Whether a key has a rate."""
        return any(key.rate is not None for key in self.keys.values())

    def find(self, presented: str | None) -> Key:
        """The key that was presented.

        Raises :class:`UnauthorizedError`, always with the same words.
        """
        if presented is None:
            raise UnauthorizedError(_REFUSAL)
        key = self.keys.get(presented.partition(".")[0])
        right = hmac.compare_digest(_NOBODY if key is None else key.sha256, _digest(presented))
        if key is None or not right or key.revoked:
            raise UnauthorizedError(_REFUSAL)
        return key


def read_keys(path: Path) -> Keyring:
    """The keys in a file. Raises :class:`SpecError` that names what is wrong."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise SpecError(f"{path}: not a file of keys: {error}") from error
    return Keyring({name: _key(path, name, fields) for name, fields in content.items()})


def _key(path: Path, name: str, fields: Any) -> Key:
    def wrong(what: str) -> SpecError:
        return SpecError(f"{path}: key {name!r}: {what}")

    if not _NAME.fullmatch(name):
        raise wrong("a key's name is 1 to 64 letters, digits, - and _")
    if not isinstance(fields, dict) or not set(fields) <= _FIELDS:
        raise wrong(f"has {', '.join(sorted(_FIELDS))} and nothing else")
    digest, portraits = fields.get("sha256"), fields.get("portraits")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise wrong("sha256 is 64 hexadecimal digits: portrait key makes them")
    if portraits is not None and not (
        isinstance(portraits, list) and all(isinstance(one, str) for one in portraits)
    ):
        raise wrong("portraits is a list of names")
    rate, revoked = fields.get("rate"), fields.get("revoked", False)
    if not isinstance(revoked, bool):
        raise wrong("revoked is true or false")
    if rate is not None:
        try:
            require_rate(rate)
        except SpecError as error:
            raise wrong(str(error)) from error
    return Key(name, digest, None if portraits is None else tuple(portraits), rate, revoked)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
