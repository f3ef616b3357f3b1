"""What rules may know: each fact from what a checkout asks, and nothing that was not allowed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from app.campaigns.facts import ALWAYS, READERS, evidence_of, facts_of, readers_of
from app.campaigns.moment import Moment
from app.consent.policy import Permissions
from app.offers.wire import Question, read_question
from app.profiles.customer import Profile
from app.profiles.visit import Visit
from app.rules.fields import FIELDS, Value
from tests.campaigns.factories import AT, DAY_S, NOW
from tests.offers.factories import a_body, a_catalog, a_product, as_json

ALL = Permissions(True, True, True, True)
CATALOG = a_catalog(
    a_product(
        10,
        120_000,
        product_type="Skis",
        vendor="Nordwand",
        tags=("outdoor", "sale"),
        collections=("new", "snow"),
    ),
    a_product(20, 500, product_type="Wax", vendor="Nordwand", tags=("outdoor",), collections=("snow",)),
    a_product(30, 900),
)
PROFILE = Profile(
    orders_count=4, spent_minor=40_000, last_order_at=AT - 30 * DAY_S - 5, gross_minor=50_000,
    refunded_minor=5_000, discounted=1,
)  # fmt: skip
VISIT = Visit(
    viewed={10: 2, 30: 1, 999: 1}, visits=2, began_at=AT - 300, last_at=AT - 45, dwell_s=255, pages=5,
    products=2, searches=1, added=2, removed=1, step=3, errors=1,
)  # fmt: skip


def a_question(*cart: int, **changes: Any) -> Question:
    fields = {"locale": "de_AT", "country": "at", "signals": {"dwell_ms": 90_500, "errors": 2, "steps": 4}}
    return read_question(as_json(a_body(*(cart or (10, 20)), **(fields | changes))))


def a_moment(question: Question | None = None, **changes: Any) -> Moment:
    asked = question or a_question()
    fields: dict[str, Any] = {
        "now": NOW, "asked": asked, "subtotal_minor": 10_000, "product_id": asked.product, "may": ALL,
        "catalog": CATALOG, "profile": PROFILE, "segments": ("loyal",), "visit": VISIT,
    }  # fmt: skip
    return Moment(**(fields | changes))


def fact(name: str, moment: Moment) -> Value:
    return facts_of(moment, readers_of([name])).get(name)


@pytest.mark.parametrize(("codes", "discounted"), [([], False), (["SPRING"], True), (None, None)])
def test_a_cart_is_discounted_when_the_checkout_says_which_codes_it_has(
    codes: list[str] | None, discounted: bool | None
) -> None:
    cart = {"currency": "USD", "subtotal": "10.00", "lines": [], "codes": codes}
    assert fact("cart.discounted", a_moment(a_question(cart=cart))) is discounted


def test_what_a_customer_will_spend_is_told_in_the_shops_currency() -> None:
    profile = replace(PROFILE, spend_ahead_minor=12_345)
    assert fact("profile.lifetime_value", a_moment(profile=profile)) == 123.45


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cart.subtotal", 100.0),
        ("cart.lines", 2),
        ("cart.units", 2),
        ("cart.product_ids", ("10", "20")),
        ("cart.product_types", ("Skis", "Wax")),
        ("cart.vendors", ("Nordwand",)),
        ("cart.tags", ("outdoor", "sale")),
        ("cart.collections", ("new", "snow")),
        ("cart.dearest_price", 5.0),
        ("cart.discounted", None),  # this question does not tell it
        ("visit.pages", 5),
        ("visit.dwell_s", 255),
        ("visit.idle_s", 45),
        ("visit.returning", True),
        ("visit.step", 3),
        ("visit.exit_intent", False),
        ("visit.viewed_product_ids", ("10", "30", "999")),
        ("visit.viewed_product_types", ("Skis",)),
        ("visit.viewed_collections", ("new", "snow")),
        ("visit.viewed_dearest_price", 1200.0),
        ("checkout.surface", "checkout"),
        ("checkout.dwell_s", 90),
        ("checkout.errors", 2),
        ("checkout.steps", 4),
        ("profile.orders", 4),
        ("profile.spent", 400.0),
        ("profile.aov", 100.0),
        ("profile.lifetime_value", None),  # nobody worked it out yet
        ("profile.days_since_order", 30),
        ("profile.discount_affinity", 0.25),
        ("profile.return_rate", 0.1),
        ("profile.segments", ("loyal",)),
        ("shopper.cold", False),
        ("market.country", "AT"),
        ("market.locale", "de-AT"),
        ("market.language", "de"),
        ("market.currency", "USD"),
        ("time.hour", 12),
        ("time.weekday", "wednesday"),
        ("time.date", "2026-11-25"),
        ("intent.now", None),
        ("product.id", None),
        ("trigger.type", None),
    ],
)
def test_a_fact_is_what_the_checkout_and_the_shop_tell(name: str, value: Value) -> None:
    assert fact(name, a_moment()) == value


def test_the_product_that_is_shown_is_told() -> None:
    moment = a_moment(a_question(product_id="gid://shopify/Product/10", trigger_type="exit_intent"))
    names = ("product.id", "product.type", "product.vendor", "product.price", "trigger.type")
    assert [fact(name, moment) for name in names] == ["10", "Skis", "Nordwand", 1200.0, "exit_intent"]
    assert fact("product.collections", moment) == ("new", "snow")


@pytest.mark.parametrize(("each", "known"), [(1_000, True), (1_001, False)])
def test_of_a_cart_with_thousands_of_tags_or_collections_none_is_known(each: int, known: bool) -> None:
    """Whoever asks for offers chooses the cart, and a rule may name as many: one would hold up all others."""
    several = {at: [f"{at} {number}" for number in range(each)] for at in (10, 20)}
    products = [a_product(at, 900, tags=many, collections=(*many,)) for at, many in several.items()]
    moment = a_moment(catalog=a_catalog(*products))
    for name in ("cart.tags", "cart.collections"):
        assert (fact(name, moment) is not None) is known


def test_money_in_another_currency_is_not_known() -> None:
    asked = a_question(cart={"currency": "EUR", "subtotal": "100.00", "lines": []})
    moment = a_moment(asked, subtotal_minor=None)
    assert fact("cart.subtotal", moment) is None
    assert fact("cart.dearest_price", moment) is None
    assert fact("market.currency", moment) == "EUR"


def test_money_is_whole_units_with_the_currencys_decimals() -> None:
    yen = a_catalog(a_product(10, 900), currency="JPY")
    asked = a_question(cart={"currency": "JPY", "subtotal": "1250", "lines": []})
    assert fact("cart.subtotal", a_moment(asked, catalog=yen, subtotal_minor=1_250)) == 1250.0


@pytest.mark.parametrize(("may", "needs"), [("may_use_visit", "visit"), ("may_use_profile", "profile")])
def test_what_is_not_allowed_is_not_known_whatever_is_given(may: str, needs: str) -> None:
    allowed = {"may_use_visit", "may_use_profile"} - {may}
    moment = a_moment(may=Permissions(**dict.fromkeys(allowed, True)))
    for field in FIELDS.values():
        if field.needs == needs:
            assert fact(field.name, moment) is None, field.name


def test_of_who_allows_nothing_the_cart_alone_is_known() -> None:
    moment = a_moment(may=Permissions(), profile=None, visit=None)
    known = facts_of(moment, readers_of(FIELDS))
    assert {name.partition(".")[0] for name in known} == {"cart", "checkout", "shopper", "market", "time"}
    assert {name for name in known if name.startswith("checkout")} == {"checkout.surface"}
    assert known["shopper.cold"] is True


def test_a_visit_that_told_nothing_yet_is_not_known() -> None:
    moment = a_moment(visit=None)
    assert not any(fact(name, moment) is not None for name in FIELDS if name.startswith("visit."))


def test_a_shopper_is_cold_until_they_ordered_or_came_back() -> None:
    first, back = Visit(visits=1, last_at=AT), Visit(visits=2, last_at=AT)
    assert fact("shopper.cold", a_moment(profile=Profile(), visit=first)) is True
    assert fact("shopper.cold", a_moment(profile=None, visit=first)) is True
    assert fact("shopper.cold", a_moment(profile=None, visit=back)) is False
    assert fact("shopper.cold", a_moment(profile=PROFILE, visit=None)) is False
    assert fact("shopper.cold", a_moment(profile=Profile(orders_before=3), visit=first)) is False
    assert fact("profile.orders", a_moment(profile=Profile(orders_count=1, orders_before=3))) == 4


def test_a_clock_that_is_behind_makes_no_negative_time() -> None:
    moment = a_moment(now=NOW - timedelta(days=400))
    assert (fact("visit.idle_s", moment), fact("profile.days_since_order", moment)) == (0, 0)


def test_every_fact_is_of_its_fields_kind_and_range() -> None:
    known = facts_of(a_moment(a_question(product_id=10)), readers_of(FIELDS))
    kinds: dict[str, Any] = {
        "number": (int, float), "money": float, "flag": bool, "text": str, "texts": tuple, "date": str,
    }  # fmt: skip
    for name, value in known.items():
        field = FIELDS[name]
        assert isinstance(value, kinds[field.kind]), name
        if field.least is not None:
            assert field.least <= value, name  # type: ignore[operator]
        if field.choices:
            assert value in field.choices, name


def test_each_field_is_read_and_the_usual_ones_always() -> None:
    assert set(READERS) == set(FIELDS)
    assert set(READERS) >= ALWAYS


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, ("cart", "dwell", "pages", "products", "search", "checkout", "return")),
        ({"visit": None}, ("cart", "dwell")),
        ({"visit": None, "may": Permissions()}, ("cart",)),
        ({"visit": Visit(visits=1, pages=1, products=1)}, ("cart", "dwell", "products")),
    ],
)
def test_evidence_is_the_kinds_of_engagement_that_may_be_seen(
    changes: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    assert evidence_of(facts_of(a_moment(**changes), readers_of(ALWAYS))) == kinds
