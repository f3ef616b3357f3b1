from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.connections import Connections
from app.consent.digests import Digests
from app.coupons.grants import CodeRequest, GrantedCode, grant, note_used
from app.coupons.pool import pool_key
from app.coupons.terms import REMEMBERED_S, USED_REMEMBERED_S
from app.profiles.keys import granted_key

SHOP = "a.myshopify.com"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY_S = 86_400
DIGESTS = Digests(b"key")


def wanted(unit: str = "customer:7", campaign: str = "spring", at: datetime = NOW) -> CodeRequest:
    return CodeRequest(SHOP, campaign, campaign, unit, DAY_S, at)


async def fill(connections: Connections, codes: Sequence[str], campaign: str = "spring") -> None:
    await connections.redis.rpush(pool_key(SHOP, campaign), *codes)


async def test_each_shopper_has_a_code_of_their_own_for_a_day_of_their_own(connections: Connections) -> None:
    await fill(connections, ["A", "B"])
    later = NOW + timedelta(hours=5)
    granted = await grant(connections.redis, DIGESTS, [wanted(), wanted("client:x", at=later)])
    assert granted == [
        GrantedCode("A", NOW + timedelta(days=1)),
        GrantedCode("B", later + timedelta(days=1)),
    ]


async def test_who_asks_again_is_told_the_same_code_and_its_day_is_not_longer(
    connections: Connections,
) -> None:
    await fill(connections, ["A", "B"])
    (first,) = await grant(connections.redis, DIGESTS, [wanted()])
    again = await grant(connections.redis, DIGESTS, [wanted(at=NOW + timedelta(hours=3)), wanted()])
    assert again == [first, first]
    assert await connections.redis.llen(pool_key(SHOP, "spring")) == 1


async def test_an_empty_pool_grants_nothing_and_binds_nobody(connections: Connections) -> None:
    assert await grant(connections.redis, DIGESTS, [wanted()]) == [None]
    await fill(connections, ["A"])
    (granted,) = await grant(connections.redis, DIGESTS, [wanted()])
    assert granted is not None
    assert granted.code == "A"


async def test_campaigns_and_shops_have_their_own_pools(connections: Connections) -> None:
    await fill(connections, ["A"])
    other = CodeRequest("b.myshopify.com", "spring", "spring", "customer:7", DAY_S, NOW)
    assert await grant(connections.redis, DIGESTS, [wanted(campaign="autumn"), other]) == [None, None]


async def test_a_grant_is_forgotten_a_month_after_its_last_code_ended(connections: Connections) -> None:
    await fill(connections, ["A"])
    await fill(connections, ["B"], "autumn")
    hour = CodeRequest(SHOP, "autumn", "autumn", "customer:7", 3_600, NOW)
    await grant(connections.redis, DIGESTS, [wanted(), hour])
    left = await connections.redis.ttl(granted_key(SHOP, "customer:7"))
    assert DAY_S < left <= DAY_S + REMEMBERED_S


async def test_who_used_a_code_is_given_no_other_for_a_year_and_who_did_not_is_after_a_month(
    connections: Connections,
) -> None:
    redis, later = connections.redis, NOW + timedelta(seconds=DAY_S + REMEMBERED_S + 1)
    await fill(connections, ["A", "B", "C"])
    await grant(redis, DIGESTS, [wanted(), wanted("customer:8")])
    for _ in range(2):
        await note_used(redis, SHOP, "customer:7", ["OTHER", "A"])
    assert await redis.ttl(granted_key(SHOP, "customer:7")) > USED_REMEMBERED_S - DAY_S
    assert await redis.ttl(granted_key(SHOP, "customer:8")) <= DAY_S + REMEMBERED_S
    used, unused = await grant(redis, DIGESTS, [wanted(at=later), wanted("customer:8", at=later)])
    assert used is not None
    assert (used.code, used.expires_at < NOW) == ("A", True)
    assert unused == GrantedCode("C", later.replace(microsecond=0) + timedelta(days=1))


async def test_a_code_that_was_used_is_noted_of_nobody_who_was_given_none(connections: Connections) -> None:
    await note_used(connections.redis, SHOP, "customer:7", ["A"])
    assert await connections.redis.keys("*granted*") == []
