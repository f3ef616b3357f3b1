"""Each shop's catalogue, rules, experiment and model in memory, fresh without anyone waiting.

A shop is loaded when it is first asked for. Announced changes reload it; so does a look every
fifteen seconds at what was announced meanwhile, and one at what is stored, a few shops at a time, for
what was never announced. Swapping a snapshot is one assignment. When the shops held have too many
products, the one that was asked for longest ago goes.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from redis.exceptions import RedisError

from app.campaigns.arms import Changes, campaigns_under
from app.campaigns.campaign import Running
from app.campaigns.promised import Signing, signings_of
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
from app.failures import reason_of
from app.intent.foresight import Foresight
from app.intent.store import current_foresight
from app.offers.snapshot import ShopSnapshot, take_snapshot
from app.offers.sources import Sources
from app.offers.variants import model_under, settings_under, with_variants
from app.orders.returns import ReturnRates, rates_of
from app.profiles.segments import current_segmentation
from app.profiles.visiting import VisitClusters, visit_clusters
from app.recommend.model import Model
from app.recommend.past import find_version
from app.recommend.publish import current_version, latest, load, successor_of
from app.shops.changes import CATALOG_CHANGED, CHANGED, revisions
from app.shops.secrets import installation_secret
from app.shops.store import Shop, get_shop
from app.values import ShopDomain

FIRST_LOAD_S = 1.5
POLL_S = 15.0
POLLED = 75  # shops whose stored state is looked at each time: a dozen queries each
MOST_PRODUCTS = 1_000_000  # of all shops held together, about 1 KB each
# A burst of product webhooks reloads a shop this often, not once for each: the seldomer the larger it is, for
# to read it takes 66 microseconds of the processor a product.
REST_S = 0.2
REST_A_PRODUCT_S = 0.0005
LONGEST_REST_S = 60.0
RECONNECT_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """A shop in memory: of which stored state and announced change it is."""

    snapshot: ShopSnapshot
    fingerprint: tuple[Any, ...]
    revision: bytes | None

    @property
    def products(self) -> int:
        return len(self.snapshot.catalog.products)


class LiveShops:
    """The snapshots of the shops that this process was asked about."""

    def __init__(self, connections: Connections, most_products: int = MOST_PRODUCTS) -> None:
        self._connections = connections
        self._most_products = most_products
        # The one that was asked for longest ago first.
        self._shops: OrderedDict[ShopDomain, _Held] = OrderedDict()
        self._products = 0
        self._unpolled: list[ShopDomain] = []
        self._absent_until: dict[ShopDomain, float] = {}
        self._loading: dict[ShopDomain, asyncio.Task[ShopSnapshot | None]] = {}
        self._changed: set[ShopDomain] = set()
        self._resting: set[ShopDomain] = set()
        self._urgent: set[ShopDomain] = set()  # changed by the merchant: no rest holds that up
        self._something_changed = asyncio.Event()

    async def get(self, shop: ShopDomain) -> ShopSnapshot | None:
        """Return the shop's snapshot, None for a shop that does not have the app.

        The first call loads it. Raises TimeoutError when that takes too long; it goes on all the same.
        """
        if known := self._shops.get(shop):
            self._shops.move_to_end(shop)
            return known.snapshot
        if monotonic() < self._absent_until.get(shop, 0):
            return None
        async with asyncio.timeout(FIRST_LOAD_S):
            return await asyncio.shield(self._load(shop))

    async def follow(self) -> None:
        """Keep what is loaded fresh, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._poll())
            tasks.create_task(self._reload_changed())

    def _load(self, shop: ShopDomain) -> asyncio.Task[ShopSnapshot | None]:
        """Return the load that is under way, begun now if there is none."""
        if shop not in self._loading:
            self._loading[shop] = asyncio.create_task(self._reload(shop))
            self._loading[shop].add_done_callback(partial(self._loaded, shop))
        return self._loading[shop]

    def _loaded(self, shop: ShopDomain, task: asyncio.Task[ShopSnapshot | None]) -> None:
        del self._loading[shop]
        if not task.cancelled() and (error := task.exception()):
            _log.error("a shop could not be loaded", extra={"shop": shop, "reason": reason_of(error)})

    async def _reload(self, shop: ShopDomain) -> ShopSnapshot | None:
        revision, fingerprint = await self._revision(shop), await self._fingerprint(shop)
        known = self._shops.get(shop)
        snapshot = await load_snapshot(self._connections, shop, known.snapshot if known else None)
        if snapshot is None:
            self._let_go(shop)
            self._absent_until[shop] = monotonic() + POLL_S
            return None
        if shop not in self._shops:
            gc.freeze()  # a catalogue is thousands of objects that no collection needs to walk again
        self._hold(shop, _Held(snapshot, fingerprint, revision))
        return snapshot

    def _hold(self, shop: ShopDomain, held: _Held) -> None:
        """Hold the shop where it stood, and let go of those asked for longest ago until there is room."""
        before = self._shops.get(shop)
        self._shops[shop] = held
        self._products += held.products - (before.products if before else 0)
        while self._products > self._most_products and len(self._shops) > 1:
            self._let_go(next(each for each in self._shops if each != shop))

    def _let_go(self, shop: ShopDomain) -> None:
        if held := self._shops.pop(shop, None):
            self._products -= held.products

    async def _listen(self) -> None:
        while True:
            try:
                async with self._connections.redis.pubsub() as channels:
                    await channels.subscribe(CHANGED, CATALOG_CHANGED)
                    self._change(*await self._announced(), urgent=True)  # while nobody listened
                    while True:
                        message = await channels.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
                        if message:
                            shop = ShopDomain(message["data"].decode())
                            self._change(shop, urgent=message["channel"].decode() == CHANGED)
            except (RedisError, OSError) as error:
                _log.warning("not listening for changes", extra={"reason": reason_of(error)})
                await asyncio.sleep(RECONNECT_S)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            try:
                self._change(*await self._announced())
            except (RedisError, OSError) as error:
                _log.warning("not told of changes", extra={"reason": reason_of(error)})
            for shop in self._next_polled():
                try:
                    fingerprint, held = await self._fingerprint(shop), self._shops.get(shop)
                    if held is not None and fingerprint != held.fingerprint:
                        self._change(shop)
                except Exception as error:  # also what is stored and can't be read: others are followed on
                    _log.warning("not polled", extra={"shop": shop, "reason": reason_of(error)})

    async def _announced(self) -> list[ShopDomain]:
        """Return the shops of which a change was announced that they were loaded without."""
        shops = list(self._shops)
        found = await revisions(self._connections.redis, shops)
        held = ((shop, self._shops.get(shop), one) for shop, one in zip(shops, found, strict=True))
        return [shop for shop, known, one in held if known is not None and known.revision != one]

    def _next_polled(self) -> list[ShopDomain]:
        """Return those whose turn it is, each once before any comes again."""
        due = self._unpolled or list(self._shops)
        self._unpolled = due[POLLED:]
        return due[:POLLED]

    async def _revision(self, shop: ShopDomain) -> bytes | None:
        try:
            return (await revisions(self._connections.redis, [shop]))[0]
        except (RedisError, OSError):
            return None

    async def _reload_changed(self) -> None:
        while True:
            await self._something_changed.wait()
            self._something_changed.clear()
            for shop in self._due():
                self._changed.discard(shop)
                self._urgent.discard(shop)
                if shop in self._loading:  # it may have read what was there before the change
                    await asyncio.wait([self._loading[shop]])
                await asyncio.wait([self._load(shop)])
                self._let_rest(shop)
            await asyncio.sleep(REST_S)

    def _let_rest(self, shop: ShopDomain) -> None:
        """Leave a large shop alone for a while: what changes until then is loaded together."""
        products = self._shops[shop].products if shop in self._shops else 0
        self._resting.add(shop)
        rest_s = min(products * REST_A_PRODUCT_S, LONGEST_REST_S)
        asyncio.get_running_loop().call_later(rest_s, self._rested, shop)

    def _rested(self, shop: ShopDomain) -> None:
        self._resting.discard(shop)
        if shop in self._changed:
            self._something_changed.set()

    def _due(self) -> set[ShopDomain]:
        return self._changed - (self._resting - self._urgent)

    def _change(self, *shops: ShopDomain, urgent: bool = False) -> None:
        """Have the shops read again. urgent: while they rest too, as for a pause or what is remembered."""
        for shop in shops:
            self._absent_until.pop(shop, None)
        ours = {shop for shop in shops if shop in self._shops or shop in self._loading}
        self._changed |= ours
        if urgent:
            self._urgent |= ours
        if self._due():
            self._something_changed.set()

    async def _fingerprint(self, shop: ShopDomain) -> tuple[Any, ...]:
        known = await get_shop(self._connections, shop)
        version = current_version(self._connections.settings.data_dir, shop)
        policy = (await current_policy(self._connections, shop)).version
        made = await current_segmentation(self._connections, shop)
        trained_at = made.trained_at if made else None
        catalog = await catalog_fingerprint(self._connections, shop)
        return (
            known, version, policy, trained_at, catalog,
            await campaigns_fingerprint(self._connections, shop),
            await running_experiments(self._connections, shop),
            (await current_foresight(self._connections, shop)).version,
            await honoured_fingerprint(self._connections, shop),
            await withdrawn_fingerprint(self._connections, shop, datetime.now(UTC)),
        )  # fmt: skip


