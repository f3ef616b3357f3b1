"""`tillwise doctor`: each thing that can be set up wrongly, looked at by name."""

from __future__ import annotations

import asyncio
import math
import os
import re
import shutil
import smtplib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError as RedisRefuses
from redis.exceptions import TimeoutError as RedisSlow
from sqlalchemy import false, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app import __version__
from app.config import Settings, read_settings
from app.connections import connect
from app.errors import ConfigError, TillwiseError
from app.events.broker import BrokerAway, open_broker
from app.events.broker_ledger import BrokerLedger
from app.migrations import standing
from app.postgres import open_engine
from app.reach.smtp import greet
from app.redis_address import CLUSTER, cluster_address
from app.redis_cluster import each_node
from app.shops.redis_owner import owns_redis
from app.shops.vault import opens
from app.tables import InboxRow, SecretRow, ShopRow, TokenRow
from app.tracing import ASKED_BY, reach_collector
from app.unreachable import POOLED, why
from app.upsert import table_of

_EMBEDDED = "not set: `tillwise serve` starts the embedded one, for this machine alone"
_ROOM = bytes(1_000_000)  # written to the data directory and taken back
_LEAST_LEFT = 1_000_000_000  # bytes on the disk of the data directory
_MOST_USED = 0.9  # of the memory that Redis may take
_VERSION = re.compile(r"tillwise_v([^;)]+)")  # in what a connection of ours tells Redis
_CLOCKS_DIFFER_S = 5
_LATE_MIN = 5  # for so long a delivery may be due
_COLLECTOR_S = 2  # it is tried twice
_SLOTS = 16_384  # of every cluster
_NAMED = 20  # of the shops that can't be asked
_TWO_ON_ONE = (
    "it is another installation's too, and each takes events of the other: give each a Redis of its own, or "
    "empty what one that is gone has left"
)
_NO_TABLES = "not looked at before the tables are there"
_ENCODING = text("SHOW server_encoding")
_SERVED_BY = text("SELECT pg_backend_pid()")
_TURNS = 5  # a pooler that others use as well may not show itself in the first
_INBOX, _SECRETS = table_of(InboxRow), table_of(SecretRow)
_SHOPS, _TOKENS = table_of(ShopRow), table_of(TokenRow)
_NO_ROW = (
    update(_SHOPS).where(false()).values(name=_SHOPS.c.name)
)  # changes none, and is refused as any write


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str


class Fault(TillwiseError):
    """What a look found wrong, and what to do."""


async def examine() -> list[Finding]:
    """Return what was found, the settings first; without them nothing else can be looked at."""
    try:
        settings = read_settings()
    except ConfigError as error:
        return [Finding("settings", False, str(error))]
    findings = [Finding("settings", True, "can be read"), _scopes(settings), _address(settings)]
    findings += [_data_dir(settings), _secrets(settings)]
    for name, look in _OF_THE_INSTALLATION.items():
        findings.append(await looked(name, look(settings)))
    return findings


def _scopes(settings: Settings) -> Finding:
    says = f"{len(settings.scopes)} are asked for"
    if not settings.scopes:
        says = (
            "SCOPES is not set: what shops have granted is not looked at. It is `scopes` of shopify.app.toml"
        )
    return Finding("scopes", bool(settings.scopes), says)


def _address(settings: Settings) -> Finding:
    url = urlsplit(settings.app_url)
    fine = url.scheme == "https" or settings.dev_store_url is not None
    says = settings.app_url if fine else f"{settings.app_url}: Shopify only calls https addresses"
    return Finding("address", fine, says)


def _data_dir(settings: Settings) -> Finding:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir, buffering=0) as file:
            file.write(_ROOM)
    except OSError as error:
        says = f"{settings.data_dir}: models can't be published: {error.strerror}"
        return Finding("data directory", False, says)
    left = shutil.disk_usage(settings.data_dir).free
    says = f"{settings.data_dir}: writable, {left / 1e9:.1f} GB are left on its disk"
    return Finding("data directory", left >= _LEAST_LEFT, says)


def _secrets(settings: Settings) -> Finding:
    if settings.old_api_secret == settings.api_secret:
        return Finding(
            "secrets", False, "SHOPIFY_OLD_API_SECRET is SHOPIFY_API_SECRET: it is for the one before"
        )
    keys = len(settings.token_encryption_keys)
    rotating = ", the app's secret is being rotated" if settings.old_api_secret else ""
    return Finding("secrets", True, f"{keys} encryption key{'s' if keys > 1 else ''}{rotating}")


async def looked(name: str, look: Awaitable[str]) -> Finding:
    try:
        return Finding(name, True, await look)
    except (TillwiseError, BrokerAway) as error:
        return Finding(name, False, str(error))
    except Exception as error:  # whatever it says is the finding
        said, _, _ = str(error).partition("\n")
        return Finding(name, False, why(error) or f"{type(error).__name__}: {said}")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[AsyncConnection, str]]:
    """Yield the database, and of which version its tables are beside this one."""
    engine = open_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            yield connection, await connection.run_sync(standing)
    finally:
        await engine.dispose()


