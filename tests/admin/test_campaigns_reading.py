from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from app.admin.campaigns_form import Form, Message, form_of
from app.admin.campaigns_preview import BUILT_IN_ENGLISH, preview
from app.admin.campaigns_reading import ParsedForm, campaign_id_of, read_form
from app.admin.campaigns_rows import ASKED, ASKED_OF, Group, Row, Rows, rows_of, rule_of, typed
from app.admin.campaigns_view import between, rate_words, shows
from app.admin.language import LANGUAGES, speaking
from app.admin.segment_titles import TITLES
from app.campaigns.campaign import Campaign
from app.campaigns.messages import FREE_SHIPPING
from app.campaigns.templates import TEMPLATES
from app.intent.rates import rate
from app.rules.expression import read_rule
from app.rules.fields import FIELDS, SURFACES, WEEKDAYS
from app.rules.words import in_words
from tests.admin.campaign_factories import written
from tests.admin.test_markup import ROOT
from tests.campaigns.factories import TEN_PERCENT, a_campaign

BERLIN = ZoneInfo("Europe/Berlin")


def read(**changes: Any) -> ParsedForm:
    return read_form(msgspec.convert(written(**changes), Form), "hesitant", BERLIN)


def wrong(**changes: Any) -> dict[str, str]:
    found = read(**changes)
    assert found.campaign is None
    return {each.field: each.message for each in found.wrong}


FIRST = "groups[0].conditions[0]"


def condition(field: str, compare: str, value: str = "", upto: str = "") -> list[dict[str, Any]]:
    row = {"field": field, "compare": compare, "value": value, "upto": upto}
    return [{"match": "all", "conditions": [row]}]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_comes_back_from_the_editor_as_it_was(name: str) -> None:
    campaign = TEMPLATES[name].campaign
    assert read_form(form_of(campaign, BERLIN), name, BERLIN).campaign == campaign


def test_half_a_percent_is_not_rounded_away_from_what_shoppers_get() -> None:
    campaign = read(off="12.5").campaign
    assert campaign is not None
    assert shows(campaign, "USD") == "12.5% off, for 1 day"


def test_what_is_rare_is_told_with_a_digit() -> None:
    rare = rate(4, 1_000)
    assert (rate_words(rare), between(rare)) == ("0.4% (4 of 1,000)", "0.2% to 1.0%")  # Wilson's interval
    assert rate_words(rate(1, 4)) == "25% (1 of 4)"


def test_every_field_of_a_campaign_comes_back_from_the_editor() -> None:
    campaign = a_campaign(
        "all", evidence=3, priority=-7, stop=True, group="discounts", choice="best one", delay_s=90,
        expires_s=5_400, holdout=0.125, caps={"per_visitor": 2, "per_session": 1, "total": 500},
        schedule={"starts_at": "2026-12-01T08:00:00Z", "ends_at": "2026-12-24T17:00:00Z", "weekdays": [1, 7],
                  "hours": [22, 6]},
        offer={"kind": "coupon", "slot": "top", "key": "coupon.personal",
               "discount": {"amount": "5.50", "applies_to": "product", "minimum": "80",
                            "combines_with": ["shipping", "order"], "with_code": False},
               "messages": {"en": {"one": "{count} item", "other": "{count} items"}, "de@CH": "Grüezi"}},
    )  # fmt: skip
    assert read_form(form_of(campaign, BERLIN), "all", BERLIN).campaign == campaign


@pytest.mark.parametrize(
    ("offer", "leads_to", "other", "key"),
    [
        ({}, "shipping", "own", "progress.own"),
        ({"messages": {"en": "{amount} to go"}}, "own", "shipping", FREE_SHIPPING),
        ({"key": FREE_SHIPPING, "messages": {"en": "Nearly free"}}, "shipping", "own", "progress.own"),
    ],
)
def test_where_a_bar_leads_is_chosen_whatever_it_says_on_the_way(
    offer: dict[str, Any], leads_to: str, other: str, key: str
) -> None:
    form = form_of(a_campaign("bar", offer={"kind": "progress", "target": "50", **offer}), BERLIN)
    assert form.leads_to == leads_to
    gift = (Message("en", "{amount} more for a gift"),)
    kept = read_form(msgspec.structs.replace(form, leads_to=other, messages=gift), "bar", BERLIN).campaign
    assert kept is not None
    assert kept.offer.key == key


