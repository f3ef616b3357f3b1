"""An error as it may be kept and logged: what failed and where, never what it failed on. Pure.

A library's message quotes the value it stumbled over, and that value may be somebody's address.
Messages of our own name fields; those of the system and the network speak of neither.
"""

from __future__ import annotations

import re
import traceback
from pathlib import PurePath

import msgspec
from redis.exceptions import ConnectionError as RedisLost
from redis.exceptions import TimeoutError as RedisSlow
from sqlalchemy.exc import OperationalError

from app.errors import TillwiseError

_QUOTED = re.compile(r"'.*'", re.DOTALL)  # from the first to the last, so that no quote inside ends it
MOST_TOLD = 50  # errors: each may lead to the next
_SHOWN = (TillwiseError, OSError, RedisLost, RedisSlow)


def reason_of(error: BaseException) -> str:
    """Return the error's kind with its message, or with where it was raised if that may quote data."""
    kind, message = type(error).__name__, _message(error)
    if message is None:
        return f"{kind}{_place(error)}: a message of {len(str(error))} characters, left out"
    return f"{kind}: {message}" if message else kind


def traceback_of(error: BaseException) -> str:
    """Return the tracebacks of the error and of what led to it, their messages made safe.

    Each error once, and the last MOST_TOLD: what led to one of a group may be the group itself.
    """
    return _traceback(error, set())


def _traceback(error: BaseException, met: set[int]) -> str:
    """Return the traceback of an error with those that led to it and were not met. met: grows."""
    met.add(id(error))
    told = "".join(traceback.format_tb(error.__traceback__)) + reason_of(error)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            if _is_new(each, met):
                told += f"\n\n{_traceback(each, met)}"
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is None or not _is_new(before, met):
        return told
    return f"{_traceback(before, met)}\n\nthen:\n\n{told}"


def _is_new(error: BaseException, met: set[int]) -> bool:
    return id(error) not in met and len(met) < MOST_TOLD


def _message(error: BaseException) -> str | None:
    """Return what may be told of the error's message, None when nothing may."""
    if isinstance(error, BaseExceptionGroup):
        return f"{len(error.exceptions)} together"
    if isinstance(error, OperationalError):  # its own text has the statement's parameters
        return str(error.orig)
    if isinstance(error, msgspec.DecodeError):
        return _QUOTED.sub("'…'", str(error))
    return str(error) if isinstance(error, _SHOWN) or not str(error) else None


def _place(error: BaseException) -> str:
    """Return ` at file.py:12`, empty for an error that was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
