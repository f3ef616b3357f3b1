from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import InputError
from app.profiles.behaviour_store import behaviour_of
from app.profiles.customer import BoughtLine, PlacedOrder, profile_of, purchase
from app.profiles.purchases import DAY_S, Purchase
from app.profiles.rfm_segments import title
from app.profiles.segment_names import is_name, kept_name
from app.profiles.thresholds import Condition, matching, measured_value, read_rules, sentence, why

NOW = 1_790_000_000


def bought(*days_ago: float, amount: int = 1_000) -> list[Purchase]:
    return [Purchase(NOW - round(days * DAY_S), amount) for days in days_ago]


def a_rule(*conditions: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    return [{"name": "mine", "conditions": list(conditions)} | changes]


def condition(measure: str, compare: str, value: object, **more: object) -> dict[str, Any]:
    return {"measure": measure, "compare": compare, "value": value} | more


def is_in(history: list[Purchase], *conditions: dict[str, Any], **changes: Any) -> bool:
    return matching(read_rules(a_rule(*conditions, **changes), "EUR"), history, NOW) == ("mine",)


@pytest.mark.parametrize(
    ("history", "expected"),
    [(bought(7.9), True), (bought(8), False), (bought(40, 1), True), ([], False), (bought(-3), True)],
)
def test_bought_within_seven_days(history: list[Purchase], expected: bool) -> None:
    assert is_in(history, condition("days_since_last_order", "at_most", 7)) is expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (bought(1, 2, 3, 4), True),
        (bought(1, 2, 3), False),
        (bought(1, 2, 3, 31), False),
        (bought(1, 2, 3, 30), False),  # thirty whole days ago is no longer in the last thirty
        (bought(1, 2, 3, 29.9), True),
    ],
)
def test_more_than_three_orders_in_thirty_days(history: list[Purchase], expected: bool) -> None:
    assert is_in(history, condition("orders", "more_than", 3, within_days=30)) is expected


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([10_001], True), ([10_000], False), ([20_000, 100], True), ([20_000, 0], False), ([], False)],
)
def test_average_order_above_a_hundred(amounts: list[int], expected: bool) -> None:
    # (200.00 + 1.00) / 2 = 100.50; with a gift of 0 it is 100.00, which is not above.
    history = [Purchase(NOW - DAY_S, amount) for amount in amounts]
    assert is_in(history, condition("average_order", "more_than", "100.00")) is expected


def test_an_order_without_an_amount_is_none_to_average_over() -> None:
    orders = [
        PlacedOrder(1, NOW - DAY_S, 12_000),
        PlacedOrder(2, NOW - DAY_S, 0),  # of a gift card alone
        PlacedOrder(3, NOW - DAY_S, 9_000, own_currency=False),
        PlacedOrder(4, NOW - DAY_S, 0, lines=(BoughtLine(1, 1),)),  # given away
    ]
    average = profile_of(orders, NOW).aov_minor
    history = [purchase(each, NOW) for each in orders]
    assert measured_value(Condition("average_order", "at_least", "0"), history, NOW) == average == 6_000
    assert behaviour_of(history, [], NOW).average_order == average
    assert measured_value(Condition("average_order", "at_least", "0"), history[1:3], NOW) is None


def test_money_is_in_the_shops_currency() -> None:
    data = a_rule(condition("largest_order", "at_least", "1000"))
    history = [Purchase(NOW, 1_000)]
    assert matching(read_rules(data, "JPY"), history, NOW) == ("mine",)
    assert matching(read_rules(data, "EUR"), history, NOW) == ()


def test_money_given_back_lowers_the_spend_and_is_no_order() -> None:
    history = [*bought(3, amount=5_000), Purchase(NOW - DAY_S, -2_000, counts=False)]
    assert is_in(history, condition("spent", "at_most", "30.00"), condition("orders", "at_most", 1))
    assert is_in([Purchase(NOW, -9_000, counts=False)], condition("spent", "at_most", "0"))


def test_all_or_any_of_the_conditions() -> None:
    asked = condition("orders", "at_least", 2), condition("days_since_last_order", "at_most", 7)
    assert is_in(bought(1, 90), *asked)
    assert not is_in(bought(1), *asked)
    assert is_in(bought(1), *asked, match="any")


def test_what_a_customer_does_not_have_fulfils_nothing() -> None:
    for compare in ("more_than", "at_least", "at_most", "less_than"):
        assert not is_in([], condition("average_order", compare, "0"))
    assert is_in([], condition("orders", "less_than", 1))


