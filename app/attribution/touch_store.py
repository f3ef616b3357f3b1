"""Reads the offers that were made to whoever ordered, as far as who that was may be kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.attribution.touches import Granted, Touch
from app.columns import named_text
from app.coupon_tables import AutomaticDiscountRow
from app.experiments.assign import HOLDOUT, pseudonym
from app.experiments.record_store import guests
from app.tables import DecisionRow, EventRow
from app.upsert import chunks, table_of

_DECISIONS, _EVENTS = table_of(DecisionRow), table_of(EventRow)
_DISCOUNTS = table_of(AutomaticDiscountRow)
_UNIT = named_text(_DECISIONS.c.inputs, "unit")


async def browsers_of(db: AsyncSession, shop: str, tokens: Iterable[str | None]) -> dict[str, str]:
    """Return by checkout which browser it was in, as decisions call it, where that is known."""
    found: dict[str, str] = {}
    for part in chunks(sorted(filter(None, tokens))):
        told = await (await db.connection()).execute(guests(shop, _EVENTS.c.checkout_token.in_(part)))
        found |= {token: pseudonym(shop, f"client:{client_id}") for token, client_id in told}
    return found


async def granted_by(db: AsyncSession, shop: str) -> dict[str, Granted]:
    """Return the discounts without a code, by the terms that orders name."""
    columns = _DISCOUNTS.c
    query = select(columns.terms_id, columns.campaign_id, columns.title, columns.label)
    rows = await (await db.connection()).execute(query.where(columns.shop == shop))
    return {terms_id: Granted(campaign, tuple(called)) for terms_id, campaign, *called in rows}


async def touches_before(
    db: AsyncSession, shop: str, orders: Collection[Any], browsers: Mapping[str, str], window: timedelta
) -> dict[str, list[Touch]]:
    """Return the offers made to whoever ordered, by decision, within the window before any of the orders.

    browsers: see `browsers_of`. Looked for by whom they were made to: by time, all of a week's decisions
    would be, for every part.
    """
    if not orders:
        return {}
    placed = [each.created_at for each in orders]
    # Not by the bare column: SQLite would look for them by their time.
    at = func.coalesce(_DECISIONS.c.decided_at, _DECISIONS.c.decided_at)
    within = at >= min(placed) - window, at <= max(placed)
    found: dict[str, list[Touch]] = {}
    token, customer = _DECISIONS.c.checkout_token, _DECISIONS.c.customer_id
    for part in chunks(list(orders)):
        tokens = sorted({each.checkout_token for each in part if each.checkout_token})
        ids = sorted({each.customer_id for each in part if each.customer_id})
        units = sorted({browsers[each] for each in tokens if each in browsers})
        found |= await _made(db, shop, token.in_(tokens), *within)
        others = or_(token.is_(None), token.not_in(tokens))
        found |= await _made(db, shop, customer.in_(ids), others, *within)
        found |= await _made(db, shop, _UNIT.in_(units), others, *within)
    return found


async def touches_linked(db: AsyncSession, shop: str, decision_ids: Iterable[str]) -> dict[str, list[Touch]]:
    """Return the offers of decisions that lines say they were added from, however old."""
    found: dict[str, list[Touch]] = {}
    for part in chunks(sorted(decision_ids)):
        found |= await _made(db, shop, _DECISIONS.c.decision_id.in_(part))
    return found


async def _made(db: AsyncSession, shop: str, *which: Any) -> dict[str, list[Touch]]:
    columns = _DECISIONS.c
    query = select(
        columns.decision_id, columns.decided_at, columns.customer_id, columns.checkout_token,
        columns.surface, columns.answer, _UNIT.label("unit"),
    ).where(columns.shop == shop, columns.arm != HOLDOUT, *which)  # fmt: skip
    rows = await (await db.connection()).execute(query)
    return {row.decision_id: list(touches_of(row, row.unit)) for row in rows}


def touches_of(row: Any, unit: str | None) -> Iterator[Touch]:
    """Yield the offers that a decision made. unit: whom it logged."""
    people = people_of(row, unit)
    for offer in row.answer.get("offers") or ():
        product, discount, why = offer.get("product"), offer.get("discount"), offer.get("why")
        yield Touch(
            decision_id=row.decision_id,
            offer_id=offer["offer_id"],
            at=row.decided_at,
            people=people,
            kind=offer["kind"],
            campaign=offer.get("campaign"),
            product_id=int(product["product_id"].rpartition("/")[2]) if product else None,
            code=discount.get("code") if discount else None,
            reason=why[0]["reason"] if why else None,
            surface=row.surface,
            applies_to=discount.get("applies_to") if discount else None,
        )


def people_of(row: Any, unit: str | None) -> frozenset[str]:
    """Return whom an order or a decision is of, as far as that may be kept. unit: of an order its browser."""
    named = {"customer": row.customer_id, "checkout": row.checkout_token, "unit": unit}
    return frozenset(f"{kind}:{name}" for kind, name in named.items() if name)
