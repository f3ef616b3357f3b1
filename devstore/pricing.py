"""What a checkout costs: lines, what each code takes off each of them, and the sums."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from devstore.markets import Market
from devstore.records import Allocation, Discount, ItemLine
from devstore.shop import Shop


@dataclass(frozen=True, slots=True)
class PricedLine:
    line: ItemLine
    gross_minor: int
    allocations: tuple[Allocation, ...]

    @property
    def total_minor(self) -> int:
        return self.gross_minor - sum(a.amount_minor for a in self.allocations)

    @property
    def before_order_minor(self) -> int:
        """Return what it costs before what is taken off the order as a whole."""
        return self.gross_minor - sum(a.amount_minor for a in self.allocations if not a.across)


@dataclass(frozen=True, slots=True)
class Cost:
    """The sums of a checkout. Tax and shipping are nought in the dev store."""

    lines: tuple[PricedLine, ...]

    @property
    def subtotal_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        return sum(line.gross_minor - line.total_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor


@dataclass(frozen=True, slots=True)
class Applied:
    """What a discount without a code takes off. line_ids: of which lines, None for the whole order."""

    title: str
    line_ids: frozenset[int] | None = None
    percentage: float | None = None
    amount_minor: int | None = None


def price(
    shop: Shop,
    lines: Iterable[ItemLine],
    codes: Sequence[str],
    now: datetime,
    automatic: Sequence[Applied] = (),
    country: str = "",
) -> Cost:
    """Return the cost of these lines with every open code of these applied in turn, then the others.

    Amounts are in the currency of the country's market; what is in `automatic` is already.
    """
    market = shop.market_of(country)
    kept = [line for line in lines if line.variant_id in shop.variants]
    gross = [market.price(shop.variants[line.variant_id].price_minor) * line.quantity for line in kept]
    left = list(gross)
    taken: list[list[Allocation]] = [[] for _ in kept]
    for code in codes:
        discount = shop.discount_of(code)
        if discount is None or not discount.is_open(now):
            continue
        for place, amount in enumerate(_shares(shop, market, discount, kept, left)):
            if amount:
                left[place] -= amount
                taken[place].append(Allocation(code, amount, across=discount.kind == "order"))
    for each in automatic:
        for place, amount in enumerate(_automatic_shares(shop, each, kept, left)):
            if amount:
                left[place] -= amount
                whole = each.line_ids is None
                taken[place].append(Allocation(each.title, amount, automatic=True, across=whole))
    return Cost(
        tuple(
            PricedLine(line, amount, tuple(allocations))
            for line, amount, allocations in zip(kept, gross, taken, strict=True)
        )
    )


def _shares(
    shop: Shop, market: Market, discount: Discount, lines: Sequence[ItemLine], left: Sequence[int]
) -> list[int]:
    """Return what the discount takes off each line: its percentage, or its share of the amount."""
    bases = [
        amount if takes_off(shop, discount, line) else 0 for line, amount in zip(lines, left, strict=True)
    ]
    amount = discount.amount_minor
    return _off(bases, discount.percentage, None if amount is None else market.converted(amount))


def takes_off(shop: Shop, discount: Discount, line: ItemLine) -> bool:
    """Return whether a code takes anything off: not of a gift card, nor of what comes again and again."""
    product = shop.product_of(line.variant_id)
    return line.plan_id is None and not product.gift_card and discount.covers(product.id)


def _automatic_shares(
    shop: Shop, applied: Applied, lines: Sequence[ItemLine], left: Sequence[int]
) -> list[int]:
    ids = applied.line_ids
    meant = [ids is None or line.id in ids for line in lines]
    cards = [shop.product_of(line.variant_id).gift_card for line in lines]
    bases = [
        amount if is_meant and not is_card else 0
        for amount, is_meant, is_card in zip(left, meant, cards, strict=True)
    ]
    return _off(bases, applied.percentage, applied.amount_minor)


def _off(bases: Sequence[int], percentage: float | None, amount_minor: int | None) -> list[int]:
    if percentage is not None:
        return [round(base * percentage / 100) for base in bases]
    return split(min(amount_minor or 0, sum(bases)), bases)


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Return the amount in whole units in proportion to the weights; the sum is exact."""
    shares: list[int] = []
    weight_left = sum(weights)
    for weight in weights:
        share = amount * weight // weight_left if weight_left else 0
        shares.append(share)
        amount, weight_left = amount - share, weight_left - weight
    return shares
