"""Runs CPU-heavy work in a child process of its own."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from app.errors import TillwiseError
from app.failures import reason_of
from app.logs import start_logging
from app.memory import collect_rarely

POLL_S = 0.2
Found = TypeVar("Found")
_log = logging.getLogger(__name__)


class ChildFailed(TillwiseError):
    """The work raised an unexpected error, or its process died."""


async def run_in_child(work: Callable[..., Found], *given: Any) -> Found:
    """Run the work in a child process and return its result.

    Raises the work's TillwiseErrors and OSErrors as they are, ChildFailed for any other error. The child is
    killed when the caller is cancelled or dies.
    """
    stop = threading.Event()
    try:
        found: Found = await asyncio.to_thread(_done, stop, work, given)
    finally:
        stop.set()
    return found


@contextmanager
def child_process(what: str, target: Callable[..., None], *given: Any) -> Iterator[Connection]:
    """Yield the receiving end of a pipe to a child that runs `target(sender, *given)`; it is killed on exit.

    Raises ChildFailed, which names it `what`, when the child died while its answer was awaited.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe()
    child = context.Process(target=target, args=(sender, *given), daemon=True)
    child.start()
    sender.close()  # so that the child's death ends the conversation
    try:
        yield receiver
    except EOFError:
        child.join()
        raise ChildFailed(f"{what} ended with exit code {child.exitcode}") from None
    finally:
        child.kill()
        child.join()
        child.close()
        receiver.close()


def _done(stop: threading.Event, work: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    with child_process(work.__name__, _do, work, given) as receiver:
        found, error = _heard(receiver, stop)
    if error is not None:
        raise error
    return found


def _heard(receiver: Connection, stop: threading.Event) -> Any:
    while not receiver.poll(POLL_S):
        if stop.is_set():
            return None, None  # nobody waits for it any more
    return receiver.recv()


def _do(sender: Connection, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
    """Do the work in the child; send its result and its error, one of which is None."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collect_rarely()
    try:
        sender.send((work(*given), None))
    except Exception as error:
        start_logging()  # left to itself, the process would print the error with the values it quotes
        _log.exception("work apart failed")
        sender.send((None, _sendable(error)))


def _end_with_parent() -> None:
    """End this process when its parent is killed, which the daemon flag does not do."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _sendable(error: Exception) -> Exception:
    """Return the error where callers handle it, else its reason alone: not every error can be pickled."""
    return error if isinstance(error, TillwiseError | OSError) else ChildFailed(reason_of(error))
