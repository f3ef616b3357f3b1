from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as database_event
from sqlmodel import col, select

from app.connections import Connections, redis_key
from app.consent.clearing import (
    SOURCES,
    change_limits,
    last_clearings,
    request_due_clearings,
)
from app.consent.retention import KEPT, checked, limits_of, warnings_of
from app.errors import InputError, NotFound
from app.events.kinds import ProductDeleted
from app.events.log import DEAD, EventLog, encode
from app.privacy.aged import clear_aged
from app.privacy_tables import ConsentRow, ErasedRow, RetentionRow
from app.shops.store import get_shop
from app.tables import DecisionRow, EventRow, FeedbackRow, InboxRow, ShopRow
from app.values import ShopDomain

SHOP, OTHER = ShopDomain("a.myshopify.com"), ShopDomain("b.myshopify.com")
DEFAULTS = {each.store: each.days for each in KEPT}
SETTINGS = [each.setting for each in KEPT]


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def shop_row(shop: str = SHOP, **limits: Any) -> ShopRow:
    settings = {"retention": limits} if limits else {}
    return ShopRow(shop=shop, publishable_key=f"pk_{shop}", settings=settings, installed_at=ago(1))


def event(number: int, days: float, shop: str = SHOP) -> EventRow:
    return EventRow(
        shop=shop, event_id=f"{number:05}", name="viewed", happened_at=ago(days), recorded_at=ago(days)
    )


def decision(number: int, days: float) -> DecisionRow:
    return DecisionRow(
        shop=SHOP, decision_id=str(number), decided_at=ago(days), surface="checkout", rung="session", arm="a"
    )


def feedback(number: int, days: float) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=str(number), decision_id="d", offer_id="o", kind="shown", happened_at=ago(days)
    )


def delivery(number: int, days: float, status: str) -> InboxRow:
    return InboxRow(
        id=number, shop=SHOP, event_id=str(number), topic="orders/create", received_at=ago(days),
        next_attempt_at=ago(days), body=b"{}", status=status,
    )  # fmt: skip


def word(number: int, days: float, subject: str, kind: str = "client") -> ConsentRow:
    return ConsentRow(
        id=number, shop=SHOP, subject=subject, subject_kind=kind, event_id=str(number),
        told_at=ago(days), source="checkout",
    )  # fmt: skip


