"""A person in every store, with a marker in every field that could hold one, and a neighbour beside."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import select
from sqlmodel import SQLModel

from app.campaigns.shopper_history import CampaignHistory, ShopperHistory
from app.campaigns.shopper_history import pack as pack_nudged
from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import Answers
from app.consent.told import pack as pack_told
from app.consent.told import told_key
from app.coupon_tables import CouponRow, GrantUseRow
from app.events.kinds import (
    BrowserEvent,
    CheckoutUpdated,
    CustomerChanged,
    DecisionMade,
    Line,
    MarketingConsentChanged,
    OrderPlaced,
)
from app.events.log import EventConsumer, EventLog, this_consumer
from app.experiments.assign import pseudonym
from app.outbound_tables import CustomerAheadRow, DeliveryRow, MarkRow
from app.privacy_tables import ConsentRow, PrivacyRequestRow
from app.profiles.customer import Profile
from app.profiles.keys import checkout_key, client_key, customer_key, granted_key, nudged_key
from app.profiles.packed import pack
from app.profiles.visit import Visit
from app.reach_tables import AbandonmentRow, ReachMessageRow, SuppressionRow
from app.recommend.publish import publish
from app.segment_tables import CustomerSegmentRow, ReviewRow, SegmentMoveRow
from app.shops.vault import seal
from app.tables import (
    CustomerRow,
    DecisionRow,
    EventRow,
    FeedbackRow,
    InboxRow,
    ModelRow,
    OrderLineRow,
    OrderRow,
    RefundRow,
    ShopRow,
)
from app.values import ShopDomain
from tests.recommend.factories import a_model
from tests.recommend.test_publish import a_card

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOP = ShopDomain("a.myshopify.com")


@dataclass(frozen=True)
class Planted:
    """Who they are, in names that nothing else in the shop has."""

    customer: int
    word: str
    embedding: float

    @property
    def client(self) -> str:
        return f"client-{self.word}"

    @property
    def token(self) -> str:
        return f"token-{self.word}"

    @property
    def cart(self) -> str:
        return f"cart-{self.word}"

    @property
    def email(self) -> str:
        return f"{self.word}@example.com"

    @property
    def order(self) -> int:
        return self.customer + 1

    @property
    def markers(self) -> list[bytes]:
        """Return what may be nowhere: the names as text, the number as text, in msgpack and in arrays."""
        packed = [struct.pack(order, self.customer) for order in (">q", "<q")]
        numbers = [str(self.customer).encode(), *packed]
        return [self.word.encode(), *numbers, np.float32(self.embedding).tobytes()]


ROSA = Planted(7_700_077_007_701, "rosamarker", 0.123456789)
OTTO = Planted(8_800_088_008_801, "ottomarker", 0.987654321)


async def plant(connections: Connections, *people: Planted, shop: ShopDomain = SHOP) -> None:
    """Put a shop, its models and the people everywhere."""
    async with connections.write() as db:
        db.add(ShopRow(shop=shop, publishable_key=f"pk_{shop}", installed_at=NOW))
    for person in people:
        await _rows(connections, shop, person)
        await _keys(connections, shop, person)
    await _log(connections, shop, people)
    await _models(connections, shop, people)


async def _rows(connections: Connections, shop: str, who: Planted) -> None:
    digests = await open_digests(connections)
    subjects = {
        "customer": digests.of(shop, "customer", who.customer),
        "client": digests.of(shop, "client", who.client),
        "checkout": digests.of(shop, "checkout", who.token),
    }
    email_digest = digests.of_email(shop, who.email)
    rows: list[Any] = [
        CustomerRow(
            shop=shop, customer_id=who.customer, email_digest=email_digest, email_marketing="subscribed",
            updated_at=NOW,
        ),
        OrderRow(
            shop=shop, order_id=who.order, customer_id=who.customer, checkout_token=who.token,
            currency="USD", total_minor=900, created_at=NOW, updated_at=NOW,
        ),
        OrderLineRow(
            shop=shop, line_id=who.order, order_id=who.order, product_id=10, quantity=1, price_minor=900,
            decision_id=f"d-{who.order}",
        ),
        RefundRow(
            shop=shop, refund_id=who.order, line_id=who.order, order_id=who.order, amount_minor=100,
            created_at=NOW,
        ),
        CouponRow(
            shop=shop, code=f"USED-{who.order}", pool_id="p", status="redeemed", order_id=who.order,
        ),
        CouponRow(
            shop=shop, code=f"TOLD-{who.order}", pool_id="p", status="granted", decision_id=f"e-{who.order}",
        ),
        GrantUseRow(shop=shop, terms_id="t", number=f"{who.order}", order_id=who.order, used_at=NOW),
        CustomerSegmentRow(
            shop=shop, customer_id=who.customer, segment="loyal", changed_at=NOW,
            memberships=[{"why": who.word}],
        ),
        SegmentMoveRow(shop=shop, customer_id=who.customer, after="loyal", why=who.word, moved_at=NOW),
        ReviewRow(shop=shop, customer_id=who.customer, reason="odd", detail=who.word, found_at=NOW),
        MarkRow(shop=shop, customer_id=who.customer, tags=["tillwise:a"], segments=[who.word], seen_at=NOW),
        CustomerAheadRow(shop=shop, customer_id=who.customer, digest="d"),
        DeliveryRow(
            shop=shop, event_id=f"message-{who.order}", customer_id=who.customer, made_at=NOW,
            next_attempt_at=NOW, body=f'{{"customer_id":{who.customer},"why":"{who.word}"}}',
        ),
        AbandonmentRow(
            shop=shop, abandonment_id=subjects["checkout"], kind="checkout", checkout_token=who.token,
            client_id=who.client, customer_id=who.customer, began_at=NOW, last_at=NOW, silent_since=NOW,
            abandoned_at=NOW,
        ),
        AbandonmentRow(
            shop=shop, abandonment_id=subjects["client"], kind="cart", client_id=who.client, began_at=NOW,
            last_at=NOW, silent_since=NOW, abandoned_at=NOW,
        ),
        ReachMessageRow(
            shop=shop, abandonment_id=subjects["checkout"], way="mail", customer_id=who.customer, due_at=NOW,
            ends_at=NOW, changed_at=NOW,
        ),
        SuppressionRow(shop=shop, email_digest=email_digest, reason="unsubscribed", suppressed_at=NOW),
        _event(shop, who, "signed", "product_viewed", customer_id=who.customer, client_id=who.client),
        _event(shop, who, "anonymous", "page_viewed", client_id=who.client, data={"note": who.word}),
        _event(shop, who, "checkout", "CheckoutUpdated", checkout_token=who.token, client_id=who.client,
               data={"cart_token": who.cart}),
        _event(shop, who, "cart", "CartUpdated", data={"cart_token": who.cart}),
        _decision(shop, who, "d", customer_id=who.customer, checkout_token=who.token),
        _decision(shop, who, "e", checkout_token=who.token),
        _decision(shop, who, "s", unit=f"client:{who.client}"),
        FeedbackRow(
            shop=shop, event_id=f"browser:{who.order}", decision_id=f"d-{who.order}", offer_id="o",
            kind="shown", happened_at=NOW,
        ),
        PrivacyRequestRow(
            shop=shop, request_id=f"data-{who.order}", kind="data_request", customer_id=who.customer,
            email_digest=email_digest, order_ids=[who.order], received_at=NOW,
            due_at=NOW + timedelta(days=30),
        ),
    ]  # fmt: skip
    rows += [
        ConsentRow(
            shop=shop, subject=subject, subject_kind=kind, event_id=f"consent:{who.order}", told_at=NOW,
            source="checkout", region="US-CA", answers={"analytics": True}, permitted=["analytics"],
        )
        for kind, subject in subjects.items()
    ]  # fmt: skip
    rows += [_letter(shop, who, topic, body) for topic, body in _bodies(connections, who)]
    async with connections.write() as db:
        for row in rows:
            db.add(row)


def _event(shop: str, who: Planted, event_id: str, name: str, **fields: Any) -> EventRow:
    return EventRow(
        shop=shop, event_id=f"{event_id}-{who.order}", name=name, happened_at=NOW, recorded_at=NOW, **fields
    )


def _decision(shop: str, who: Planted, name: str, unit: str = "checkout:t", **fields: Any) -> DecisionRow:
    inputs = {
        "unit": pseudonym(shop, unit),
        "situation": {"customer_id": who.customer, "history": [[10, 1.0]]},
    }
    return DecisionRow(
        shop=shop, decision_id=f"{name}-{who.order}", decided_at=NOW, surface="checkout", rung="personal",
        arm="personalised", inputs=inputs, answer=an_answer(who), region="US-CA", **fields,
    )  # fmt: skip


def an_answer(who: Planted) -> dict[str, Any]:
    return {
        "decision_id": f"d-{who.order}", "rung": "personal", "arm": "personalised", "segment": who.word,
        "intent": 0.5, "fallback": None, "ttl_s": 60,
        "offers": [
            {"offer_id": "o", "kind": "upsell", "slot": "main", "product": {"product_id": "10"},
             "message": {"key": "upsell", "args": {"because": who.word}},
             "why": [{"reason": "goes_with_history", "weight": 1.0, "with": who.word}]},
        ],
    }  # fmt: skip


def _bodies(connections: Connections, who: Planted) -> list[tuple[str, bytes]]:
    person = {"id": who.customer, "email": who.email, "first_name": who.word}
    order = {
        "id": who.order + 1, "email": who.email, "customer": person, "checkout_token": who.token,
        "currency": "USD", "total_price": "9.00", "created_at": NOW.isoformat(), "note": who.word,
        "line_items": [
            {"id": 1, "product_id": 10, "quantity": 2, "price": "4.50", "name": who.word,
             "properties": [{"name": "engraving", "value": who.word},
                            {"name": "_tillwise_offer", "value": "o"}]},
        ],
    }  # fmt: skip
    unreadable = b"{" + f'"customer": {who.customer}, "email": "{who.email}"'.encode()
    keys = connections.settings.token_encryption_keys
    return [
        ("orders/create", msgspec.json.encode(order)),
        ("customers/update", msgspec.json.encode(person)),
        ("checkouts/update", msgspec.json.encode({"token": who.token, "email": who.email})),
        ("carts/update", msgspec.json.encode({"token": who.cart, "note": who.word})),
        ("customers/create", unreadable),
        ("orders/paid", b"sealed:" + seal(keys, _base64(unreadable))),
    ]


def _base64(body: bytes) -> str:
    import base64

    return base64.b64encode(body).decode()


def _letter(shop: str, who: Planted, topic: str, body: bytes) -> InboxRow:
    parked = not body.startswith(b'{"')
    return InboxRow(
        shop=shop, event_id=f"in-{who.order}", topic=topic, received_at=NOW, next_attempt_at=NOW, body=body,
        status="parked" if parked else "pending",
    )  # fmt: skip


async def _keys(connections: Connections, shop: str, who: Planted) -> None:
    digests, redis = await open_digests(connections), connections.redis
    await redis.set(customer_key(shop, who.customer), pack(Profile(orders_count=1)))
    for key in (client_key(shop, who.client), checkout_key(shop, who.token)):
        await redis.set(key, pack(Visit(viewed={10: 1})))
    shown = ShopperHistory(1, {"help": CampaignHistory(1, 1, 1, 1, 1, who.word, f"CODE-{who.word}", 2)})
    for unit in (f"customer:{who.customer}", f"client:{who.client}", f"checkout:{who.token}"):
        await redis.set(nudged_key(shop, unit), pack_nudged(shown))
        await redis.hset(granted_key(shop, unit), "help", f"CODE-{who.word} 2")
    for kind, name in (("customer", who.customer), ("client", who.client)):
        subject = digests.of(shop, kind, name)
        await redis.set(told_key(shop, subject), pack_told(Answers(analytics=True)))


async def _log(connections: Connections, shop: str, people: tuple[Planted, ...]) -> None:
    """One of each kind: handled and still there, buried, and not handled yet."""
    log, reader = EventLog(connections.redis), EventConsumer(connections.redis, this_consumer())
    await reader.open()
    await log.append([late_events(who, shop)[0] for who in people])
    await reader.acknowledge(await reader.read(block_ms=1))
    await log.append([late_events(who, shop)[1] for who in people])
    for delivery in await reader.read(block_ms=1):
        await reader.bury(delivery, "for the test")
    await log.append([event for who in people for event in late_events(who, shop)])


def late_events(who: Planted, shop: str = SHOP) -> list[Any]:
    """Return one event of each kind about the person, of before now."""
    facts: dict[str, Any] = {"shop": shop, "happened_at": NOW}
    alike = {"arm": "personalised", "fallback": None, "model_version": None, "region": "US-CA"}
    decided = facts | alike | {"duration_us": 1, "permitted": ("analytics",), "answer": an_answer(who)}
    line = Line(line_id=who.order + 9, product_id=10, variant_id=None, quantity=1, price_minor=900)
    return [
        BrowserEvent(
            **facts, event_id=f"browser:late-{who.order}", name="product_viewed", client_id=who.client,
            checkout_token=None, customer_id=None, permitted=("analytics",), data={"product_id": 10},
        ),
        CustomerChanged(
            **facts, event_id=f"customer-{who.order}", customer_id=who.customer, orders_count=1,
            email_marketing=None, sms_marketing=None, data_sale_opt_out=None, created_at=NOW, updated_at=NOW,
        ),
        OrderPlaced(
            **facts, event_id=f"order-{who.order}", order_id=who.order + 2, customer_id=who.customer,
            checkout_token=who.token, currency="USD", subtotal_minor=900, discount_minor=0, total_minor=900,
            paid=True, created_at=NOW, updated_at=NOW, cancelled_at=None, lines=(line,),
        ),
        DecisionMade(
            **decided, event_id=f"late-{who.order}", surface="checkout", rung="personal",
            checkout_token=who.token, customer_id=who.customer, inputs={"customer_id": who.customer},
        ),
        BrowserEvent(
            **facts, event_id=f"browser:fb-{who.order}", name="tillwise:offer_shown", client_id=who.client,
            checkout_token=who.token, customer_id=None, permitted=("analytics",),
            data={"decision_id": f"late-{who.order}", "offer_id": "o", "note": who.word},
        ),
        CheckoutUpdated(
            **facts, event_id=f"checkout-{who.order}", checkout_token=who.token, cart_token=who.cart,
            customer_id=None, currency="USD", subtotal_minor=900, completed=False, lines=(),
        ),
        MarketingConsentChanged(
            **facts, event_id=f"consent-{who.order}", customer_id=who.customer, channel="email",
            state="subscribed", updated_at=NOW,
        ),
        DecisionMade(
            **decided, event_id=f"shelf-{who.order}", surface="product", rung="session",
            checkout_token=None, customer_id=None,
            inputs={"unit": pseudonym(shop, f"client:{who.client}"), "situation": {"looked_at": who.word}},
        ),
    ]  # fmt: skip


async def _models(connections: Connections, shop: ShopDomain, people: tuple[Planted, ...]) -> None:
    """Publish three versions; the last one is rejected."""
    for day in range(3):
        publish_with(connections, shop, people, day)
    async with connections.write() as db:
        for path in sorted(home(connections, shop).iterdir()):
            if path.is_dir():
                db.add(ModelRow(shop=shop, version=path.name, status="retired", trained_at=NOW))


def publish_with(connections: Connections, shop: ShopDomain, people: tuple[Planted, ...], day: int) -> str:
    """Return the version published with what was learnt of the people."""
    ids = np.array(sorted(each.customer for each in people), dtype=np.int64)
    by_id = {each.customer: each.embedding for each in people}
    embeddings = np.array([[by_id[each]] * 2 for each in ids.tolist()], dtype=np.float32).reshape(-1, 2)
    model = a_model(4 + day, 2, customer_ids=ids, customer_embeddings=embeddings)
    card = a_card(NOW + timedelta(days=day), serve=day < 2)
    return publish(connections.settings.data_dir, shop, model, card).version


def home(connections: Connections, shop: str = SHOP) -> Path:
    return connections.settings.data_dir / "models" / shop


async def dump(connections: Connections) -> dict[str, bytes]:
    """Return every byte there is: each table, each key, and each file of the data directory."""
    everything: dict[str, bytes] = {}
    async with connections.read() as db:
        for table in SQLModel.metadata.sorted_tables:
            rows = (await (await db.connection()).execute(select(table))).all()
            whole = [tuple(row) for row in rows]  # a row's own text leaves out the middle of what is long
            everything[f"table {table.name}"] = repr(whole).encode()
    async for key in connections.redis.scan_iter(count=1_000):
        everything[f"key {key.decode()}"] = key + await _value(connections, key)
    for file in connections.settings.data_dir.rglob("*"):
        if file.is_file():
            everything[f"file {file.name}"] = str(file).encode() + file.read_bytes()
    return everything


async def _value(connections: Connections, key: bytes) -> bytes:
    kind: Any = await connections.redis.type(key)
    if kind == b"stream":
        entries: Any = await connections.redis.xrange(key)
        return b" ".join(part for _, fields in entries for pair in fields.items() for part in pair)
    if kind == b"hash":
        fields: Any = await connections.redis.hgetall(key)
        return b" ".join(part for pair in fields.items() for part in pair)
    if kind == b"zset":
        members: Any = await connections.redis.zrange(key, 0, -1)
        return b" ".join(members)
    value: Any = await connections.redis.get(key)
    return bytes(value or b"")


def found_in(everything: dict[str, bytes], markers: list[bytes]) -> set[str]:
    """Return the places in which a marker is."""
    return {place for place, content in everything.items() for marker in markers if marker in content}
