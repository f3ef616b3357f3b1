"""Reads logged decisions and what came of them, to judge another policy by."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.archive.store import plan_of_version
from app.campaigns.choice import WINDOW_S
from app.campaigns.past_decisions import past_of
from app.campaigns.plan import Plan
from app.connections import Connections
from app.consent.standing import Use
from app.consent.standings import who_refuse
from app.errors import NotFound
from app.events.surfaces import AFTER_THE_ORDER
from app.experiments.assign import PERSONALISED
from app.experiments.refusal import Refusal
from app.offpolicy.estimate import PolicyEstimate
from app.offpolicy.judging import LoggedDecision, TargetPolicy, policy_value
from app.orders.refunds import goods_back
from app.tables import DecisionRow, OrderRow
from app.upsert import chunks, table_of
from app.values import ShopDomain

MOST = 50_000
WINDOW = timedelta(seconds=WINDOW_S)
_DECISIONS, _ORDERS = table_of(DecisionRow), table_of(OrderRow)


@dataclass(frozen=True, slots=True)
class PolicyEvaluation:
    """What the other policy would have earned. untold: decisions that do not tell all it would depend on.

    until: of the last decision that was read, where the period has more than can be; None for all of them.
    """

    decisions: int
    untold: int
    currency: str
    result: PolicyEstimate | Refusal
    until: datetime | None = None


async def evaluate_logged(
    connections: Connections, shop: ShopDomain, other: TargetPolicy, since: datetime, now: datetime
) -> PolicyEvaluation:
    """Return what the other policy would have earned of persons' first decisions since then."""
    rows, until = await _first_decisions(connections, shop, since, now - WINDOW)
    plans = await _plans(connections, shop, {row.inputs["snapshot"] for row in rows})
    async with connections.read() as db:
        earned = await _earned(db, shop, other.shop.currency, {row.checkout_token for row in rows})
    logged = [
        LoggedDecision(
            past=past_of(row, None),
            plan=plans[row.inputs["snapshot"]],
            ranked=_ranked(row.answer),
            shown=_shown(row.inputs["situation"]),
            reward_minor=_within(earned[row.checkout_token], row.decided_at),
        )
        for row in rows
        if row.inputs["snapshot"] in plans
    ]
    result, used = await asyncio.to_thread(policy_value, logged, other)
    return PolicyEvaluation(len(rows), len(rows) - used, other.shop.currency, result, until)


async def _first_decisions(
    connections: Connections, shop: ShopDomain, since: datetime, until: datetime
) -> tuple[list[Any], datetime | None]:
    """Return each unit's first decision before an order, of those who may be learnt from, oldest first.

    And when the last one read was made, if there are more than MOST.
    """
    refuse = await who_refuse(connections, shop, Use.TRAIN)
    columns = _DECISIONS.c
    query = (
        select(
            columns.decision_id, columns.decided_at, columns.surface, columns.checkout_token,
            columns.customer_id, columns.permitted, columns.inputs, columns.answer,
        )
        .where(columns.shop == shop, columns.arm == PERSONALISED, columns.checkout_token.is_not(None))
        .where(columns.decided_at >= since, columns.decided_at <= until)
        .where(columns.surface.not_in(sorted(AFTER_THE_ORDER)))
        .order_by(columns.decided_at, columns.decision_id)
        .limit(MOST + 1)
    )  # fmt: skip
    first: dict[str, Any] = {}
    async with connections.read() as db:
        read = list(await (await db.connection()).execute(query))
        for row in read[:MOST]:
            unit, told = row.inputs.get("unit"), "situation" in row.inputs and "snapshot" in row.inputs
            if unit and told and row.customer_id not in refuse:
                first.setdefault(unit, row)
    return list(first.values()), read[MOST - 1].decided_at if len(read) > MOST else None


async def _plans(connections: Connections, shop: str, versions: Collection[str]) -> dict[str, Plan | None]:
    """Return the campaigns of each version that is kept still."""
    found: dict[str, Plan | None] = {}
    for version in versions:
        try:
            found[version] = await plan_of_version(connections, shop, version)
        except NotFound:
            continue
    return found


async def _earned(
    db: AsyncSession, shop: str, currency: str, tokens: Collection[str]
) -> dict[str, list[tuple[datetime, int]]]:
    """Return what each checkout's orders brought, less what was given back, by when they were placed."""
    found: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    columns = _ORDERS.c
    for part in chunks(sorted(tokens)):
        query = (
            select(columns.checkout_token, columns.created_at, columns.subtotal_minor, goods_back())
            .where(columns.shop == shop, columns.checkout_token.in_(part), columns.currency == currency)
            .where(columns.cancelled_at.is_(None))
        )
        for token, at, minor, given_back in await (await db.connection()).execute(query):
            found[token].append((at, max(0, minor - int(given_back))))
    return found


def _within(orders: Iterable[tuple[datetime, int]], begin: datetime) -> int:
    return sum(minor for at, minor in orders if begin <= at <= begin + WINDOW)


def _ranked(answer: dict[str, Any]) -> tuple[str, ...]:
    offers = answer.get("offers") or ()
    ranked = (each["product"] for each in offers if each.get("product") and not each.get("campaign"))
    return tuple(product["product_id"] for product in ranked)


def _shown(situation: dict[str, Any]) -> frozenset[str]:
    chosen = (situation.get("campaigns") or {}).get("chosen") or ()
    return frozenset(each["campaign_id"] for each in chosen)
