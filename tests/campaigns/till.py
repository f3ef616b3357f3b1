"""A till with campaigns: they are started, their pools are filled, and it is read what was shown and kept."""

from __future__ import annotations

from typing import Any

from app.campaigns.codes import pool_of
from app.campaigns.shopper_history import unpack
from app.campaigns.store import change_status, keep_campaign
from app.connections import Connections
from app.coupons.pool import fill
from app.profiles.keys import nudged_key
from tests.campaigns.factories import TEN_PERCENT, a_campaign
from tests.offers.factories import SHOP

KEY = nudged_key(SHOP, "customer:7")


async def run(connections: Connections, name: str = "help", **changes: Any) -> None:
    await keep_campaign(connections, SHOP, a_campaign(name, **changes))
    await change_status(connections, SHOP, name, "running")


def nudges(answer: dict[str, Any]) -> list[str]:
    return [offer["campaign"] for offer in answer["offers"] if "campaign" in offer]


async def kept(connections: Connections, key: str = KEY) -> Any:
    return unpack(await connections.redis.get(key))


async def fill_pool(connections: Connections, *codes: str) -> None:
    campaign = a_campaign("ten", offer=TEN_PERCENT)
    await fill(connections, SHOP, str(pool_of(campaign, "USD")), codes)


async def granted(connections: Connections) -> list[bytes]:
    return await connections.redis.keys("*granted*")
