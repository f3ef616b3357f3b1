"""`tillwise doctor`: each thing that can be set up wrongly, looked at by name."""

from __future__ import annotations

import asyncio
import os
import smtplib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError as RedisRefuses
from redis.exceptions import TimeoutError as RedisSlow
from sqlalchemy import false, select, update

from app.config import API_VERSION, Settings, read_settings
from app.connections import Connections, connect
from app.errors import ConfigError, TillwiseError
from app.events.broker import BrokerAway, open_broker
from app.events.broker_ledger import BrokerLedger
from app.events.log import EventLog
from app.migrations import standing
from app.postgres import open_engine
from app.reach.smtp import greet
from app.recommend.publish import current_version, latest
from app.redis_address import CLUSTER, cluster_address
from app.redis_cluster import each_node
from app.shops.documents import READ_VERSIONS
from app.shops.store import Shop, get_shop
from app.shops.tokens import ask_shop, has_token
from app.shops.vault import opens
from app.tables import BackfillRow, InboxRow, SecretRow, ShopRow
from app.tracing import ASKED_BY, reach_collector
from app.unreachable import why
from app.upsert import table_of
from app.values import ShopDomain
from webhooks.inbox import parked

_EMBEDDED = "not set: `tillwise serve` starts the embedded one, for this machine alone"
_ROOM = bytes(1_000_000)  # written to the data directory and taken back
_CLOCKS_DIFFER_S = 5
_COLLECTOR_S = 2  # it is tried twice
_SLOTS = 16_384  # of every cluster
_BACKFILLS, _INBOX = table_of(BackfillRow), table_of(InboxRow)
_SECRETS, _SHOPS = table_of(SecretRow), table_of(ShopRow)
_NO_ROW = (
    update(_SHOPS).where(false()).values(name=_SHOPS.c.name)
)  # changes none, and is refused as any write


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    says: str


class _Fault(TillwiseError):
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
        findings.append(await _looked(name, look(settings)))
    return findings


async def examine_shop(connections: Connections, domain: ShopDomain) -> list[Finding]:
    """Return what was found of one shop; without its install nothing else can be looked at."""
    shop = await get_shop(connections, domain)
    if shop is None or shop.uninstalled_at is not None:
        says = "never installed" if shop is None else f"uninstalled on {shop.uninstalled_at:%Y-%m-%d}"
        return [Finding("install", False, f"{says}: open the app in the shop's admin")]
    findings = [Finding("install", True, f"installed on {shop.installed_at:%Y-%m-%d}")]
    for name, look in _OF_A_SHOP.items():
        findings.append(await _looked(name, look(connections, shop)))
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
    return Finding("data directory", True, f"{settings.data_dir}: writable")


def _secrets(settings: Settings) -> Finding:
    if settings.old_api_secret == settings.api_secret:
        return Finding(
            "secrets", False, "SHOPIFY_OLD_API_SECRET is SHOPIFY_API_SECRET: it is for the one before"
        )
    keys = len(settings.token_encryption_keys)
    rotating = ", the app's secret is being rotated" if settings.old_api_secret else ""
    return Finding("secrets", True, f"{keys} encryption key{'s' if keys > 1 else ''}{rotating}")


async def _looked(name: str, look: Awaitable[str]) -> Finding:
    try:
        return Finding(name, True, await look)
    except (TillwiseError, BrokerAway) as error:
        return Finding(name, False, str(error))
    except Exception as error:  # whatever it says is the finding
        said, _, _ = str(error).partition("\n")
        return Finding(name, False, why(error) or f"{type(error).__name__}: {said}")


async def _database(settings: Settings) -> str:
    engine = open_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            tables = await connection.run_sync(standing)
            if tables != "earlier":
                await connection.execute(_NO_ROW)
    finally:
        await engine.dispose()
    if tables == "earlier":
        raise _Fault("its tables are of another version: `tillwise serve` or `worker` bring them up to date")
    later = ", with the tables of a later version" if tables == "later" else ""
    return f"{engine.url.get_backend_name()} answers and takes writes{later}"


async def _keys(settings: Settings) -> str:
    """Say whether the keys open what this installation sealed for itself."""
    engine = open_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            if await connection.run_sync(standing) == "earlier":
                return "not looked at before the tables are there"
            sealed = (await connection.scalars(select(_SECRETS.c.sealed))).all()
    finally:
        await engine.dispose()
    if not all(opens(settings.token_encryption_keys, each) for each in sealed):
        raise _Fault("TOKEN_ENCRYPTION_KEYS lacks the key that what is in the database was sealed with")
    return "open what is in the database" if sealed else "nothing in the database is sealed yet"


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
                raise _Fault(f"can't talk to {name}: {why(error) or error}{maybe}") from None
            if cluster_address(url):
                await _served_slots(name, redis)
            elif clustered.get("cluster_enabled"):
                raise _Fault(f"it is a node of a cluster: let REDIS_URL start with {CLUSTER}://")
            else:
                await _takes_writes(redis)
    return f"{len(nodes)} nodes of a cluster answer" if cluster_address(url) else "answers and takes writes"


async def _takes_writes(redis: Redis) -> None:
    """Raise where a replica, a full memory, a full disk or a lack of rights keeps us from writing."""
    try:
        await redis.set("tw:doctor", 1, xx=True, px=1)  # keeps nothing: it only replaces what is not there
    except RedisRefuses as error:
        raise _Fault(f"it takes no writes: {error}") from None


async def _served_slots(name: str, redis: Redis) -> None:
    state: Any = await redis.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
    if lost := _SLOTS - int(state["cluster_slots_ok"]):
        raise _Fault(f"to {name}, {lost} slots of the cluster are on no node that answers")


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
                raise _Fault(f"{name} throws out events when memory ends: {wanted}")
            if not persistence.get("aof_enabled"):
                raise _Fault(f"what {name} holds is gone with its process: set appendonly yes")
    return "on disk, and nothing is thrown out"