@asynccontextmanager
async def live_shops(connections: Connections) -> AsyncIterator[LiveShops]:
    """Yield the live shops of a process, kept fresh until it is left."""
    live = LiveShops(connections)
    following = asyncio.create_task(live.follow())
    try:
        yield live
    finally:
        following.cancel()
        await asyncio.wait([following])


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
    intent: Foresight
    signings: Callable[[Sequence[Running]], Mapping[str, Signing]]
    withdrawn: frozenset[str]


async def load_snapshot(
    connections: Connections,
    shop: ShopDomain,
    previous: ShopSnapshot | None = None,
    trying: tuple[Experiment, ...] | None = None,
) -> ShopSnapshot | None:
    """Return the shop as it is now, None when it does not have the app.

    previous: models are taken from here: the current one also while the new one is unusable.
    trying: what would run in place of what runs.
    """
    known = await get_shop(connections, shop)
    if known is None or known.uninstalled_at is not None:
        return None
    state = await _read_state(connections, known, trying)
    # In a thread: other shops' decisions go on meanwhile.
    return await asyncio.to_thread(_assemble, connections.settings.data_dir, state, previous)


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
        intent=await current_foresight(connections, key),
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
            weights=state.intent.weights,
        )
        return replace(
            take_snapshot(shop.shop, sources, ranking),
            policy=state.policy,
            visits=state.visits,
            intent=state.intent,
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
