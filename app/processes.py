"""What runs where: the web server in this process, the worker beside it in its own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EADDRINUSE
from types import FrameType

import uvicorn

from app.config import Settings
from app.connections import connect
from app.consent.digests import open_digests
from app.embedded_redis import embedded_redis, end_with_parent
from app.errors import ConfigError
from app.memory import collect_rarely
from app.migrations import migrate
from app.request_head import LimitedHead
from app.shops.redis_owner import claim_redis
from app.tracing import start_tracing

if sys.platform != "win32":
    import resource

_STOP_PATIENCE_S = 20
_RESTART_AFTER_S = 2.0
_OPEN_FILES = 65_536  # a process may map hardly more anyway
_log = logging.getLogger(__name__)


@contextmanager
def redis_for(settings: Settings) -> Iterator[str]:
    """Yield the address of the Redis to use: the one configured, else the embedded one."""
    if settings.redis_url:
        yield settings.redis_url
        return
    with embedded_redis(settings.data_dir) as address:
        yield address


def serve(settings: Settings, *, host: str, with_worker: bool) -> None:
    """Serve the app until stopped, with the database brought up to date first.

    Raises ConfigError where it can't listen: nothing is begun beside it then.
    """
    _check_free(host, settings.port)
    # uvicorn raises the signal again once it has stopped; what is around it has yet to be left.
    signal.signal(signal.SIGTERM, _leave)
    allow_open_files()
    start_tracing()
    asyncio.run(migrate(settings.database_url))
    with redis_for(settings) as redis_url:
        if not with_worker:
            _serve_web(settings, redis_url, host)
            return
        with _worker_beside(redis_url):
            _serve_web(settings, redis_url, host)


def work(settings: Settings) -> None:
    """Run the worker until SIGTERM or SIGINT; what it holds it finishes or leaves to be redone."""
    allow_open_files()
    collect_rarely()
    start_tracing()
    asyncio.run(migrate(settings.database_url))
    with redis_for(settings) as redis_url:
        asyncio.run(_work(settings, redis_url))


def allow_open_files() -> None:
    """Raise this process's limit of open files as far as it may: connections and mapped models need many."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_free(host: str, port: int) -> None:
    """Raise ConfigError where it can't be listened there; it is not, so that nobody is let in and cut off."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        taken = error.errno == EADDRINUSE
        asks = "is another Tillwise running? PORT says where else" if taken else "see --host"
        raise ConfigError(f"can't listen on {host}, port {port}: {error.strerror}; {asks}") from None


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _serve_web(settings: Settings, redis_url: str, host: str) -> None:
    from app.main import create_app  # with the admin's pages, which no worker and no other command loads

    collect_rarely()
    config = uvicorn.Config(
        create_app(settings, redis_url),
        host=host,
        port=settings.port,
        http=LimitedHead,
        log_config=None,
        access_log=False,
        ws="none",  # there are none, and uvicorn logs where a refused one came from
        server_header=False,
        proxy_headers=True,
        timeout_graceful_shutdown=10,
    )
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()


async def _work(settings: Settings, redis_url: str) -> None:
    from app.worker import run_worker  # with all that trains, which a process that serves does not load

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with connect(settings, redis_url) as connections:
        await open_digests(connections)  # with the keys of another installation each event would fail
        await claim_redis(connections)
        await run_worker(connections, stop)


@contextmanager
def _worker_beside(redis_url: str) -> Iterator[None]:
    """Keep a worker running as a child process, so that its work never holds up an answer."""
    keeper = _WorkerKeeper(os.environ | {"REDIS_URL": redis_url})
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _WorkerKeeper(threading.Thread):
    """Starts the worker, and starts it again when it dies: what it held is redone."""

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__(name="worker-keeper", daemon=True)
        self._environment = environment
        self._stopping = threading.Event()
        self._worker: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        while not self._stopping.is_set():
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "worker"],
                env=self._environment,
                preexec_fn=end_with_parent if sys.platform == "linux" else None,
            )
            code = self._worker.wait()
            if not self._stopping.wait(_RESTART_AFTER_S):
                _log.error("the worker ended and is started again", extra={"exit_code": code})

    def stop(self) -> None:
        """Ask the worker to finish what it holds, and wait for it, within bounds."""
        self._stopping.set()
        if self._worker is None or self._worker.poll() is not None:
            return
        self._worker.terminate()
        try:
            self._worker.wait(_STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._worker.kill()