async def _event_log(settings: Settings) -> str:
    """Say whether the broker that EVENT_LOG_URL names can be used, or whether one is missed."""
    if settings.redis_url is None:
        moved = 0
    else:
        async with connect(settings, settings.redis_url) as connections:
            moved = await BrokerLedger(connections.redis).count()
    if settings.event_log_url:
        async with open_broker(settings.event_log_url) as broker:
            await broker.welcomes()
            return f"the broker answers, {moved} events are with it"
    if moved:
        raise _Fault(f"{moved} events are with a broker: set EVENT_LOG_URL until they are handled")
    return "in Redis"


async def _mail(settings: Settings) -> str:
    """Say whether the mail server lets us in, and us write in the name that SMTP_URL gives."""
    if (smtp := settings.smtp) is None:
        return "SMTP_URL is not set: no letter is written"
    try:
        await greet(smtp)
    except smtplib.SMTPAuthenticationError as error:
        raise _Fault(f"{smtp.host} refuses the user or the password ({error.smtp_code})") from None
    except smtplib.SMTPSenderRefused as error:
        raise _Fault(f"{smtp.host} does not take letters of {smtp.sender} ({error.smtp_code})") from None
    return f"{smtp.host} takes letters of {smtp.sender}"


async def _traces(_settings: Settings) -> str:
    """Say whether the collector takes spans; a batch of none is sent."""
    if not os.environ.get(ASKED_BY):
        return f"{ASKED_BY} is not set: nothing is traced"
    address, refused = await asyncio.to_thread(reach_collector, _COLLECTOR_S)
    if refused:
        raise _Fault(f"{address} does not take spans: {refused}")
    return f"{address} takes spans"


async def _clock(settings: Settings) -> str:
    """Say whether this machine's clock and that of Redis agree: leases and tokens go by them."""
    if settings.redis_url is None:
        return "one machine"
    async with _each_redis(settings.redis_url) as nodes:
        apart_s = max([abs(time.time() - (await redis.time())[0]) for redis in nodes.values()])
    if apart_s > _CLOCKS_DIFFER_S:
        raise _Fault(f"{apart_s:.0f} s away from that of Redis: let both machines follow a time server")
    return "agrees with that of Redis"


async def _token(connections: Connections, shop: Shop) -> str:
    if not await has_token(connections, shop.shop):
        raise _Fault("none that is good for the app's scopes: open the app in the shop's admin")
    return "good, or can be renewed"


async def _api_version(connections: Connections, shop: Shop) -> str:
    """Say whether Shopify speaks the version of its API that is asked for, in answers and deliveries."""
    versions = (await ask_shop(connections, shop.shop, READ_VERSIONS))["publicApiVersions"]
    spoken = sorted(each["handle"] for each in versions if each["supported"])
    if API_VERSION not in spoken:
        raise _Fault(f"Shopify has {API_VERSION} no more and answers in {spoken[0]}: upgrade Tillwise")
    of_latest = select(_INBOX.c.api_version).where(_INBOX.c.shop == shop.shop).order_by(_INBOX.c.id.desc())
    async with connections.read() as db:
        delivered = await (await db.connection()).scalar(of_latest.limit(1))
    if delivered not in (None, "", API_VERSION):
        raise _Fault(f"it delivers in {delivered}, not {API_VERSION}: `npx shopify app deploy`")
    return API_VERSION


async def _pixel(connections: Connections, shop: Shop) -> str:
    found = select(_SHOPS.c.web_pixel_id).where(_SHOPS.c.shop == shop.shop)
    async with connections.read() as db:
        if await (await db.connection()).scalar(found) is None:
            raise _Fault("not connected, so visits are not seen: open the app in the shop's admin")
    return "connected"


async def _imported(connections: Connections, shop: Shop) -> str:
    rows = select(_BACKFILLS.c.kind, _BACKFILLS.c.status, _BACKFILLS.c.loaded, _BACKFILLS.c.error)
    async with connections.read() as db:
        found = (await (await db.connection()).execute(rows.where(_BACKFILLS.c.shop == shop.shop))).all()
    says = ", ".join(f"{row.loaded} {row.kind} {row.status} {row.error}".rstrip() for row in found)
    if not found or any(row.status != "done" for row in found):
        raise _Fault(f"{says or 'nothing yet'}: `tillwise backfill --shop {shop.shop}` goes on with it")
    return says


async def _model(connections: Connections, shop: Shop) -> str:
    model = latest(connections.settings.data_dir, shop.shop)
    if model is None:
        return "none yet: the shop's defaults are offered until its orders teach one"
    return f"{current_version(connections.settings.data_dir, shop.shop)} is whole"


async def _parked(connections: Connections, shop: Shop) -> str:
    webhooks = len(await parked(connections, shop.shop))
    dead = await EventLog(connections.redis).count_dead(shop.shop)
    if webhooks or dead:
        raise _Fault(f"{webhooks} webhooks and {dead} events: see `tillwise parked --shop {shop.shop}`")
    return "none"


_OF_THE_INSTALLATION: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "database": _database,
    "encryption keys": _keys,
    "redis": _redis,
    "redis keeps": _redis_keeps,
    "event log": _event_log,
    "mail": _mail,
    "traces": _traces,
    "clock": _clock,
}
_OF_A_SHOP: dict[str, Callable[[Connections, Shop], Awaitable[str]]] = {
    "token": _token,
    "API version": _api_version,
    "web pixel": _pixel,
    "import": _imported,
    "model": _model,
    "put aside": _parked,
}
