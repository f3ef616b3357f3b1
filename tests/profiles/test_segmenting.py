"""A shop's customers are put into segments from its tables, and followed as they move."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from sqlmodel import select, update

from app.connections import Connections, redis_key
from app.consent.digests import open_digests
from app.consent.policy import Answers
from app.consent.told import pack as pack_told
from app.consent.told import told_key
from app.errors import InputError, NotFound
from app.events.kinds import CustomerDeleted
from app.jobs import read_progress
from app.orders.customers import remove_customer
from app.profiles.customer import Profile
from app.profiles.keys import customer_key
from app.profiles.packed import unpack_profile
from app.profiles.reviews import decide_review, reviews
from app.profiles.rfm import RfmMeasures, RfmThresholds, cuts
from app.profiles.segmentation import Segmentation
from app.profiles.segmenting import request_due_segmentations, segment_shop
from app.profiles.segments import count_segments, latest_segmentation, publish_segmentation
from app.profiles.snapshots import FEATURES
from app.profiles.store import forget_customer, rebuild, refresh_customers
from app.profiles.thresholds import Rules
from app.profiles.trees import LEAF, Classifier, Sigmoid, Trees
from app.segment_tables import (
    CustomerSegmentRow,
    ReviewRow,
    SegmentationRow,
    SegmentMoveRow,
    SegmentSizeRow,
)
from app.tables import CustomerRow, OrderLineRow, OrderRow, ShopRow
from app.values import ShopDomain
from tests.profiles.factories import an_order, place

SHOP = ShopDomain("a.myshopify.com")
NOW = datetime.now(UTC)


def order_rows(order_id: int, customer_id: int, days_ago: float, total_minor: int = 1_000) -> Sequence[Any]:
    at = NOW - timedelta(days=days_ago)
    order = OrderRow(
        shop=SHOP, order_id=order_id, customer_id=customer_id, currency="USD", total_minor=total_minor,
        created_at=at, updated_at=at,
    )  # fmt: skip
    line = OrderLineRow(
        shop=SHOP, line_id=order_id, order_id=order_id, product_id=10, quantity=1, price_minor=total_minor
    )
    return order, line


async def a_shop(connections: Connections, **settings: Any) -> None:
    """Sell to ten customers: number n ordered n times, the last time 5 (10 - n) days ago."""
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW, settings=settings))
        for customer in range(1, 11):
            for number in range(customer):
                days = 5 * (10 - customer) + 7 * number
                db.add_all(order_rows(100 * customer + number, customer, days))


async def refuse(connections: Connections, customer_id: int) -> None:
    subject = (await open_digests(connections)).of(SHOP, "customer", customer_id)
    await connections.redis.set(told_key(SHOP, subject), pack_told(Answers(preferences=False)))


def cuts_of(customers: Iterable[int]) -> RfmThresholds:
    """Return what the scores of the shop below are cut by, of these customers alone."""
    who = np.array(list(customers))
    return cuts(RfmMeasures(who, 5 * (10 - who), who, 1_000 * who))


async def rows(connections: Connections, kind: Any) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(kind).where(kind.shop == SHOP))).all())


async def segments(connections: Connections) -> dict[int, str]:
    return {row.customer_id: row.segment for row in await rows(connections, CustomerSegmentRow)}


async def profile(connections: Connections, customer_id: int) -> Profile:
    return unpack_profile(await connections.redis.get(customer_key(SHOP, customer_id)))


async def test_every_customer_is_in_a_segment_with_its_reason(on_both_databases: Connections) -> None:
    await a_shop(on_both_databases)
    await segment_shop(on_both_databases, SHOP)
    found = {row.customer_id: row for row in await rows(on_both_databases, CustomerSegmentRow)}
    assert sorted(found) == list(range(1, 11))
    best = found[10]
    assert (best.segment, best.recency, best.frequency, best.monetary) == ("champions", 5, 5, 5)
    assert best.memberships[0]["why"].startswith("Champions: last bought today")
    assert (await profile(on_both_databases, 10)).segments == ("champions",)
    sizes = {row.segment: row.customers for row in await rows(on_both_databases, SegmentSizeRow)}
    assert sum(sizes.values()) == 10


async def test_what_another_version_trained_serves_as_far_as_it_can_be_read(connections: Connections) -> None:
    leaf = Trees(0.0, (0,), (LEAF,), (0.0,), (0,), (0,), (0.5,))
    ours = Classifier("loyal", FEATURES, 28, 2, leaf, Sigmoid(1, 0), 0.5)
    theirs = msgspec.structs.replace(ours, label="at_risk", features=("moons",))
    none = cuts_of([])
    made = Segmentation("USD", 0, none, Rules("USD"), foreseen=(theirs, ours))
    await publish_segmentation(connections, SHOP, made, {}, NOW)
    assert await latest_segmentation(connections, SHOP) == msgspec.structs.replace(made, foreseen=(ours,))
    async with connections.write() as db:
        await db.exec(update(SegmentationRow).values(content={"currency": "USD"}))
    assert await latest_segmentation(connections, SHOP) is None


async def test_a_new_order_moves_its_customer_at_once_and_the_move_is_written_down(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    before = (await segments(connections))[1]
    for number in range(8):
        at = NOW - timedelta(minutes=number)
        await place(connections, an_order(9_000 + number, [10], customer_id=1, created_at=at, updated_at=at))
    assert (before, (await segments(connections))[1]) == ("dormant", "champions")
    assert (await profile(connections, 1)).segments == ("champions",)
    moves = [row for row in await rows(connections, SegmentMoveRow) if row.customer_id == 1]
    assert moves[0].before is None
    assert (moves[-1].after, moves[-1].why[:10]) == ("champions", "Champions:")


async def test_a_rebuild_from_the_database_gives_every_profile_with_its_segments_bit_for_bit(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    keys = [customer_key(SHOP, who) for who in range(1, 11)]
    before = await connections.redis.mget(keys)
    assert all(unpack_profile(each).segments for each in before)
    await connections.redis.flushall()
    assert await rebuild(connections, SHOP) == 10
    assert await connections.redis.mget(keys) == before


async def test_the_merchants_own_segment_comes_before_what_is_worked_out(connections: Connections) -> None:
    regulars = {"name": "regulars", "conditions": [{"measure": "orders", "compare": "more_than", "value": 8}]}
    await a_shop(connections, segments=[regulars])
    await segment_shop(connections, SHOP)
    found = await segments(connections)
    assert {who for who, name in found.items() if name == "regulars"} == {9, 10}
    assert (await profile(connections, 10)).segments == ("regulars", "champions")


async def test_a_segmentation_comes_no_later_each_day(connections: Connections) -> None:
    """Those that come a while after the whole day leave one out, by and by, of the sizes told by day."""
    await a_shop(connections)
    made = Segmentation("USD", 0, cuts_of([]), Rules("USD"))
    waiting = redis_key(SHOP, "waiting", "segment")
    for hours, is_due in ((23.5, True), (22, False)):
        await connections.redis.delete(waiting)
        await publish_segmentation(connections, SHOP, made, {}, datetime.now(UTC) - timedelta(hours=hours))
        await request_due_segmentations(connections)
        assert bool(await connections.redis.exists(waiting)) is is_due


async def test_a_days_sizes_are_of_the_shops_own_day(connections: Connections) -> None:
    # Where it is another day than in UTC now.
    zone = "Pacific/Kiritimati" if datetime.now(UTC).hour >= 11 else "Etc/GMT+12"
    await a_shop(connections)
    async with connections.write() as db:
        await db.exec(update(ShopRow).values(time_zone=zone))
    before = datetime.now(ZoneInfo(zone)).date()
    await segment_shop(connections, SHOP)
    days = {row.day for row in await rows(connections, SegmentSizeRow)}
    assert days <= {str(before), str(datetime.now(ZoneInfo(zone)).date())}
    assert days


async def test_a_segment_that_was_given_up_is_not_in_the_days_sizes_any_more(
    connections: Connections,
) -> None:
    everyone = {"name": "everyone", "conditions": [{"measure": "orders", "compare": "more_than", "value": 0}]}
    await a_shop(connections, segments=[everyone])
    await segment_shop(connections, SHOP)
    assert await count_segments(connections, SHOP, "2026-11-25") == {"everyone": 10}
    async with connections.write() as db:
        await db.exec(update(ShopRow).values(settings={}))
    await segment_shop(connections, SHOP)
    sizes = await count_segments(connections, SHOP, "2026-11-25")
    written = [row for row in await rows(connections, SegmentSizeRow) if row.day == "2026-11-25"]
    assert {row.segment: row.customers for row in written} == sizes
    assert "everyone" not in sizes


async def test_a_pin_outlives_a_training(connections: Connections) -> None:
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    await decide_review(connections, SHOP, 1, "pinned", "loyal", by="42")
    await segment_shop(connections, SHOP)
    assert (await segments(connections))[1] == "loyal"
    (decided,) = await reviews(connections, SHOP, only_open=False)
    assert (decided.verdict, decided.segment, decided.decided_by) == ("pinned", "loyal", "42")
    assert await reviews(connections, SHOP, only_open=True) == []


async def test_nobody_is_measured_by_who_is_excluded_and_their_own_segments_go_on(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    assert (await segments(connections))[9] == "champions"
    everyone = await latest_segmentation(connections, SHOP)
    for who in range(1, 9):
        await decide_review(connections, SHOP, who, "excluded", None, by="42")
    await segment_shop(connections, SHOP)
    two = await latest_segmentation(connections, SHOP)
    assert everyone is not None
    assert two is not None
    assert (everyone.cuts, two.cuts) == (cuts_of(range(1, 11)), cuts_of((9, 10)))
    assert len(await segments(connections)) == 10


async def test_what_was_found_of_who_refuses_goes_and_the_merchants_word_stays(
    connections: Connections,
) -> None:
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    found = {"shop": SHOP, "reason": "bulk_buyer", "detail": "An order of 900.00 USD.", "found_at": NOW}
    async with connections.write() as db:
        db.add_all(ReviewRow(**found, customer_id=who) for who in (8, 9, 10))
    await decide_review(connections, SHOP, 9, "pinned", "loyal", by="42")
    for who in (9, 10):
        await refuse(connections, who)
    await refresh_customers(connections, SHOP, [8, 9, 10])
    left = {each.customer_id: each for each in await reviews(connections, SHOP, only_open=False)}
    assert sorted(left) == [8, 9]
    assert (left[8].reason, left[8].detail) == ("bulk_buyer", "An order of 900.00 USD.")
    assert (left[9].reason, left[9].detail, left[9].segment) == ("merchant", "", "loyal")


async def test_who_follows_a_segmentation_is_told_that_it_failed(connections: Connections) -> None:
    await a_shop(connections, segments="not a list")
    with pytest.raises(InputError):
        await segment_shop(connections, SHOP)
    progress = await read_progress(connections, "segment", SHOP)
    assert progress is not None
    assert progress.stage == "failed"


async def test_a_verdict_names_a_segment_and_a_customer_there_is(connections: Connections) -> None:
    with pytest.raises(InputError, match="pin"):
        await decide_review(connections, SHOP, 1, "pinned", None, by="42")
    with pytest.raises(NotFound):
        await decide_review(connections, SHOP, 1, "confirmed", None, by="42")


async def test_a_bulk_buyer_waits_in_the_queue_with_the_numbers(connections: Connections) -> None:
    await a_shop(connections)
    async with connections.write() as db:
        db.add_all(order_rows(9_999, 3, days_ago=2, total_minor=900_000))
    await segment_shop(connections, SHOP)
    (found,) = await reviews(connections, SHOP, only_open=True)
    assert (found.customer_id, found.reason) == (3, "bulk_buyer")
    assert "9000.00 USD" in found.detail


async def test_who_refuses_is_in_no_segment_and_leaves_the_one_they_were_in(connections: Connections) -> None:
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    await refuse(connections, 10)
    await refresh_customers(connections, SHOP, [10])
    assert 10 not in await segments(connections)
    assert [row for row in await rows(connections, SegmentMoveRow) if row.customer_id == 10] == []


async def test_who_is_gone_at_shopify_is_in_no_segment_and_does_not_come_back(
    on_both_databases: Connections,
) -> None:
    """Merged into another, they keep their orders here until those are told anew."""
    connections = on_both_databases
    await a_shop(connections)
    await segment_shop(connections, SHOP)
    assert 7 in await segments(connections)
    gone = CustomerDeleted(shop=SHOP, event_id="d", happened_at=NOW, customer_id=7)
    await remove_customer(connections, gone)
    await forget_customer(connections, gone)
    for again in (None, partial(refresh_customers, customer_ids=[7]), segment_shop):
        if again is not None:
            await again(connections, SHOP)
        assert sorted(await segments(connections)) == [1, 2, 3, 4, 5, 6, 8, 9, 10]
        assert 7 not in {row.customer_id for row in await rows(connections, SegmentMoveRow)}
        assert await profile(connections, 7) == Profile()
    latest = await latest_segmentation(connections, SHOP)
    assert latest is not None
    assert latest.cuts == cuts_of({1, 2, 3, 4, 5, 6, 8, 9, 10})


async def test_who_only_ordered_before_we_could_know_is_in_no_segment(connections: Connections) -> None:
    await a_shop(connections)
    async with connections.write() as db:
        db.add(CustomerRow(shop=SHOP, customer_id=99, orders_count=12, updated_at=NOW))
    await segment_shop(connections, SHOP)
    assert (await profile(connections, 99)).orders_ever == 12
    assert 99 not in await segments(connections)


async def test_a_shop_with_one_customer_or_none_is_segmented_as_far_as_can_be(
    connections: Connections,
) -> None:
    await segment_shop(connections, SHOP)
    assert await segments(connections) == {}
    async with connections.write() as db:
        db.add_all(order_rows(1, 1, days_ago=3))
    await segment_shop(connections, SHOP)
    assert await segments(connections) == {1: "promising"}
