"""Customers a merchant should look at before they are counted or offered anything. Pure.

Each candidate comes with its reason in a sentence, and is only ever a suggestion: what the merchant
said of a customer (pinned, excluded, confirmed) wins over every training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from statistics import median

from app.profiles.customer import PlacedOrder
from app.values import decimal_amount
from app.wording import wording

BULK, RESELLER, TEST, BURST, CONTRADICTION = "bulk_buyer", "reseller", "test_orders", "burst", "contradiction"
REASONS = (BULK, RESELLER, TEST, BURST, CONTRADICTION)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a customer is a candidate.

    outlier: the modified z-score (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993, who
    advise 3.5), of logarithms. bulk_times: and at least so many times the shop's median. resold: units
    of one variant in one order, in at least resold_orders orders. free_orders: orders with nothing to
    pay. burst: orders within burst_s seconds. sure: a probability that speaks for a label.
    """

    outlier: float = 3.5
    bulk_times: float = 5.0
    resold: int = 10
    resold_orders: int = 3
    free_orders: int = 3
    burst: int = 10
    burst_s: int = 60
    sure: float = 0.7


@dataclass(frozen=True, slots=True)
class ReviewedOrder:
    """An order as a reviewer sees it. most_of_one: units of the variant it holds most of."""

    placed_at: int
    amount_minor: int
    units: int = 1
    most_of_one: int = 1


@dataclass(frozen=True, slots=True)
class ReviewedCustomer:
    """A customer: orders in any order, their RFM segment and what the classifiers foresee, if they do."""

    customer_id: int
    orders: tuple[ReviewedOrder, ...]
    rfm: str | None = None
    at_risk: float | None = None
    loyal: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer to look at. reason: one of REASONS. detail: a sentence with the numbers."""

    customer_id: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class TypicalOrder:
    """What an order of the shop is like: the median, and the median absolute deviation of logarithms."""

    amount: tuple[float, float]
    units: tuple[float, float]


def candidates(
    customers: Sequence[ReviewedCustomer], currency: str, limits: Limits | None = None
) -> tuple[Candidate, ...]:
    """Return who to look at, by customer and reason; each reason once a customer."""
    limits = limits or Limits()
    usual = usual_order(order for customer in customers for order in customer.orders)
    return tuple(each for customer in customers for each in review(customer, usual, currency, limits))


def review(customer: ReviewedCustomer, usual: TypicalOrder, currency: str, limits: Limits) -> list[Candidate]:
    """Return why to look at one customer; cheap enough for every order."""
    told = {
        BULK: _bulk(customer, usual, currency, limits),
        RESELLER: _reseller(customer, limits),
        TEST: _test(customer, limits),
        BURST: _burst(customer, limits),
        CONTRADICTION: _contradiction(customer, limits),
    }
    return [Candidate(customer.customer_id, reason, detail) for reason, detail in told.items() if detail]


def usual_order(orders: Iterable[ReviewedOrder]) -> TypicalOrder:
    """Return what the shop's orders are like; orders with nothing to pay do not count."""
    paid = [order for order in orders if order.amount_minor > 0]
    return TypicalOrder(
        _spread([order.amount_minor for order in paid]), _spread([order.units for order in paid])
    )


def outlier(value: float, usual: tuple[float, float]) -> float:
    """Return the modified z-score of a value among the usual ones; 0 where they hold none."""
    middle, spread = usual
    if middle <= 0 or value <= 0:
        return 0.0
    # .6745: the median absolute deviation of a normal distribution, in standard deviations. The
    # floor keeps a shop where all orders are alike from calling the first other one an outlier.
    return 0.6745 * _log_ratio(value, middle) / max(spread, 0.25)


def _bulk(customer: ReviewedCustomer, usual: TypicalOrder, currency: str, limits: Limits) -> str | None:
    largest = max(customer.orders, key=lambda order: order.amount_minor, default=None)
    most = max(customer.orders, key=lambda order: order.units, default=None)
    if largest and _far(largest.amount_minor, usual.amount, limits):
        amount = decimal_amount(largest.amount_minor, currency)
        times = _times(largest.amount_minor, usual.amount)
        return wording(f"An order of {amount} {currency}, {times} times the usual one.")
    if most and _far(most.units, usual.units, limits):
        times = _times(most.units, usual.units)
        return wording(f"An order of {most.units} units, {times} times the usual one.")
    return None


def _reseller(customer: ReviewedCustomer, limits: Limits) -> str | None:
    stocked = [order for order in customer.orders if order.most_of_one >= limits.resold]
    if len(stocked) < limits.resold_orders:
        return None
    return wording(f"{len(stocked)} orders with {limits.resold} or more of a single variant.")


def reviewed(orders: Iterable[PlacedOrder]) -> tuple[ReviewedOrder, ...]:
    """Return the orders as a reviewer sees them; one of gift cards alone is money paid ahead, and none."""
    return tuple(_reviewed(each) for each in orders if each.lines or each.total_minor)


def _reviewed(order: PlacedOrder) -> ReviewedOrder:
    units: Counter[int | None] = Counter()
    for line in order.lines:
        units[line.product_id] += line.quantity
    return ReviewedOrder(
        placed_at=order.placed_at,
        amount_minor=order.total_minor,
        units=max(1, sum(units.values())),
        most_of_one=max(units.values(), default=1),
    )


def _test(customer: ReviewedCustomer, limits: Limits) -> str | None:
    free = sum(order.amount_minor == 0 for order in customer.orders)
    if free >= limits.free_orders and 2 * free > len(customer.orders):
        return wording(f"{free} of {len(customer.orders)} orders had nothing to pay.")
    return None


def _burst(customer: ReviewedCustomer, limits: Limits) -> str | None:
    times = sorted(order.placed_at for order in customer.orders)
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] > limits.burst_s:
            first += 1
        most = max(most, last - first + 1)
    return wording(f"{most} orders within {limits.burst_s} seconds.") if most >= limits.burst else None


def _contradiction(customer: ReviewedCustomer, limits: Limits) -> str | None:
    at_risk, loyal = customer.at_risk or 0, customer.loyal or 0
    if at_risk >= limits.sure and loyal >= limits.sure:
        return wording(f"Predicted to leave ({at_risk:.0%}) and to come often ({loyal:.0%}).")
    if at_risk >= limits.sure and customer.rfm in ("champions", "loyal"):
        name = customer.rfm.capitalize()
        return wording(f"{name} by what they bought, predicted to leave ({at_risk:.0%}).")
    if loyal >= limits.sure and customer.rfm in ("dormant", "almost_lost", "at_risk", "previously_loyal"):
        name = customer.rfm.replace("_", " ").capitalize()
        return wording(f"{name} by what they bought, predicted to come often ({loyal:.0%}).")
    return None


def _far(value: float, usual: tuple[float, float], limits: Limits) -> bool:
    return outlier(value, usual) >= limits.outlier and value >= limits.bulk_times * usual[0]


def _spread(values: Iterable[int]) -> tuple[float, float]:
    known = [each for each in values if each > 0]
    if not known:
        return 0.0, 0.0
    middle = median(known)
    return float(middle), median(abs(_log_ratio(each, middle)) for each in known)


def _log_ratio(value: float, middle: float) -> float:
    return log(value / middle)


def _times(value: float, usual: tuple[float, float]) -> str:
    return f"{value / usual[0]:.0f}"
