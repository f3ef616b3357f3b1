"""Who is shopping, as one small value: what was bought, what this visit looked at. Pure.

A customer's profile is made of orders, a visit's of browser events; both are the same value. What
has been applied once changes nothing a second time, and an older state of an order changes nothing
after a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from app.events.kinds import BrowserEvent, OrderFacts

PRODUCTS_KEPT = 200
VIEWS_KEPT = 20
ORDERS_KEPT = 50
LOYAL_ORDERS = 4
AT_RISK_DAYS = 90

_LOOKED_AT = frozenset({"product_viewed", "product_added_to_cart"})
_DAY_S = 86_400


class Bought(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How often a product was bought, in how many orders, and when last (epoch seconds)."""

    times: int
    last_at: int


class PastOrder(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an order added to its customer's profile, so that a change can take it back.

    product_ids: empty when it was cancelled. placed_at, updated_at: epoch seconds and milliseconds.
    """

    updated_at_ms: int
    placed_at: int
    total_minor: int
    product_ids: tuple[int, ...]


class VisitorProfile(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One packed value a visitor.

    bought: by product, the PRODUCTS_KEPT bought most recently. viewed: product to epoch
    milliseconds, the VIEWS_KEPT latest, latest first. past_orders: by order id, the ORDERS_KEPT placed last.
    refused: the customer does not want one; nothing is added to it, and they are nobody in particular.
    """

    orders_count: int = 0
    spent_minor: int = 0
    last_order_at: int | None = None
    bought: dict[int, Bought] = {}
    viewed: dict[int, int] = {}
    past_orders: dict[int, PastOrder] = {}
    refused: bool = False

    @property
    def aov_minor(self) -> int | None:
        """Return the average order value, None before the first order."""
        return self.spent_minor // self.orders_count if self.orders_count else None

    @property
    def last_viewed(self) -> tuple[int, ...]:
        """Return the products looked at, the latest first: the order they are kept in."""
        return tuple(self.viewed)


NOBODY = VisitorProfile()
REFUSED = VisitorProfile(refused=True)


def apply(profile: VisitorProfile, event: OrderFacts | BrowserEvent) -> VisitorProfile:
    """Return the profile after the event; the same one when it has nothing new to say or is refused."""
    if profile.refused:
        return profile
    if isinstance(event, BrowserEvent):
        return _looked(profile, event)
    return _take(profile, event.order_id, _past_order(event))


def segment(profile: VisitorProfile, now: datetime) -> str:
    """Return `new`, `returning`, `loyal` or, long after the last order, `at_risk`."""
    if not profile.orders_count or profile.last_order_at is None:
        return "new"
    if now.timestamp() - profile.last_order_at > AT_RISK_DAYS * _DAY_S:
        return "at_risk"
    return "loyal" if profile.orders_count >= LOYAL_ORDERS else "returning"


def tastes(profile: VisitorProfile, now: datetime, half_life_days: float) -> dict[int, float]:
    """Return how often each product was bought, halved for every half-life since the last time.

    Rounded, so that what is logged and what was used are the same number.
    """
    today = now.timestamp()
    return {
        product_id: round(bought.times * 0.5 ** ((today - bought.last_at) / _DAY_S / half_life_days), 3)
        for product_id, bought in profile.bought.items()
    }


def pack(profile: VisitorProfile) -> bytes:
    """Return the profile as Redis holds it."""
    return _encoder.encode(profile)


def unpack(value: bytes | None) -> VisitorProfile:
    """Return the profile; an empty one for what is absent or was packed by another layout."""
    if value is None:
        return NOBODY
    try:
        return _decoder.decode(value)
    except msgspec.DecodeError:
        return NOBODY


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(VisitorProfile)


def viewed_product(event: BrowserEvent) -> int | None:
    """Return the product an event looked at, None for any other event or an unreadable id."""
    if event.name not in _LOOKED_AT:
        return None
    digits = str(event.data.get("product_id", "")).rpartition("/")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def joined(visit: VisitorProfile, other: VisitorProfile) -> VisitorProfile:
    """Return the visit with what the other one looked at as well: one visitor under two names."""
    if not other.viewed:
        return visit
    return _with_views(visit, other.viewed)


def merged(profile: VisitorProfile, other: VisitorProfile) -> VisitorProfile:
    """Return the profile with those remembered orders of the other that it lacks or has older.

    A refusal on either side stays.
    """
    if profile.refused or other.refused:
        return REFUSED
    for order_id, order in sorted(other.past_orders.items(), key=lambda item: item[1].placed_at):
        profile = _take(profile, order_id, order)
    return profile


def _looked(profile: VisitorProfile, event: BrowserEvent) -> VisitorProfile:
    product_id = viewed_product(event)
    return profile if product_id is None else _with_views(profile, {product_id: _ms(event.happened_at)})


def _with_views(profile: VisitorProfile, views: Mapping[int, int]) -> VisitorProfile:
    viewed = dict(profile.viewed)
    for product_id, at in views.items():
        viewed[product_id] = max(at, viewed.get(product_id, at))
    kept = sorted(viewed.items(), key=lambda item: (-item[1], item[0]))[:VIEWS_KEPT]
    return msgspec.structs.replace(profile, viewed=dict(kept))


def _past_order(event: OrderFacts) -> PastOrder:
    stands = event.cancelled_at is None
    bought = dict.fromkeys(line.product_id for line in event.lines if line.product_id)
    return PastOrder(
        updated_at_ms=_ms(event.updated_at),
        placed_at=_ms(event.created_at) // 1000,
        total_minor=event.total_minor if stands else 0,
        product_ids=tuple(bought) if stands else (),
    )


def _take(profile: VisitorProfile, order_id: int, order: PastOrder) -> VisitorProfile:
    known = profile.past_orders.get(order_id)
    if known and known.updated_at_ms >= order.updated_at_ms:
        return profile
    if known is None and _too_old_to_tell(profile, order):
        return profile
    without = profile if known is None else _with_order(profile, known, -1)
    past = {**profile.past_orders, order_id: order}
    kept = sorted(past.items(), key=lambda item: -item[1].placed_at)[:ORDERS_KEPT]
    placed = (order.placed_at for _, order in kept if _stands(order))
    return msgspec.structs.replace(
        _with_order(without, order, +1),
        past_orders=dict(kept),
        last_order_at=max(placed, default=None),
    )


def _too_old_to_tell(profile: VisitorProfile, order: PastOrder) -> bool:
    """Before the orders we remember one by one, a new one can't be told from a repeated one."""
    past = profile.past_orders.values()
    return len(past) >= ORDERS_KEPT and order.placed_at < min(known.placed_at for known in past)


def _with_order(profile: VisitorProfile, order: PastOrder, sign: int) -> VisitorProfile:
    """Return the profile with the order added (+1) or taken back (-1)."""
    if not _stands(order):
        return profile
    bought = dict(profile.bought)
    for product_id in order.product_ids:
        before = bought.pop(product_id, Bought(0, 0))
        if (times := before.times + sign) > 0:
            bought[product_id] = Bought(times, max(before.last_at, order.placed_at))
    kept = sorted(bought.items(), key=lambda item: -item[1].last_at)[:PRODUCTS_KEPT]
    return msgspec.structs.replace(
        profile,
        orders_count=profile.orders_count + sign,
        spent_minor=profile.spent_minor + sign * order.total_minor,
        bought=dict(kept),
    )


def _stands(order: PastOrder) -> bool:
    """Whether it adds anything: a cancelled order is remembered empty."""
    return bool(order.product_ids or order.total_minor)


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)
