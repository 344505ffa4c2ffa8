"""Ctrl-C in a long call of the kernel: the processor time until the exception, in three tries for every call.

The kernel promises a tenth of a second. Where a virtual machine is slow to hand out pages of memory or to
take them back, it can be more. The clock of another process ticks every hundredth of a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from support.long_calls import CALLS, interrupt

MILLISECONDS = 1000

for name, call in CALLS.items():
    tries = [interrupt(*call) for _ in range(3)]
    times = ", ".join(f"{seconds * MILLISECONDS:4.0f}" for _, seconds in tries)
    late = "" if all(early for early, _ in tries) else "  RAN TO ITS END"
    print(f"{name:32} {times} ms{late}", flush=True)