def test_a_bar_that_leads_to_what_only_the_merchant_knows_needs_their_words() -> None:
    assert wrong(kind="progress", target="50", leads_to="own", messages=[]) == {
        "leads_to": "Write in part 3 what it leads to: only you know it"
    }


@pytest.mark.parametrize(
    ("off", "said"),
    [
        ({"percentage": 100}, "Free shipping"),
        ({"percentage": 50}, "50% off the shipping"),
        ({"amount": "2.50"}, "$2.50 off the shipping"),
    ],
)
def test_what_is_taken_off_the_shipping_stays_as_it_is_when_it_is_saved_again(
    off: dict[str, Any], said: str
) -> None:
    terms = {"applies_to": "shipping", "with_code": False, **off}
    campaign = a_campaign("parcel", offer={"kind": "coupon", "discount": terms})
    assert read_form(form_of(campaign, BERLIN), "parcel", BERLIN).campaign == campaign
    assert shows(campaign, "USD").startswith(said)


def test_times_are_typed_in_the_shops_zone() -> None:
    campaign = read(starts_at="2026-12-01 09:00").campaign
    assert campaign is not None
    assert campaign.schedule.starts_at == datetime(2026, 12, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("field", "compare", "values"),
    [
        ("profile.segments", "some", [*TITLES, "regulars"]),
        ("time.weekday", "in", WEEKDAYS),
        ("checkout.surface", "in", SURFACES),
    ],
)
def test_names_are_typed_in_the_merchants_language(
    language: str, field: str, compare: str, values: list[str]
) -> None:
    with speaking(language):
        row = Row(field, compare, ", ".join(typed(FIELDS[field], each) for each in values))
        rule = rule_of(Rows("all", (Group("all", (row,)),)))
        rows = rows_of(read_rule(rule))
    assert set(values) <= set(re.findall(r"\w+", str(rule)))
    assert rows is not None
    assert [each.value for each in rows.groups[0].conditions] == [row.value]


@pytest.mark.parametrize("typed_so", ["at risk, loyal", "at risk،loyal", "at risk、 loyal"])
def test_segments_are_parted_by_the_commas_of_any_script(typed_so: str) -> None:
    assert read(groups=condition("profile.segments", "none", typed_so)).rule == {
        "none": [{"var": "profile.segments"}, {"in": [{"var": ""}, ["at_risk", "loyal"]]}]
    }


def test_a_shops_own_segments_are_typed_as_they_are_called() -> None:
    own = ["常連", "VIP & Großkunden", "big_spenders"]
    rule = {"some": [{"var": "profile.segments"}, {"in": [{"var": ""}, own]}]}
    row = ", ".join(typed(FIELDS["profile.segments"], each) for each in own)
    assert read(groups=condition("profile.segments", "some", row)).rule == rule
    as_shown = "常連、VIP  & Großkunden، Big spenders"
    assert read(groups=condition("profile.segments", "some", as_shown)).rule == rule
    assert in_words(read_rule(rule), "EUR").startswith(
        "One or more of “常連”, “VIP & Großkunden”, “big spenders” are among"
    )


def test_what_a_shop_names_itself_may_have_such_a_comma_in_it() -> None:
    tags = read(groups=condition("cart.tags", "none", "お菓子、スナック")).rule
    assert tags == {"none": [{"var": "cart.tags"}, {"in": [{"var": ""}, ["お菓子、スナック"]]}]}


