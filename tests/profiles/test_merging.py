"""A customer who was merged into another: what they refused, and what is held of them."""

from datetime import datetime, timedelta

import pytest

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import PURPOSES, Answers
from app.consent.requests import Kind, open_request
from app.consent.told import told_key, unpack
from app.events.consume import work_off
from app.events.kinds import ConsentTold, CustomerChanged, CustomerDeleted, Event, OrderUpdated
from app.events.log import EventConsumer, EventLog
from app.privacy.erasure import erase_person
from app.tables import ShopRow
from app.worker import HANDLERS
from tests.consent.issued import receipts_of
from tests.privacy.planted import dump, found_in
from tests.profiles.factories import NOW, SHOP, an_order

GONE, HEIR = 7_700_077_007_701, 8_800_088_008_801


def at(minute: float) -> datetime:
    return NOW + timedelta(minutes=minute)


def customer(customer_id: int) -> CustomerChanged:
    return CustomerChanged(
        shop=SHOP, event_id=f"customer:{customer_id}", happened_at=NOW, customer_id=customer_id,
        orders_count=1, email_marketing=None, sms_marketing=None, data_sale_opt_out=None, created_at=NOW,
        updated_at=NOW,
    )  # fmt: skip


def said(customer_id: int, minute: float, **answers: bool) -> ConsentTold:
    withdrawn = tuple(name for name in PURPOSES if answers.get(name) is False)
    return ConsentTold(
        shop=SHOP, event_id=f"consent:{customer_id}:{minute}", happened_at=at(minute), source="checkout",
        client_id=None, checkout_token=None, customer_id=customer_id,
        answers={**dict.fromkeys(PURPOSES), "gpc": False} | answers, permitted=(), withdrawn=withdrawn,
        region="US-CA", policy_version="v",
    )  # fmt: skip


def bought_by(customer_id: int, minute: float = 0) -> OrderUpdated:
    placed = an_order(1, customer_id=customer_id, updated_at=at(minute))
    facts = {name: getattr(placed, name) for name in placed.__struct_fields__}
    return OrderUpdated(**facts | {"event_id": f"order:{minute}"})


def deleted(customer_id: int) -> CustomerDeleted:
    return CustomerDeleted(
        shop=SHOP, event_id=f"deleted:{customer_id}", happened_at=at(30), customer_id=customer_id
    )


async def told(connections: Connections, *events: Event) -> None:
    """Let the worker handle the events, and what they put into the log."""
    await EventLog(connections.redis).append(events)  # type: ignore[arg-type]
    consumer = EventConsumer(connections.redis, "test")
    await consumer.open()
    while deliveries := await consumer.read(block_ms=1):
        await work_off(connections, consumer, HANDLERS, deliveries)


@pytest.fixture
async def two(connections: Connections) -> Connections:
    """Return where a shop has two customers, of whom one ordered."""
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW))
    await told(connections, customer(GONE), customer(HEIR), bought_by(GONE))
    return connections


async def answers_of(connections: Connections, customer_id: int) -> Answers | None:
    digests = await open_digests(connections)
    key = told_key(SHOP, digests.of(SHOP, "customer", customer_id))
    return unpack(await connections.redis.get(key))


MOVED, LEFT = bought_by(HEIR, 20), deleted(GONE)


@pytest.mark.parametrize("merge", [(MOVED, LEFT), (LEFT, MOVED)], ids=["order first", "customer first"])
async def test_what_a_merged_customer_refused_the_other_has_refused(
    two: Connections, merge: tuple[Event, ...]
) -> None:
    await told(two, said(HEIR, 1, analytics=True, preferences=True, marketing=True))
    await told(two, said(GONE, 2, analytics=True, preferences=False, gpc=True))
    await told(two, *merge)
    assert await answers_of(two, HEIR) == Answers(analytics=True, preferences=False, marketing=True, gpc=True)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            (said(HEIR, 8, preferences=False), said(HEIR, 9, preferences=True), MOVED, LEFT),
            id="they answered anew later",
        ),
        pytest.param((said(GONE, 9, preferences=True), MOVED, LEFT), id="it was taken back"),
        pytest.param((MOVED,), id="an order alone was given to another"),
        pytest.param((LEFT,), id="a customer alone was deleted"),
    ],
)
async def test_what_was_not_refused_of_the_other_is_not_passed_on(
    two: Connections, events: tuple[Event, ...]
) -> None:
    await told(two, said(HEIR, 1, preferences=True), said(GONE, 2, preferences=False))
    await told(two, *events)
    assert await answers_of(two, HEIR) == Answers(preferences=True)


async def test_nobody_elses_customer_names_who_was_erased(two: Connections) -> None:
    await told(two, MOVED)
    await open_request(two, SHOP, "r", Kind.CUSTOMER, at(40), customer_id=HEIR)
    await erase_person(two, SHOP, "r")
    await told(two, said(GONE, 2, preferences=False), LEFT)
    assert found_in(await dump(two), [str(HEIR).encode()]) == set()
    assert await answers_of(two, HEIR) is None


async def test_whoever_has_the_other_erased_has_who_was_merged_into_them_erased(two: Connections) -> None:
    await told(two, MOVED, LEFT)
    await open_request(two, SHOP, "r", Kind.CUSTOMER, at(40), customer_id=HEIR)
    await erase_person(two, SHOP, "r")
    markers = [str(each).encode() for each in (GONE, HEIR)]
    assert found_in(await dump(two), markers) == set()
    digest = (await open_digests(two)).of(SHOP, "customer", HEIR)
    assert (await receipts_of(two, SHOP))[0].receipt.subject == digest
