"""Who does not want to be learnt from is nobody in the data set and in what is published."""

from datetime import timedelta

from sqlmodel import col, update

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.entries import Entry
from app.consent.ledger import append
from app.consent.standing import Use
from app.consent.standings import who_refuse
from app.recommend.publish import current_version, latest
from app.recommend.refresh import refresh_shop
from app.recommend.retrain import train_shop
from app.recommend.store import read_shop
from app.segment_tables import ReviewRow
from app.tables import OF_NO_LINE, OrderLineRow, OrderRow, RefundRow, ShopRow
from tests.recommend.test_retrain import OTHER, SHOP, SMALL, START, sell

CUSTOMERS = 6


async def a_shop_of_regulars(connections: Connections, orders: int = 240) -> None:
    """Six customers, 101 to 106, order in turn."""
    await sell(connections, SHOP, orders)
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=START))
        whose = 101 + col(OrderRow.order_id) % CUSTOMERS
        await db.exec(update(OrderRow).where(col(OrderRow.shop) == SHOP).values(customer_id=whose))


async def refuse(
    connections: Connections, customer_id: int, *, minute: int = 0, answer: bool = False
) -> None:
    subject = (await open_digests(connections)).of(SHOP, "customer", customer_id)
    at = START + timedelta(minutes=minute)
    told = {"preferences": answer, "marketing": True}
    entry = Entry(subject, "customer", f"e{customer_id}-{minute}", at, "checkout", told)
    await append(connections, SHOP, [entry])


async def test_their_baskets_are_learnt_from_as_nobodys(connections: Connections) -> None:
    await a_shop_of_regulars(connections)
    async with connections.read() as db:
        everyone = await read_shop(db, SHOP)
        some = await read_shop(db, SHOP, {103, 104, 999})
    assert everyone.customer_ids.tolist() == [101, 102, 103, 104, 105, 106]
    assert some.customer_ids.tolist() == [101, 102, 105, 106]
    assert len(some.baskets) == len(everyone.baskets) == 240
    assert some.baskets.items.tolist() == everyone.baskets.items.tolist()


async def test_who_is_left_out_is_learnt_from_not_at_all(connections: Connections) -> None:
    await a_shop_of_regulars(connections)
    async with connections.write() as db:
        nobodys = update(OrderRow).where(col(OrderRow.customer_id) == 106).values(customer_id=None)
        await db.exec(nobodys)
    async with connections.read() as db:
        some = await read_shop(db, SHOP, {101}, left_out={101, 102})
    assert some.customer_ids.tolist() == [103, 104, 105]
    assert len(some.baskets) == 160  # of six customers' 240: four are left, one of them as nobody


async def test_who_the_merchant_excludes_is_left_out_by_the_training_and_by_a_refresh(
    connections: Connections,
) -> None:
    await a_shop_of_regulars(connections)
    assert (await train_shop(connections, SHOP, SMALL)).counts["orders"] == 240
    async with connections.write() as db:
        found = {"reason": "test_orders", "found_at": START, "verdict": "excluded"}
        db.add(ReviewRow(shop=SHOP, customer_id=103, **found))
    refreshed = await refresh_shop(connections, SHOP)
    assert refreshed is not None  # nobody ordered, and yet it is another one
    assert (await train_shop(connections, SHOP, SMALL)).counts["orders"] == 200


async def test_the_next_training_publishes_nothing_of_who_refused_and_the_one_after_a_yes_does(
    connections: Connections,
) -> None:
    await a_shop_of_regulars(connections, 660)  # enough for customers' own tastes
    data_dir = connections.settings.data_dir

    async def learnt_of() -> list[int]:
        await train_shop(connections, SHOP, SMALL)
        assert current_version(data_dir, SHOP)
        model = latest(data_dir, SHOP)
        assert model is not None
        assert len(model.customer_embeddings) == len(model.customer_ids)
        return [int(each) for each in model.customer_ids]

    await refuse(connections, 103)
    assert await who_refuse(connections, SHOP, Use.TRAIN) == {103}
    assert await learnt_of() == [101, 102, 104, 105, 106]
    await refuse(connections, 103, minute=1, answer=True)
    await refuse(connections, 104)
    async with connections.read() as db:
        unnamed = await who_refuse(connections, SHOP, Use.TRAIN)
        assert (await read_shop(db, SHOP, unnamed)).customer_ids.tolist() == [101, 102, 103, 105, 106]


async def test_what_was_given_back_is_not_learnt_from(on_both_databases: Connections) -> None:
    """A line that an edit removes is a refund of all its units, and stays a line of its order."""
    await sell(on_both_databases, SHOP, 4)
    async with on_both_databases.write() as db:
        back = {"shop": SHOP, "created_at": START}
        for line_id in (2, 4, 5):  # one of order 1, both of order 2
            db.add(RefundRow(refund_id=line_id, line_id=line_id, order_id=line_id // 2, quantity=1, **back))
        db.add(RefundRow(refund_id=9, line_id=6, order_id=3, quantity=0, amount_minor=50, **back))
        db.add(RefundRow(refund_id=9, line_id=OF_NO_LINE, order_id=4, quantity=0, amount_minor=50, **back))
        db.add(RefundRow(refund_id=2, line_id=8, order_id=4, quantity=1, **(back | {"shop": OTHER})))
    async with on_both_databases.read() as db:
        learnt = await read_shop(db, SHOP)
    assert [learnt.items.product_ids[learnt.baskets.of(n)].tolist() for n in range(3)] == [
        [3],
        [4, 5],
        [5, 6],
    ]
    assert len(learnt.baskets) == 3


async def test_what_a_subscription_charges_is_no_basket_and_a_bundle_is_one_product(
    connections: Connections,
) -> None:
    await sell(connections, SHOP, 4)
    async with connections.write() as db:
        renewed = update(OrderRow).where(col(OrderRow.order_id) == 1).values(renewal=True)
        await db.exec(renewed)
        for order_id, bundle in ((2, {"bundle_product_id": 90}), (3, {})):  # of the last only parts are known
            parts = update(OrderLineRow).where(col(OrderLineRow.order_id) == order_id)
            await db.exec(parts.values(bundle_id=7, **bundle))
    async with connections.read() as db:
        learnt = await read_shop(db, SHOP)
    baskets = [learnt.items.product_ids[learnt.baskets.of(n)].tolist() for n in range(len(learnt.baskets))]
    assert baskets == [[90], [5, 6]]


async def test_an_order_that_says_it_holds_less_than_nothing_stops_no_training(
    connections: Connections,
) -> None:
    await sell(connections, SHOP, 3)
    async with connections.write() as db:
        await db.exec(update(OrderLineRow).where(col(OrderLineRow.line_id) == 2).values(quantity=-1))
    async with connections.read() as db:
        assert (await read_shop(db, SHOP)).baskets.sizes.tolist() == [1, 2, 2]