def test_names_are_typed_as_words_of_the_language() -> None:
    with speaking("de"):
        assert typed(FIELDS["profile.segments"], "hesitant_buyers") == "Zögernde Käufer"
        assert typed(FIELDS["time.weekday"], "friday") == "Freitag"
    assert typed(FIELDS["profile.segments"], "hesitant_buyers") == "hesitant buyers"


@pytest.mark.parametrize(
    "rule",
    [
        {"!": [{"var": "cart.discounted"}]},
        {"!": [{"or": [{"var": "shopper.cold"}, {"==": [{"var": "profile.orders"}, None]}]}]},
        {"or": [{"and": [{"var": "shopper.cold"}, {">": [{"var": "intent.now"}, 0.25]}]},
                {"<": [80, {"var": "cart.subtotal"}]}]},
        {"and": [{"none": [{"var": "cart.tags"}, {"in": [{"var": ""}, ["clearance"]]}]},
                 {"in": [{"var": "market.country"}, ["DE", "AT"]]},
                 {"<=": [18, {"var": "time.hour"}, 22]}]},
        {"in": ["champions", {"var": "profile.segments"}]},
        {"some": [{"var": "cart.collections"}, {"in": [{"var": ""}, ["winter-sale", "new"]]}]},
    ],
)  # fmt: skip
def test_a_rule_means_the_same_after_it_was_rows(rule: Any) -> None:
    rows = rows_of(read_rule(rule))
    assert rows is not None
    again = rows_of(read_rule(rule_of(rows)))
    assert again == rows


@pytest.mark.parametrize(
    "rule",
    [
        {">": [{"var": "cart.subtotal"}, {"*": [{"var": "profile.aov"}, 0.5]}]},
        {">": [{"var": "cart.subtotal"}, {"var": "profile.aov"}]},
        {"and": [{"or": [{"and": [{"var": "shopper.cold"}, {"var": "visit.returning"}]}, True]}, True]},
        {"some": [{"var": "cart.tags"}, {"in": [{"var": ""}, ["red, green"]]}]},
    ],
)
def test_a_rule_that_rows_cant_say_is_edited_as_json(rule: Any) -> None:
    campaign = a_campaign("deep", rule=rule, offer=TEN_PERCENT)
    assert rows_of(read_rule(rule)) is None
    form = form_of(campaign, BERLIN)
    assert form.rule is not None
    assert json.loads(form.rule) == rule
    assert read_form(form, "deep", BERLIN).campaign == campaign


def test_no_condition_at_all_is_everyone() -> None:
    assert rows_of(read_rule(True)) == Rows()
    assert rule_of(Rows()) is True


def test_what_can_be_asked_of_each_kind_of_field_has_words() -> None:
    assert {each.kind for each in FIELDS.values()} == ASKED_OF.keys()
    assert {each for asked in ASKED_OF.values() for each in asked} == ASKED.keys()


def test_limits_are_told_as_the_language_writes_numbers() -> None:
    with speaking("de"):
        told = wrong(lasts="0", per_visitor="2000000000")
    assert told == {
        "lasts": "Das geht von 0,0167 bis 2160",
        "per_visitor": "Das geht von 1 bis 1000000000",
    }


