"""A made-up shop of which everything is known: who would buy, and what an offer would change.

A shopper has two hidden traits: how keen they are (normal) and how thrifty (beta(1.2, 1.8), mean .4).

    buys without an offer   logit = -0.8 + 1.2 keen - 2.0 (thrift - 0.4)
    with a coupon of 10 %   logit + 2.2 thrift - 0.3: it puts off those who do not care for prices
    with an upsell          logit - 0.03: it distracts; who buys takes it with probability .12 + .05 thrift,
                            and it leaves a quarter of the cart's margin more

Keen shoppers get further in the checkout and need less time; thrifty ones look at more products, search
more, take things out of the cart again, run into a refused coupon code and take longer. That is all that
can be seen of them. A cart is worth 60.00 in the middle (log-normal, sigma .6); its margin is that of one of
four kinds of goods, 8 %, 20 %, 35 % or 55 %, so that a coupon of 10 % can cost more than there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.intent.features import FEATURES, InCart, PageSignals, features_of
from app.intent.fitting import Floats, probabilities
from app.intent.moments import BrowserHistory, moments_of
from app.profiles.visit import BrowsedEvent, Visit

DISCOUNT = 0.10
MARGINS, MARGIN_SHARES = (0.08, 0.20, 0.35, 0.55), (0.2, 0.3, 0.3, 0.2)
OPENED = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 180
OVER = int(OPENED.timestamp()) + 400 * 86_400  # when every visit is
_STEPS = (
    "checkout_started", "checkout_contact_info_submitted", "checkout_address_info_submitted",
    "checkout_shipping_info_submitted",
)  # fmt: skip

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shoppers:
    """One visit each, as columns. value_minor, margin_minor: of the cart; margin before any discount.

    refused: coupon codes that were not taken. step: how far the checkout got by the time it is decided, 0
    where there was none. buys, buys_with_coupon, buys_with_upsell, takes_upsell: the true probabilities.
    """

    value_minor: Ints
    margin_minor: Ints
    pages: Ints
    products: Ints
    searches: Ints
    added: Ints
    removed: Ints
    errors: Ints
    refused: Ints
    dwell_s: Ints
    idle_s: Ints
    step: Ints
    buys: Floats
    buys_with_coupon: Floats
    buys_with_upsell: Floats
    takes_upsell: Floats

    def __len__(self) -> int:
        return len(self.step)

    def in_checkout(self) -> Shoppers:
        """Return those who have got that far."""
        columns = {each.name: getattr(self, each.name)[self.step > 0] for each in fields(self)}
        return Shoppers(**columns)


def shoppers(count: int, random: np.random.Generator) -> Shoppers:
    """Return so many shoppers; about a third of them start a checkout."""
    keen, thrift = random.normal(size=count), random.beta(1.2, 1.8, count)
    value = np.round(6_000 * np.exp(0.6 * random.normal(size=count))).astype(np.int64)
    margin = np.round(value * random.choice(MARGINS, count, p=MARGIN_SHARES)).astype(np.int64)
    logit = -0.8 + 1.2 * keen - 2.0 * (thrift - 0.4)
    starts = random.random(count) < probabilities(keen - 0.8)
    onward = (random.random((3, count)) < probabilities(0.8 + 0.9 * keen)).cumprod(axis=0).sum(axis=0)
    products = 1 + random.poisson(np.exp(0.5 + 0.2 * keen + 1.2 * thrift))
    return Shoppers(
        value_minor=value,
        margin_minor=margin,
        pages=2 + random.poisson(np.exp(0.8 + 0.8 * thrift)),
        products=products,
        searches=random.poisson(0.2 + 1.5 * thrift),
        added=np.where(starts, 1, random.random(count) < probabilities(0.8 * keen - 0.5))
        + random.poisson(0.3, count) * starts,
        removed=random.poisson(1.2 * thrift) * starts,
        errors=random.poisson(0.3, count) * starts,
        refused=random.poisson(1.2 * thrift) * starts,
        dwell_s=np.round(
            40 * products * np.exp(0.8 * thrift - 0.5 * keen + 0.6 * random.normal(size=count))
        ).astype(int),
        idle_s=np.round(random.exponential(25 * np.exp(-0.5 * keen + thrift))).astype(int),
        step=np.where(starts, 1 + onward, 0),
        buys=probabilities(logit) * starts,
        buys_with_coupon=probabilities(logit + 2.2 * thrift - 0.3) * starts,
        buys_with_upsell=probabilities(logit - 0.03) * starts,
        takes_upsell=0.12 + 0.05 * thrift,
    )


def deciders(count: int, random: np.random.Generator) -> Shoppers:
    """Return so many shoppers who are in a checkout."""
    found = shoppers(4 * count, random).in_checkout()
    return Shoppers(**{each.name: getattr(found, each.name)[:count] for each in fields(found)})


def features(of: Shoppers) -> Floats:
    """Return what can be seen of each when it is decided, as the app reads it."""
    columns = zip(
        of.value_minor.tolist(), of.pages.tolist(), of.products.tolist(), of.searches.tolist(),
        of.added.tolist(), of.removed.tolist(), of.errors.tolist(), of.refused.tolist(), of.dwell_s.tolist(),
        of.idle_s.tolist(), of.step.tolist(), strict=True,
    )  # fmt: skip
    return np.array([_row(*each) for each in columns])


def browsing(of: Shoppers, random: np.random.Generator) -> Iterator[tuple[BrowserHistory, datetime]]:
    """Yield each shopper's events, and when it is decided; nobody is offered anything.

    Whoever buys submits the payment and has an order a while later.
    """
    begins = np.sort(random.random(len(of))) * DAYS * 86_400
    buys = random.random(len(of)) < of.buys
    waits = random.exponential(60, len(of)) + 15
    for at in range(len(of)):
        began = OPENED + timedelta(seconds=int(begins[at]))
        seen = list(_events(of, at, began, random))
        decided = seen[-1].happened_at + timedelta(seconds=int(of.idle_s[at]) + 1)
        if buys[at]:
            paid = decided + timedelta(seconds=int(waits[at]))
            seen.append(BrowsedEvent(f"{at}-paid", paid, "payment_info_submitted", {}))
            yield BrowserHistory(seen, (int(paid.timestamp()) + 4,)), decided
        else:
            yield BrowserHistory(seen), decided


def checkouts_and_truth(count: int, seed: int) -> tuple[Floats, Floats]:
    """Return what is seen right after each event in checkouts, and the true probability to buy."""
    random = np.random.default_rng(seed)
    of = shoppers(count, random).in_checkout()
    started, idle = FEATURES.index("started"), FEATURES.index("idle")
    found = [
        (moment.features, of.buys[at])
        for at, (each, _) in enumerate(browsing(of, random))
        for moment in moments_of(each, OVER)
        if moment.features[started] and not moment.features[idle] and not moment.cart_alone
    ]
    rows, truth = zip(*found, strict=True)
    return np.array(rows), np.array(truth)


def _events(of: Shoppers, at: int, began: datetime, random: np.random.Generator) -> Iterator[BrowsedEvent]:
    names = (
        ["page_viewed"] * int(of.pages[at])
        + ["product_viewed"] * int(of.products[at])
        + ["search_submitted"] * int(of.searches[at])
    )
    names = [names[place] for place in random.permutation(len(names))]
    names += ["product_added_to_cart"] * int(of.added[at])
    names += ["product_removed_from_cart", "product_added_to_cart"] * int(of.removed[at])
    steps = list(_STEPS[: of.step[at]])
    alerts = ["INPUT_INVALID"] * int(of.errors[at]) + ["DISCOUNT_ERROR"] * int(of.refused[at])
    for alert in alerts:
        steps.insert(int(random.integers(1, len(steps) + 1)), alert)
    names += steps
    gaps = [0.0, *random.dirichlet(np.ones(len(names) - 1)) * int(of.dwell_s[at])]
    price = f"{of.value_minor[at] / 100 / max(int(of.added[at]), 1):.2f}"
    for place, (name, since) in enumerate(zip(names, np.cumsum(gaps), strict=True)):
        moment = began + timedelta(seconds=float(since))
        if name in alerts:
            yield BrowsedEvent(f"{at}-{place}", moment, "alert_displayed", {"type": name})
        else:
            product = 1_000 + (place if name == "product_viewed" else names.index("product_viewed"))
            data = {"product_id": str(product), "quantity": 1, "price": price}
            yield BrowsedEvent(f"{at}-{place}", moment, name, data)


def _row(
    value: int, pages: int, products: int, searches: int, added: int, removed: int,
    errors: int, refused: int, dwell: int, idle: int, step: int,
) -> tuple[float, ...]:  # fmt: skip
    visit = Visit(
        visits=1, last_at=1_000_000, dwell_s=dwell, pages=pages, products=products,
        searches=searches, added=added + removed, removed=removed, step=step, errors=errors + refused,
        coupon_failures=refused,
    )  # fmt: skip
    return features_of(visit, InCart(max(added, 1), value / 100), PageSignals(), 1_000_000 + idle)
