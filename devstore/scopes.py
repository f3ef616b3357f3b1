"""What a shop lets the app do, changed; the app hears of it by a webhook."""

from collections.abc import Collection

from devstore import payloads
from devstore.app_config import with_implied
from devstore.records import Installation
from devstore.shop import Shop
from devstore.store import Store
from devstore.wire import BadBody


async def regrant(store: Store, shop: Shop, scopes: Collection[str]) -> Installation:
    """Let the app do this and no more, from its tokens on."""
    installation = store.install(shop)
    before, installation.scopes = sorted(installation.scopes), with_implied(frozenset(scopes))
    store.tokens.regrant(shop.domain, installation.scopes)
    payload = payloads.scopes_update(installation, shop, before, store.clock())
    await store.announce(shop, "app/scopes_update", payload)
    return installation


async def grant_optional(store: Store, shop: Shop, scopes: Collection[str]) -> Installation:
    """Let the app do this as well. Raises BadBody for what its optional scopes do not name."""
    if strange := sorted(set(scopes) - store.app.optional_scopes):
        raise BadBody(f"not an optional scope of the app: {', '.join(strange)}")
    return await regrant(store, shop, store.install(shop).scopes | frozenset(scopes))
