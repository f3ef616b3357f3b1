"""What a coupon for those it changes earns, in a made-up shop of which the truth is known.

python -m benchmarks.simulated_shop

Each shop first shows a coupon, an upsell or nothing at random, as its holdouts do, and learns from that by
the app's own training. Then all ways of offering meet the same new shoppers, whose luck is the same
whatever they are shown. What is measured is profit: margins, less the coupons, of those who bought.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from app.intent.exposures import Exposures
from app.intent.fitting import Flags, Floats
from app.intent.uplift import UpliftModel
from app.intent.uplift_training import train
from app.intent.worth import worth
from benchmarks.shop_with_truth import DISCOUNT, Ints, Shoppers, deciders, features

SHOPS = 30
LEARNT_FROM, OFFERED = 12_000, 20_000
NOTHING, UPSELL, COUPON = range(3)
UPSELL_SHARE = 0.25  # of the cart's margin
CAMPAIGN = "ten percent"


@dataclass(frozen=True, slots=True)
class Luck:
    """What chance has in store for each shopper, whatever is shown: uniform numbers."""

    to_buy: Floats
    to_take: Floats


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop's outcome. profits: of each way, minor units a shopper. given: share who got a coupon.

    below_margin: coupons that cost more than there was. covered: of the effects told of fifths of shoppers,
    how many intervals held the truth, and of how many.
    """

    profits: dict[str, float]
    learning: float
    given: dict[str, float]
    below_margin: dict[str, int]
    covered: tuple[int, int]
    basis: str


