"""Loops that run until told to stop, and are started again when they fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0
_log = logging.getLogger(__name__)


async def keep_running(name: str, loop: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run the loop until stopped. When it fails that is logged, and it starts again, ever later."""
    pause_s = _FIRST_PAUSE_S
    while not stop.is_set():
        started = monotonic()
        try:
            await loop()
        except Exception:
            _log.exception("a loop of the worker failed and is started again", extra={"loop": name})
        if monotonic() - started > _LONGEST_PAUSE_S:
            pause_s = _FIRST_PAUSE_S
        await rest(stop, pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Return after so many seconds, or at once when told to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
