"""`tillwise doctor`: each thing that can be set up wrongly, looked at by name."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import smtplib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from redis.asyncio import Redis
from sqlalchemy import false, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.clocks import compare
from app.config import Settings, read_settings
from app.connections import connect
from app.embedded_redis import running_redis
from app.errors import ConfigError
from app.events.broker import open_broker
from app.events.broker_ledger import BrokerLedger
from app.findings import Fault, Finding, looked
from app.migrations import standing
from app.postgres import open_engine
from app.queued_jobs import QueuedJob, count_workers, queued_jobs
from app.reach.smtp import greet
from app.redis_doctor import EMBEDDED, each_redis, redis_answers, redis_keeps, versions
from app.shops.redis_owner import owns_redis
from app.shops.vault import opens
from app.tables import InboxRow, SecretRow, ShopRow, TokenRow
from app.tracing import ASKED_BY, reach_collector
from app.undelivered import silent_shops
from app.unreachable import POOLED
from app.upsert import table_of

_ROOM = bytes(1_000_000)  # written to the data directory and taken back
_LEAST_LEFT = 1_000_000_000  # bytes on the disk of the data directory
_LATE_MIN = 5  # for so long a delivery may be due
_HOUR = timedelta(hours=1)
_LONGEST_WAIT = timedelta(hours=2)  # of a job for a worker
_LONGEST_JOB = timedelta(hours=12)  # a large shop's import takes hours
_MOST_BEGUN = 10  # each stop of a worker is one; after 20 it is given up
_COLLECTOR_S = 2  # it is tried twice
_NAMED = 20  # of the shops with the same trouble
_SCOPE = re.compile(r"[a-z]+(_[a-z]+)+", re.ASCII)
_TWO_ON_ONE = (
    "it is another installation's too, and each takes events of the other: give each a Redis of its own, or "
    "empty what one that is gone has left"
)
_NO_TABLES = "not looked at before the tables are there"
_ENCODING = text("SHOW server_encoding")
_SERVED_BY = text("SELECT pg_backend_pid()")
_TIME = text("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)")
_TURNS = 5  # a pooler that others use as well may not show itself in the first
_INBOX, _SECRETS = table_of(InboxRow), table_of(SecretRow)
_SHOPS, _TOKENS = table_of(ShopRow), table_of(TokenRow)
_INSTALLED = select(func.count()).where(_SHOPS.c.uninstalled_at.is_(None))
_NO_ROW = (
    update(_SHOPS).where(false()).values(name=_SHOPS.c.name)
)  # changes none, and is refused as any write


async def examine() -> list[Finding]:
    """Return what was found, the settings first; without them nothing else can be looked at."""
    try:
        settings = read_settings()
    except ConfigError as error:
        return [Finding("settings", False, str(error))]
    findings = [Finding("settings", True, "can be read"), _scopes(settings), _address(settings)]
    findings += [_data_dir(settings), _secrets(settings)]
    if settings.redis_url is None:
        running = await asyncio.to_thread(running_redis, settings.data_dir)
        settings = replace(settings, redis_url=running)
    for name, look in _OF_THE_INSTALLATION.items():
        findings.append(await looked(name, look(settings)))
    return _each_cause_once(findings)


def _each_cause_once(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings; what fails with the words of a store that fails was not looked at. Pure."""
    failed = {each.name: each.says for each in findings if not each.ok}
    told = []
    for each in findings:
        store = next((name for name in _NEEDS.get(each.name, ()) if each.says in failed.get(name, "")), None)
        skipped = Finding(each.name, True, f"not looked at before {store} is mended")
        told.append(skipped if store and not each.ok else each)
    return told


def _scopes(settings: Settings) -> Finding:
    if not settings.scopes:
        says = (
            "SCOPES is not set: what shops have granted is not looked at. It is `scopes` of shopify.app.toml"
        )
        return Finding("scopes", False, says)
    if none := sorted(scope for scope in settings.scopes if not _SCOPE.fullmatch(scope)):
        says = f"SCOPES is `scopes` of shopify.app.toml, with commas between: {none[0]!r} is no scope"
        return Finding("scopes", False, says)
    return Finding("scopes", True, f"{len(settings.scopes)} are asked for")


def _address(settings: Settings) -> Finding:
    url = urlsplit(settings.app_url)
    if settings.dev_store_url is not None:
        return Finding("address", True, settings.app_url)
    if url.scheme != "https":
        return Finding("address", False, f"{settings.app_url}: Shopify only calls https addresses")
    if _is_inside(url.hostname or ""):
        return Finding("address", False, f"{settings.app_url}: Shopify can't reach what is inside a network")
    return Finding("address", True, settings.app_url)


