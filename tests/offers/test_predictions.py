"""What is predicted of a shopper, from what they allow, and what follows for a coupon."""

from typing import Any

import msgspec
import pytest

from app.campaigns.campaign import Running
from app.campaigns.signing import Signing
from app.consent.policy import permissions, settle
from app.experiments.assign import bucket
from app.intent.features import FEATURES
from app.intent.foresight import Foresight
from app.intent.prior import PRIOR
from app.intent.uplift import Effect, UpliftModel
from app.intent.worth import EXPLORED
from app.offers.answer import answer_to
from app.offers.campaigns import with_campaigns
from app.offers.predictions import purchase_chances
from app.offers.replay import entry_of, replay
from app.offers.situation import Occasion, situation_of
from app.offers.wire import read_question
from app.profiles.recall import Shopper
from app.profiles.visit import Visit
from tests.campaigns.factories import HELP, a_campaign
from tests.offers.factories import EVERYTHING, NOW, a_body, a_product, a_shop, as_json

VISIT = Visit(
    visits=1, began_at=1, last_at=int(NOW.timestamp()) - 30, dwell_s=300, pages=5, products=2, step=2
)
TEN = {"kind": "coupon", "discount": {"percentage": 10, "with_code": False}}
NOBODY_SPECIAL = next(f"t{n}" for n in range(99) if bucket("explored ten", f"checkout:t{n}") >= EXPLORED)
EXPLORED_ONE = next(f"t{n}" for n in range(999) if bucket("explored ten", f"checkout:t{n}") < EXPLORED)


def an_uplift(mean: float, low: float, base: float) -> UpliftModel:
    """Return a coupon that changes everyone alike. base: log-odds of a purchase without it."""
    effect = Effect(mean, low, 2 * mean - low)
    return UpliftModel("ten", FEATURES, "average", (effect,), (0.0,) * len(FEATURES), base)


def an_occasion(
    *uplift: UpliftModel, costs: dict[str, int] | None = None, token: str = NOBODY_SPECIAL, **changes: Any
) -> Occasion:
    """Return a cart of 100.00 in a shop that gives everyone ten percent, else help."""
    campaigns = [
        Running(a_campaign("ten", offer=TEN, priority=1), 0), Running(a_campaign("help", offer=HELP), 1)
    ]  # fmt: skip
    shop = a_shop(
        a_product(10, 10_000), settings={"costs": costs or {}}, campaigns=campaigns,
        foresight=Foresight(uplift={each.campaign: each for each in uplift}),
        signings={"ten": Signing("terms", b"key", b"numbers")},
    )  # fmt: skip
    line = {"product_id": "10", "variant_id": "1010", "quantity": 1, "price": "100.00"}
    fields = {"consent": EVERYTHING, "checkout_token": token} | changes
    body = a_body(10, **fields)
    body["cart"]["lines"] = [line]
    question = read_question(as_json(body))
    consent = settle(question.consent, question.region, shop.policy)
    may = permissions(consent)
    return Occasion(token, NOW, shop, question, consent, may, Shopper(visit=VISIT))


def shown(occasion: Occasion) -> tuple[list[str | None], dict[str, str]]:
    """Return the campaigns shown, and why the coupon is not."""
    situation = with_campaigns(occasion, situation_of(occasion))
    assert situation.campaigns is not None
    offers = answer_to(occasion, situation).offers
    return [offer.campaign for offer in offers if offer.campaign], situation.campaigns.left_out


WORTH_IT = an_uplift(0.10, 0.05, base=-2.0)  # 12 % would buy anyway
HALF = {"10": 5_000}


def test_a_coupon_that_pays_is_given() -> None:
    assert shown(an_occasion(WORTH_IT, costs=HALF)) == (["ten"], {})


@pytest.mark.parametrize(
    ("uplift", "costs", "reason"),
    [
        (an_uplift(0.10, 0.05, base=2.0), HALF, "intent_high"),
        (an_uplift(0.10, -0.01, base=-2.0), HALF, "no_effect"),
        (WORTH_IT, {"10": 9_000}, "no_margin"),  # all of the 10.00 that are left
        (WORTH_IT, {"10": 9_500}, "margin"),  # more than is left: whatever is foretold
    ],
)
def test_a_coupon_that_does_not_pay_leaves_its_place_to_the_next(
    uplift: UpliftModel, costs: dict[str, int], reason: str
) -> None:
    assert shown(an_occasion(uplift, costs=costs)) == (["help"], {"ten": reason})


def test_where_no_cost_or_no_effect_is_known_the_rule_decides() -> None:
    assert shown(an_occasion(an_uplift(0.10, 0.05, base=2.0))) == (["ten"], {})
    assert shown(an_occasion(costs=HALF)) == (["ten"], {})


def test_one_in_twenty_is_left_to_the_rule_while_there_is_a_margin() -> None:
    never = an_uplift(0.10, 0.05, base=2.0)
    assert shown(an_occasion(never, costs=HALF, token=EXPLORED_ONE)) == (["ten"], {})
    assert shown(an_occasion(never, costs={"10": 9_500}, token=EXPLORED_ONE)) == (["help"], {"ten": "margin"})


def test_what_was_withheld_is_withheld_again_in_a_replay() -> None:
    occasion = an_occasion(an_uplift(0.10, 0.05, base=2.0), costs=HALF)
    situation = with_campaigns(occasion, situation_of(occasion))
    entry = entry_of(occasion, situation, answer_to(occasion, situation), 1)
    inputs = msgspec.json.decode(msgspec.json.encode(entry.inputs))
    # The models of today are not those of then; what they said is in the log.
    today = an_occasion(costs=HALF).shop
    assert today.version == occasion.shop.version
    assert [each.campaign for each in replay(inputs, {today.version: today})] == ["help"]
    assert inputs["situation"]["campaigns"]["inputs"]["features"] == list(occasion.features)


def test_the_answer_tells_how_likely_a_purchase_is() -> None:
    occasion = an_occasion()
    told = answer_to(occasion, situation_of(occasion)).intent
    assert told == round(PRIOR.now(occasion.features), 4)


def test_once_there_was_a_purchase_none_is_foretold() -> None:
    occasion = an_occasion(surface="thank_you")
    assert purchase_chances(occasion) is None
    assert answer_to(occasion, situation_of(occasion)).intent is None


def test_of_who_allows_nothing_the_cart_and_the_checkout_are_read() -> None:
    told = dict(zip(FEATURES, an_occasion(consent={}).features, strict=True))
    assert {name for name, value in told.items() if value} == {"units", "value", "in_cart", "started"}


def test_a_cart_in_another_currency_has_no_value() -> None:
    occasion = an_occasion()
    euros = msgspec.structs.replace(occasion.question.cart, currency="EUR")
    abroad = msgspec.structs.replace(
        occasion, question=msgspec.structs.replace(occasion.question, cart=euros)
    )
    assert abroad.features[FEATURES.index("value")] == 0
