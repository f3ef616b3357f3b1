"""A process killed before any of the steps that last: a commit, a command to Redis, a call of Shopify."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import event, make_url

from app import jobs
from app.connections import Connections

Act = Callable[[Connections], Awaitable[object]]
Known = Mapping[str, Any]

# What leaves nothing behind in Redis, or nothing that outlives who asked.
_LASTS_NOT = frozenset(
    "AUTH CLIENT DUMP EXISTS GET HELLO HGET HGETALL HLEN HMGET INFO KEYS LLEN LRANGE MGET PING PTTL PUBLISH "
    "SCAN SCARD SCRIPT SELECT SISMEMBER SMEMBERS STRLEN SUBSCRIBE TIME TTL TYPE UNSUBSCRIBE UNWATCH WATCH "
    "XAUTOCLAIM XCLAIM XINFO XLEN XPENDING XRANGE XREADGROUP XREVRANGE ZCARD ZRANGE ZRANGEBYSCORE ZREVRANGE "
    "ZSCORE".split()
)
# Who is at work, who asked for it, who was erased this minute and what was handed out: over with time, or
# looked at by itself.
_PASSES = re.compile(rb":(running|waiting|barred):|:refreshing$|^tw:(active|events)$|^streaq")
_HELD = re.compile(rb":(running|waiting|barred):|:refreshing$")
_BARS = re.compile(r'"erased": ?(\d+|\{[^}]*\}),? ?')
_LATELY = timedelta(minutes=20)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")


class Killed(BaseException):
    """The process is no more: nobody catches this."""


@dataclass
class Death:
    """Comes before the step of this number, from 1 on; None for never. trail: the steps there were."""

    at: int | None = None
    trail: list[str] = field(default_factory=list)
    came: bool = False

    def before(self, step: str) -> None:
        """Let the step be. Raises Killed where it is the one, and for all that a dead process still wants."""
        if self.came:
            raise Killed(step)
        self.trail.append(step)
        if len(self.trail) == self.at:
            self.came = True
            raise Killed(step)

    def awaits(self, at: int | None) -> None:
        """Begin anew."""
        self.at, self.trail, self.came = at, [], False


@asynccontextmanager
async def mortal(connections: Connections, death: Death) -> AsyncIterator[Connections]:
    """Yield the connections, all of whose lasting steps pass by death."""

    def commits(connection: Any) -> None:
        if connection.get_execution_options().get("tillwise_write"):
            death.before("COMMIT")

    pool = connections.redis.connection_pool
    lives = pool.connection_class

    class Mortal(lives):  # type: ignore[misc, valid-type]
        async def send_command(self, *args: Any, **options: Any) -> None:
            _pass_by(death, [args])
            await super().send_command(*args, **options)

        def pack_commands(self, commands: Any) -> Any:
            together = list(commands)
            _pass_by(death, together)
            return super().pack_commands(together)

    await pool.disconnect()
    pool.reset()
    pool.connection_class = Mortal
    event.listen(connections.engine.sync_engine, "commit", commits)
    try:
        async with httpx.AsyncClient(transport=_Passing(connections.http, death)) as http:
            with _queue(connections):
                yield replace(connections, http=http)
    finally:
        event.remove(connections.engine.sync_engine, "commit", commits)
        await pool.disconnect()
        pool.reset()
        pool.connection_class = lives


def _pass_by(death: Death, commands: Any) -> None:
    names = [str(args[0]).split(" ", maxsplit=1)[0].upper() for args in commands]
    if lasting := [name for name in names if name not in _LASTS_NOT | {"MULTI", "EXEC"}]:
        death.before(" ".join(lasting))


class _Passing(httpx.AsyncBaseTransport):
    def __init__(self, http: httpx.AsyncClient, death: Death) -> None:
        self._http, self._death = http, death

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if b"mutation" in await request.aread() or request.url.path.endswith("/access_token"):
            self._death.before(f"{request.method} {request.url.path}")
        return await self._http._transport.handle_async_request(request)


@contextmanager
def _queue(connections: Connections) -> Iterator[None]:
    """Put jobs that are asked for where they are seen, in one step as into the queue; nobody does them."""

    class Queue:
        async def __aenter__(self) -> Queue:
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def enqueue_unsafe(self, job: str, shop: str) -> None:
            await connections.redis.sadd("asked for", f"{job} {shop}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "job_queue", lambda *_: Queue())
        yield


async def nothing(_connections: Connections) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Stores:
    """All that is kept, as it can be put back. database: rows by table; redis: keys, dumped."""

    database: Mapping[str, list[tuple[Any, ...]]]
    redis: Mapping[bytes, bytes]


async def kept(connections: Connections) -> Stores:
    """Return all that is kept."""
    with closing(_file(connections)) as database:
        rows = {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in _tables(database)}
    keys = [key async for key in connections.redis.scan_iter(count=1_000)]
    async with connections.redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.dump(key)
        return Stores(rows, dict(zip(keys, await pipe.execute(), strict=True)))


async def put_back(connections: Connections, stores: Stores) -> None:
    """Let all be as it was."""
    with closing(_file(connections)) as database, database:
        for name, rows in stores.database.items():
            if not rows and not database.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone():
                continue
            database.execute(f'DELETE FROM "{name}"')
            if rows:
                database.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(rows[0]))})', rows)
    async with connections.redis.pipeline(transaction=False) as pipe:
        pipe.flushall()
        for key, dumped in stores.redis.items():
            pipe.restore(key, 0, dumped)
        await pipe.execute()


async def outlived(
    connections: Connections,
    begins: Act,
    does: Act,
    again: Act | None = None,
    heals: Act = nothing,
    first: int = 1,
    every: int = 1,
) -> dict[str, list[str]]:
    """Return what is otherwise in the end where a process was killed, by the step before which it was.

    begins: what is asked for, and kept before anybody dies. again: what the next process does, the same by
    default. heals: what schedules do in either case. first, every: before which steps. One that nobody died
    of ends what is told of: there were fewer. AssertionError: nobody died at all, or nothing was done.
    """
    death, wrong = Death(), dict[str, list[str]]()
    async with mortal(connections, death) as dying:
        stores = await kept(dying)
        await begins(dying)
        await does(dying)
        await heals(dying)
        lived, step = await known(dying), first
        await put_back(dying, stores)
        await begins(dying)
        assert differences(lived, await known(dying)), "a life that leaves nothing tells of no death"
        while True:
            await put_back(dying, stores)
            await begins(dying)
            death.awaits(step)
            with suppress(Killed):
                await does(dying)
            if not death.came:
                assert step > first, f"there are but {len(death.trail)} steps"
                return wrong
            place = f"{step}: {death.trail[-1]}"
            death.awaits(None)
            await let_time_pass(dying)
            await (again or does)(dying)
            await heals(dying)
            if found := differences(lived, await known(dying)):
                wrong[place] = found
            step += every


async def let_time_pass(connections: Connections) -> None:
    """Let what a dead process held be free again, as after half a minute."""
    held = [key async for key in connections.redis.scan_iter(count=1_000) if _HELD.search(key)]
    if held:
        await connections.redis.delete(*held)


async def known(connections: Connections) -> Known:
    """Return all that is known, as it is compared: whatever happened lately happened at the same time."""
    now, found = datetime.now(UTC), dict[str, Any]()
    with closing(_file(connections)) as database:
        database.row_factory = sqlite3.Row
        for name in _tables(database):
            rows = [dict(row) for row in database.execute(f'SELECT * FROM "{name}"')]
            for row in rows:
                row.pop("signature", None)  # of a document that tells when it was made
                row.pop("attempts", None)
                if "found" in row or "document" in row:  # an attempt finds the bars of the one before
                    row = {name: _BARS.sub("", str(value)) for name, value in row.items()}
                found[f"{name} {sorted(map(repr, _steady(row, now).items()))}"] = ""
    keys = [key async for key in connections.redis.scan_iter(count=1_000) if not _PASSES.search(key)]
    async with connections.redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.type(key)
        kinds = await pipe.execute()
        for key, kind in zip(keys, kinds, strict=True):
            _READS[kind](pipe, key)
        values = await pipe.execute()
    for key, kind, value in zip(keys, kinds, values, strict=True):
        if key == b"tw:revisions":  # how often it was told of a change may differ
            value = dict.fromkeys(value, b"")
        found[key.decode()] = _steady(sorted(value) if kind == b"set" else _read(value), now)
    return found


def differences(one: Known, other: Known) -> list[str]:
    """Return what only one of them knows, or otherwise. Pure."""
    return [f"- {key} {one[key]}" for key in one if one[key] != other.get(key, None)] + [
        f"+ {key} {other[key]}" for key in other if other[key] != one.get(key, None)
    ]


_READS: Mapping[bytes, Callable[[Any, bytes], Any]] = {
    b"string": lambda pipe, key: pipe.get(key),
    b"hash": lambda pipe, key: pipe.hgetall(key),
    b"set": lambda pipe, key: pipe.smembers(key),
    b"list": lambda pipe, key: pipe.lrange(key, 0, -1),
    b"zset": lambda pipe, key: pipe.zrange(key, 0, -1, withscores=True),
    b"stream": lambda pipe, key: pipe.xrange(key),
}


def _read(value: Any) -> Any:
    """Return packed values unpacked, any others as they are."""
    if isinstance(value, dict):
        return {name: _read(each) for name, each in value.items()}
    if not isinstance(value, bytes):
        return value
    try:
        return msgspec.msgpack.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return value


def _steady(value: Any, now: datetime) -> Any:
    """Return the value with every time of lately as `lately`."""
    match value:
        case dict():
            return {name: _steady(each, now) for name, each in value.items()}
        case list() | tuple():
            return [_steady(each, now) for each in value]
        case datetime():
            return _steady(value.isoformat(), now)
        case str():
            return _TIME.sub(lambda found: _lately(found[0], now), value)
        case bytes():
            return _steady(value.decode(errors="backslashreplace"), now)
        case int() | float() if abs(value - now.timestamp()) < _LATELY.total_seconds():
            return "lately"
        case _:
            return value


def _lately(told: str, now: datetime) -> str:
    at = datetime.fromisoformat(told)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return "lately" if abs(at - now) < _LATELY else told


def _file(connections: Connections) -> sqlite3.Connection:
    database = sqlite3.connect(make_url(connections.settings.database_url).database or "", timeout=10)
    database.execute("PRAGMA synchronous=OFF")
    return database


def _tables(database: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%'"
    return [name for (name,) in database.execute(query)]