def test_a_share_is_typed_in_percent() -> None:
    assert read(groups=condition("intent.now", "<", "60 %")).rule == {"<": [{"var": "intent.now"}, 0.6]}


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": " "}, "name", "Give it a name"),
        ({"off": ""}, "off", "This is a number"),
        ({"off": "0"}, "off", "Say how much is taken off"),
        ({"off": "120"}, "off", "This goes from 0 to 100"),
        ({"off": "ten", "off_as": "amount"}, "off", "This is an amount above zero"),
        ({"kind": "progress"}, "target", "This is an amount above zero"),
        ({"kind": "progress", "target": "0.004"}, "target", "This is an amount above zero"),
        ({"kind": "upsell", "products": "1 2 3 4"}, "products", "Name one to three"),
        ({"kind": "upsell", "products": "skis"}, "products", "A product is named by its number"),
        ({"holdout": "nan"}, "holdout", "This number is too large"),
        ({"per_visitor": "1.5"}, "per_visitor", "This is a whole number"),
        ({"starts_at": "tomorrow"}, "starts_at", "Write the day and the time like"),
        ({"starts_at": "2026-12-02 09:00", "ends_at": "2026-12-01 09:00"}, "ends_at", "It ends before"),
        ({"hour_from": "8"}, "hour_until", "Give both hours"),
        ({"hour_from": "8", "hour_until": "8"}, "hour_until", "The hours begin and end"),
        ({"group": "a/b"}, "group", "Use up to 40 letters"),
        ({"lasts": "1", "delay_s": "7200"}, "delay_s", "It would be over before"),
        ({"messages": [{"locale": "", "text": "Hello"}]}, "messages[0].locale", "Say which language"),
        ({"messages": [{"locale": "de", "text": ""}]}, "messages[0].text", "Write what shoppers read"),
        ({"messages": [{"locale": "german!", "text": "x"}]}, "messages[0].locale", "'german!' is not"),
        ({"messages": [{"locale": "de", "text": "{name}!"}]}, "messages[0].text", "{name} can't be"),
        ({"rule": "{"}, "rule", "This is not JSON"),
        ({"rule": '{"var": "cart.nothing"}'}, "rule", "Rule.var: there is no field"),
        ({"groups": condition("", ">")}, f"{FIRST}.field", "Choose what this is about"),
        ({"groups": condition("cart.subtotal", "some", "8")}, f"{FIRST}.compare", "Choose how"),
        ({"groups": condition("cart.subtotal", ">", "much")}, f"{FIRST}.value", "This is a number"),
        ({"groups": condition("time.hour", "between", "8")}, f"{FIRST}.upto", "Fill this in"),
        ({"groups": condition("profile.segments", "some", " , ")}, f"{FIRST}.value", "Name at"),
        ({"groups": condition("market.country", "==", "Germany")}, f"{FIRST}.value", "The country"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_beside_its_field(changes: dict[str, Any], field: str, says: str) -> None:
    assert wrong(**changes)[field].startswith(says)


@pytest.mark.parametrize(
    "typed", ["1,000", "1.000", "1 000", "1’000", "2,500,000", "1.234,50", "１,０００", "١٬٠٠٠"]
)
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (lambda typed: {"kind": "progress", "target": typed}, "target"),
        (lambda typed: {"off_as": "amount", "off": typed}, "off"),
        (lambda typed: {"minimum": typed}, "minimum"),
        (lambda typed: {"groups": condition("cart.subtotal", ">", typed)}, f"{FIRST}.value"),
        (lambda typed: {"groups": condition("cart.subtotal", "between", "1", typed)}, f"{FIRST}.upto"),
    ],
)
def test_a_thousand_with_a_mark_is_not_taken_for_one(changes: Any, field: str, typed: str) -> None:
    assert wrong(**changes(typed))[field].startswith("Write thousands without a mark")


@pytest.mark.parametrize(("typed", "meant"), [("１０００", "1000"), ("٤٩٫٥", "49.5"), ("४९.५", "49.5")])
def test_digits_of_any_script_are_read(typed: str, meant: str) -> None:
    found = read(kind="progress", target=typed, groups=condition("cart.subtotal", ">", typed))
    assert found.campaign is not None
    assert found.campaign.offer.target == meant
    assert found.rule == {">": [{"var": "cart.subtotal"}, float(meant)]}


