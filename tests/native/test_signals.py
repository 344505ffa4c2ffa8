"""Ctrl-C during a call of the kernel: a signal to a real process ends it, whatever it is doing."""

from __future__ import annotations

import pytest
from support.long_calls import CALLS, interrupt

#: Of so many tries, one must end early: where the machine is busy, a signal may come too late.
TRIES = 3


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c_ends_every_long_call(name: str) -> None:
    assert any(interrupt(*CALLS[name])[0] for _ in range(TRIES))
