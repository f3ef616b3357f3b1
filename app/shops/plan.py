"""A shop's plan of the app, as Shopify's own billing has it. Read only: Shopify's pages change it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.config import Settings
from app.connections import Connections
from app.errors import ShopifyError
from app.shops.addresses import handle
from app.shops.documents import READ_PLAN
from app.shops.tokens import ask_shop
from app.values import ShopDomain

_PATIENCE_S = 3.0
_log = logging.getLogger(__name__)


class _App(msgspec.Struct, frozen=True):
    handle: str | None = None


class _Subscription(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    status: str
    test: bool
    current_period_end: datetime | None = None


class _Installation(msgspec.Struct, frozen=True, rename="camel"):
    app: _App
    active_subscriptions: tuple[_Subscription, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the shop pays for. name: empty where it has chosen none; app_handle: the app's name at Shopify.

    test: nothing is charged. period_end: when it is next charged.
    """

    name: str
    app_handle: str
    test: bool = False
    period_end: datetime | None = None


async def read_plan(connections: Connections, shop: ShopDomain) -> Plan | None:
    """Return the shop's plan, None where Shopify does not answer in time: a merchant waits for their page."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return plan_of(await ask_shop(connections, shop, READ_PLAN))
    except (ShopifyError, TimeoutError, msgspec.ValidationError) as error:
        _log.warning("plan not read", extra={"shop": shop, "reason": type(error).__name__})
        return None


def plan_of(answer: dict[str, Any]) -> Plan:
    """Return the plan in Shopify's answer. Raises ValidationError for a malformed one. Pure."""
    installation = msgspec.convert(answer["currentAppInstallation"], _Installation)
    handle_of_app = installation.app.handle or ""
    paid = next((each for each in installation.active_subscriptions if each.status == "ACTIVE"), None)
    if paid is None:
        return Plan("", handle_of_app)
    return Plan(paid.name, handle_of_app, paid.test, paid.current_period_end)


def pricing_page(settings: Settings, shop: ShopDomain, app_handle: str) -> str:
    """Return Shopify's own page on which a plan is chosen, empty where it is not known."""
    if not app_handle or settings.dev_store_url:
        return ""
    return f"https://admin.shopify.com/store/{handle(shop)}/charges/{app_handle}/pricing_plans"
