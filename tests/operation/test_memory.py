"""What long-lived processes ask of the C library's heap."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

# Eight threads that each allocate in C while the others do: who is told apart has a heap of its own.
PROGRAM = """
import ctypes, threading
from app.memory import share_one_heap

share_one_heap()
c = ctypes.CDLL(None)
c.malloc.restype = c.open_memstream.restype = ctypes.c_void_p
together = threading.Barrier(8)

def allocate():
    together.wait()
    c.malloc(ctypes.c_size_t(4_000))
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
text, size = ctypes.c_char_p(), ctypes.c_size_t()
stream = ctypes.c_void_p(c.open_memstream(ctypes.byref(text), ctypes.byref(size)))
c.malloc_info(0, stream)
c.fclose(stream)
print(text.value.decode().count("<heap nr="))
"""


def has_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_info")


@pytest.mark.skipif(not has_glibc(), reason="glibc's heaps")
def test_threads_share_a_heap_unless_the_environment_says_otherwise() -> None:
    unset = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    assert heaps(unset) == 1
    assert heaps(unset | {"MALLOC_ARENA_MAX": "5"}) == 5


def heaps(environment: dict[str, str]) -> int:
    """Return how many heaps a process with eight threads has."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    )
    return int(done.stdout)
