"""Ctrl-C in a long call of the kernel: the processor time until the exception.

Every call is interrupted after a twentieth, a tenth and a fifth of a second, unless it ends before. The
kernel promises to notice within a tenth; giving memory back comes on top. The clock of another process
ticks every hundredth of a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from support.long_calls import CALLS, interrupt

MILLISECONDS = 1000
SECONDS = (0.05, 0.1, 0.2)

for name, call in CALLS.items():
    tries = [interrupt(*call, seconds) for seconds in SECONDS]
    times = ", ".join(f"{after * MILLISECONDS:4.0f}" for _, after in tries)
    late = "" if all(early for early, _ in tries) else "  ran to its end"
    print(f"{name:32} {times} ms{late}", flush=True)
