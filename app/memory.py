"""How a long-lived process treats its memory: Python's garbage collector and the heap of the C library."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

_COLLECT_AFTER = 10_000, 20, 50  # new objects; collections of the young; and of the middle-aged
_M_ARENA_MAX = -8  # of glibc's malloc.h


def collect_rarely() -> None:
    """Make garbage collections in this process rare and short, since an answer may have to wait for one.

    What was imported so far is left out of them for good. Python's defaults collect after every 700 new
    objects, and every hundredth time all that lives: 5 to 27 ms in a serving process, and half of the time
    of a job that reads thousands of rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def share_one_heap() -> None:
    """Let all threads that are started from now on allocate from the same heap, on Linux with glibc.

    Else each has a heap of its own, and a free block of one is of no use to another: a worker, whose SQLite
    connections are threads that come and go, grew by 1 to 3.5 MB an hour that nothing used. Python's lock
    hardly lets two of them allocate at the same time anyway. To be called before numpy is imported, which
    starts threads. The environment's MALLOC_ARENA_MAX goes before.
    """
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        c_library = ctypes.CDLL(None)
        if hasattr(c_library, "mallopt"):  # musl has no such thing, and no such heaps
            c_library.mallopt(_M_ARENA_MAX, 1)
