"""A shop's snapshot, assembled from what is stored of it, and the fingerprint of that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from app.campaigns.arms import Changes, campaigns_under
from app.campaigns.campaign import Running
from app.campaigns.signing import Signing, signings_of
from app.campaigns.store import campaigns_fingerprint, running_campaigns
from app.catalog.availability import excluded_products
from app.catalog.catalog import Catalog
from app.catalog.fingerprint import catalog_fingerprint
from app.catalog.store import load_catalog
from app.connections import Connections
from app.consent.policies import current_policy
from app.consent.policy import ShopPolicy
from app.coupons.automatic import SIGNING
from app.coupons.store import withdrawn_codes, withdrawn_fingerprint
from app.coupons.uses import honoured, honoured_fingerprint
from app.errors import ModelUnusable
from app.experiments.assign import Experiment
from app.experiments.versions import running_experiments
from app.intent.foresight import Foresight
from app.intent.store import current_foresight
from app.offers.snapshot import ShopSnapshot, take_snapshot
from app.offers.sources import Sources
from app.offers.variants import model_under, settings_under, with_variants
from app.orders.returns import ReturnRates, rates_of
from app.profiles.segments import current_segmentation
from app.profiles.visit_clusters import VisitClusters, visit_clusters
from app.recommend.model import Model
from app.recommend.publish import current_version, latest, load, successor_of
from app.recommend.retired import find_version
from app.shops.secrets import installation_secret
from app.shops.store import Shop, get_shop, installed_shop
from app.values import ShopDomain

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _ShopState:
    """What a snapshot is assembled from, as the database holds it. signings: of the campaigns that run."""

    shop: Shop
    catalog: Catalog
    excluded: frozenset[int]
    policy: ShopPolicy
    visits: VisitClusters | None
    campaigns: Sequence[Running]
    experiments: tuple[Experiment, ...]
    returns: ReturnRates
    foresight: Foresight
    signings: Callable[[Sequence[Running]], Mapping[str, Signing]]
    withdrawn: frozenset[str]


async def load_snapshot(
    connections: Connections,
    shop: ShopDomain,
    previous: ShopSnapshot | None = None,
    trying: tuple[Experiment, ...] | None = None,
) -> ShopSnapshot | None:
    """Return the shop as it is now, None when it does not have the app.

    previous: its models are used again where they still serve, the current one also while its successor is
    unusable. trying: experiments to assume in place of those that run.
    """
    known = await installed_shop(connections, shop)
    if known is None:
        return None
    state = await _read_state(connections, known, trying)
    # In a thread: other shops' decisions go on meanwhile.
    return await asyncio.to_thread(_assemble, connections.settings.data_dir, state, previous)


async def stored_fingerprint(connections: Connections, shop: ShopDomain) -> tuple[Any, ...]:
    """Return a value that changes whenever anything does that a snapshot is assembled from."""
    known = await get_shop(connections, shop)
    version = current_version(connections.settings.data_dir, shop)
    policy = (await current_policy(connections, shop)).version
    made = await current_segmentation(connections, shop)
    trained_at = made.trained_at if made else None
    catalog = await catalog_fingerprint(connections, shop)
    return (
        known, version, policy, trained_at, catalog,
        await campaigns_fingerprint(connections, shop),
        await running_experiments(connections, shop),
        (await current_foresight(connections, shop)).version,
        await honoured_fingerprint(connections, shop),
        await withdrawn_fingerprint(connections, shop, datetime.now(UTC)),
    )  # fmt: skip


async def _read_state(
    connections: Connections, shop: Shop, trying: tuple[Experiment, ...] | None
) -> _ShopState:
    key, now = shop.shop, datetime.now(UTC)
    segmentation = await current_segmentation(connections, key)
    kept = await honoured(connections, key)
    secret = await installation_secret(connections, SIGNING) if kept else b""
    return _ShopState(
        shop=shop,
        catalog=await load_catalog(connections, key),
        excluded=await excluded_products(connections, key),
        policy=await current_policy(connections, key),
        visits=visit_clusters(segmentation.clusters if segmentation else None),
        campaigns=await running_campaigns(connections, key),
        experiments=await running_experiments(connections, key) if trying is None else trying,
        returns=await rates_of(connections, key),
        foresight=await current_foresight(connections, key),
        signings=partial(signings_of, key, currency=shop.currency, honoured=kept, secret=secret),
        withdrawn=await withdrawn_codes(connections, key, now),
    )


def _assemble(data_dir: Path, state: _ShopState, previous: ShopSnapshot | None) -> ShopSnapshot:
    shop = state.shop
    model = _current_model(data_dir, shop.shop, previous.model if previous else None)
    loaded = _models_of(previous)
    if model is not None:
        model.rank([], k=1)  # what it computes once is computed here, not for the first shopper

    def take(changes: Changes) -> ShopSnapshot:
        running = campaigns_under(state.campaigns, changes)
        ranking = _model_under(data_dir, shop.shop, model, loaded, changes)
        sources = Sources(
            state.catalog,
            model_version=ranking.version if ranking else None,
            excluded=state.excluded,
            settings=settings_under(shop.settings, changes),
            campaigns=running,
            time_zone=shop.time_zone,
            returns=state.returns,
            weights=state.foresight.weights,
        )
        return replace(
            take_snapshot(shop.shop, sources, ranking),
            policy=state.policy,
            visits=state.visits,
            foresight=state.foresight,
            signings=state.signings(running),
            withdrawn=state.withdrawn,
        )

    return with_variants(take(()), state.experiments, take)


def _models_of(shop: ShopSnapshot | None) -> dict[str, Model]:
    """Return the models that the shop's arms are ranked by, by version."""
    arms = shop.variants.values() if shop else ()
    return {each.model.version: each.model for each in arms if each.model is not None}


def _model_under(
    data_dir: Path, shop: ShopDomain, current: Model | None, loaded: dict[str, Model], changes: Changes
) -> Model | None:
    """Return the model that the changes name, read once for all arms and reloads. Raises ModelUnusable."""
    now = current.version if current else None
    version = model_under(now, changes)
    if version == now or version is None:
        return current if version == now else None
    path = find_version(data_dir, shop, version) or successor_of(data_dir, shop, version)
    if path is None:
        raise ModelUnusable(f"{shop} has no model {version!r} any more")
    if path.name not in loaded:
        loaded[path.name] = load(path)
    return loaded[path.name]


def _current_model(data_dir: Path, shop: ShopDomain, known: Model | None) -> Model | None:
    if known is not None and current_version(data_dir, shop) == known.version:
        return known
    try:
        return latest(data_dir, shop)
    except ModelUnusable as error:
        _log.error("the published model is unusable", extra={"shop": shop, "reason": str(error)})
        return known
