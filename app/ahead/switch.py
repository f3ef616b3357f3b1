"""The merchant's switch for offers written ahead, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.ahead.due import SETTING, make_due, wanted
from app.connections import Connections
from app.jobs import request_job
from app.outbound.offer_metafield_store import count_held
from app.outbound.offer_metafield_writing import forget_offer_metafields, may_write
from app.outbound.offer_metafields import SCOPES, Kind
from app.shops.settings import change_setting
from app.shops.store import Shop, ShopEvent
from app.values import ShopDomain


@dataclass(frozen=True, slots=True)
class Status:
    """held: how many of each kind hold offers; lacks: to which kinds the app may not write."""

    on: bool
    held: Mapping[Kind, int]
    lacks: tuple[Kind, ...]


async def switch_offers_ahead(connections: Connections, shop: ShopDomain, on: bool) -> None:
    """Write offers ahead from now on, or take back all that were written. Raises NotFound.

    Off is the clean-up to make before a permission is taken back; with the app Shopify deletes them itself.
    """
    await change_setting(connections, shop, SETTING, lambda _kept: None if on else False)
    await make_due(connections, shop)
    await request_job(connections, "offers_ahead", shop)


async def forget_offers_ahead(connections: Connections, event: ShopEvent) -> None:
    """Note that Shopify deleted them with the app, so that a shop that comes back gets them again."""
    await forget_offer_metafields(connections, event)
    await make_due(connections, event.shop)


async def status(connections: Connections, shop: Shop) -> Status:
    """Return what Shopify holds of the shop's offers."""
    lacks = tuple(kind for kind in SCOPES if not may_write(shop.scopes, kind))
    return Status(wanted(shop.settings), await count_held(connections, shop.shop), lacks)
