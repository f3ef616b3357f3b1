"""How far what a checkout paints first, from metafields, agrees with the live answer that follows.

python -m benchmarks.first_paint

A shop of some households of the grocer's year, trained on its first 10,000 orders as it would serve. What it
writes ahead and what it answers live are both asked about the carts of the thousand orders that follow. All
products cost the same here, so that no price says anything; nobody was shown a campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
from rich.console import Console
from rich.table import Table

from app.ahead.paint import Buyer, HeldMetafields, paint
from app.ahead.rank import to_anyone, to_customer, with_product
from app.catalog.catalog import Catalog, Product, Variant
from app.offers.choose import MOST_OFFERS, choose
from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot, take_snapshot
from app.offers.sources import Sources
from app.recommend.assemble import KIND
from app.recommend.cases import Case, make_cases
from app.recommend.dataset import Dataset, Items
from app.recommend.fit import FitParameters
from app.recommend.judge import anonymous, by_case
from app.recommend.metrics import Interval, hit_at_k, paired_interval
from app.recommend.train import train
from app.values import ShopDomain, shopify_id
from benchmarks.growing_shop import LATER, SEED, households
from benchmarks.journey import complete_journey

SHOP = ShopDomain("grocer.myshopify.com")
ORDERS = 10_000
Tops = list[list[int]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two answers to the same carts agree.

    first: share of carts whose first offer is the same. shared: of the painted offers, the share that stays.
    painted, live: share of carts that bought one of the three. difference: painted minus live.
    """

    carts: int
    first: float
    shared: float
    painted: float
    live: float
    difference: Interval


def main() -> dict[str, Agreement]:
    """Return how both agree for each kind of shopper, printed as well."""
    whole = households(complete_journey(), ORDERS + LATER)
    known, later = whole.baskets.between(0, ORDERS), whole.baskets.between(ORDERS, ORDERS + LATER)
    shop = snapshot(replace(whole, baskets=known), datetime.fromtimestamp(int(later.times[0]), UTC))
    cases = make_cases(whole, known, later, most=LATER, seed=SEED)
    asked = {"known": [case for case in cases if case.history], "nobody known": anonymous(cases)}
    found = {name: agreement(painted(shop, some), live(shop, some), some) for name, some in asked.items()}
    Console(width=120).print(_table(found))
    return found


def snapshot(dataset: Dataset, now: datetime) -> ShopSnapshot:
    """Return the shop as it decides, its model just trained."""
    model = train(dataset, FitParameters(), now).model
    sources = Sources(catalog(dataset.items), model.version, settings={"arms": {"personalised": 1}})
    return take_snapshot(SHOP, sources, model)


def catalog(items: Items) -> Catalog:
    """Return the products with their types, all in stock and at one price."""
    typed = items.features.tocsr()
    kind_at = {at: name[len(KIND) :] for at, name in enumerate(items.feature_names) if name.startswith(KIND)}
    products = {}
    for at, product_id in enumerate(items.product_ids.tolist()):
        columns = typed.indices[typed.indptr[at] : typed.indptr[at + 1]].tolist()
        kind = next((kind_at[column] for column in columns if column in kind_at), "")
        variant = Variant(product_id, "", 300, in_stock=True)
        products[product_id] = Product(product_id, items.titles[at], (variant,), product_type=kind)
    return Catalog("USD", products)


def painted(shop: ShopSnapshot, cases: Sequence[Case]) -> Tops:
    """Return what a checkout paints for each cart from what is written ahead."""
    anyone = to_anyone(shop)
    of_product = cache(lambda product_id: with_product(shop, product_id))

    def of(case: Case) -> list[int]:
        held = {each: offers for each in case.cart if (offers := of_product(each))}
        customer = None
        if case.customer_id is not None:
            customer = to_customer(shop, case.customer_id, case.history, case.orders, ())
        buyer = Buyer(
            cart=case.cart,
            checkout_token="a",
            customer_id=case.customer_id,
            personal=customer is not None,
        )
        return [
            each.product_id
            for each in paint(HeldMetafields(shop=anyone, products=held, customer=customer), buyer)
        ]

    return [of(case) for case in cases]


def live(shop: ShopSnapshot, cases: Sequence[Case]) -> Tops:
    """Return what is answered for each cart."""
    return [_answered(shop, str(number), case) for number, case in enumerate(cases)]


def _answered(shop: ShopSnapshot, decision_id: str, case: Case) -> list[int]:
    situation = Situation(
        decision_id=decision_id,
        arm="personalised",
        cart=case.cart,
        customer_id=case.customer_id,
        history=tuple((each, int(past.times), past.days) for each, past in case.history.items()),
        orders=case.orders,
    )
    products = [offer.product for offer in choose(shop, situation)]
    return [shopify_id(product.product_id) for product in products if product is not None]


def agreement(painted: Tops, live: Tops, cases: Sequence[Case]) -> Agreement:
    """Return how what was painted and what was answered agree."""
    hits = [by_case(hit_at_k, cases, tops, MOST_OFFERS) for tops in (painted, live)]
    pairs = list(zip(painted, live, strict=True))
    return Agreement(
        carts=len(cases),
        first=_share(pairs, lambda one, other: one[:1] == other[:1]),
        shared=_share(pairs, lambda one, other: len({*one} & {*other}) / max(len(one), 1)),
        painted=float(hits[0].mean()),
        live=float(hits[1].mean()),
        difference=paired_interval(hits[0], hits[1], SEED),
    )


def _share(
    pairs: Sequence[tuple[list[int], list[int]]], alike: Callable[[list[int], list[int]], float]
) -> float:
    return float(np.mean([alike(one, other) for one, other in pairs]))


def _table(found: dict[str, Agreement]) -> Table:
    table = Table(title="what is painted first, beside the live answer; three offers each")
    for column in ("shopper", "carts", "same first", "stay", "hit@3 painted", "hit@3 live", "painted - live"):
        table.add_column(column, justify="right")
    for name, one in found.items():
        gap = one.difference
        table.add_row(
            name, f"{one.carts:,}", f"{one.first:.0%}", f"{one.shared:.0%}", f"{one.painted:.3f}",
            f"{one.live:.3f}", f"{gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
