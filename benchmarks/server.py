"""One uvicorn worker under test in its own process, what it cost the machine, and stores to try it on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.config import Settings, read_settings
from app.embedded_redis import embedded_redis

ENVIRONMENT = {
    "SHOPIFY_API_KEY": "bench-key",
    "SHOPIFY_API_SECRET": "bench-secret-bench-secret-bench-secret",
    "APP_URL": "https://tillwise.example.com",
    # One shop is asked about as often as the server can answer; that is counted, and not held back.
    "RATES": "shop=1000000, visitor=1000000",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, and which process it is."""

    port: int
    process: int

    def cpu_s(self) -> float:
        """Return the processor time it has used, 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """Return the most memory it has held, in MB; 0 where the system does not tell."""
        try:
            status = Path(f"/proc/{self.process}/status").read_text()
        except OSError:
            return 0.0
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


async def hello(_request: Request) -> JSONResponse:
    """Return what the other routes are measured against."""
    return JSONResponse({"hello": "world"})


class Stores(NamedTuple):
    """A database and a Redis of one's own. environment: what a process is told so that it uses them."""

    settings: Settings
    redis_url: str
    environment: Mapping[str, str]


@contextmanager
def own_stores() -> Iterator[Stores]:
    """Yield empty stores, the database without tables; gone on leaving."""
    with tempfile.TemporaryDirectory(prefix="tw-bench", ignore_cleanup_errors=True) as directory:
        environment = ENVIRONMENT | {"TILLWISE_DATA_DIR": directory}
        settings = read_settings(environment)
        with embedded_redis(settings.data_dir) as redis_url:
            yield Stores(settings, redis_url, environment | {"REDIS_URL": redis_url})


HELLO = Route("/hello", hello)


@contextmanager
def served(factory: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Yield the server of an app factory (`module:function`), answering; stopped on leaving."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--factory", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", factory, *options]
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _wait_for(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            continue
    raise RuntimeError("the server did not start")
