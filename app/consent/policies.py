"""A shop's privacy settings: read from Shopify, kept with their history, and the policy they make."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec
from sqlmodel import col, select

from app.connections import Connections
from app.consent.policy import UNREAD, RegionPolicy, ShopPolicy
from app.errors import ShopifyError
from app.privacy_tables import PrivacyPolicyRow
from app.shops.changes import announce_change
from app.shops.tokens import ask_shop
from app.shops.turns import shops_by_turns
from app.ttl_cache import TtlCache

_log = logging.getLogger(__name__)

READ_PRIVACY = """
query ReadPrivacy {
  privacySettings {
    banner { enabled autoManaged }
    dataSaleOptOutPage { autoManaged }
    privacyPolicy { autoManaged }
  }
  consentPolicy { countryCode regionCode consentRequired dataSaleOptOutRequired }
}
"""


@dataclass(frozen=True, slots=True)
class PolicyRead:
    """A policy, when it was first and last read, and the shop's settings beside it."""

    read_at: datetime
    checked_at: datetime
    settings: dict[str, Any]
    policy: ShopPolicy


async def read_policy(connections: Connections, shop: str) -> ShopPolicy:
    """Return the shop's policy as Shopify has it now, kept as a new one when it changed.

    Raises ShopifyError; what was read before stays in force then.
    """
    data = await ask_shop(connections, shop, READ_PRIVACY)
    settings, regions = data.get("privacySettings") or {}, regions_of(data.get("consentPolicy") or [])
    policy = ShopPolicy(_version(settings, regions), regions)
    if await _keep(connections, shop, policy, settings):
        await announce_change(connections.redis, shop)
    return policy


async def read_policies(connections: Connections) -> None:
    """Read the policy of every shop whose turn it is; one that can't be read keeps the one it had."""
    for shop in await shops_by_turns(connections, "privacy settings"):
        await try_to_read_policy(connections, shop.shop)


async def try_to_read_policy(connections: Connections, shop: str) -> None:
    """Read the shop's policy; what Shopify refuses or can't do now is logged and tried again later."""
    try:
        await read_policy(connections, shop)
    except ShopifyError as error:
        _log.warning("privacy settings not read", extra={"shop": shop, "reason": str(error)})


async def current_policy(connections: Connections, shop: str) -> ShopPolicy:
    """Return the shop's policy as it was last read; one that allows nothing unasked before that."""
    async with connections.read() as db:
        row = (await db.exec(_latest(shop))).first()
    return UNREAD if row is None else _policy(row)


_policies = TtlCache(current_policy)


async def remembered_policy(connections: Connections, shop: str) -> ShopPolicy:
    """Return the shop's policy, as it was at most fifteen seconds ago."""
    return await _policies.of(connections, shop)


async def policy_history(connections: Connections, shop: str) -> list[PolicyRead]:
    """Return every policy the shop has had, newest first."""
    query = select(PrivacyPolicyRow).where(PrivacyPolicyRow.shop == shop)
    async with connections.read() as db:
        rows = await db.exec(query.order_by(col(PrivacyPolicyRow.id).desc()))
        return [PolicyRead(row.read_at, row.checked_at, row.settings, _policy(row)) for row in rows]


def regions_of(policies: list[dict[str, Any]]) -> dict[str, RegionPolicy]:
    """Return Shopify's consent policies by `US` or `US-CA`; one without a country says nothing. Pure."""
    return {
        _region(each["countryCode"], each.get("regionCode")): RegionPolicy(
            each.get("consentRequired"), each.get("dataSaleOptOutRequired")
        )
        for each in policies
        if each.get("countryCode")
    }


def _region(country: str, code: str | None) -> str:
    """Return `US-CA` for `CA` and for `US-CA`: ISO 3166 writes a region both ways."""
    country = country.upper()
    region = (code or "").upper().removeprefix(f"{country}-")
    return f"{country}-{region}" if region else country


async def _keep(connections: Connections, shop: str, policy: ShopPolicy, settings: dict[str, Any]) -> bool:
    """Return whether the policy is new; one that stands is marked as seen again."""
    now = datetime.now(UTC)
    async with connections.write() as db:
        known = (await db.exec(_latest(shop))).first()
        if known is not None and known.version == policy.version:
            known.checked_at = now
            db.add(known)
            return False
        db.add(
            PrivacyPolicyRow(
                shop=shop, version=policy.version, read_at=now, checked_at=now, settings=settings,
                regions=msgspec.to_builtins(policy.regions),
            )
        )  # fmt: skip
    return True


def _latest(shop: str) -> Any:
    query = select(PrivacyPolicyRow).where(PrivacyPolicyRow.shop == shop)
    return query.order_by(col(PrivacyPolicyRow.id).desc()).limit(1)


def _policy(row: PrivacyPolicyRow) -> ShopPolicy:
    return ShopPolicy(row.version, msgspec.convert(row.regions, dict[str, RegionPolicy]))


def _version(settings: dict[str, Any], regions: dict[str, RegionPolicy]) -> str:
    content = msgspec.json.encode([settings, regions], order="sorted")
    return blake2b(content, digest_size=8).hexdigest()
