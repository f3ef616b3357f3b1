"""What a customer's record says of their wishes, with every change of it in the consent ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.consent.digests import Digests
from app.consent.entries import RECORDED, Entry
from app.consent.ledger import append_to
from app.events.kinds import CustomerChanged, MarketingConsentChanged
from app.tables import CustomerRow
from app.upsert import matching, table_of

_CUSTOMERS = table_of(CustomerRow)
# What a customer is who never said anything.
_SILENT = {"not_subscribed", False, None}

Key = tuple[str, int]
Answers = Mapping[Key, Mapping[str, Any]]
Change = CustomerChanged | MarketingConsentChanged


async def recorded_answers(db: AsyncSession, changes: Collection[Change]) -> Answers:
    """Return what is known of the customers that the changes are of."""
    connection = await db.connection()
    key = (_CUSTOMERS.c.shop, _CUSTOMERS.c.customer_id)
    query = select(*key, *(_CUSTOMERS.c[name] for name in RECORDED))
    known: dict[Key, dict[str, Any]] = {}
    for theirs in matching(key, sorted({_key(change) for change in changes})):
        for row in await connection.execute(query.where(theirs)):
            known[row.shop, row.customer_id] = {name: getattr(row, name) for name in RECORDED}
    return known


async def append_changes(
    db: AsyncSession, digests: Digests, before: Answers, changes: Sequence[Change]
) -> None:
    """Append to the ledger the answers that the changes changed.

    Of somebody of whom nothing was known before, only what they answered: no answer is no change.
    """
    after = await recorded_answers(db, changes)
    entries: dict[str, list[Entry]] = {}
    for key, change in {_key(change): change for change in sorted(changes, key=_time)}.items():
        if told := _changed(before.get(key, {}), after.get(key, {})):
            entries.setdefault(change.shop, []).append(_entry(digests, change, told))
    for shop, theirs in entries.items():
        await append_to(db, shop, theirs)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that are others than before, or the first that somebody gave."""
    return {
        name: after[name]
        for name in RECORDED
        if name in after
        and after[name] != before.get(name)
        and not (before.get(name) is None and after[name] in _SILENT)
    }


def _entry(digests: Digests, change: Change, told: Mapping[str, Any]) -> Entry:
    return Entry(
        subject=digests.of(change.shop, "customer", change.customer_id),
        subject_kind="customer",
        event_id=digests.of(change.shop, "event", change.event_id),  # of an import it names the customer
        told_at=_time(change),
        source="customer_record",
        told=told,
    )


def _key(change: Change) -> Key:
    return change.shop, change.customer_id


def _time(change: Change) -> Any:
    """Return when it was said, or when we learnt of it where that is not told."""
    return change.updated_at if isinstance(change, MarketingConsentChanged) else change.happened_at
