"""A merchant's own segments: threshold conditions on purchases, as data. Pure.

    {"name": "recent_regulars", "match": "all", "conditions": [
        {"measure": "days_since_last_order", "compare": "at_most", "value": 7},
        {"measure": "orders", "compare": "more_than", "value": 3, "within_days": 30},
        {"measure": "average_order", "compare": "more_than", "value": "100.00"}]}

Money is a decimal string in the shop's currency. A measure that a customer does not have (an average
of no orders) fulfils no condition.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from app.errors import InputError
from app.profiles.merchant_json import read
from app.profiles.purchases import DAY_S, Purchase
from app.profiles.rfm_segments import title
from app.profiles.segment_names import LONGEST, is_name, kept_name, same_name
from app.values import decimal_amount, minor_units
from app.wording import wording

SETTING = "segments"  # under which name a shop keeps its rules
MOST_RULES = 50
MOST_CONDITIONS = 10
LONGEST_DAYS = 3_650
MOST_ORDERS = 1_000_000

Measure = Literal["days_since_last_order", "orders", "spent", "average_order", "largest_order"]
Compare = Literal["more_than", "at_least", "at_most", "less_than"]
History = Sequence[Purchase]

_MONEY = frozenset({"spent", "average_order", "largest_order"})
_COMPARE: dict[Compare, Callable[[int, int], bool]] = {
    "more_than": operator.gt,
    "at_least": operator.ge,
    "at_most": operator.le,
    "less_than": operator.lt,
}
_MEASURES: dict[Measure, str] = {
    "days_since_last_order": wording("days since last order"),
    "orders": wording("orders"),
    "spent": wording("spent"),
    "average_order": wording("average order"),
    "largest_order": wording("largest order"),
}


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One comparison. value: a whole number, or money. within_days: of the purchases since then only."""

    measure: Measure
    compare: Compare
    value: int | str
    within_days: int | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment: the customers who fulfil all, or any, of its conditions."""

    name: str
    conditions: tuple[Condition, ...]
    match: Literal["all", "any"] = "all"


class Rules(msgspec.Struct, frozen=True):
    """A shop's rules, and the currency that their money is in."""

    currency: str
    rules: tuple[Rule, ...] = ()


def read_rules(data: object, currency: str) -> Rules:
    """Return a shop's rules from decoded JSON, a list. Raises InputError naming the field.

    currency: the shop's, ISO 4217.
    """
    written = read(data, tuple[Rule, ...], "segments")
    rules = tuple(msgspec.structs.replace(rule, name=kept_name(rule.name)) for rule in written)
    if len(rules) > MOST_RULES:
        raise InputError(f"more than {MOST_RULES} segments", "segments")
    for at, rule in enumerate(rules):
        _check_rule(rule, f"segments[{at}]", currency)
        if same_name(rule.name) in {same_name(other.name) for other in rules[:at]}:
            raise InputError(f"there are two segments named “{rule.name}”", f"segments[{at}].name")
    return Rules(currency, rules)


def matching(rules: Rules, history: History, now: int) -> tuple[str, ...]:
    """Return the names of the segments a customer is in, in the rules' order. now: epoch seconds."""
    return tuple(rule.name for rule in rules.rules if matches(rule, rules.currency, history, now))


def matches(rule: Rule, currency: str, history: History, now: int) -> bool:
    """Return whether the customer is in the segment."""
    held = (holds(condition, currency, history, now) for condition in rule.conditions)
    return all(held) if rule.match == "all" else any(held)


def holds(condition: Condition, currency: str, history: History, now: int) -> bool:
    """Return whether the customer fulfils one condition."""
    measured = measured_value(condition, history, now)
    if measured is None:
        return False
    return _COMPARE[condition.compare](measured, _threshold(condition, currency))


