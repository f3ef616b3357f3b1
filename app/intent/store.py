"""Shops' models of intent, uplift and choice in the database, and the history they are trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from sqlalchemy import delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.consent.standing import Use, may
from app.consent.standings import profile_basis, standings_of, who_refuse
from app.intent.foresight import Foresight, usable
from app.intent.model import IntentModel
from app.intent.moments import BrowserHistory
from app.intent.prior import PRIOR
from app.intent.uplift import UpliftModel
from app.intent_tables import ForesightRow
from app.profiles.history import FROM_BROWSERS
from app.profiles.reviews import excluded_customers
from app.profiles.signals import COMPLETED
from app.profiles.visit import BrowsedEvent
from app.shops.store import get_shop
from app.tables import EventRow, OrderRow
from app.ttl_cache import TtlCache
from app.upsert import chunks, table_of, upsert

LOOKED_BACK = timedelta(days=180)
MOST_EVENTS = 100_000
VERSIONS_KEPT = 5
Kept = TypeVar("Kept")
INTENT, UPLIFT, CHOICE = KINDS = ("intent", "uplift", "choice")
_EVENTS, _ORDERS, _FORESIGHTS = table_of(EventRow), table_of(OrderRow), table_of(ForesightRow)


async def browsed(connections: Connections, shop: str, now: datetime) -> list[BrowserHistory]:
    """Return what each browser did in the last 180 days, and when it ordered.

    Read are the MOST_EVENTS latest events. Left out are browsers of customers who may not be learnt from
    (one that names nobody is stored under analytics alone), and those of test purchases: checkouts that were
    completed without an order, in a shop where others have one.
    """
    async with connections.read() as db:
        seen, tokens, completed = await _seen(db, shop, now - LOOKED_BACK)
    names = {client: {event.customer_id for event in events} for client, events in seen.items()}
    refuse = await who_may_not_teach(connections, shop, set().union(*names.values()))
    kept = [client for client in sorted(seen) if names[client].isdisjoint(refuse)]
    known = await get_shop(connections, shop)
    currency = known.currency if known else ""
    async with connections.read() as db:
        placed = await _placed(db, shop, set().union(*(tokens[client] for client in kept)))
    if not placed.keys().isdisjoint(set().union(*completed.values())):
        kept = [client for client in kept if completed[client] <= placed.keys()]
    return [
        BrowserHistory(
            seen[client], sorted(placed[token] for token in tokens[client] if token in placed), currency
        )
        for client in kept
    ]


async def who_may_not_teach(
    connections: Connections, shop: str, named: Collection[int | None]
) -> frozenset[int]:
    """Return which customers may not be learnt from: of those with orders, and of those named."""
    refuse = await who_refuse(connections, shop, Use.TRAIN) | await excluded_customers(connections, shop)
    others = {who for who in named if who is not None and who not in refuse}
    basis = await profile_basis(connections, shop)
    standings = await standings_of(connections, shop, others)
    unwilling = {who for who, each in standings.items() if not may(Use.TRAIN, each, basis).allowed}
    return refuse | unwilling


async def has_events(connections: Connections, shop: str) -> bool:
    """Return whether there are events of any of the shop's browsers."""
    told = (_EVENTS.c.shop == shop, _EVENTS.c.client_id.is_not(None))
    found = await connections.scalar(select(_EVENTS.c.event_id).where(*told).limit(1))
    return found is not None


async def publish_foresight(
    connections: Connections, shop: str, kind: str, content: Mapping[str, Any], report: Mapping[str, Any],
    now: datetime,
) -> None:  # fmt: skip
    """Store the result of a training, which serves from now on. kind: one of KINDS."""
    row = {"shop": shop, "kind": kind, "trained_at": now, "content": dict(content), "report": dict(report)}
    ours = (_FORESIGHTS.c.shop == shop, _FORESIGHTS.c.kind == kind)
    times = select(_FORESIGHTS.c.trained_at).where(*ours).order_by(_FORESIGHTS.c.trained_at.desc())
    async with connections.write() as db:
        await upsert(db, ForesightRow, [row])
        connection = await db.connection()
        kept = list(await connection.scalars(times.limit(VERSIONS_KEPT)))
        await connection.execute(delete(_FORESIGHTS).where(*ours, _FORESIGHTS.c.trained_at.not_in(kept)))
    _foresights.forget(connections, shop)