async def _database(settings: Settings) -> str:
    async with _opened(settings) as (connection, tables):
        engine = connection.dialect.name
        if engine == "postgresql" and (kept := await connection.scalar(_ENCODING)) != "UTF8":
            raise Fault(f"it keeps texts as {kept}: make it anew, as docs/operations.md does")
        if engine == "postgresql" and await _share_servers(connection.engine):
            raise Fault(POOLED)
        if tables == "earlier":
            raise Fault(
                "it has no tables, or those of another version: `tillwise serve` or `worker` makes them right"
            )
        await connection.execute(_NO_ROW)
    later = ", with the tables of a later version" if tables == "later" else ""
    return f"{engine} answers and takes writes{later}"


async def _share_servers(engine: AsyncEngine) -> bool:
    """Return whether one process of PostgreSQL's serves two connections that are open at once."""
    async with engine.connect() as one, engine.connect() as other:
        for _ in range(_TURNS):
            served = set()
            for connection in (one, other):
                served.add(await connection.scalar(_SERVED_BY))
                await connection.rollback()
            if len(served) == 1:
                return True
    return False


async def _keys(settings: Settings) -> str:
    """Say whether the keys open what this installation sealed for itself."""
    async with _opened(settings) as (connection, tables):
        if tables == "earlier":
            return _NO_TABLES
        sealed = (await connection.scalars(select(_SECRETS.c.sealed))).all()
    if not all(opens(settings.token_encryption_keys, each) for each in sealed):
        raise Fault("TOKEN_ENCRYPTION_KEYS lacks the key that what is in the database was sealed with")
    return "open what is in the database" if sealed else "nothing in the database is sealed yet"


async def _shops(settings: Settings) -> str:
    """Say how many shops have the app, and which of them can't be asked anything."""
    of_tokens = select(_SHOPS.c.shop, _TOKENS.c.shop.is_(None)).outerjoin(
        _TOKENS, _TOKENS.c.shop == _SHOPS.c.shop
    )
    async with _opened(settings) as (connection, tables):
        if tables == "earlier":
            return _NO_TABLES
        found = of_tokens.where(_SHOPS.c.uninstalled_at.is_(None)).order_by(_SHOPS.c.shop)
        rows = (await connection.execute(found)).all()
    says = f"{len(rows)} have the app"
    if lost := [shop for shop, gone in rows if gone]:
        named = ", ".join(lost[:_NAMED]) + (", …" if len(lost) > _NAMED else "")
        says += f", {len(lost)} of which can't be asked until their merchants open it: {named}"
    return says


async def _inbox(settings: Settings) -> str:
    """Say how many deliveries wait, the most of which shop, and whether somebody works them off."""
    waiting, due_at = func.count(), func.min(_INBOX.c.next_attempt_at)
    by_shop = select(_INBOX.c.shop, waiting, due_at).where(_INBOX.c.status == "pending")
    async with _opened(settings) as (connection, tables):
        if tables == "earlier":
            return _NO_TABLES
        rows = (await connection.execute(by_shop.group_by(_INBOX.c.shop).order_by(waiting.desc()))).all()
    if not rows:
        return "no delivery waits"
    first = min(due for _, _, due in rows)
    says = f"{sum(count for _, count, _ in rows)} wait, {rows[0][1]} of them of {rows[0].shop}"
    late_min = (datetime.now(UTC) - first).total_seconds() // 60
    if late_min > _LATE_MIN:
        raise Fault(f"{says}, the first for {late_min:.0f} minutes: no worker is at work, or too few are")
    return says


@asynccontextmanager
async def _each_redis(url: str) -> AsyncIterator[dict[str, Redis]]:
    """Yield a client of each node of the Redis, by what to call it."""
    if address := cluster_address(url):
        async with each_node(address, socket_timeout=2, socket_connect_timeout=2) as nodes:
            yield nodes
    else:
        async with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as redis:
            yield {"it": redis}


async def _redis(settings: Settings) -> str:
    """Say whether Redis answers, or each node of a cluster, and whether it is what its address says."""
    if (url := settings.redis_url) is None:
        return _EMBEDDED
    async with _each_redis(url) as nodes:
        for name, redis in nodes.items():
            try:
                clustered: Any = await redis.info("cluster")
            except (RedisConnectionError, RedisSlow) as error:
                no_tls = url.startswith("rediss") and isinstance(error, RedisSlow)
                maybe = ", or speaks no TLS" if no_tls else ""
                raise Fault(f"can't talk to {name}: {why(error) or error}{maybe}") from None
            if cluster_address(url):
                await _served_slots(name, redis)
            elif clustered.get("cluster_enabled"):
                raise Fault(f"it is a node of a cluster: let REDIS_URL start with {CLUSTER}://")
            else:
                await _takes_writes(redis)
    return f"{len(nodes)} nodes of a cluster answer" if cluster_address(url) else "answers and takes writes"


