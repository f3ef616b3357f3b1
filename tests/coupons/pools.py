"""A shop's pool of codes, as tests look at it, and Shopify's discount behind it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.consent.digests import Digests
from app.coupons.follow import follow_grants
from app.coupons.grants import CodeRequest, GrantedCode, grant
from app.coupons.minting import PoolTarget, keep_pools
from app.coupons.missing import withdraw_missing
from app.coupons.pool import pool_key
from app.coupons.store import Pool, count_codes, pools_of
from app.coupons.terms import CouponTerms
from app.events.kinds import BrowserEvent, DecisionMade
from app.offers.store import record_feedback
from devstore.records import Discount
from devstore.schema import MODULES
from tests.webhooks.shopfront import Shopfront

NEEDS_SCHEMA = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
WISH = PoolTarget("spring", CouponTerms("Spring", percentage=10), 20, "TILL-")
DAY_S = 86_400
DIGESTS = Digests(b"key")


async def keep(front: Shopfront, *wishes: PoolTarget) -> None:
    await withdraw_missing(front.connections, front.installed.shop, datetime.now(UTC), unexpected)
    await keep_pools(front.connections, front.installed, wishes)


async def unexpected(pool: Pool) -> None:
    pytest.fail(f"{pool.pool_id} is taken for deactivated")


def ours(front: Shopfront) -> list[Discount]:
    return [each for each in front.shop.discounts.values() if each.title.startswith("Spring")]


async def waiting(front: Shopfront, wish: PoolTarget = WISH) -> int:
    return int(await front.connections.redis.llen(pool_key(front.installed.shop, wish.pool_id)))


async def ready(front: Shopfront) -> set[str]:
    key = pool_key(front.installed.shop, WISH.pool_id)
    return {code.decode() for code in await front.connections.redis.lrange(key, 0, -1)}


async def statuses(front: Shopfront, wish: PoolTarget = WISH) -> dict[str, int]:
    return (await count_codes(front.connections, front.installed.shop)).get(wish.pool_id, {})


async def granted(
    front: Shopfront, unit: str = "customer:7", permitted: tuple[str, ...] = ("analytics",)
) -> GrantedCode:
    """Let a decision hand a code to a shopper, and let the worker hear of it."""
    shop, at = front.installed.shop, datetime.now(UTC)
    (made,) = await grant(
        front.connections.redis, DIGESTS, [CodeRequest(shop, "spring", WISH.pool_id, unit, DAY_S, at)]
    )
    assert made is not None
    discount = {"code": made.code, "expires_at": made.expires_at.isoformat()}
    event = DecisionMade(
        shop=shop, event_id=f"d-{unit}", happened_at=at, surface="checkout", rung="personal",
        arm="personalised", fallback=None, model_version=None, checkout_token=None, customer_id=None,
        permitted=permitted, region=None, duration_us=1, inputs={},
        answer={"offers": [{"discount": discount}]},
    )  # fmt: skip
    await follow_grants(front.connections, event)
    return made


async def shown(front: Shopfront, unit: str = "customer:7") -> None:
    ids = {"decision_id": f"d-{unit}", "offer_id": "o"}
    event = BrowserEvent(
        shop=front.installed.shop, event_id=f"s-{unit}", happened_at=datetime.now(UTC), client_id="c",
        checkout_token=None, customer_id=None, name="tillwise:offer_shown", data=ids, permitted=(),
    )  # fmt: skip
    await record_feedback(front.connections, event)


async def pool(front: Shopfront, wish: PoolTarget = WISH) -> Pool:
    pools = await pools_of(front.connections, front.installed.shop)
    return next(each for each in pools if each.pool_id == wish.pool_id)