async def latest_foresight(connections: Connections, shop: str) -> Foresight:
    """Return the shop's newest models; the shared one where it has none, or none that can be read."""
    found = await _newest(connections, shop)
    content = {kind: found[kind].content if kind in found else {} for kind in KINDS}
    version = " ".join(f"{kind} {row.trained_at.isoformat()}" for kind, row in found.items())
    weights = msgspec.convert(content[CHOICE].get("weights", {}), dict[str, dict[str, float]])
    return Foresight(_intent(content[INTENT]), _uplift(content[UPLIFT]), weights, version)


_foresights = TtlCache(latest_foresight)


async def current_foresight(connections: Connections, shop: str) -> Foresight:
    """Return the same as `latest_foresight`, cached for up to fifteen seconds."""
    return await _foresights.of(connections, shop)


async def latest_reports(connections: Connections, shop: str) -> dict[str, dict[str, Any]]:
    """Return the training report of each kind (intent, uplift, choice), with the time it was trained."""
    found = await _newest(connections, shop)
    return {kind: row.report | {"trained_at": row.trained_at} for kind, row in found.items()}


async def trained_at(connections: Connections, shop: str) -> datetime | None:
    """Return when intent was last learnt, None before the first time."""
    query = select(func.max(_FORESIGHTS.c.trained_at)).where(
        _FORESIGHTS.c.shop == shop, _FORESIGHTS.c.kind == INTENT
    )
    found: datetime | None = await connections.scalar(query)
    return found


async def _newest(connections: Connections, shop: str) -> dict[str, Any]:
    """Return the latest row of each kind there is."""
    found: dict[str, Any] = {}
    async with connections.read() as db:
        connection = await db.connection()
        for kind in KINDS:
            query = select(_FORESIGHTS).where(_FORESIGHTS.c.shop == shop, _FORESIGHTS.c.kind == kind)
            newest = query.order_by(_FORESIGHTS.c.trained_at.desc()).limit(1)
            if row := (await connection.execute(newest)).first():
                found[kind] = row
    return found


def _intent(content: Mapping[str, Any]) -> IntentModel:
    model = _read(content.get("model"), IntentModel)
    return PRIOR if model is None or not usable(model.features) else model


def _uplift(content: Mapping[str, Any]) -> dict[str, UpliftModel]:
    models = [_read(each, UpliftModel) for each in content.get("models", ())]
    return {model.campaign: model for model in models if model is not None and usable(model.features)}


def _read(content: object, kind: type[Kept]) -> Kept | None:
    """Return what was kept, None where another version of the app kept it as this one can't read it."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError:
        return None


async def _seen(
    db: AsyncSession, shop: str, since: datetime
) -> tuple[dict[str, list[BrowsedEvent]], dict[str, set[str]], dict[str, set[str]]]:
    """Return each browser's events, the checkouts it was seen in, and those of them that it completed."""
    columns = _EVENTS.c
    query = (
        select(columns.client_id, columns.checkout_token, columns.event_id, columns.happened_at)
        .add_columns(columns.name, columns.data, columns.customer_id)
        .where(columns.shop == shop, columns.happened_at > since, columns.client_id.is_not(None))
        .where(FROM_BROWSERS)
        .order_by(columns.happened_at.desc(), columns.event_id)
        .limit(MOST_EVENTS)
    )
    seen: dict[str, list[BrowsedEvent]] = defaultdict(list)
    tokens: dict[str, set[str]] = defaultdict(set)
    completed: dict[str, set[str]] = defaultdict(set)
    for client_id, token, *event in await (await db.connection()).execute(query):
        seen[client_id].append(BrowsedEvent(*event))
        if token is not None:
            tokens[client_id].add(token)
            if seen[client_id][-1].name == COMPLETED:
                completed[client_id].add(token)
    return seen, tokens, completed


async def _placed(db: AsyncSession, shop: str, tokens: Collection[str]) -> dict[str, int]:
    """Return when each of the checkouts became an order, epoch seconds."""
    placed: dict[str, int] = {}
    for part in chunks(sorted(tokens)):
        query = select(_ORDERS.c.checkout_token, func.min(_ORDERS.c.created_at)).where(
            _ORDERS.c.shop == shop, _ORDERS.c.checkout_token.in_(part)
        )
        rows = await (await db.connection()).execute(query.group_by(_ORDERS.c.checkout_token))
        placed |= {token: int(at.timestamp()) for token, at in rows}
    return placed
