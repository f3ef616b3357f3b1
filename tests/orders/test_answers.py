from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from app.connections import Connections
from app.consent.digests import open_digests
from app.events.kinds import CustomerChanged, MarketingConsentChanged
from app.orders.customers import record_customers, record_marketing_consent
from app.privacy_tables import ConsentRow
from app.tables import ShopRow

SHOP = "a.myshopify.com"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def install(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOON))


def changed(minutes: int = 0, customer_id: int = 5, **fields: Any) -> CustomerChanged:
    at = NOON + timedelta(minutes=minutes)
    facts: dict[str, Any] = {
        "shop": SHOP, "customer_id": customer_id, "event_id": f"c{customer_id}-{minutes}", "happened_at": at,
        "orders_count": None, "email_marketing": None, "sms_marketing": None, "data_sale_opt_out": None,
        "created_at": None, "updated_at": at,
    }  # fmt: skip
    return CustomerChanged(**facts | fields)


def answered(minutes: int, state: str, channel: str = "email") -> MarketingConsentChanged:
    at = NOON + timedelta(minutes=minutes)
    return MarketingConsentChanged(
        shop=SHOP, customer_id=5, event_id=f"m{minutes}", happened_at=at, channel=channel, state=state,
        updated_at=at,
    )  # fmt: skip


async def ledger(connections: Connections) -> list[ConsentRow]:
    async with connections.read() as db:
        return list((await db.exec(select(ConsentRow).order_by(col(ConsentRow.id)))).all())


async def told(connections: Connections) -> list[dict[str, Any]]:
    return [row.told for row in await ledger(connections)]


async def test_every_change_of_an_answer_is_in_the_ledger_once(on_both_databases: Connections) -> None:
    await install(on_both_databases)
    for _ in range(2):
        await record_marketing_consent(on_both_databases, answered(0, "subscribed"))
        await record_marketing_consent(on_both_databases, answered(1, "unsubscribed"))
        await record_marketing_consent(on_both_databases, answered(2, "subscribed", "sms"))
    assert await told(on_both_databases) == [
        {"email_marketing": "subscribed"},
        {"email_marketing": "unsubscribed"},
        {"sms_marketing": "subscribed"},
    ]
    last = (await ledger(on_both_databases))[-1]
    digests = await open_digests(on_both_databases)
    assert (last.subject, last.source) == (digests.of(SHOP, "customer", 5), "customer_record")
    assert last.answers == {"email_marketing": "unsubscribed", "sms_marketing": "subscribed"}


async def test_an_opt_out_and_its_end_are_each_a_line(connections: Connections) -> None:
    await install(connections)
    for minute, opted_out in enumerate([False, True, True, None, False]):
        await record_customers(connections, [changed(minute, data_sale_opt_out=opted_out)])
    assert await told(connections) == [{"data_sale_opt_out": True}, {"data_sale_opt_out": False}]


async def test_of_imported_customers_only_those_who_said_something_are_in_it(
    connections: Connections,
) -> None:
    await install(connections)
    silent = [changed(0, each, email_marketing="not_subscribed", data_sale_opt_out=False) for each in (1, 2)]
    spoken = changed(0, 3, email_marketing="subscribed", data_sale_opt_out=True)
    for _ in range(2):
        await record_customers(connections, [*silent, spoken])
    assert await told(connections) == [{"email_marketing": "subscribed", "data_sale_opt_out": True}]


async def test_an_older_answer_that_comes_late_changes_neither(connections: Connections) -> None:
    await install(connections)
    await record_marketing_consent(connections, answered(5, "unsubscribed"))
    await record_marketing_consent(connections, answered(1, "subscribed"))
    assert await told(connections) == [{"email_marketing": "unsubscribed"}]


async def test_what_changes_at_the_same_moment_as_something_else_is_not_lost(
    connections: Connections,
) -> None:
    await install(connections)
    await record_customers(connections, [changed(0, orders_count=1)])
    await record_customers(connections, [changed(0, data_sale_opt_out=True)])
    assert await told(connections) == [{"data_sale_opt_out": True}]