def main() -> None:
    """Print what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated_shop", description=__doc__)
    parser.add_argument("--shops", type=int, default=SHOPS)
    print("\n".join(figures(parser.parse_args().shops)))


def figures(shops: int = SHOPS) -> Iterator[str]:
    """Yield the measured lines, in Markdown."""
    found = [simulated(seed) for seed in range(shops)]
    ways = list(found[0].profits)
    yield f"{shops} shops, {LEARNT_FROM:,} shoppers in a checkout to learn from and {OFFERED:,} to earn on.\n"
    yield "| way | profit a shopper | ours earns more by | got a coupon | coupons below the margin |"
    yield "|---|---|---|---|---|"
    for way in ways:
        profits = np.array([each.profits[way] for each in found]) / 100
        ahead = np.array([each.profits["ours"] - each.profits[way] for each in found]) / 100
        given = float(np.mean([each.given[way] for each in found]))
        below = sum(each.below_margin[way] for each in found)
        yield f"| {way} | {profits.mean():.3f} | {_interval(ahead)} | {given:.1%} | {below:,} |"
    yield ""
    told = [each.learning / 100 for each in found]
    best = max(np.mean([each.profits[way] for each in found]) for way in ("always upsell", "never"))
    lost = best / 100 - float(np.mean(told))
    won = float(np.mean([each.profits["ours"] for each in found])) / 100 - best / 100
    yield (
        f"Learning earned {np.mean(told):.3f} a shopper, {lost:.3f} less than the best of the ways without "
        f"coupons; ours earns that back within {lost * LEARNT_FROM / won:,.0f} shoppers."
    )
    inside, of = (sum(each.covered[part] for each in found) for part in (0, 1))
    told_apart = sum(each.basis == "by_shopper" for each in found)
    yield (
        f"Whom the coupon changes could be told in {told_apart} of {shops} shops. Of the {of} intervals "
        f"given for an effect, {inside} ({inside / max(of, 1):.0%}) hold the true one."
    )


def random_exposures(count: int, seed: int) -> tuple[Exposures, float]:
    """Return so many shoppers of whom chance gave half the coupon, and its true effect on average."""
    random = np.random.default_rng(seed)
    of = deciders(count, random)
    shown = random.choice([NOTHING, COUPON], count)
    given = _exposures(of, features(of), shown, _luck(count, random), np.ones(count, bool))
    return given, float((of.buys_with_coupon - of.buys).mean())


def simulated(seed: int) -> Shop:
    """Return what came out in one shop."""
    random = np.random.default_rng(seed)
    first = deciders(LEARNT_FROM, random)
    rows, luck = features(first), _luck(LEARNT_FROM, random)
    shown = random.integers(0, 3, LEARNT_FROM)
    model, report = train(CAMPAIGN, _exposures(first, rows, shown, luck, shown != UPSELL), seed)
    learnt = profit(first, shown, luck)
    upsell_gains = learnt[shown == UPSELL].mean() - learnt[shown == NOTHING].mean()

    later = deciders(OFFERED, random)
    seen, luck = features(later), _luck(OFFERED, random)
    everyone = np.ones(OFFERED, dtype=np.int64)
    ours = _ours(later, seen, model, upsell_gains)
    ways = {
        "ours": ours,
        "never": everyone * NOTHING,
        "always upsell": everyone * UPSELL,
        "always coupon": everyone * COUPON,
        "coupon where intent is low": _low_intent(seen, model, ours),
        "knowing the truth": _best(later),
    }
    return Shop(
        profits={name: float(profit(later, way, luck).mean()) for name, way in ways.items()},
        learning=float(learnt.mean()),
        given={name: float((way == COUPON).mean()) for name, way in ways.items()},
        below_margin={name: _below_margin(later, way) for name, way in ways.items()},
        covered=_covered(later, seen, model),
        basis=report.basis,
    )


def profit(of: Shoppers, shown: Ints, luck: Luck) -> Floats:
    """Return what each shopper left, minor units."""
    takes = (shown == UPSELL) & (luck.to_take < of.takes_upsell)
    left = of.margin_minor - (shown == COUPON) * _discounts(of) + takes * UPSELL_SHARE * of.margin_minor
    kept: Floats = _bought(of, shown, luck) * left
    return kept


def _bought(of: Shoppers, shown: Ints, luck: Luck) -> Flags:
    chance = np.choose(shown, [of.buys, of.buys_with_upsell, of.buys_with_coupon])
    bought: Flags = luck.to_buy < chance
    return bought


def _exposures(of: Shoppers, rows: Floats, shown: Ints, luck: Luck, kept: Flags) -> Exposures:
    """Return what the log would tell of those who got the coupon or nothing, each as likely."""
    even = np.full(len(of), 0.5)
    return Exposures(rows, shown == COUPON, even, _bought(of, shown, luck)).where(kept)


def _ours(of: Shoppers, seen: Floats, model: UpliftModel | None, upsell_gains: float) -> Ints:
    """Return what the app would show: the coupon where it is worth more than the upsell, else the latter."""
    other = UPSELL if upsell_gains > 0 else NOTHING
    if model is None:
        return np.full(len(of), other)
    costs, found = _discounts(of).tolist(), []
    for row, margin, cost in zip(seen.tolist(), of.margin_minor.tolist(), costs, strict=True):
        told = worth(margin, cost, model.without(row), model.effect(row))
        found.append(COUPON if told.give and told.gained > max(upsell_gains, 0.0) else other)
    return np.array(found)


def _low_intent(seen: Floats, model: UpliftModel | None, ours: Ints) -> Ints:
    """Return as many coupons as ours, for those least likely to buy, and the other offer for the rest."""
    if model is None:
        return ours
    chances = np.array([model.without(row) for row in seen.tolist()])
    coupons = int((ours == COUPON).sum())
    shown = np.full(len(seen), ours[ours != COUPON][0] if coupons < len(ours) else NOTHING)
    shown[np.argsort(chances, kind="stable")[:coupons]] = COUPON
    return shown


def _best(of: Shoppers) -> Ints:
    margin = of.margin_minor
    upsold = of.buys_with_upsell * margin * (1 + UPSELL_SHARE * of.takes_upsell)
    earned = [of.buys * margin, upsold, of.buys_with_coupon * (margin - _discounts(of))]
    best: Ints = np.argmax(earned, axis=0).astype(np.int64)
    return best


def _covered(of: Shoppers, seen: Floats, model: UpliftModel | None) -> tuple[int, int]:
    if model is None:
        return 0, 0
    truth = of.buys_with_coupon - of.buys
    told = [model.effect(row) for row in seen.tolist()]
    inside = [
        bool(effect.low <= truth[[each is effect for each in told]].mean() <= effect.high)
        for effect in model.effects
    ]
    return sum(inside), len(inside)


def _below_margin(of: Shoppers, shown: Ints) -> int:
    return int(((shown == COUPON) & (_discounts(of) >= of.margin_minor)).sum())


def _discounts(of: Shoppers) -> Ints:
    return np.round(of.value_minor * DISCOUNT).astype(np.int64)


def _luck(count: int, random: np.random.Generator) -> Luck:
    return Luck(random.random(count), random.random(count))


def _interval(values: Floats) -> str:
    """Return the mean with its 95 % interval over shops (Student's t)."""
    if not values.any():
        return "–"
    reach = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return f"{values.mean():+.3f} [{values.mean() - reach:+.3f}, {values.mean() + reach:+.3f}]"


if __name__ == "__main__":
    main()
