"""Finds logged decisions, newest first, a page at a time, and what became of their offers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, exists, false, or_, select

from app.admin.decisions_filter import ANY, Cursor, Filter
from app.admin.store import ListedDecision
from app.connections import Connections
from app.shops.store import Shop
from app.tables import DecisionRow, FeedbackRow
from app.upsert import table_of

SHOWN = 25
# A page is to open at once: it looks through so many and says where it stopped.
LOOKED_THROUGH = 5_000
_DECISIONS, _FEEDBACK = table_of(DecisionRow), table_of(FeedbackRow)


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """Decisions. further: where the next page begins, None at the end. stopped: before it was full."""

    decisions: list[ListedDecision]
    further: Cursor | None
    stopped: bool


async def find(
    connections: Connections,
    shop: Shop,
    wanted: Filter,
    product_ids: Collection[int] | None,
    among: Collection[str] | None = None,
) -> DecisionPage:
    """Return the newest decisions that are wanted. product_ids: of what is searched for, None for all.

    What is searched for can be a code as well. among: the decisions that are looked through, None for as many
    of the newest as a page has time for.
    """
    columns = _DECISIONS.c
    behind = [columns.shop == shop.shop, *_times(wanted)]
    floor = await _floor(connections, behind) if among is None else None
    if among is not None:
        behind.append(columns.decision_id.in_(list(among)))
    query = (
        select(
            columns.decision_id, columns.decided_at, columns.surface, columns.rung, columns.arm,
            columns.fallback, columns.answer,
        )
        .where(*behind, *_conditions(wanted, product_ids))
        .order_by(columns.decided_at.desc(), columns.decision_id.desc())
        .limit(SHOWN + 1)
    )  # fmt: skip
    if floor is not None:
        query = query.where(columns.decided_at >= floor.at)
    found = [ListedDecision(*row) for row in await connections.rows(query)]
    if len(found) > SHOWN:
        last = found[SHOWN - 1]
        return DecisionPage(found[:SHOWN], Cursor(last.decided_at, last.decision_id), stopped=False)
    return DecisionPage(found, floor, stopped=floor is not None)


async def outcomes(
    connections: Connections, shop: Shop, decision_ids: Collection[str]
) -> dict[str, dict[str, list[str]]]:
    """Return what became of each offer: kinds of feedback, by decision and offer, in their order."""
    columns = _FEEDBACK.c
    query = (
        select(columns.decision_id, columns.offer_id, columns.kind)
        .where(columns.shop == shop.shop, columns.decision_id.in_(list(decision_ids)))
        .order_by(columns.happened_at, columns.event_id)
    )
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for decision_id, offer_id, kind in await connections.rows(query):
        if kind not in found[decision_id][offer_id]:
            found[decision_id][offer_id].append(kind)
    return found


async def _floor(connections: Connections, behind: list[Any]) -> Cursor | None:
    """Return the last moment that is looked at, None where that is all there is."""
    query = select(_DECISIONS.c.decided_at).where(*behind).order_by(_DECISIONS.c.decided_at.desc())
    rows = await connections.rows(query.offset(LOOKED_THROUGH).limit(1))
    return Cursor(rows[0][0]) if rows else None


def _times(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    columns, before = _DECISIONS.c, wanted.before
    if wanted.since is not None:
        yield columns.decided_at >= wanted.since
    if wanted.until is not None:
        yield columns.decided_at < wanted.until
    if before is not None:
        later = and_(columns.decided_at == before.at, columns.decision_id < before.decision_id)
        yield columns.decided_at <= before.at
        yield or_(columns.decided_at < before.at, later)


def _conditions(wanted: Filter, product_ids: Collection[int] | None) -> Iterator[ColumnElement[bool]]:
    columns = _DECISIONS.c
    for name in ("surface", "rung", "arm"):
        if value := getattr(wanted, name):
            yield columns[name] == value
    if wanted.fallback:
        named = columns.fallback == wanted.fallback
        yield columns.fallback.is_not(None) if wanted.fallback == ANY else named
    if wanted.outcome:
        yield exists().where(
            _FEEDBACK.c.shop == columns.shop,
            _FEEDBACK.c.decision_id == columns.decision_id,
            _FEEDBACK.c.kind == wanted.outcome,
        )
    if wanted.campaign:
        yield _offers(("campaign", wanted.campaign))
    if product_ids is not None:
        products = (("product_id", f"gid://shopify/Product/{number}") for number in product_ids)
        yield _offers(*products, ("code", wanted.product.upper()))


def _offers(*members: tuple[str, str]) -> ColumnElement[bool]:
    """Return the condition that the answer's JSON, as it is kept, has one of these members."""
    text = cast(_DECISIONS.c.answer, Text)
    return or_(false(), *(text.contains(f'"{name}": "{value}"', autoescape=True) for name, value in members))
