"""The policy for tasks whose process dies: another attempt with a warning, or an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.engine_work import Chore

from portrait.engines.task import ATTEMPTS, next_attempt
from portrait.errors import WorkerError

if TYPE_CHECKING:
    from portrait.engines.task import Task


def test_each_attempt_but_the_last_is_followed_by_another_and_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task: Task = Chore("a")
    attempt, attempts = 1, [1]
    while attempt < ATTEMPTS:
        attempt = next_attempt(task, attempt, "by signal SIGKILL")
        attempts.append(attempt)
    assert attempts == list(range(1, ATTEMPTS + 1))
    assert [(record.name, record.levelname) for record in caplog.records] == [("portrait", "WARNING")] * 2
    assert caplog.records[0].getMessage() == (
        "shard a: the process that worked on it died (by signal SIGKILL): only this task runs again, "
        f"attempt 2 of {ATTEMPTS}"
    )


def test_the_last_attempt_is_followed_by_an_error(caplog: pytest.LogCaptureFixture) -> None:
    message = (
        r"^shard a: the process that worked on it died 3 times \(by signal SIGKILL\): it may lack memory: "
    )
    with pytest.raises(WorkerError, match=message) as caught:
        next_attempt(Chore("a"), ATTEMPTS, "by signal SIGKILL")
    assert caught.value.parameter == "workers"
    assert caplog.records == []
