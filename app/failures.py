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
_SHOWN = (TillwiseError, OSError, RedisLost, RedisSlow)


def reason_of(error: BaseException) -> str:
    """Return the error's kind with its message, or with where it was raised if that may quote data."""
    kind, message = type(error).__name__, _message(error)
    if message is None:
        return f"{kind}{_place(error)}: a message of {len(str(error))} characters, left out"
    return f"{kind}: {message}" if message else kind


def traceback_of(error: BaseException) -> str:
    """Return the tracebacks of the error and of what led to it, their messages made safe."""
    told = "".join(traceback.format_tb(error.__traceback__)) + reason_of(error)
    if isinstance(error, BaseExceptionGroup):
        told = "\n\n".join([told, *map(traceback_of, error.exceptions)])
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told if before is None else f"{traceback_of(before)}\n\nthen:\n\n{told}"


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
