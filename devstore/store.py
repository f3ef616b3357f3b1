"""The whole dev store: its shops, the app they may install, and what happens when something does."""

import asyncio
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from devstore.app_config import AppConfig, with_implied
from devstore.bulk_operations import BulkOperation
from devstore.cost import Bucket
from devstore.deliver import Deliverer
from devstore.payloads import Json
from devstore.records import Installation
from devstore.shop import Shop
from devstore.tokens import Grant, TokenBook

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def _a_new_path() -> Path:
    return Path(tempfile.gettempdir(), f"devstore-{uuid.uuid4().hex}")


class UnknownShop(Exception):
    """No shop of the dev store has this domain."""


@dataclass(slots=True)
class Store:
    app: AppConfig
    shops: Mapping[str, Shop]
    deliverer: Deliverer
    base_url: str = "http://127.0.0.1:4700"
    clock: Clock = utc_now
    tokens: TokenBook = field(default_factory=TokenBook)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    bulk: dict[int, BulkOperation] = field(default_factory=dict)
    bulk_dir: Path = field(default_factory=_a_new_path)  # made for the first result
    fail_next_bulk_after: int | None = None  # lines to write before the next bulk operation fails
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background until the store closes."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def settle(self) -> None:
        """Return when every background task and delivery is done."""
        while self.tasks:
            await asyncio.gather(*self.tasks)
        await self.deliverer.drain()

    async def close(self) -> None:
        """Stop what runs in the background and delete the results of bulk operations."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.deliverer.stop()
        shutil.rmtree(self.bulk_dir, ignore_errors=True)

    def shop_of(self, host: str) -> Shop:
        """Return the shop that the Host header names; any local address means the first shop."""
        name = host.rsplit(":", 1)[0].lower()
        if name in self.shops:
            return self.shops[name]
        if name.endswith(".myshopify.com"):
            raise UnknownShop(f"there is no shop {name} in the dev store")
        return next(iter(self.shops.values()))

    def install(self, shop: Shop) -> Installation:
        """Return the app's installation; opening the app installs it, as managed installation does."""
        if shop.installation is None:
            shop.installation = Installation(
                shop.next_id(),
                with_implied(self.app.scopes),
                self.clock(),
                subscriptions=list(self.app.subscriptions),
            )
        return shop.installation

    async def uninstall(self, shop: Shop, payload: Json) -> None:
        """Tell the app, then forget its tokens, subscriptions, pixel and metafields."""
        if shop.installation is not None:
            await self.announce(shop, "app/uninstalled", payload)
            shop.installation = None
            self.tokens.revoke(shop.domain)

    async def announce(self, shop: Shop, topic: str, payload: Json, event_id: str | None = None) -> int:
        """Return how many subscriptions will be told. One event may have several topics: one event id."""
        if shop.installation is None:
            return 0
        wanted = [s for s in shop.installation.subscriptions if s.topic == topic]
        event = event_id or str(uuid.uuid4())
        for subscription in wanted:
            self.deliverer.send(shop.domain, subscription, payload, self.clock(), event)
        return len(wanted)

    def grant_of(self, shop: Shop, access_token: str) -> Grant | None:
        """Return what this access token may do in this shop now, or None."""
        return self.tokens.find(shop.domain, access_token, self.clock())

    def new_token(self) -> str:
        """Return a token for a cart or a checkout: 32 hexadecimal digits."""
        return secrets.token_hex(16)

    def bucket_of(self, shop: Shop) -> Bucket:
        return self.buckets.setdefault(shop.domain, Bucket(updated_at=self.clock()))