GOOD = condition("orders", "at_least", 2)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "segments"),
        ([{"conditions": [GOOD]}], "segments[0].name"),
        (a_rule(GOOD, name="Mine!"), "segments[0].name"),
        (a_rule(GOOD) * 2, "segments[1].name"),
        (a_rule(), "segments[0].conditions"),
        (a_rule(*[GOOD] * 11), "segments[0].conditions"),
        (a_rule(GOOD, match="most"), "segments[0].match"),
        (a_rule(GOOD, colour="red"), "segments[0].colour"),
        (a_rule(GOOD, condition("mood", "at_least", 2)), "segments[0].conditions[1].measure"),
        (a_rule(condition("orders", "near", 2)), "segments[0].conditions[0].compare"),
        (a_rule(condition("orders", "at_least", "2")), "segments[0].conditions[0].value"),
        (a_rule(condition("orders", "at_least", -1)), "segments[0].conditions[0].value"),
        (a_rule(condition("orders", "at_least", 1.5)), "segments[0].conditions[0].value"),
        (a_rule(condition("orders", "at_least", True)), "segments[0].conditions[0].value"),
        (a_rule(condition("spent", "at_least", 100)), "segments[0].conditions[0].value"),
        (a_rule(condition("spent", "at_least", "-1")), "segments[0].conditions[0].value"),
        (a_rule(condition("spent", "at_least", "NaN")), "segments[0].conditions[0].value"),
        (a_rule(condition("spent", "at_least", "lots")), "segments[0].conditions[0].value"),
        (a_rule(GOOD | {"within_days": 0}), "segments[0].conditions[0].within_days"),
        ([a_rule(GOOD, name=f"s{n}")[0] for n in range(51)], "segments"),
    ],
)
def test_a_mistake_is_told_with_its_field(data: object, field: str) -> None:
    with pytest.raises(InputError) as told:
        read_rules(data, "EUR")
    assert told.value.field == field


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Großkunden", "Großkunden"),
        ("常連", "常連"),
        ("お得意様　東京", "お得意様 東京"),
        ("عملاء مميزون", "عملاء مميزون"),
        ("Clients de l’e\u0301te\u0301", "Clients de l’été"),
        (" VIP  Kunden ", "VIP Kunden"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Big spenders", "big_spenders"),  # as such names were always kept
        ("a__b_", "a__b_"),
        ("2 & more", "2 & more"),
    ],
)
def test_a_name_is_of_any_language_and_is_kept_in_one_way(written: str, kept: str) -> None:
    (rule,) = read_rules(a_rule(GOOD, name=written), "EUR").rules
    assert rule.name == kept
    assert read_rules(a_rule(GOOD, name=kept), "EUR").rules == (rule,)


@example("l'ete")
@example("10er Karte")
@given(st.text(max_size=50) | st.text("aB9_ -'é\u0301常\u200c", max_size=12))
def test_a_kept_name_is_kept_as_itself_and_read_back_from_what_is_shown_of_it(written: str) -> None:
    name = kept_name(written)
    assert kept_name(name) == name
    if is_name(name) and "__" not in name and not name.endswith("_"):
        assert kept_name(name.replace("_", " ")) == kept_name(title(name)) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "-a", "x" * 41, "VIP, Kunden", "عملاء، مميزون", "A: b", "“A”", "A/b", "<b>", "A\x00",
     "A\u202eb", "A\u2066b", "\u200cA", "\u0301A"],
)  # fmt: skip
def test_a_name_has_nothing_that_parts_hides_or_turns_around(name: str) -> None:
    with pytest.raises(InputError) as told:
        read_rules(a_rule(GOOD, name=name), "EUR")
    assert told.value.field == "segments[0].name"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Großkunden", "GROSSKUNDEN"), ("VIP Kunden", "vip-kunden"), ("常連", "常\u200c連"), ("ＶＩＰ", "vip")],
)
def test_two_names_that_read_alike_are_one(one: str, other: str) -> None:
    with pytest.raises(InputError) as told:
        read_rules(a_rule(GOOD, name=one) + a_rule(GOOD, name=other), "EUR")
    assert told.value.field == "segments[1].name"


def test_a_customer_is_told_of_a_segment_as_it_was_written() -> None:
    (rule,) = read_rules(a_rule(condition("orders", "at_least", 1), name="VIP Großkunden"), "EUR").rules
    assert why(rule, "EUR", bought(1), NOW) == "VIP Großkunden: orders at least 1 (1)."


def test_a_merchant_reads_the_conditions_as_words() -> None:
    rules = read_rules(
        a_rule(
            condition("average_order", "more_than", "100"), condition("orders", "at_least", 3, within_days=30)
        ),
        "EUR",
    )
    (rule,) = rules.rules
    assert sentence(rule.conditions[0], "EUR") == "average order more than 100.00 EUR"
    history = bought(1, 2, 3, amount=20_000)
    assert why(rule, "EUR", history, NOW) == (
        "Mine: average order more than 100.00 EUR (200.00 EUR) and orders at least 3 in the last 30 days (3)."
    )


@given(st.lists(st.floats(0, 400), max_size=12), st.integers(0, 400), st.integers(1, 400))
def test_more_than_and_at_most_split_the_customers(days: list[float], value: int, within: int) -> None:
    history = bought(*days)
    above = is_in(history, condition("orders", "more_than", value, within_days=within))
    assert above is not is_in(history, condition("orders", "at_most", value, within_days=within))
    assert above == (sum(round(each * DAY_S) < within * DAY_S for each in days) > value)
