"""Turns: clients have them in rotation, and none has all."""

from __future__ import annotations

import asyncio

import pytest
from portrait_server.gate.turns import Turn, Turns


async def settle() -> None:
    """Let all tasks run until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


def order(turns: Turns, *waiting: str) -> list[str]:
    """Return the order in which waiting clients are served, one after the other, after a client ``first``."""

    async def main() -> list[str]:
        served: list[str] = []

        async def use(client: str) -> None:
            await turns.take(client)
            served.append(client)
            await settle()
            turns.give_back(client)

        await turns.take("first")
        tasks = [asyncio.ensure_future(use(client)) for client in waiting]
        await settle()
        assert served == []
        turns.give_back("first")
        await asyncio.gather(*tasks)
        return served

    return asyncio.run(main())


def test_clients_are_served_in_rotation() -> None:
    assert order(Turns(1), "a", "a", "a", "b", "c", "b") == ["a", "b", "c", "a", "b", "a"]


def test_a_free_turn_is_taken_without_waiting_but_not_before_those_who_wait() -> None:
    async def main() -> None:
        turns = Turns(2)
        assert turns.take_free("a")
        assert not turns.take_free("a")  # one client never has all turns
        assert turns.take_free("b")
        assert not turns.take_free("c")
        waiting = asyncio.create_task(turns.take("a"))
        await asyncio.sleep(0)
        turns.give_back("b")
        assert not turns.take_free("c")
        turns.give_back("a")
        await waiting
        assert turns.take_free("c")

    asyncio.run(main())


def test_one_client_never_has_all_turns() -> None:
    async def main() -> None:
        turns = Turns(3)
        await turns.take("a")
        await turns.take("a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(turns.take("a"), 0.01)
        await asyncio.wait_for(turns.take("b"), 1)

    asyncio.run(main())


def test_a_turn_that_is_given_back_leaves_the_client_the_others() -> None:
    turns = Turns(3)
    assert turns.take_free("a")
    assert turns.take_free("a")
    turns.give_back("a")
    assert turns.take_free("a")
    assert not turns.take_free("a")
    turns.give_back("a")
    turns.give_back("a")
    assert [turns.take_free("b") for _ in range(3)] == [True, True, False]


def test_who_stops_waiting_takes_no_turn() -> None:
    async def main() -> None:
        turns = Turns(1)
        await turns.take("a")
        for client in "bcb":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(turns.take(client), 0.01)
        waiting = asyncio.ensure_future(turns.take("d"))
        await settle()
        turns.give_back("a")
        # The turn has been given to a request that is cancelled before it notices.
        waiting.cancel()
        await settle()
        await asyncio.wait_for(turns.take("e"), 1)

    asyncio.run(main())


def test_who_stops_waiting_when_a_turn_becomes_free_is_passed_over() -> None:
    async def main() -> None:
        turns = Turns(1)
        await turns.take("a")
        one, two, three = (asyncio.ensure_future(turns.take("b")) for _ in range(3))
        await settle()
        one.cancel()
        turns.give_back("a")
        await settle()
        assert (one.cancelled(), two.done(), three.done()) == (True, True, False)
        turns.give_back("b")
        await asyncio.wait_for(three, 1)

    asyncio.run(main())


def test_who_has_stopped_waiting_is_in_nobody_s_way() -> None:
    async def main() -> None:
        turns = Turns(2)
        assert turns.take_free("a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(turns.take("a"), 0.01)
        assert turns.take_free("b")

    asyncio.run(main())


def test_a_turn_is_taken_and_given_back_once() -> None:
    async def main() -> None:
        turns = Turns(1)
        one, other = Turn(turns, "a"), Turn(turns, "b")
        one.give_back()
        await one.take()
        await one.take()
        one.give_back()
        one.give_back()
        await asyncio.wait_for(other.take(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.take(), 0.01)

    asyncio.run(main())