async def keep(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        db.add_all(rows)


async def kept(connections: Connections, column: Any, shop: str = SHOP) -> list[Any]:
    async with connections.read() as db:
        return sorted(await db.exec(select(column).where(column.class_.shop == shop)))


async def asked_for(connections: Connections, shop: str = SHOP) -> bool:
    return bool(await connections.redis.exists(redis_key(shop, "waiting", "clear")))


def test_a_shop_that_says_nothing_has_the_defaults() -> None:
    assert limits_of({}) == limits_of({"retention": {}, "pinned": [1]})
    assert limits_of({}).days == {
        "events": 180, "decisions": 180, "feedback": 180, "snapshots": 30, "inbox": 30,
        "dead letters": 30, "consents": 1095,
    }  # fmt: skip
    assert limits_of({}).unusable == ()


@pytest.mark.parametrize("value", [0, -1, 3651, "30", 30.0, None, True, [30]])
def test_a_limit_that_can_be_none_falls_back_and_is_said(value: object) -> None:
    limits = limits_of({"retention": {"events_days": value, "decisions_days": 45}})
    assert limits.days == DEFAULTS | {"decisions": 45}
    (said,) = limits.unusable
    assert said.startswith("events_days must be 1 to 3650 whole days")
    assert said.endswith("180 holds instead")


@pytest.mark.parametrize("settings", [{"retention": 30}, {"retention": None}, {"retention": ["events_days"]}])
def test_limits_that_are_no_set_fall_back_and_are_said(settings: dict[str, Any]) -> None:
    assert limits_of(settings).days == DEFAULTS
    assert len(limits_of(settings).unusable) == 1


def test_a_limit_nobody_knows_is_said_and_changes_nothing() -> None:
    limits = limits_of({"retention": {"orders_days": 3}})
    assert limits.days == DEFAULTS
    assert limits.unusable == ("orders_days is no limit we know",)


@given(st.dictionaries(st.text() | st.sampled_from(SETTINGS), st.integers() | st.none()))
def test_what_is_accepted_holds_and_what_is_refused_would_not(wanted: dict[str, Any]) -> None:
    limits = limits_of({"retention": wanted})
    if limits.unusable:
        with pytest.raises(InputError):
            checked(wanted)
    else:
        accepted = checked(wanted)
        assert {each.setting: limits.days[each.store] for each in KEPT}.items() >= accepted.items()


def test_messages_from_shopify_are_never_kept_longer_than_the_inbox_keeps_any() -> None:
    with pytest.raises(InputError, match="inbox_days must be 1 to 30") as error:
        checked({"inbox_days": 31})
    assert error.value.field == "inbox_days"


def test_limits_that_shorten_what_is_told_of_offers_say_so() -> None:
    assert warnings_of(limits_of({})) == []
    (said,) = warnings_of(limits_of({"retention": {"decisions_days": 7}}))
    assert "7 days instead of 30" in said


def test_every_store_with_a_limit_is_cleared_and_none_besides() -> None:
    assert {*SOURCES, "dead letters"} == {each.store for each in KEPT}
    assert all(SOURCES[store].table.name == store for store in SOURCES)


async def test_what_is_past_its_limit_goes_and_the_rest_is_counted(connections: Connections) -> None:
    await keep(
        connections,
        shop_row(events_days=10, decisions_days=20),
        event(1, 11), event(2, 9), event(3, 5), event(4, 400, OTHER),
        decision(1, 21), decision(2, 19),
        feedback(1, 181), feedback(2, 179),
    )  # fmt: skip
    cleared = {each.store: each for each in await clear_aged(connections, SHOP)}
    assert await kept(connections, EventRow.event_id) == ["00002", "00003"]
    assert await kept(connections, DecisionRow.decision_id) == ["2"]
    assert await kept(connections, FeedbackRow.event_id) == ["2"]
    assert await kept(connections, EventRow.event_id, OTHER) == ["00004"]
    events = cleared["events"]
    assert (events.limit_days, events.deleted, events.remaining) == (10, 1, 2)
    assert events.oldest_at is not None
    assert (datetime.now(UTC) - events.oldest_at).days == 9
    assert cleared["inbox"].oldest_at is None
    assert await last_clearings(connections, SHOP) == cleared


async def test_more_than_one_batch_goes_in_one_clearing(connections: Connections) -> None:
    old = [event(number, 200) for number in range(1_203)]
    new = [event(number, 1) for number in range(1_203, 1_210)]
    at_once = ago(200)
    decided = [decision(number, 1) for number in range(1_203)]
    for each in decided[:1_200]:
        each.decided_at = at_once
    await keep(connections, shop_row(), *old, *new, *decided)
    cleared = {each.store: each for each in await clear_aged(connections, SHOP)}
    assert (cleared["events"].deleted, cleared["events"].remaining) == (1_203, 7)
    assert (cleared["decisions"].deleted, cleared["decisions"].remaining) == (1_200, 3)


async def test_a_delivery_that_still_waits_is_never_lost_to_its_age(connections: Connections) -> None:
    old = [delivery(1, 90, "pending"), delivery(2, 90, "parked"), delivery(3, 90, "done")]
    await keep(connections, shop_row(), *old, delivery(4, 3, "parked"))
    await clear_aged(connections, SHOP)
    assert await kept(connections, InboxRow.id) == [1, 4]


async def test_the_last_word_of_a_person_stays_while_it_is_relied_on(connections: Connections) -> None:
    await keep(
        connections,
        shop_row(ledger_days=30),
        word(1, 90, "ann"), word(2, 60, "ann"),  # 2 is Ann's last word
        word(3, 401, "bob"),  # nothing is remembered of it any more
        word(4, 10, "cy"),
        word(5, 999, "dee", "customer"), word(6, 998, "dee", "customer"),  # what she refused stays refused
        word(7, 999, "eve", "customer"), ErasedRow(shop=SHOP, subject="eve", erased_at=ago(900)),
    )  # fmt: skip
    await clear_aged(connections, SHOP)
    assert await kept(connections, ConsentRow.id) == [2, 4, 6]


async def letter(connections: Connections, days: float, shop: str | None) -> None:
    """Put an event of the shop aside so many days ago, or for None what is no event."""
    moment = ago(days)
    event = ProductDeleted(shop=shop or "", event_id="e", happened_at=moment, product_id=1)
    at = int(moment.timestamp() * 1000)
    await connections.redis.xadd(DEAD, {"e": encode(event) if shop else b"torn"}, id=f"{at}-*")


async def test_events_that_were_put_aside_age_too_and_so_do_those_nobody_can_read(
    connections: Connections,
) -> None:
    await keep(connections, shop_row(letters_days=10))
    for days, shop in ((99, None), (50, OTHER), (11, SHOP), (9, SHOP), (8, None)):
        await letter(connections, days, shop)
    cleared = {each.store: each for each in await clear_aged(connections, SHOP)}["dead letters"]
    assert (cleared.deleted, cleared.remaining) == (1, 1)
    log = EventLog(connections.redis)
    assert [await log.count_dead(each) for each in (SHOP, OTHER, None)] == [1, 1, 3]


async def test_a_second_clearing_deletes_nothing(connections: Connections) -> None:
    await keep(connections, shop_row(), event(1, 200), decision(1, 200), word(1, 2000, "ann"))
    first = await clear_aged(connections, SHOP)
    second = await clear_aged(connections, SHOP)
    assert [each.deleted for each in first] == [1, 1, 0, 0, 0, 0, 1]
    assert [each.deleted for each in second] == [0, 0, 0, 0, 0, 0, 0]


async def test_a_shop_that_was_erased_gets_no_record_of_a_clearing(connections: Connections) -> None:
    await clear_aged(connections, SHOP)
    assert await kept(connections, RetentionRow.store) == []


async def test_a_clearing_is_asked_for_once_a_day_and_when_a_limit_changed(connections: Connections) -> None:
    gone = shop_row(OTHER)
    gone.uninstalled_at = ago(1)
    await keep(connections, shop_row(), gone)
    await request_due_clearings(connections)
    assert await asked_for(connections)
    assert await asked_for(connections, OTHER)  # what a shop left behind ages too
    await clear_aged(connections, SHOP)
    await request_due_clearings(connections)
    assert not await asked_for(connections)
    async with connections.write() as db:
        for row in await db.exec(select(RetentionRow).where(col(RetentionRow.store) == "inbox")):
            row.ran_at = ago(1)
            db.add(row)
    await request_due_clearings(connections)
    assert await asked_for(connections)


async def test_whose_clearing_is_due_is_asked_of_all_shops_at_once(connections: Connections) -> None:
    await keep(connections, *(shop_row(f"{name}.myshopify.com") for name in "abcde"))
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        asked.append(statement)

    database_event.listen(connections.engine.sync_engine, "before_cursor_execute", note)
    await request_due_clearings(connections)
    database_event.remove(connections.engine.sync_engine, "before_cursor_execute", note)
    assert sum("FROM retention" in each for each in asked) == 1
    assert await asked_for(connections, "e.myshopify.com")


async def test_a_changed_limit_holds_and_is_cleared_at_the_next_turn(connections: Connections) -> None:
    row = shop_row(events_days=10, decisions_days=20)
    row.settings = row.settings | {"pinned": [1]}
    await keep(connections, row)
    assert await change_limits(connections, SHOP, {"events_days": 5}) == {"events_days": 5}
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings == {"pinned": [1], "retention": {"events_days": 5}}
    await clear_aged(connections, SHOP)
    await change_limits(connections, SHOP, {"events_days": 4})
    await request_due_clearings(connections)
    assert await asked_for(connections)


async def test_a_refused_limit_changes_none(connections: Connections) -> None:
    await keep(connections, shop_row(events_days=10))
    with pytest.raises(InputError):
        await change_limits(connections, SHOP, {"decisions_days": 5, "events_days": 0})
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    assert shop.settings == {"retention": {"events_days": 10}}
    with pytest.raises(NotFound):
        await change_limits(connections, OTHER, {"events_days": 5})
