"""Who a customer is, worked out from their orders: the same however they arrived. Pure.

Odd orders count as `purchases` says: what was refunded whole is no purchase, what is in another
currency has no amount, what was placed in the future was placed when it was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from app.profiles.purchases import DAY_S, LARGEST_MINOR, Purchase
from app.profiles.rfm_segments import PROSPECTS

PRODUCTS_KEPT = 200
LOYAL_ORDERS = 4
AT_RISK_DAYS = 90


class BoughtLine(NamedTuple):
    """A line of an order. product_id: a bundle's of its parts."""

    product_id: int | None
    quantity: int


class PlacedOrder(NamedTuple):
    """An order as the database has it. placed_at: epoch seconds. total_minor: what was to pay.

    own_currency: whether the amounts are in the shop's. renewal: whether a subscription charged itself: it is
    money, and the customer is there, but nobody chose what is in it.
    """

    order_id: int
    placed_at: int
    total_minor: int
    discount_minor: int = 0
    refunded_minor: int = 0
    cancelled: bool = False
    own_currency: bool = True
    renewal: bool = False
    lines: tuple[BoughtLine, ...] = ()


class OrdersTold(NamedTuple):
    """What Shopify tells of a customer's orders: how many there are, what was spent, when the last was.

    spent_minor: None where that is not told. last_at: epoch seconds, None where that is not told.
    """

    orders: int = 0
    spent_minor: int | None = None
    last_at: int | None = None


