"""Budgets: what a worker has of something, shared so that no client can use it up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self


class Budget:
    """An amount of bytes, requests or threads that clients use at the same time.

    A client may use as much as is free: one client alone can have half, two a third each, and so on. However
    much present clients take, the next one gets something. (Choudhury and Hahne, "Dynamic queue length
    thresholds for shared-memory packet switches", 1998, with a factor of 1.)

    Args:
        total: The amount that all clients may use together.
    """

    def __init__(self, total: int) -> None:
        self._free = total
        self._used: Counter[str] = Counter()

    def take(self, client: str, amount: int) -> bool:
        """Take an amount for a client if its share allows it, and return whether it does."""
        if self._used.get(client, 0) + amount > self._free:
            return False
        self._used[client] += amount
        self._free -= amount
        return True

    def give_back(self, client: str, amount: int) -> None:
        """Give back an amount that was taken for a client."""
        self._free += amount
        self._used[client] -= amount
        if not self._used[client]:
            # Clients come and go: only present ones take memory.
            del self._used[client]


class Allotment:
    """What one request has of a budget; the end of a ``with`` block gives it back.

    Args:
        budget: The budget.
        client: The client that the request is from.
    """

    def __init__(self, budget: Budget, client: str) -> None:
        self._budget = budget
        self._client = client
        self._amount = 0

    def take(self, amount: int) -> bool:
        """Take a further amount if the client's share allows it, and return whether it does."""
        taken = self._budget.take(self._client, amount)
        self._amount += amount if taken else 0
        return taken

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._amount:
            self._budget.give_back(self._client, self._amount)
