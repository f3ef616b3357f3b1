"""What is kept of a body: all that is used, and nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import webhooks.minimise
from app.errors import InputError
from app.privacy.inbox import sums_only
from app.values import finite
from tests.webhooks.examples import example_payloads
from tests.webhooks.planted import MARKER, kinds_of, planted
from tests.webhooks.test_translate_anything import FIELDS, JSON
from webhooks.delivery import Delivery
from webhooks.kept import BODIES, Kept
from webhooks.minimise import minimised
from webhooks.payload import Payload
from webhooks.translate import READERS, is_ours, translate

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def digest(address: str) -> str:
    return f"digest-of-{len(address)}"


def told(body: bytes, topic: str) -> Any:
    """Return the event without its digest, or the field that keeps the body from being one."""
    try:
        event = translate(body, Delivery("a.myshopify.com", topic, "e-1", NOW, "USD"))
    except InputError as error:
        return error.field
    if getattr(event, "email_digest", None):
        return msgspec.structs.replace(event, email_digest=None)  # type: ignore[call-arg]
    return event


def test_numbers_that_a_shopper_wrote_into_a_cart_are_not_read_by_msgspec() -> None:
    """It takes thirty times as long as Python for those near the ends of what a float holds."""
    assert {decoder.float_hook for decoder in webhooks.minimise._DECODERS.values()} == {finite}


def test_every_topic_of_ours_has_its_fields() -> None:
    assert set(BODIES) == set(READERS)


def test_every_example_of_shopify_tells_the_same_when_minimised() -> None:
    for version, topic, body in example_payloads():
        if is_ours(topic):
            assert told(minimised(body, topic, digest), topic) == told(body, topic), (version, topic)


def test_whatever_else_an_example_holds_is_gone() -> None:
    seen = 0
    for version, topic, body in example_payloads():
        filled = msgspec.json.encode(planted(msgspec.json.decode(body), BODIES.get(topic)))
        kept = minimised(filled, topic, digest)
        assert MARKER.encode() not in kept, (version, topic)
        assert told(kept, topic) == told(body, topic), (version, topic)
        seen += filled.count(MARKER.encode())
    assert seen > 100_000


def test_a_topic_that_is_not_ours_keeps_nothing() -> None:
    assert minimised(b'{"name": "Jane"}', "themes/publish", digest) == b"{}"
    assert minimised(b"Jane", "themes/publish", digest) == b"{}"


@pytest.mark.parametrize(
    ("topic", "payload", "kept"),
    [
        ("customers/update", {"id": 5, "email": "j@x.org"}, {"id": 5, "email_digest": "digest-of-7"}),
        ("customers/update", {"id": 5, "email": " "}, {"id": 5}),
        ("customers/update", {"id": 5, "email": {"a": "j@x.org"}}, {"id": 5}),
        ("customers/update", {"id": 5, "email_digest": "forged"}, {"id": 5}),
        (
            "orders/create",
            {"email": "j@x.org", "customer": {"id": 5, "email": "jj@x.org"}, "phone": "+15550100"},
            {"email_digest": "digest-of-7", "customer": {"id": 5, "email_digest": "digest-of-8"}},
        ),
        (
            "customers/redact",
            {"shop_id": 1, "customer": {"id": None, "email": "j@x.org", "phone": "+15550100"}},
            {"customer": {"email_digest": "digest-of-7"}},
        ),
    ],
)
def test_an_address_becomes_its_digest_and_a_phone_number_nothing(
    topic: str, payload: Mapping[str, Any], kept: Mapping[str, Any]
) -> None:
    assert msgspec.json.decode(minimised(msgspec.json.encode(payload), topic, digest)) == kept


@pytest.mark.parametrize(
    ("properties", "kept"),
    [
        ([{"name": "Engraving", "value": "For Jane"}], None),
        ({"Engraving": "For Jane", "_tillwise_offer": "o-1"}, {"_tillwise_offer": "o-1"}),
        ([{"name": "_tillwise_decision", "value": {"For": "Jane"}}], None),
        ([{"name": "_tillwise_decision", "value": "For Jane " * 20}], None),
        ("For Jane", None),
    ],
)
def test_of_a_lines_properties_only_ours_are_kept(properties: object, kept: object) -> None:
    body = msgspec.json.encode({"line_items": [{"id": 1, "properties": properties}]})
    (line,) = msgspec.json.decode(minimised(body, "orders/create", digest))["line_items"]
    assert line == {"id": 1} | ({"properties": kept} if kept else {})


GRANT = f"1.4f9d0c1b2a3e5d67.2026112507.c7.9c5c35ae84fa.{'ab' * 32}"


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ([{"name": "Engraving", "value": "For Jane"}], None),
        (
            [{"name": "_tillwise_grant", "value": GRANT}, {"name": "Gift", "value": "For Jane"}],
            {"_tillwise_grant": "1.4f9d0c1b2a3e5d67.2026112507..9c5c35ae84fa."},
        ),
        (
            {"_tillwise_grant": GRANT.replace("2026112507", "Jane Doe--")},
            {"_tillwise_grant": "1.4f9d0c1b2a3e5d67...9c5c35ae84fa."},
        ),
        ([{"name": "_tillwise_grant", "value": "For Jane"}], None),
        ([{"name": "_tillwise_grant", "value": "1.For.Jane.c7.9c5c35ae84fa.x"}], None),
        ("For Jane", None),
    ],
)
def test_of_an_orders_attributes_a_grant_is_kept_that_can_not_be_used(
    attributes: object, kept: object
) -> None:
    order = {"id": 1, "created_at": "2026-11-01T12:00:00Z", "note_attributes": attributes}
    applied = [{"type": "automatic", "title": "Ten"}, {"type": "manual", "title": "For Jane"}]
    body = msgspec.json.encode(order | {"discount_applications": applied})
    once = minimised(body, "orders/create", digest)
    assert msgspec.json.decode(once).get("note_attributes") == kept
    titles = [each.get("title") for each in msgspec.json.decode(once)["discount_applications"]]
    assert titles == ["Ten" if kept else None, None]
    assert minimised(once, "orders/create", digest) == once
    assert told(once, "orders/create") == told(body, "orders/create")


@pytest.mark.parametrize(
    "body",
    [b"", b"Jane", b"[]", b"null", b"\xff", b'"\xc3"', b'{"id":' * 50_000, b"[" * 100_000, b'{"a": 1e400',
     b'{"customer": "Jane"}', b'{"id": {"name": "Jane"}}', b'{"line_items": ["Jane"]}'],
)  # fmt: skip
def test_what_is_not_of_its_topics_shape_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(InputError) as refused:
        minimised(body, "orders/create", digest)
    assert "Jane" not in str(refused.value)


def test_nothing_is_kept_that_no_reader_reads() -> None:
    read: dict[type[Kept], set[str]] = {kind: set() for kind in BODIES.values()}
    for _, topic, body in example_payloads():
        if is_ours(topic):
            _read_watched(msgspec.json.decode(body), topic, read[BODIES[topic]])
    for topic, payload in EXTRAS:
        _read_watched(payload, topic, read[BODIES[topic]])
    for kind, paths in read.items():
        hidden = {path for path in _paths(kind) if path.endswith((".email", ".email_digest"))}
        assert _paths(kind) - hidden <= paths, kind


OURS = {"name": "_tillwise_offer", "value": "o"}
# What of an order leads to who placed it, or to what was decided for them.
LEADS = {
    "customer", "email", "email_digest", "checkout_token",
    "discount_codes", "discount_applications", "note_attributes",
}  # fmt: skip


@pytest.mark.parametrize("topic", ["orders/create", "refunds/create"])
def test_of_who_was_erased_an_order_and_a_refund_keep_all_that_is_the_merchants(topic: str) -> None:
    for path in _paths(BODIES[topic]):
        first, *rest = path.strip(".").split(".")
        inner: Any = {"_tillwise_offer": "o"} if path.endswith(".properties") else 1
        for name in reversed(rest):
            inner = {name: inner}
        assert sums_only({first: inner}) == ({} if first in LEADS else {first: inner}), path


@pytest.mark.parametrize(
    ("properties", "left"),
    [
        (
            [{"name": "gift_card", "value": "For Rosa"}, {"name": {}, "value": "Rosa"}, "Rosa", OURS],
            [OURS],
        ),
        (
            {"name": "price", "value": "Rosa", "gift_card": "Rosa", "_tillwise_offer": "o"},
            {"_tillwise_offer": "o"},
        ),
        ("Rosa", []),
    ],
)
def test_of_who_was_erased_no_property_of_a_line_is_kept_but_ours(properties: Any, left: Any) -> None:
    order = {"line_items": [{"name": {}, "value": "Rosa", "properties": properties}]}
    assert sums_only(order) == {"line_items": [{"properties": left}]}


@settings(max_examples=400)
@given(st.sampled_from(sorted(READERS)), st.dictionaries(FIELDS, JSON, max_size=10))
def test_whatever_is_sent_tells_the_same_or_is_refused(topic: str, payload: dict[str, Any]) -> None:
    body = msgspec.json.encode(payload)
    try:
        kept = minimised(body, topic, digest)
    except InputError:
        return
    assert told(kept, topic) == told(body, topic)


_LINES = {"line_items": [{"id": 1, "quantity": 1, "discount_allocations": [{"amount": "1"}]}]}
_REFUND = {
    "id": 1, "order_id": 2, "refund_line_items": [{"line_item_id": 1, "quantity": 1, "subtotal": 1}],
    "refund_shipping_lines": [{"subtotal_amount_set": {"shop_money": {"amount": "1"}}}],
    "order_adjustments": [{"amount": "1", "kind": "refund_discrepancy"}],
}  # fmt: skip
_BOTH = {"shop_money": {"amount": "1"}, "presentment_money": {"amount": "150"}}
_PAID_IN_YEN = _REFUND | {
    "refund_line_items": [
        {"line_item_id": 1, "quantity": 1, "subtotal": 1, "subtotal_set": _BOTH, "total_tax_set": _BOTH}
    ],
    "refund_shipping_lines": [{"subtotal_amount_set": _BOTH}],
    "total_duties_set": _BOTH,
    "order_adjustments": [{"amount": "1", "amount_set": _BOTH, "kind": "refund_discrepancy"}],
    "transactions": [{"kind": "refund", "status": "success", "amount": "450", "currency": "JPY"}],
}
# What Shopify's examples never hold, so that every field of every reader is looked at.
EXTRAS: list[tuple[str, dict[str, Any]]] = [
    *(
        (topic, _LINES | {"id": 1, "token": "t", "created_at": "2026-11-01T12:00:00Z"})
        for topic, kind in BODIES.items()
        if "line_items" in kind.__struct_fields__
    ),
    ("refunds/create", _REFUND),
    ("refunds/create", _PAID_IN_YEN),
    (
        "orders/create",
        _LINES
        | {"id": 1, "created_at": "2026-11-01T12:00:00Z", "discount_codes": [{"code": "A", "amount": "1"}]}
        | {"discount_applications": [{"type": "automatic", "target_type": "line_item", "title": "Ten"}]}
        | {"note_attributes": {"_tillwise_grant": GRANT}},
    ),
    ("carts/create", {"id": "c"}),
    ("customers/update", {"id": 5, "email_marketing_consent": {"a": 1}, "sms_marketing_consent": {"a": 1}}),
    ("products/update", {"id": 1, "image": {"src": "a"}}),
    ("products/update", {"id": 1, "images": [{"src": "a"}]}),
    ("customers_email_marketing_consent/update", {"id": 5, "email_marketing_consent": {"a": 1}}),
    ("customers_marketing_consent/update", {"id": 5, "sms_marketing_consent": {"a": 1}}),
]


class _Watched(dict[str, Any]):
    """An object that notes the path of every field that is asked for."""

    def __init__(self, data: Mapping[str, Any], path: str, read: set[str]) -> None:
        super().__init__({name: _watched(value, f"{path}.{name}", read) for name, value in data.items()})
        self._path, self._read = path, read

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add(f"{self._path}.{name}")
        return super().get(name, default)


def _watched(value: Any, path: str, read: set[str]) -> Any:
    if isinstance(value, dict):
        return _Watched(value, path, read)
    return [_watched(item, path, read) for item in value] if isinstance(value, list) else value


def _read_watched(payload: Any, topic: str, read: set[str]) -> None:
    try:
        READERS[topic](
            Payload(_Watched(payload, "", read)), Delivery("a.myshopify.com", topic, "e-1", NOW, "USD")
        )
    except InputError:
        return


def _paths(kind: type[Kept], path: str = "") -> set[str]:
    """Return the paths of all fields that are kept."""
    found = set()
    for name, hint in get_type_hints(kind).items():
        found.add(f"{path}.{name}")
        for inner in kinds_of(hint):
            found |= _paths(inner, f"{path}.{name}")
    return found
