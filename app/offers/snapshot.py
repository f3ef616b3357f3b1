"""Everything that decides about a shop's offers at one moment, as one frozen value. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.campaigns.plan import Plan, plan_of
from app.campaigns.signing import Signing
from app.catalog.catalog import Catalog
from app.catalog.costs import Costs, costs_of
from app.consent.policy import UNREAD, ShopPolicy
from app.experiments.assign import Experiment, standing_experiment
from app.intent.foresight import UNTAUGHT, Foresight
from app.offers.approach import approach_of
from app.offers.rerank import NEVER, Candidate, Terms, with_standing
from app.offers.sources import Sources
from app.offers.static import Pick, default_picks
from app.offers.terms import lead_days_of, pinned_of, terms_of
from app.offers.wire import OfferedProduct
from app.orders.returns import ReturnRates
from app.profiles.policy import Policy
from app.profiles.visit_clusters import VisitClusters
from app.recommend.model import Model
from app.shops.pausing import is_paused
from app.values import ShopDomain, decimal_amount, gid


@dataclass(frozen=True, slots=True)
class Offerable:
    """A product that can be offered: as it is shown, and as it is ranked."""

    product_id: int
    shown: OfferedProduct
    ranked: Candidate


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What a ranking is told of products beside the catalogue: costs, days until they are sent, returns."""

    costs: Costs
    lead_days: Mapping[int, int]
    returns: ReturnRates

    @property
    def content(self) -> tuple[Any, ...]:
        """Return what a choice depends on that the shop's version would not tell otherwise."""
        rates = (self.returns.usual, sorted(self.returns.by_product.items()))
        return (sorted(self.lead_days.items()), *rates)


@dataclass(frozen=True, slots=True, eq=False)
class ShopSnapshot:
    """A shop as decide sees it. Equal versions make equal choices.

    allowed: what the model may rank, aligned with its product_ids; None without a model.
    offerable: by product id, what is published, in stock and not excluded.
    tried: a mask like `allowed`, of what may be offered though nobody bought it yet. unsold: its ids.
    defaults: what may be offered to anyone, best first.
    terms: what the merchant wants of a ranking.
    sources: what the snapshot was taken from, to be archived for replays.
    approach: how the merchant speaks to cold and warm shoppers, None where that is not set.
    policy: of consent. visits: the clusters that a visit's segment is found by. Both act through the
    situation, so the version does not depend on them.
    plan: the shop's running campaigns, None where there are none.
    foresight: the models that predict what its shoppers do.
    signings: by campaign, how grants of discounts without a code are signed, where Shopify honours them.
    withdrawn: codes in shoppers' hands that Shopify takes no more.
    paused: whether nobody is offered anything.
    experiment: the standing one. experiments: those that run beside it.
    variants: the shop under the arms that change it, see `app.offers.variants`.
    unserved: sets of arms of which one can't be served.
    """

    shop: ShopDomain
    version: str
    catalog: Catalog
    model: Model | None
    experiment: Experiment
    allowed: NDArray[np.bool_] | None
    offerable: Mapping[int, Offerable]
    tried: NDArray[np.bool_] | None
    unsold: frozenset[int]
    defaults: tuple[Pick, ...]
    terms: Terms
    sources: Sources
    policy: ShopPolicy = UNREAD
    approach: Policy | None = None
    visits: VisitClusters | None = None
    plan: Plan | None = None
    foresight: Foresight = UNTAUGHT
    signings: Mapping[str, Signing] = field(default_factory=dict, repr=False)
    withdrawn: frozenset[str] = field(default=frozenset(), repr=False)
    paused: bool = False
    experiments: tuple[Experiment, ...] = ()
    variants: Mapping[frozenset[tuple[str, str]], ShopSnapshot] = field(default_factory=dict)
    unserved: frozenset[frozenset[tuple[str, str]]] = frozenset()

    @property
    def currency(self) -> str:
        """Return the shop's own currency, which all its prices are in."""
        return self.catalog.currency

    @property
    def model_version(self) -> str | None:
        """Return the model's version, None without one."""
        return None if self.model is None else self.model.version