async def _takes_writes(redis: Redis) -> None:
    """Raise where a replica, a full memory, a full disk or a lack of rights keeps us from writing."""
    try:
        await redis.set("tw:doctor", 1, xx=True, px=1)  # keeps nothing: it only replaces what is not there
    except RedisRefuses as error:
        raise Fault(f"it takes no writes: {error}") from None


async def _served_slots(name: str, redis: Redis) -> None:
    state: Any = await redis.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    if lost := _SLOTS - int(state["cluster_slots_ok"]):
        raise Fault(f"to {name}, {lost} slots of the cluster are on no node that answers")


async def _redis_keeps(settings: Settings) -> str:
    """Say whether Redis keeps the event log: on disk, and when its memory ends."""
    if settings.redis_url is None:
        return _EMBEDDED
    async with _each_redis(settings.redis_url) as nodes:
        for name, redis in nodes.items():
            memory: Any = await redis.info("memory")
            persistence: Any = await redis.info("persistence")
            if (policy := memory.get("maxmemory_policy", "noeviction")) != "noeviction":
                wanted = f"set maxmemory-policy noeviction, not {policy}"
                raise Fault(f"{name} throws out events when memory ends: {wanted}")
            if not persistence.get("aof_enabled"):
                raise Fault(f"what {name} holds is gone with its process: set appendonly yes")
            if memory["used_memory"] > _MOST_USED * (memory.get("maxmemory") or math.inf):
                raise Fault(f"{name} has used nine tenths of its memory: raise maxmemory before it is full")
    return "on disk, and nothing is thrown out"


async def _versions(settings: Settings) -> str:
    """Say whether the processes that are connected to Redis are of this version, where it knows that."""
    if settings.redis_url is None:
        return _EMBEDDED
    async with _each_redis(settings.redis_url) as nodes:
        found = set[str]().union(*[await _connected_versions(redis) for redis in nodes.values()])
    if others := found - {__version__}:
        named = ", ".join(sorted(others))
        raise Fault(f"this is {__version__}, and processes of {named} are at work: start them anew")
    return f"{__version__}, and no process of another is known to be at work"


async def _connected_versions(redis: Redis) -> set[str]:
    """Return of which versions the processes are that have a connection to this database of the Redis."""
    ours = str(redis.connection_pool.connection_kwargs.get("db") or 0)
    try:
        clients: Any = await redis.client_list()
    except RedisRefuses:  # it is a right of its own
        return set()
    told = [_VERSION.search(each.get("lib-name", "")) for each in clients if each["db"] == ours]
    return {version[1] for version in told if version}


async def _event_log(settings: Settings) -> str:
    """Say whether the broker that EVENT_LOG_URL names can be used, or whether one is missed."""
    if settings.redis_url is None:
        moved = 0
    else:
        async with connect(settings, settings.redis_url) as connections:
            if not await owns_redis(connections):
                raise Fault(_TWO_ON_ONE)
            moved = await BrokerLedger(connections.redis).count()
    if settings.event_log_url:
        async with open_broker(settings.event_log_url) as broker:
            await broker.welcomes()
            return f"the broker answers, {moved} events are with it"
    if moved:
        raise Fault(f"{moved} events are with a broker: set EVENT_LOG_URL until they are handled")
    return "in Redis"


async def _mail(settings: Settings) -> str:
    """Say whether the mail server lets us in, and us write in the name that SMTP_URL gives."""
    if (smtp := settings.smtp) is None:
        return "SMTP_URL is not set: no letter is written"
    try:
        await greet(smtp)
    except smtplib.SMTPAuthenticationError as error:
        raise Fault(f"{smtp.host} refuses the user or the password ({error.smtp_code})") from None
    except smtplib.SMTPSenderRefused as error:
        raise Fault(f"{smtp.host} does not take letters of {smtp.sender} ({error.smtp_code})") from None
    return f"{smtp.host} takes letters of {smtp.sender}"


async def _traces(_settings: Settings) -> str:
    """Say whether the collector takes spans; a batch of none is sent."""
    if not os.environ.get(ASKED_BY):
        return f"{ASKED_BY} is not set: nothing is traced"
    address, refused = await asyncio.to_thread(reach_collector, _COLLECTOR_S)
    if refused:
        raise Fault(f"{address} does not take spans: {refused}")
    return f"{address} takes spans"


async def _clock(settings: Settings) -> str:
    """Say whether this machine's clock and that of Redis agree: leases and tokens go by them."""
    if settings.redis_url is None:
        return "one machine"
    async with _each_redis(settings.redis_url) as nodes:
        apart_s = max([abs(time.time() - (await redis.time())[0]) for redis in nodes.values()])
    if apart_s > _CLOCKS_DIFFER_S:
        raise Fault(f"{apart_s:.0f} s away from that of Redis: let both machines follow a time server")
    return "agrees with that of Redis"


_OF_THE_INSTALLATION: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "database": _database,
    "encryption keys": _keys,
    "shops": _shops,
    "inbox": _inbox,
    "redis": _redis,
    "redis keeps": _redis_keeps,
    "versions": _versions,
    "event log": _event_log,
    "mail": _mail,
    "traces": _traces,
    "clock": _clock,
}
