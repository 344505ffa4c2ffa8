"""Workers end with the process that started them, however that ended.

A main process that is killed cannot stop its workers. Left alone, they would keep the port and go on
answering with the portraits and keys of that day, beside the server that is started next.
"""

from __future__ import annotations

import os
import signal
import threading
import time

_SECONDS_BETWEEN_LOOKS = 0.5


def end_with(parent_pid: int) -> None:
    """Kill this process as soon as its parent is another than ``parent_pid``.

    Args:
        parent_pid: The process id of the parent, taken before this process was started: the parent may be
            gone already.
    """
    threading.Thread(target=_watch, args=(parent_pid,), name="parent", daemon=True).start()


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