def _is_inside(host: str) -> bool:
    """Return whether the host is this machine, or in a network of its own. Pure."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


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
    """Say whether the keys open what this installation sealed for itself, and the shops' tokens."""
    keys, tokens = settings.token_encryption_keys, select(_TOKENS.c.shop, _TOKENS.c.access_token)
    async with _opened(settings) as (connection, tables):
        if tables == "earlier":
            return _NO_TABLES
        sealed = (await connection.scalars(select(_SECRETS.c.sealed))).all()
        of_shops = (await connection.execute(tokens.order_by(_TOKENS.c.shop))).all()
    if not all(opens(keys, each) for each in sealed):
        raise Fault("TOKEN_ENCRYPTION_KEYS lacks the key that what is in the database was sealed with")
    if closed := [shop for shop, token in of_shops if not opens(keys, token)]:
        raise Fault(
            f"TOKEN_ENCRYPTION_KEYS lacks the key that the tokens of {_named(closed)} were sealed with: put "
            "it back at the end, or let their merchants open the app"
        )
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
        says += f", {len(lost)} of which can't be asked until their merchants open it: {_named(lost)}"
    return says


async def _deliveries(settings: Settings) -> str:
    """Say of how many shops Shopify delivers nothing, though one of their orders is known."""
    async with _opened(settings) as (connection, tables):
        if tables == "earlier":
            return _NO_TABLES
        silent = await silent_shops(connection, datetime.now(UTC))
    if silent:
        raise Fault(
            f"none came of an order of {_named(silent)}, nor any since: `tillwise doctor --shop` says since "
            "when; `npx shopify app deploy`, with the app's address in shopify.app.toml"
        )
    return "no order is known of which none came"


def _named(shops: Sequence[str]) -> str:
    """Return the first of the shops' names. Pure."""
    return ", ".join(shops[:_NAMED]) + (", …" if len(shops) > _NAMED else "")


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


async def _jobs(settings: Settings) -> str:
    """Say how many jobs of shops are due, whether each is done in time, and how many workers there are."""
    if settings.redis_url is None:
        return EMBEDDED
    async with connect(settings, settings.redis_url) as connections:
        jobs, workers = await queued_jobs(connections), await count_workers(connections)
    now = datetime.now(UTC)
    for job in jobs:
        _check_job(job, now)
    at_work = f"{workers} worker{'' if workers == 1 else 's'} at work" if workers else "no worker is at work"
    says = f"{len(jobs) or 'none'} due or under way, {at_work}"
    idle = not workers and not any(job.begun for job in jobs)  # whoever is at one may not ask for others
    if idle and await _has_shops(settings):
        raise Fault(f"{says}: nothing is done for its shops")
    return says


async def _has_shops(settings: Settings) -> bool:
    async with _opened(settings) as (connection, tables):
        return tables != "earlier" and bool(await connection.scalar(_INSTALLED))


def _check_job(job: QueuedJob, now: datetime) -> None:
    """Raise Fault for one that waits for a worker, is not done for hours, or keeps failing. Pure."""
    due, what = now - job.due_at, f"{job.name} of {job.shop}"
    if job.begun > _MOST_BEGUN:
        raise Fault(f"{what} was begun {job.begun} times and never ended: the workers' log says why")
    if job.begun and due > _LONGEST_JOB:
        raise Fault(
            f"{what} is not done after {due // _HOUR} hours: the workers' log says what is slow; "
            "a worker that is stopped gives it to another"
        )
    if not job.begun and due > _LONGEST_WAIT:
        raise Fault(f"{what} waits for {due // _HOUR} hours: no worker is at work, or too few are")


async def _clock(settings: Settings) -> str:
    """Say whether this machine's clock agrees with those of the stores."""
    beside: list[str] = []
    if settings.redis_url is not None:
        async with each_redis(settings.redis_url) as nodes:
            for redis in nodes.values():
                await compare("Redis", partial(_redis_time, redis))
        beside.append("Redis")
    async with _opened(settings) as (connection, _):
        if connection.dialect.name == "postgresql":
            await compare("PostgreSQL", partial(_database_time, connection))
            beside.append("PostgreSQL")
    return f"agrees with {' and '.join(beside)}" if beside else "one machine"


async def _database_time(connection: AsyncConnection) -> float:
    return float((await connection.execute(_TIME)).scalar_one())


async def _redis_time(redis: Redis) -> float:
    seconds, microseconds = await redis.time()
    return seconds + microseconds / 1e6


_OF_THE_INSTALLATION: dict[str, Callable[[Settings], Awaitable[str]]] = {
    "database": _database,
    "encryption keys": _keys,
    "shops": _shops,
    "inbox": _inbox,
    "deliveries": _deliveries,
    "redis": redis_answers,
    "redis keeps": redis_keeps,
    "versions": versions,
    "jobs": _jobs,
    "event log": _event_log,
    "mail": _mail,
    "traces": _traces,
    "clock": _clock,
}
_OF_DATABASE, _OF_REDIS = ("database",), ("redis",)
_NEEDS = {
    "encryption keys": _OF_DATABASE, "shops": _OF_DATABASE, "inbox": _OF_DATABASE,
    "deliveries": _OF_DATABASE, "redis keeps": _OF_REDIS, "versions": _OF_REDIS,
    "jobs": (*_OF_REDIS, *_OF_DATABASE),
    "event log": (*_OF_DATABASE, *_OF_REDIS), "clock": (*_OF_DATABASE, *_OF_REDIS),
}  # fmt: skip