def take_snapshot(shop: ShopDomain, sources: Sources, model: Model | None = None) -> ShopSnapshot:
    """Return the shop's snapshot, with all that can be worked out before anyone asks.

    model: the one that the sources name. In their settings `arms` maps arms to relative weights; for the
    others see `terms_of`, `costs_of` and `plan_of`. What no choice depends on (see `ShopSnapshot`) is left
    for the caller to replace.
    """
    catalog, settings, excluded = sources.catalog, sources.settings, sources.excluded
    pinned, split = pinned_of(settings), standing_experiment(shop, settings)
    costs, approach = costs_of(settings, catalog), approach_of(settings)
    terms = terms_of(settings, catalog, costs, model)
    plan = plan_of(
        shop, sources.campaigns, catalog.currency, settings, zone=sources.time_zone, costs=costs,
        margin=terms.margin, weights=sources.weights,
    )  # fmt: skip
    known = ProductFacts(costs, lead_days_of(settings), sources.returns)
    offerable = dict(_offerable(catalog, excluded, known, terms))
    barred = frozenset(each.product_id for each in offerable.values() if each.ranked.standing == NEVER)
    tried = None if model is None else catalog.allowed(model.product_ids, excluded=excluded | barred)
    content = (*_wishes(terms, costs, plan), *known.content)
    return ShopSnapshot(
        shop=shop,
        version=_version(catalog, model, sorted(excluded), pinned, split, approach, *content),
        catalog=catalog,
        model=model,
        experiment=split,
        allowed=None if model is None else catalog.allowed(model.product_ids, excluded=excluded),
        offerable=offerable,
        tried=tried,
        unsold=frozenset() if model is None else frozenset(model.unsold(tried)),
        defaults=default_picks(catalog, model, pinned, excluded, barred),
        terms=terms,
        sources=sources,
        approach=approach,
        plan=plan,
        foresight=Foresight(weights=sources.weights),
        paused=is_paused(settings),
    )


def _offerable(
    catalog: Catalog, excluded: frozenset[int], known: ProductFacts, terms: Terms
) -> Iterator[tuple[int, Offerable]]:
    for product_id, product in catalog.products.items():
        if product_id not in excluded and (variant := product.offered):
            shown = OfferedProduct(
                product_id=gid("Product", product_id),
                variant_id=gid("ProductVariant", variant.variant_id),
                title=product.title,
                price=decimal_amount(variant.price_minor, catalog.currency),
                currency=catalog.currency,
                image=product.image_url,
                handle=product.handle or None,
                variant=variant.title if len(product.variants) > 1 else None,
            )
            ranked = Candidate(
                product_id, variant.price_minor, product.kind,
                cost_minor=known.costs.of(product_id, variant.variant_id),
                stock=variant.stock,
                lead_days=known.lead_days.get(product_id),
                return_rate=known.returns.of(product_id),
            )  # fmt: skip
            yield product_id, Offerable(product_id, shown, with_standing(ranked, terms))


def _wishes(terms: Terms, costs: Costs, plan: Plan | None) -> tuple[Any, ...]:
    """Return what the merchant wants: the rest of the terms follows from it, the catalogue and the model."""
    wishes = (sorted(terms.boosts.items()), terms.dear_ratio, sorted(costs.by_product.items()))
    return wishes if plan is None else (*wishes, plan.content)


def _version(catalog: Catalog, model: Model | None, *rest: Any) -> str:
    """Return a hash of everything a choice depends on: the same on every server and day."""
    products = [catalog.products[product_id] for product_id in sorted(catalog.products)]
    content = [catalog.currency, products, None if model is None else model.version, *rest]
    return blake2b(msgspec.msgpack.encode(content), digest_size=8).hexdigest()
