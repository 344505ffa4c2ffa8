"""Budgets: every client has a share, and there is always something left for the next one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from portrait_server.gate.budgets import Allotment, Budget


def taken(budget: Budget, client: str) -> int:
    """Return how often a client can take 1."""
    n = 0
    while budget.take(client, 1):
        n += 1
    return n


def test_clients_share_a_budget() -> None:
    budget = Budget(12)
    assert taken(budget, "a") == 6
    assert taken(budget, "b") == 3
    budget.give_back("a", 6)
    assert taken(budget, "b") == 3
    assert not budget.take("b", 1)
    assert budget.take("c", 6)


def test_a_budget_of_one_serves_one() -> None:
    budget = Budget(1)
    assert taken(budget, "a") == 1
    assert taken(budget, "b") == 0


@given(st.integers(1, 8))
def test_present_clients_never_take_everything(n_clients: int) -> None:
    budget = Budget(1000)
    for n in range(n_clients):
        taken(budget, str(n))
    assert taken(budget, "next") > 0


def test_a_share_is_given_back_at_the_end() -> None:
    budget = Budget(4)
    with Allotment(budget, "a") as share, Allotment(budget, "a") as other:
        assert share.take(1)
        assert other.take(1)
        assert not share.take(1)
    assert taken(budget, "a") == 2


def test_a_request_that_took_nothing_gives_nothing_back() -> None:
    budget = Budget(4)
    with Allotment(budget, "a"):
        pass
    with Allotment(budget, "b") as share:
        assert not share.take(5)
    assert [taken(budget, client) for client in "ab"] == [2, 1]


def test_a_share_may_be_all_that_others_leave() -> None:
    budget = Budget(4)
    assert not budget.take("a", 5)
    assert budget.take("a", 4)
    assert not budget.take("b", 1)
    budget.give_back("a", 3)
    assert not budget.take("a", 3)
    assert budget.take("a", 2)
    budget.give_back("a", 3)
    assert budget.take("b", 4)
