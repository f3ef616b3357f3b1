"""Installs a shop on its first request, once however many pages are opened at the same time."""

from __future__ import annotations

from app.connections import Connections
from app.jobs import alone
from app.shops.store import Shop, finish_install, install, installed_shop
from app.shops.tokens import exchange_code, exchange_id_token, has_token
from app.values import ShopDomain

ARRIVING = "arriving"  # held as well while a shop that left is erased: what came in would go with it


async def ensure_installed(connections: Connections, shop: ShopDomain, id_token: str) -> Shop:
    """Return the shop, installed with the staff member's token when we hold no good one.

    Of two tokens that were asked for at once, the one kept last need not be the one that Shopify takes.
    """
    if not await _is_in(connections, shop):
        async with alone(connections, ARRIVING, shop):
            if not await _is_in(connections, shop):
                return await install(connections, shop, await exchange_id_token(connections, shop, id_token))
    return await finish_install(connections, shop)


async def install_with_code(connections: Connections, shop: ShopDomain, code: str) -> Shop:
    """Return the shop, installed with the code of a merchant who agreed to it."""
    async with alone(connections, ARRIVING, shop):
        return await install(connections, shop, await exchange_code(connections, shop, code))


async def _is_in(connections: Connections, shop: ShopDomain) -> bool:
    return await has_token(connections, shop) and await installed_shop(connections, shop) is not None
