"""When Python looks for garbage that counting references leaves."""

from __future__ import annotations

import gc

_COLLECT_AFTER = 10_000, 20, 50  # new objects; collections of the young; and of the middle-aged


def collect_rarely() -> None:
    """Let collections of garbage in this process be rare and short: an answer may wait for one.

    What was imported is not walked any more. Python's own measures collect every 700 new objects, and all
    that lives with every hundredth time: 5 to 27 ms of a server that answers, and half of the time of who
    reads thousands of rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