def measured_value(condition: Condition, history: History, now: int) -> int | None:
    """Return what the condition looks at: days, orders or minor units; None for what there is not."""
    since = None if condition.within_days is None else now - condition.within_days * DAY_S
    counted = [each for each in history if since is None or each.placed_at > since]
    bought = [each for each in counted if each.counts]
    spent = max(sum(each.net_minor for each in counted), 0)
    if condition.measure == "orders":
        return len(bought)
    if condition.measure == "spent":
        return spent
    if not bought:
        return None
    if condition.measure == "days_since_last_order":
        return max(now - max(each.placed_at for each in bought), 0) // DAY_S
    if condition.measure == "average_order":
        priced = sum(each.priced for each in bought)
        return spent // priced if priced else None
    return max(each.net_minor for each in bought)


def sentence(condition: Condition, currency: str) -> str:
    """Return the condition as a merchant reads it: `average order more than 100.00 EUR`."""
    measure, value = _MEASURES[condition.measure], _threshold(condition, currency)
    amount = f"{decimal_amount(value, currency)} {currency}" if condition.measure in _MONEY else str(value)
    said = {
        "more_than": wording(f"{measure} more than {amount}"),
        "at_least": wording(f"{measure} at least {amount}"),
        "at_most": wording(f"{measure} at most {amount}"),
        "less_than": wording(f"{measure} less than {amount}"),
    }[condition.compare]
    return (
        said if condition.within_days is None else wording(f"{said} in the last {condition.within_days} days")
    )


def why(rule: Rule, currency: str, history: History, now: int) -> str:
    """Return in one sentence which of the segment's conditions the customer fulfils, and with what."""
    held = [each for each in rule.conditions if holds(each, currency, history, now)]
    said = [
        wording(f"{sentence(each, currency)} ({_measured(each, currency, history, now)})") for each in held
    ]
    return f"{title(rule.name)}: {' and '.join(said) or wording('no condition holds')}."


def _measured(condition: Condition, currency: str, history: History, now: int) -> str:
    """Return the customer's own number: `12.40 EUR`."""
    value = measured_value(condition, history, now) or 0
    return f"{decimal_amount(value, currency)} {currency}" if condition.measure in _MONEY else str(value)


def _check_rule(rule: Rule, field: str, currency: str) -> None:
    if not is_name(rule.name):
        raise InputError(
            f"a name has up to {LONGEST} letters, digits and spaces, a letter or digit first", f"{field}.name"
        )
    if not 1 <= len(rule.conditions) <= MOST_CONDITIONS:
        raise InputError(f"a segment has 1 to {MOST_CONDITIONS} conditions", f"{field}.conditions")
    for at, condition in enumerate(rule.conditions):
        _check_condition(condition, f"{field}.conditions[{at}]", currency)


def _check_condition(condition: Condition, field: str, currency: str) -> None:
    if condition.within_days is not None and not 1 <= condition.within_days <= LONGEST_DAYS:
        raise InputError(f"the days looked back are 1 to {LONGEST_DAYS}", f"{field}.within_days")
    if condition.measure in _MONEY:
        if isinstance(condition.value, int):
            raise InputError("money is a decimal string, such as 100.00", f"{field}.value")
        if _amount(condition.value, currency, f"{field}.value") < 0:
            raise InputError("an amount is not negative", f"{field}.value")
        return
    most = LONGEST_DAYS if condition.measure == "days_since_last_order" else MOST_ORDERS
    if not isinstance(condition.value, int) or not 0 <= condition.value <= most:
        raise InputError(f"{condition.measure} is a whole number from 0 to {most}", f"{field}.value")


def _amount(text: str, currency: str, field: str) -> int:
    """Return minor units; what is wrong is said without the field, which a merchant knows by its label."""
    try:
        return minor_units(text, currency, field)
    except InputError:
        raise InputError(f"this is not an amount of {currency}, such as 100.00", field) from None


def _threshold(condition: Condition, currency: str) -> int:
    if condition.measure in _MONEY:
        return minor_units(condition.value, currency)
    return int(condition.value)
