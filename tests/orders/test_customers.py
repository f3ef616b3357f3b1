from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.connections import Connections
from app.events.kinds import CustomerChanged, CustomerDeleted, MarketingConsentChanged
from app.orders.customers import record_customers, record_marketing_consent, remove_customer
from app.tables import CustomerRow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WHO = {"shop": "a.myshopify.com", "customer_id": 5}


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def changed(minutes: int = 0, **fields: Any) -> CustomerChanged:
    facts: dict[str, Any] = {
        "orders_count": None,
        "email_marketing": None,
        "sms_marketing": None,
        "data_sale_opt_out": None,
        "created_at": None,
        "updated_at": at(minutes),
        "event_id": f"c{minutes}",
        "happened_at": at(minutes),
    }
    return CustomerChanged(**WHO | facts | fields)


def answered(minutes: int, state: str, channel: str = "email") -> MarketingConsentChanged:
    return MarketingConsentChanged(
        **WHO,
        event_id=f"m{minutes}",
        happened_at=at(minutes),
        channel=channel,
        state=state,
        updated_at=at(minutes),
    )


def deleted(minutes: int) -> CustomerDeleted:
    return CustomerDeleted(**WHO, event_id=f"d{minutes}", happened_at=at(minutes))


async def the_customer(connections: Connections) -> CustomerRow:
    async with connections.read() as db:
        return (await db.exec(select(CustomerRow))).one()


async def test_a_customer_is_found_by_the_digest_of_their_latest_address(
    on_both_databases: Connections,
) -> None:
    for minute, digest in [(0, "old"), (1, "new"), (2, None)]:
        await record_customers(on_both_databases, [changed(minute, email_digest=digest)])
    assert (await the_customer(on_both_databases)).email_digest == "new"


async def test_what_a_change_does_not_tell_stays(on_both_databases: Connections) -> None:
    await record_customers(on_both_databases, [changed(0, orders_count=3, email_marketing="subscribed")])
    await record_customers(on_both_databases, [changed(1)])
    kept = await the_customer(on_both_databases)
    assert (kept.orders_count, kept.email_marketing) == (3, "subscribed")
    assert kept.updated_at == at(1)


async def test_changes_of_one_customer_at_once_tell_as_much_as_one_after_the_other(
    on_both_databases: Connections,
) -> None:
    told = changed(0, orders_count=3, email_marketing="subscribed")
    await record_customers(on_both_databases, [told, changed(1, sms_marketing="subscribed"), changed(2)])
    kept = await the_customer(on_both_databases)
    assert (kept.orders_count, kept.email_marketing, kept.sms_marketing) == (3, "subscribed", "subscribed")
    assert kept.updated_at == at(2)


@pytest.mark.parametrize("channel", ["email", "sms"])
async def test_the_latest_answer_about_marketing_counts(on_both_databases: Connections, channel: str) -> None:
    await record_marketing_consent(on_both_databases, answered(5, "unsubscribed", channel))
    await record_marketing_consent(on_both_databases, answered(1, "subscribed", channel))
    kept = await the_customer(on_both_databases)
    assert getattr(kept, f"{channel}_marketing") == "unsubscribed"


async def test_an_answer_before_the_customer_is_known_survives_older_facts(
    on_both_databases: Connections,
) -> None:
    await record_marketing_consent(on_both_databases, answered(5, "unsubscribed"))
    await record_customers(on_both_databases, [changed(2, email_marketing="subscribed", orders_count=1)])
    kept = await the_customer(on_both_databases)
    assert (kept.email_marketing, kept.orders_count) == ("unsubscribed", 1)


async def test_newer_facts_bring_a_newer_answer(on_both_databases: Connections) -> None:
    await record_marketing_consent(on_both_databases, answered(1, "unsubscribed"))
    await record_customers(on_both_databases, [changed(2, email_marketing="subscribed")])
    assert (await the_customer(on_both_databases)).email_marketing == "subscribed"


async def test_a_deleted_customer_stays_deleted_for_late_facts(on_both_databases: Connections) -> None:
    await record_customers(on_both_databases, [changed(0)])
    await remove_customer(on_both_databases, deleted(2))
    for minutes in (1, 2):
        await record_customers(on_both_databases, [changed(minutes)])
    assert (await the_customer(on_both_databases)).deleted_at == at(2)
    await record_customers(on_both_databases, [changed(3)])
    assert (await the_customer(on_both_databases)).deleted_at is None


async def test_a_late_deletion_does_not_undo_newer_facts(on_both_databases: Connections) -> None:
    await record_customers(on_both_databases, [changed(3)])
    await remove_customer(on_both_databases, deleted(2))
    assert (await the_customer(on_both_databases)).deleted_at is None
