"""Logs as one JSON object a line, for machines to read and people to grep. Never personal data."""

from __future__ import annotations

import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import msgspec

from app.failures import reason_of, traceback_of

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_PLAIN |= {"color_message"}  # uvicorn's, for a terminal: what it says is the message
# The last net, under errors that name fields only: what Shopify answers may quote what it was asked.
_PERSON = re.compile(r"(?<=gid://shopify/Customer/)\d+|[^\s@]{1,300}@[^\s@'\"<>]+\.\w+")
_log = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, the `extra` fields and, on an error, where it happened."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        entry |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info and record.exc_info[1]:
            entry["error"] = traceback_of(record.exc_info[1])
        masked = {name: _masked(value) for name, value in entry.items()}
        return msgspec.json.encode(masked, enc_hook=_plain).decode()


def start_logging(level: str = "INFO") -> None:
    """Send every logger's lines, and what ends the process or a thread, to standard error.

    Libraries that log requests stay quiet.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # httpx logs whole addresses, and an address may carry what must not be logged.
    for name in ("httpx", "httpcore", "uvicorn.access", "coredis", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_the_end
    threading.excepthook = _log_lost_thread


def _message(record: logging.LogRecord) -> str:
    """Return what the record says. asyncio goes on to describe its tasks, with what they failed on."""
    message = record.getMessage()
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _masked(value: Any) -> Any:
    """Return a text without addresses and customers' numbers, anything else as it is."""
    if not isinstance(value, str):
        return value
    return _PERSON.sub("…", value).encode(errors="replace").decode()  # half a surrogate pair can't be written


def _plain(value: Any) -> str:
    return str(_masked(reason_of(value) if isinstance(value, BaseException) else str(value)))


def _log_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        _log.critical("the process ends", exc_info=error)


def _log_lost_thread(lost: threading.ExceptHookArgs) -> None:
    if lost.exc_value is not None and lost.exc_type is not SystemExit:
        _log.error("a thread ends", exc_info=lost.exc_value)
