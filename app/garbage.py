"""How often Python's garbage collector runs."""

from __future__ import annotations

import gc

_COLLECT_AFTER = 10_000, 20, 50  # new objects; collections of the young; and of the middle-aged


def collect_rarely() -> None:
    """Make garbage collections in this process rare and short, since an answer may have to wait for one.

    What was imported so far is left out of them for good. Python's defaults collect after every 700 new
    objects, and every hundredth time all that lives: 5 to 27 ms in a serving process, and half of the time
    of a job that reads thousands of rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
