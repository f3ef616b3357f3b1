"""Each shop's catalogue, rules, experiment and model in memory, fresh without anyone waiting.

A shop is loaded on its first request and reloaded when a change is announced. Every fifteen seconds missed
announcements are polled for, and the stored state of a few shops at a time is compared, for changes that were
never announced. Swapping a snapshot is one assignment. When the shops in memory have too many products, the
least recently used one is evicted.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

from redis.exceptions import RedisError

from app.connections import Connections
from app.failures import reason_of
from app.offers.snapshot import ShopSnapshot
from app.shops.changes import CATALOG_CHANGED, CHANGED, revisions
from app.snapshots import load_snapshot, stored_fingerprint
from app.values import ShopDomain

FIRST_LOAD_S = 1.5
POLL_S = 15.0
POLLED = 75  # shops whose stored state is compared each time: a dozen queries each
MOST_PRODUCTS = 1_000_000  # of all shops held together, about 1 KB each
# A burst of product webhooks reloads a shop this often, not once each: less often the larger the shop, as
# reading it takes 66 microseconds of CPU per product.
REST_S = 0.2
REST_A_PRODUCT_S = 0.0005
LONGEST_REST_S = 60.0
RECONNECT_S = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """A shop in memory, with the stored state and the announced change that it reflects."""

    snapshot: ShopSnapshot
    fingerprint: tuple[Any, ...]
    revision: bytes | None

    @property
    def products(self) -> int:
        return len(self.snapshot.catalog.products)


class LiveShops:
    """The snapshots of the shops that this process serves."""

    def __init__(self, connections: Connections, most_products: int = MOST_PRODUCTS) -> None:
        self._connections = connections
        self._most_products = most_products
        # Least recently used first.
        self._shops: OrderedDict[ShopDomain, _Held] = OrderedDict()
        self._products = 0
        self._unpolled: list[ShopDomain] = []
        self._absent_until: dict[ShopDomain, float] = {}
        self._loading: dict[ShopDomain, asyncio.Task[ShopSnapshot | None]] = {}
        self._changed: set[ShopDomain] = set()
        self._resting: set[ShopDomain] = set()
        self._urgent: set[ShopDomain] = set()  # changed by the merchant: reloaded at once, resting or not
        self._something_changed = asyncio.Event()

    async def get(self, shop: ShopDomain) -> ShopSnapshot | None:
        """Return the shop's snapshot, None for a shop that does not have the app.

        The first call loads it. Raises TimeoutError when that takes too long; the load continues.
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
        """Return the load in progress, started now if there is none."""
        if shop not in self._loading:
            self._loading[shop] = asyncio.create_task(self._reload(shop))
            self._loading[shop].add_done_callback(partial(self._loaded, shop))
        return self._loading[shop]

    def _loaded(self, shop: ShopDomain, task: asyncio.Task[ShopSnapshot | None]) -> None:
        del self._loading[shop]
        if not task.cancelled() and (error := task.exception()):
            _log.error("a shop could not be loaded", extra={"shop": shop, "reason": reason_of(error)})

    async def _reload(self, shop: ShopDomain) -> ShopSnapshot | None:
        revision = await self._revision(shop)
        fingerprint = await stored_fingerprint(self._connections, shop)
        known = self._shops.get(shop)
        snapshot = await load_snapshot(self._connections, shop, known.snapshot if known else None)
        if snapshot is None:
            self._evict(shop)
            self._absent_until[shop] = monotonic() + POLL_S
            return None
        if shop not in self._shops:
            gc.freeze()  # a catalogue is thousands of objects that no collection needs to walk again
        self._hold(shop, _Held(snapshot, fingerprint, revision))
        return snapshot

    def _hold(self, shop: ShopDomain, held: _Held) -> None:
        """Store the shop, and evict the least recently used others until there is room."""
        before = self._shops.get(shop)
        self._shops[shop] = held
        self._products += held.products - (before.products if before else 0)
        while self._products > self._most_products and len(self._shops) > 1:
            self._evict(next(each for each in self._shops if each != shop))

    def _evict(self, shop: ShopDomain) -> None:
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
                    fingerprint = await stored_fingerprint(self._connections, shop)
                    held = self._shops.get(shop)
                    if held is not None and fingerprint != held.fingerprint:
                        self._change(shop)
                except Exception as error:  # also what is stored and can't be read: others are followed on
                    _log.warning("not polled", extra={"shop": shop, "reason": reason_of(error)})

    async def _announced(self) -> list[ShopDomain]:
        """Return the shops with an announced change that their snapshots do not reflect."""
        shops = list(self._shops)
        found = await revisions(self._connections.redis, shops)
        held = ((shop, self._shops.get(shop), one) for shop, one in zip(shops, found, strict=True))
        return [shop for shop, known, one in held if known is not None and known.revision != one]

    def _next_polled(self) -> list[ShopDomain]:
        """Return the next shops to poll, round-robin."""
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
        """Delay the next reload of a large shop, so that the changes until then are loaded together."""
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
        """Have the shops reloaded. urgent: even while they rest, as for a pause or a new consent policy."""
        for shop in shops:
            self._absent_until.pop(shop, None)
        ours = {shop for shop in shops if shop in self._shops or shop in self._loading}
        self._changed |= ours
        if urgent:
            self._urgent |= ours
        if self._due():
            self._something_changed.set()


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
