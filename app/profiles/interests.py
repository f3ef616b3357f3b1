"""A customer's affinity to categories, vendors and price levels, from their purchases. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.profiles.customer import Bought
from app.profiles.purchases import DAY_S
from app.wording import wording

HALF_LIFE_DAYS = 90
MOST = 3


class ProductTraits(NamedTuple):
    """A product as far as interests go. Empty texts are unknown; price_minor: None when it has none."""

    product_type: str
    vendor: str
    price_minor: int | None


class Interest(NamedTuple):
    """A category or vendor. share: of all the customer's purchases, in (0, 1], older ones counting less."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Interests:
    """What a customer is drawn to, most first. price_level: how dear what they choose is among the
    shop's products of the same type, 0 the cheapest to 1 the dearest; None where nothing can be compared.
    """

    categories: tuple[Interest, ...]
    vendors: tuple[Interest, ...]
    price_level: float | None


def interests_of(bought: Mapping[int, Bought], sold: Mapping[int, ProductTraits], now: int) -> Interests:
    """Return the interests. now: epoch seconds. A product the shop no longer has says nothing."""
    weights = {
        product_id: each.times * 0.5 ** (max(0, now - each.last_at) / DAY_S / HALF_LIFE_DAYS)
        for product_id, each in bought.items()
        if product_id in sold
    }
    return Interests(
        _shares(weights, lambda product_id: sold[product_id].product_type),
        _shares(weights, lambda product_id: sold[product_id].vendor),
        _price_level(weights, sold),
    )


def price_words(level: float) -> str:
    """Return a price level as a merchant reads it."""
    if level < 1 / 3:
        return wording("Chooses the cheaper ones")
    return wording("Chooses the dearer ones") if level > 2 / 3 else wording("Chooses from the middle")


def _shares(weights: Mapping[int, float], name_of: Callable[[int], str]) -> tuple[Interest, ...]:
    sums: dict[str, float] = defaultdict(float)
    for product_id, weight in weights.items():
        sums[name_of(product_id)] += weight
    total = sum(sums.values())
    most = sorted((name for name in sums if name), key=lambda name: (-sums[name], name))[:MOST]
    return tuple(Interest(name, round(sums[name] / total, 3)) for name in most if total)


def _price_level(weights: Mapping[int, float], sold: Mapping[int, ProductTraits]) -> float | None:
    prices: dict[Hashable, list[int]] = defaultdict(list)
    for each in sold.values():
        if each.product_type and each.price_minor is not None:
            prices[each.product_type].append(each.price_minor)
    for several in prices.values():
        several.sort()
    ranks = [
        (weight, _rank(prices[each.product_type], each.price_minor))
        for product_id, weight in weights.items()
        if (each := sold[product_id]).price_minor is not None and len(set(prices[each.product_type])) > 1
    ]
    total = sum(weight for weight, _ in ranks)
    return round(sum(weight * rank for weight, rank in ranks) / total, 3) if total else None


def _rank(prices: Sequence[int], price: int | None) -> float:
    """Return the share of the prices below it, those equal to it counting half."""
    assert price is not None
    return (bisect_left(prices, price) + bisect_right(prices, price)) / 2 / len(prices)
