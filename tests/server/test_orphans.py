"""A worker ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from support.processes import eventually, is_alive

FORK = """
import os, time
from portrait_server.orphans import end_with
parent = os.getpid()
child = os.fork()
if child == 0:
    end_with(parent)
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""


def test_a_killed_parent_takes_its_child_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", FORK], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    eventually(lambda: not is_alive(child))


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    code = "import time; from portrait_server.orphans import end_with; end_with(1 << 22); time.sleep(60)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


def test_a_child_of_a_living_parent_lives() -> None:
    code = (
        f"import time; from portrait_server.orphans import end_with; end_with({os.getpid()}); time.sleep(1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
