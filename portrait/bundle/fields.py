"""A JSON object from an untrusted file, whose members are checked as they are taken out."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from portrait.errors import DamagedBundleError

T = TypeVar("T")

#: Counts are below this: readers in other languages keep them in 64 bits with a sign.
_COUNT_LIMIT = 1 << 63


class Fields:
    """A JSON object whose members are taken out with their type checked.

    Every method raises :class:`DamagedBundleError`, which names the file and the member, where the member is
    missing or of another type.

    Args:
        content: The object.
        where: The file it is from, for messages.
        path: The names that lead to it from the file's outermost object, for messages.
    """

    def __init__(self, content: Any, where: str, path: str = "") -> None:
        self.where = where
        self.path = path
        if not isinstance(content, dict):
            raise self.wrong("an object")
        self.content: dict[str, Any] = content

    def wrong(self, wanted: str, name: str = "") -> DamagedBundleError:
        """Return the error of a member, or of the object itself, that is not what it must be."""
        field = ".".join(part for part in (self.path, name) if part) or "the manifest"
        return DamagedBundleError(f"{self.where}: {field} must be {wanted}")

    def take(self, name: str, kind: type[T], wanted: str) -> T:
        """Return a member of some type; ``wanted`` says in words what it must be."""
        value = self.content.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.wrong(wanted, name)
        return value

    def text(self, name: str) -> str:
        """Return a string."""
        return self.take(name, str, "a string")

    def count(self, name: str) -> int:
        """Return a whole number from 0 that fits 64 bits."""
        value = self.take(name, int, "a whole number")
        if not 0 <= value < _COUNT_LIMIT:
            raise self.wrong("a whole number from 0 to 2^63 - 1", name)
        return value

    def count_or_null(self, name: str) -> int | None:
        """Return a whole number from 0, or ``None`` where the member is ``null``."""
        return None if name in self.content and self.content[name] is None else self.count(name)

    def rate(self, name: str) -> float:
        """Return a number from 0 to 1."""
        value = self.take(name, float, "a number from 0 to 1")
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise self.wrong("a number from 0 to 1", name)
        return value

    def hexadecimal(self, name: str, n_digits: int) -> str:
        """Return a string of so many hexadecimal digits."""
        value = self.text(name)
        if not is_hexadecimal(value, n_digits):
            raise self.wrong(f"{n_digits} hexadecimal digits", name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self.take(name, list, "a list of strings")
        if not all(isinstance(value, str) for value in values):
            raise self.wrong("a list of strings", name)
        return tuple(values)

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        """Return a string that is one of some known ones."""
        value = self.text(name)
        if value not in known:
            raise self.wrong(f"one of {', '.join(known)}", name)
        return value

    def fields(self, name: str) -> Fields:
        """Return an object."""
        return Fields(self.content.get(name), self.where, self._below(name))

    def each(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        values = self.take(name, list, "a list of objects")
        return [Fields(value, self.where, f"{self._below(name)}[{i}]") for i, value in enumerate(values)]

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def is_hexadecimal(value: object, n_digits: int) -> bool:
    """Return whether ``value`` is a string of so many hexadecimal digits, in lower case."""
    return isinstance(value, str) and len(value) == n_digits and set(value) <= set("0123456789abcdef")