def test_three_digits_are_a_fraction_where_the_currency_has_them_and_of_what_is_no_amount() -> None:
    dinars = written(kind="progress", target="1.250", groups=condition("cart.subtotal", ">", "2,500"))
    found = read_form(msgspec.convert(dinars, Form), "bar", BERLIN, "KWD").campaign
    assert found is not None
    assert (found.offer.target, found.rule) == ("1.250", {">": [{"var": "cart.subtotal"}, 2.5]})
    assert read(groups=condition("intent.now", "<", "12.125")).rule == {"<": [{"var": "intent.now"}, 0.12125]}
    assert FIRST + ".value" in wrong(groups=condition("cart.units", ">", "1,000"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = wrong(name="", off="x", holdout="200", groups=condition("cart.subtotal", ">", ""))
    assert found.keys() == {"name", "off", "holdout", "groups[0].conditions[0].value"}


@pytest.mark.parametrize(
    ("name", "taken", "made"),
    [
        ("10 % for hesitant buyers", (), "10-for-hesitant-buyers"),
        ("Winter", ("winter", "winter-2"), "winter-3"),
        ("冬のセール", (), "campaign"),
    ],
)
def test_a_new_campaign_gets_an_id_of_its_own(name: str, taken: tuple[str, ...], made: str) -> None:
    assert campaign_id_of(name, frozenset(taken)) == made


def with_words(messages: dict[str, Any], **offer: Any) -> Campaign:
    return a_campaign("words", offer={**TEN_PERCENT, "messages": messages, **offer})


@pytest.mark.parametrize(
    ("locale", "country", "text"),
    [
        ("de-AT", None, "10 % für dich"),
        ("de", "CH", "Grüezi: 10 %"),
        ("fr", None, "10 % for you"),  # the shop's own language
    ],
)
def test_a_preview_reads_as_the_shopper_would(locale: str, country: str | None, text: str) -> None:
    words = {
        "en": "{percentage} % for you",
        "de": "{percentage} % für dich",
        "de@CH": "Grüezi: {percentage} %",
    }
    assert preview(with_words(words), "EUR", locale, country, "en").text == text


def test_words_that_no_shopper_would_read_are_told_beside_them() -> None:
    words = [{"locale": "de", "text": "{percentage} % für dich"}, {"locale": "en", "text": "{amount} off"}]
    made = read(kind="coupon", off="10", off_as="percentage", messages=words)
    assert made.campaign is None
    (wrong,) = made.wrong
    assert wrong.field == "messages[1].text"
    assert wrong.message.startswith("{amount} can't be filled in here; a coupon has ")


def test_a_preview_takes_the_plural_form_of_its_example() -> None:
    words = {"en": {"one": "one item", "other": "{count} items, {code}"}}
    assert preview(with_words(words), "EUR", "en", None, "en").text == "3 items, TILL-EXAMPLE"


def test_built_in_sentences_are_those_of_the_checkout_page() -> None:
    page = json.loads((ROOT / "extensions/checkout-offers/locales/en.default.json").read_text())
    for key, words in BUILT_IN_ENGLISH.items():
        kind, _, name = key.partition(".")
        said = {**page, **page["message"], "upsell": page["reason"]}[kind][name]
        assert words.replace("{", "{{").replace("}", "}}") == said


def a_coupon(**discount: Any) -> dict[str, Any]:
    return {"kind": "coupon", "discount": discount}


@pytest.mark.parametrize(
    ("offer", "text"),
    [
        (TEN_PERCENT, "Save 10% on your order"),
        (a_coupon(amount="5", applies_to="product"), "Save €5.00 on your order"),
        (a_coupon(percentage=50, applies_to="shipping", with_code=False), "Save 50% on shipping"),
        (a_coupon(percentage=100, applies_to="shipping"), "Free shipping"),
        ({"kind": "upsell", "product_ids": [1]}, "Picked by the shop"),
        ({"kind": "progress", "target": "50"}, "Add €15.00 more for free shipping."),
        ({"kind": "progress", "target": "50", "messages": {"xx": "{amount} to a gift"}}, ""),
    ],
)
def test_a_preview_without_words_for_the_shopper_is_what_the_page_says(offer: Any, text: str) -> None:
    shown = preview(a_campaign("words", offer=offer), "EUR", "en", None, "en")
    assert shown.text == text
    assert shown.whose.startswith("The page's own" if text else "Nothing:")
