from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.campaigns.campaign import check_words, ended, read_campaign
from app.campaigns.codes import coupon_terms
from app.campaigns.templates import TEMPLATES
from app.errors import InputError
from tests.campaigns.factories import NOW, TEN_PERCENT, a_campaign

WHOLE: dict[str, Any] = {
    "id": "spring-10",
    "name": "Spring",
    "rule": {"and": [{">": [{"var": "cart.subtotal"}, 80]}, {"<": [{"var": "intent.visit"}, 0.5]}]},
    "evidence": 2,
    "priority": 20,
    "stop": True,
    "group": "discounts",
    "schedule": {
        "starts_at": "2026-11-27T00:00:00+01:00", "ends_at": "2026-11-30T00:00:00+01:00",
        "weekdays": [5, 6, 7], "hours": [8, 22],
    },
    "caps": {"per_visitor": 1, "per_session": 1, "total": 500},
    "delay_s": 30,
    "expires_s": 86400,
    "holdout": 0.2,
    "choice": "spring",
    "offer": {
        "kind": "coupon",
        "discount": {"amount": "12.50", "minimum": "50", "combines_with": ["shipping"]},
        "messages": {"en": {"one": "{count} hour left", "other": "{count} hours"}, "de": "{amount}"},
    },
}  # fmt: skip


def test_a_whole_campaign_is_read_and_written_as_it_was() -> None:
    campaign = read_campaign(WHOLE)
    assert read_campaign(msgspec.to_builtins(campaign)) == campaign
    assert read_campaign(msgspec.json.decode(msgspec.json.encode(campaign))) == campaign


def changed(**changes: Any) -> dict[str, Any]:
    return {"id": "a", "name": "A", "rule": True, "offer": {"kind": "banner"}} | changes


def a_coupon(**discount: Any) -> dict[str, Any]:
    return changed(offer={"kind": "coupon", "discount": discount})


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        ([], "", "Expected `object`"),
        ({"id": "a"}, "name", "missing required field"),
        (changed(id="No Spaces"), "id", "matching regex"),
        (changed(naem="x"), "naem", "unknown field `naem`"),
        (changed(rule={">": [{"var": "cart.total"}, 5]}), "rule.>[0].var", "cart.total"),
        (changed(rule={"method": ["x"]}), "rule", "method"),
        (changed(holdout=1.5), "holdout", "<= 1"),
        (changed(caps={"per_session": 0}), "caps.per_session", ">= 1"),
        (changed(offer={"kind": "riddle"}), "offer.kind", "riddle"),
        (changed(offer={"kind": "coupon"}), "offer.discount", "a coupon needs a discount"),
        (changed(offer={"kind": "banner", "discount": {"percentage": 5}}), "offer.discount", "can't have"),
        (a_coupon(), "offer.discount", "either"),
        (a_coupon(percentage=5, amount="5"), "offer.discount", "either"),
        (a_coupon(percentage=120), "offer.discount.percentage", "<= 100"),
        (a_coupon(amount="0.00"), "offer.discount.amount", "above"),
        (a_coupon(amount="-5"), "offer.discount.amount", "matching regex"),
        (a_coupon(percentage=50, applies_to="shipping"), "offer.discount", "make shipping free"),
        (a_coupon(amount="5", applies_to="shipping"), "offer.discount", "make shipping free"),
        (changed(offer={"kind": "progress"}), "offer.target", "needs a target"),
        (changed(offer={"kind": "banner", "target": "5"}), "offer.target", "nothing else"),
        (changed(offer={"kind": "upsell"}), "offer.product_ids", "needs product_ids"),
        (changed(offer={"kind": "upsell", "product_ids": [1, 2, 3, 4]}), "offer.product_ids", "length <= 3"),
        (changed(offer={"kind": "banner", "messages": {"en": "{x}"}}), "offer.messages.en", "filled in"),
        (
            changed(schedule={"starts_at": "2026-11-02T00:00:00Z", "ends_at": "2026-11-01T00:00:00Z"}),
            "schedule.ends_at",
            "ends before it starts",
        ),
        (changed(schedule={"starts_at": "2026-12-01T09:00:00"}), "schedule.starts_at", "timezone"),
        (changed(schedule={"hours": [8, 8]}), "schedule.hours", "same time"),
        (changed(schedule={"hours": [24, 0]}), "schedule.hours", "same time"),  # from midnight to midnight
        (changed(schedule={"weekdays": [0]}), "schedule.weekdays[0]", ">= 1"),
        (changed(delay_s=60, expires_s=60), "delay_s", "over before"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_with_the_field_and_what_to_do(data: Any, field: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_campaign(data)
    assert caught.value.field == field


def test_it_has_ended_when_its_end_has_come() -> None:
    campaign = a_campaign(schedule={"ends_at": NOW.isoformat()})
    assert ended(campaign, NOW)
    assert not ended(campaign, NOW - timedelta(seconds=1))
    assert not ended(a_campaign(), NOW)


def test_a_code_always_ends_and_a_banner_only_where_it_is_said() -> None:
    assert a_campaign(offer=TEN_PERCENT).lasts_s == 86_400
    assert a_campaign(offer=TEN_PERCENT, expires_s=600).lasts_s == 600
    assert a_campaign().lasts_s is None


def test_what_its_codes_do_is_told_in_minor_units() -> None:
    terms = coupon_terms(read_campaign(WHOLE), "EUR")
    assert terms is not None
    assert (terms.title, terms.amount_minor, terms.percentage, terms.minimum_minor, terms.combines_with) == (
        "Spring", 1_250, None, 5_000, ("shipping",),
    )  # fmt: skip
    free = {"kind": "coupon", "discount": {"percentage": 100, "applies_to": "shipping"}}
    shipping = coupon_terms(a_campaign(offer=free), "EUR")
    assert shipping is not None
    assert (shipping.applies_to, shipping.percentage, shipping.amount_minor) == ("shipping", None, None)
    assert coupon_terms(a_campaign(), "EUR") is None


@pytest.mark.parametrize(
    ("words", "changes", "taken"),
    [
        ("{percentage} % for {count} hours with {code}", {}, True),
        ("{amount} off", {}, False),
        ("from {minimum} on", {}, False),
        ("from {minimum} on", {"minimum": "80"}, True),
        ("{code}", {"with_code": False}, False),
        ("{count} hours left", {"with_code": False}, False),
    ],
)
def test_words_say_nothing_that_the_campaign_does_not_have(
    words: str, changes: dict[str, Any], taken: bool
) -> None:
    discount = {"percentage": 10} | changes
    campaign = a_campaign(offer={"kind": "coupon", "discount": discount, "messages": {"en": words}})
    if taken:
        check_words(campaign)
    else:
        with pytest.raises(InputError, match="can't be filled in here; a coupon has") as caught:
            check_words(campaign)
        assert caught.value.field == "offer.messages.en"


def test_every_templates_words_can_be_filled_in() -> None:
    for each in TEMPLATES.values():
        check_words(each.campaign)
