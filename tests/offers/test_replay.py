import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.consent.policy import PURPOSES, Consent, consent_of, permissions
from app.errors import NotFound
from app.events.kinds import AnyEvent, DecisionMade
from app.events.log import encode
from app.offers.answer import answer_to
from app.offers.choose import choose
from app.offers.replay import entry_of, replay
from app.offers.situation import Occasion, Situation, situation_of, unit_of
from app.offers.wire import read_question
from app.profiles.customer import NOBODY, Bought, Profile
from app.profiles.recall import Shopper
from app.profiles.visit import NO_VISIT, Visit
from app.recommend.model import Weights
from tests.offers.factories import NOW, a_body, a_shop, as_json, goes_together
from tests.profiles import factories

WEIGHTS = Weights(together=1.0, repeats=0.7, popular=0.2)
SHOP = a_shop(model=goes_together({(10, 30): 0.9, (20, 40): 0.4}, weights=WEIGHTS))
EVERYTHING = consent_of(PURPOSES)
ORDERED_AT = int((factories.NOW - timedelta(days=40)).timestamp())
BOUGHT = Profile(orders_count=1, last_order_at=ORDERED_AT, bought={40: Bought(1, ORDERED_AT)})


def an_occasion(consent: Consent = EVERYTHING, *cart: int, **body: object) -> Occasion:
    may = permissions(consent)
    shopper = Shopper(
        customer_id=7 if may.may_use_profile else None,
        profile=BOUGHT if may.may_use_profile else NOBODY,
        visit=Visit(viewed={20: 1}) if may.may_use_visit else NO_VISIT,
    )
    question = read_question(as_json(a_body(*(cart or (10,)), client_id="browser", **body)))
    return Occasion("d", NOW, SHOP, question, consent, may, shopper)


def logged(occasion: Occasion) -> DecisionMade:
    situation = situation_of(occasion)
    return entry_of(occasion, situation, answer_to(occasion, situation), duration_us=800)


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from([10, 20, 30, 999]), min_size=1, max_size=3), st.sets(st.sampled_from(PURPOSES))
)
def test_a_logged_decision_is_made_again_bit_for_bit(cart: list[int], purposes: set[str]) -> None:
    occasion = an_occasion(consent_of(purposes), *cart)
    # Through the event log's msgpack and the database's JSON, as a decision travels.
    entry = msgspec.msgpack.decode(encode(logged(occasion)), type=AnyEvent)
    inputs, answer = json.loads(json.dumps(entry.inputs)), json.loads(json.dumps(entry.answer))
    again = replay(inputs, {SHOP.version: SHOP})
    assert json.loads(msgspec.json.encode(again)) == answer["offers"]
    assert again == choose(SHOP, situation_of(occasion))


def test_replaying_on_another_version_is_refused() -> None:
    with pytest.raises(NotFound, match=SHOP.version):
        replay(logged(an_occasion()).inputs, {})


def test_the_entry_holds_versions_and_propensity() -> None:
    entry = logged(an_occasion())
    assert (entry.model_version, entry.inputs["snapshot"]) == ("v1", SHOP.version)
    assert entry.inputs["propensity"] == 1.0
    assert (entry.event_id, entry.duration_us) == ("d", 800)


def test_on_the_contextual_rung_nothing_names_the_visitor() -> None:
    entry = logged(an_occasion(Consent()))
    assert (entry.rung, entry.customer_id, entry.checkout_token) == ("contextual", None, None)
    written = encode(entry)
    assert b"browser" not in written
    assert b"token" not in written.replace(b"checkout_token", b"")
    assert msgspec.convert(entry.inputs["situation"], Situation).history == ()


def test_with_analytics_alone_the_customer_is_not_named() -> None:
    entry = logged(an_occasion(Consent(analytics=True)))
    assert (entry.rung, entry.customer_id, entry.checkout_token) == ("session", None, "token")
    assert entry.inputs["situation"]["viewed"] == (20,)
    assert entry.inputs["situation"]["history"] == ()


def test_with_consent_the_customers_history_decides() -> None:
    entry = logged(an_occasion())
    assert (entry.rung, entry.customer_id) == ("personal", 7)
    assert entry.inputs["situation"]["history"] == ((40, 1, 63.0),)  # once, 63 days ago
    assert entry.answer["segment"] == "returning"


@pytest.mark.parametrize(
    ("consent", "body", "unit"),
    [
        (EVERYTHING, {}, "customer:7"),
        (Consent(analytics=True), {}, "client:browser"),
        (Consent(), {}, "checkout:token"),
        (Consent(), {"checkout_token": None}, "checkout:d"),
        (Consent(preferences=True), {}, "checkout:token"),
    ],
)
def test_the_unit_of_the_experiment_is_the_most_lasting_name_allowed(
    consent: Consent, body: dict[str, object], unit: str
) -> None:
    assert unit_of(an_occasion(consent, **body)) == unit


def test_a_cart_in_another_currency_is_not_compared_with_our_prices() -> None:
    cart = {"currency": "EUR", "subtotal": "1.00", "lines": []}
    assert situation_of(an_occasion(cart=cart)).subtotal_minor is None
    assert situation_of(an_occasion()).subtotal_minor == 10_000