class Bought(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """In how many orders a product was bought, and when last (epoch seconds)."""

    times: int
    last_at: int


class Profile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One packed value a customer.

    spent_minor: net of refunds. gross_minor, refunded_minor: of the same orders.
    renewals: orders that a subscription charged. discounted: others with a discount. bought: by product,
    the PRODUCTS_KEPT bought most recently, but for what a subscription has sent since.
    segments: names, the first one is how the customer is spoken of. refused: the customer does not want a
    profile; it is empty, and they are nobody in particular. spend_ahead_minor: what they are expected to
    spend in the next 90 days, None before the shop's segments were worked out. orders_before: how many they
    placed that we do not have, as on install Shopify shows those of 60 days; spent_before_minor: what for,
    and last_before_at: when the last one was, None where that is not told. unpriced: orders of gift cards
    alone, which are paid ahead, and in another currency: they have no amount to average over.

    Fields are packed by their places, so new ones go last. first_order_at, discount_minor and prices are told
    no more: their places are kept for versions that have them.
    """

    orders_count: int = 0
    spent_minor: int = 0
    first_order_at: int | None = None
    last_order_at: int | None = None
    gross_minor: int = 0
    discount_minor: int = 0
    refunded_minor: int = 0
    discounted: int = 0
    bought: dict[int, Bought] = {}
    prices: tuple[int, int, int] | None = None
    segments: tuple[str, ...] = ()
    refused: bool = False
    spend_ahead_minor: int | None = None
    orders_before: int = 0
    spent_before_minor: int | None = None
    last_before_at: int | None = None
    renewals: int = 0
    unpriced: int = 0

    @property
    def orders_placed(self) -> int:
        """Return how many of the orders that we have were placed by the customer, not by a subscription."""
        return self.orders_count - self.renewals

    @property
    def orders_ever(self) -> int:
        """Return how many orders the customer placed, as far as anybody told."""
        return self.orders_count + self.orders_before

    @property
    def spent_ever_minor(self) -> int | None:
        """Return what the customer spent, as far as anybody told; None of orders of which nobody did."""
        told = self.spent_before_minor
        return None if self.orders_before and told is None else self.spent_minor + (told or 0)

    @property
    def last_ever_at(self) -> int | None:
        """Return when the last order was placed, as far as anybody told."""
        return self.last_before_at if self.last_order_at is None else self.last_order_at

    @property
    def aov_minor(self) -> int | None:
        """Return the average order value, None before the first order: of those that we have, or of all."""
        spent, orders = self.spent_ever_minor, self.orders_ever
        if spent is None:
            spent, orders = self.spent_minor, self.orders_count
        return spent // (orders - self.unpriced) if orders > self.unpriced else None

    @property
    def discount_affinity(self) -> float | None:
        """Return the share of orders placed with a discount, None before the first one."""
        return self.discounted / self.orders_placed if self.orders_placed else None

    @property
    def return_rate(self) -> float | None:
        """Return the share of what was charged that was given back, None before anything was."""
        return min(1.0, self.refunded_minor / self.gross_minor) if self.gross_minor else None


NOBODY = Profile()
REFUSED = Profile(refused=True)


def profile_of(orders: Iterable[PlacedOrder], now: int) -> Profile:
    """Return the profile that the orders make. now: epoch seconds; no order is later."""
    once = sorted({each.order_id: each for each in orders if not each.cancelled}.values(), key=_when)
    pairs = [(each, purchase(each, now)) for each in once]
    kept = [(each, made) for each, made in pairs if made.counts]
    own = [each for each in once if each.own_currency]
    chosen = [(each, made) for each, made in kept if not each.renewal]
    return Profile(
        orders_count=len(kept),
        spent_minor=max(0, sum(made.net_minor for _, made in pairs)),
        last_order_at=max((made.placed_at for _, made in kept), default=None),
        gross_minor=sum(_clip(each.total_minor) for each in own),
        refunded_minor=sum(_clip(each.refunded_minor) for each in own),
        discounted=sum(each.discount_minor > 0 for each, _ in chosen),
        bought=_bought([(each, made.placed_at) for each, made in kept]),
        renewals=len(kept) - len(chosen),
        unpriced=sum(not _has_amount(each) for each, _ in kept),
    )


def _has_amount(order: PlacedOrder) -> bool:
    """Return whether its goods have an amount: nothing too, where they were given away."""
    return order.own_currency and (order.total_minor > 0 or bool(order.lines))


def before_these(orders: Sequence[PlacedOrder], told: OrdersTold | None, now: int) -> OrdersTold:
    """Return what was told of orders that are not among these. Those after the last one told are new.

    Where what was spent is told and the last order is not, it is too old to be shown, and so are all before.
    """
    if told is None:
        return OrdersTold()
    number_alone = told.last_at is None and told.spent_minor is None
    counted = [each for each in orders if number_alone or each.placed_at <= (told.last_at or 0)]
    many = max(0, told.orders - len(counted))
    if not many or told.spent_minor is None:
        return OrdersTold(many, None, told.last_at if many else None)
    theirs = sum(purchase(each, now).net_minor for each in counted if not each.cancelled)
    return OrdersTold(many, max(0, told.spent_minor - theirs), told.last_at)


def with_those_before(profile: Profile, before: OrdersTold) -> Profile:
    """Return the profile with what was told of orders that we do not have."""
    return msgspec.structs.replace(
        profile,
        orders_before=before.orders,
        spent_before_minor=before.spent_minor,
        last_before_at=before.last_at,
    )


def purchase(order: PlacedOrder, now: int) -> Purchase:
    """Return the order as segments count it."""
    amount = max(-LARGEST_MINOR, min(order.total_minor, LARGEST_MINOR))
    refunded = _clip(order.refunded_minor)
    counts = amount > refunded or (amount == 0 and refunded == 0)
    net = amount - refunded if order.own_currency else 0
    return Purchase(min(order.placed_at, now), net, counts, _has_amount(order))


def segment(profile: Profile, now: datetime) -> str:
    """Return how the customer is spoken of: their first segment, else what the orders alone tell.

    That is `prospects`, `returning`, `loyal` or, long after the last order, `at_risk`.
    """
    if profile.segments:
        return profile.segments[0]
    if not profile.orders_ever:
        return PROSPECTS
    if profile.last_ever_at is None:  # it is too old to be shown
        return "returning"
    if now.timestamp() - profile.last_ever_at > AT_RISK_DAYS * DAY_S:
        return "at_risk"
    return "loyal" if profile.orders_ever >= LOYAL_ORDERS else "returning"


def _bought(orders: Sequence[tuple[PlacedOrder, int]]) -> dict[int, Bought]:
    """Return what was bought, the most recent first; equally recent ones by product."""
    times: dict[int, int] = defaultdict(int)
    last: dict[int, int] = defaultdict(int)
    sent: dict[int, int] = defaultdict(int)
    for order, placed_at in orders:
        for product_id in {line.product_id for line in order.lines if line.product_id}:
            times[product_id] += not order.renewal
            came = sent if order.renewal else last
            came[product_id] = max(came[product_id], placed_at)
    chosen = [each for each, at in last.items() if each not in sent or at > sent[each]]
    recent = sorted(chosen, key=lambda each: (-last[each], each))[:PRODUCTS_KEPT]
    return {each: Bought(times[each], last[each]) for each in recent}


def _clip(amount_minor: int) -> int:
    return max(0, min(amount_minor, LARGEST_MINOR))


def _when(order: PlacedOrder) -> tuple[int, int]:
    return order.placed_at, order.order_id
