"""Turns: a scarce resource goes from client to client, rather than from request to request."""

from __future__ import annotations

import asyncio
from collections import Counter, deque


class Turns:
    """A number of turns, which clients have in rotation.

    The client with the fewest turns is served next, and the one that has waited longest among several. If
    there are several turns, one client never has all of them: the next one need not wait until a long request
    ends.
    All methods are for the event loop's thread.

    Args:
        n_turns: How many clients have a turn at the same time.
    """

    def __init__(self, n_turns: int) -> None:
        self._n_free = n_turns
        self._max_of_client = max(1, n_turns - 1)
        self._taken: Counter[str] = Counter()
        # In the order in which the clients will be served, if they have equally many turns.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def take_free(self, client: str) -> bool:
        """Take a turn if there is a free one that nobody waits for, and return whether there is."""
        if not self._n_free or self._waiting or self._taken[client] >= self._max_of_client:
            return False
        self._n_free -= 1
        self._taken[client] += 1
        return True

    async def take(self, client: str) -> None:
        """Wait for a turn."""
        if self.take_free(client):
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        self._serve()
        if turn.done():
            return
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(client)
            else:
                self._forget(client, turn)
            raise

    def give_back(self, client: str) -> None:
        """End a turn."""
        self._n_free += 1
        self._taken[client] -= 1
        if not self._taken[client]:
            del self._taken[client]
        self._serve()

    def _serve(self) -> None:
        while self._n_free and (client := self._next()) is not None:
            queue = self._waiting.pop(client)
            turn = queue.popleft()
            if queue:
                self._waiting[client] = queue  # at the end of the rotation
            if turn.done():
                continue
            self._n_free -= 1
            self._taken[client] += 1
            turn.set_result(None)

    def _next(self) -> str | None:
        """Return the client that is served next, if any may be."""
        may_have = (client for client in self._waiting if self._taken[client] < self._max_of_client)
        return min(may_have, key=self._taken.__getitem__, default=None)

    def _forget(self, client: str, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(client)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[client]


class Turn:
    """The turn of one request, which it gives back whenever it waits for its client.

    Args:
        turns: The turns of all requests.
        client: The client that the request is from.
    """

    def __init__(self, turns: Turns, client: str) -> None:
        self._turns = turns
        self._client = client
        self._taken = False

    async def take(self) -> None:
        """Wait for the turn, unless the request has it."""
        if not self._taken:
            await self._turns.take(self._client)
            self._taken = True

    def give_back(self) -> None:
        """End the turn, if the request has it."""
        if self._taken:
            self._taken = False
            self._turns.give_back(self._client)
