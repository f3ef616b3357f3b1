"""Work in a process of its own ends as it would here, and with whoever waits for it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
from asyncio import to_thread
from pathlib import Path
from typing import Any

import pytest

from app.child_process import ChildFailed, run_in_child
from app.errors import InputError, ModelUnusable

WAITS = "import asyncio, pathlib, sys; from tests.test_child_process import run_in_child, hold; "
WAITS += "asyncio.run(run_in_child(hold, pathlib.Path(sys.argv[1])))"


class OfTwo(Exception):
    """One that can't be made again from its message."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def refuse(error: type[Exception], *said: Any) -> None:
    raise error(*said)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def itself() -> tuple[int, tuple[int, int, int]]:
    return os.getpid(), gc.get_threshold()


def hold(pipe: Path) -> None:
    """Hold the pipe open for as long as this process lives."""
    with pipe.open("w") as file:
        file.write("here\n")
        file.flush()
        threading.Event().wait()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


async def test_what_is_found_is_found_in_another_process() -> None:
    assert await run_in_child(pow, 2, 10) == 1024
    process, collects_after = await run_in_child(itself)
    assert process != os.getpid()
    assert (
        collects_after[0] > 700
    )  # new objects: as Python would, it would walk what it reads again and again


async def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ModelUnusable, match="torn"):
        await run_in_child(refuse, ModelUnusable, "torn")
    with pytest.raises(InputError, match="too many"):
        await run_in_child(refuse, InputError, "too many")
    with pytest.raises(OSError, match="No space"):  # an outage, to whoever runs the job again
        await run_in_child(refuse, OSError, 28, "No space left on device")


async def test_an_error_of_a_library_is_told_without_what_it_quotes() -> None:
    with pytest.raises(ChildFailed, match=r"OfTwo.*left out") as raised:
        await run_in_child(refuse, OfTwo, "ada@example.com", "!")
    assert "ada" not in str(raised.value)


async def test_a_process_that_is_killed_is_an_error() -> None:
    with pytest.raises(ChildFailed, match="exit code -9"):
        await run_in_child(die)


async def test_who_is_cancelled_takes_the_process_along(pipe: Path) -> None:
    waiting = asyncio.create_task(run_in_child(hold, pipe))
    file = await to_thread(pipe.open)
    assert await to_thread(file.readline) == "here\n"
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await to_thread(file.read) == ""  # which it would wait for as long as the process lived
    file.close()


def test_who_is_killed_leaves_no_process_behind(pipe: Path) -> None:
    waiting = subprocess.Popen([sys.executable, "-c", WAITS, str(pipe)], stderr=subprocess.DEVNULL)
    with waiting, pipe.open() as file:
        assert file.readline() == "here\n"
        waiting.kill()
        assert file.read() == ""
