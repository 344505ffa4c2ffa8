"""Process pools: ordered results, bounded look-ahead, one setup per process, errors and interrupts."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from support.engine_work import Exiting, Squares

from portrait.engines.pool import available, in_order, require_workers, without_interrupts
from portrait.errors import BadRowError, SpecError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_results_come_in_order_and_each_process_is_set_up_once() -> None:
    results = list(in_order(Squares, range(12), 2))
    assert [square for square, _, _ in results] == [number * number for number in range(12)]
    prepared = {(pid, when) for _, pid, when in results}
    assert len(prepared) == len({pid for pid, _ in prepared})
    assert os.getpid() not in {pid for pid, _ in prepared}


def test_a_single_worker_runs_in_this_process() -> None:
    assert {pid for _, pid, _ in in_order(Squares, range(3), 1)} == {os.getpid()}


def test_an_endless_stream_is_read_only_a_few_tasks_ahead() -> None:
    n_read = 0

    def numbers() -> Iterator[int]:
        nonlocal n_read
        for number in itertools.count():
            if number == 13:
                number = 14  # since the pool's function refuses 13
            n_read += 1
            yield number

    for n_workers in (1, 2):
        n_read = 0
        results = in_order(Squares, numbers(), n_workers)
        for _ in range(20):
            next(results)
        assert 20 <= n_read <= 20 + 2 * n_workers
        results.close()


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_error_raised_by_a_task_arrives_unchanged(n_workers: int) -> None:
    results = in_order(Squares, range(20), n_workers)
    assert [square for square, _, _ in itertools.islice(results, 13)] == [n * n for n in range(13)]
    with pytest.raises(BadRowError, match=r"^row 13: is odd$"):
        next(results)


def test_the_death_of_a_process_raises_an_error() -> None:
    with pytest.raises(WorkerError, match=r"a worker process died: .* use fewer workers$") as caught:
        list(in_order(Exiting, [3], 2))
    assert caught.value.parameter == "workers"


@pytest.mark.parametrize("n_workers", [0, -1, 4097, True, 1.0, "2"])
def test_a_number_of_workers_out_of_range_is_refused(n_workers: int) -> None:
    with pytest.raises(SpecError, match="the number of workers is 1 to 4,096, not ") as caught:
        require_workers(n_workers)
    assert caught.value.parameter == "workers"


def test_the_number_of_available_cpus_is_accepted() -> None:
    assert require_workers(available()) == available()
    assert [require_workers(n) for n in (1, 4096)] == [1, 4096]


def test_an_interrupt_is_delayed_until_the_block_ends() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    reached = False
    try:
        with pytest.raises(KeyboardInterrupt), without_interrupts():  # noqa: PT012
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            reached = True
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached


def test_a_process_that_starts_in_the_block_ignores_interrupts() -> None:
    with without_interrupts(), subprocess.Popen(["sleep", "60"]) as process:
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.kill()
