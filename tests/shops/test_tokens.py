from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx
from cryptography.fernet import Fernet

from app.connections import Connections, connect
from app.errors import ShopifyRefused, ShopifyUnavailable, TokenRevoked
from app.shops.grants import Grant
from app.shops.tokens import (
    access_token,
    ask_shop,
    exchange_id_token,
    has_token,
    sealed_row,
)
from app.shops.vault import seal, unseal
from app.tables import TokenRow
from app.values import shop_domain
from tests.shops.factories import forget_token

SHOP = shop_domain("acme.myshopify.com")
TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"
GRAPHQL_URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"
HOUR = timedelta(hours=1)


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


def grant(lives: timedelta | None = HOUR, **changes: Any) -> Grant:
    now = datetime.now(UTC)
    made = Grant(
        access_token="shpat_old",
        scopes=frozenset({"read_products"}),
        access_expires_at=now + lives if lives is not None else None,
        refresh_token="shprt_old",
        refresh_expires_at=now + timedelta(days=90),
    )
    return replace(made, **changes)


def answer(number: int = 1) -> dict[str, Any]:
    return {
        "access_token": f"shpat_{number}",
        "scope": "read_products,write_pixels",
        "expires_in": 3600,
        "refresh_token": f"shprt_{number}",
        "refresh_token_expires_in": 7776000,
    }


async def keep(connections: Connections, kept: Grant) -> None:
    async with connections.write() as db:
        await db.merge(sealed_row(connections, SHOP, kept))


async def test_token_with_time_left_is_used_as_it_is(connections: Connections) -> None:
    await keep(connections, grant())
    with respx.mock:
        assert await access_token(connections, SHOP) == "shpat_old"


async def test_token_of_a_shop_that_granted_none_is_revoked(connections: Connections) -> None:
    with pytest.raises(TokenRevoked, match="open the app"):
        await access_token(connections, SHOP)


async def test_token_is_kept_sealed(connections: Connections) -> None:
    await keep(connections, grant())
    async with connections.read() as db:
        row = await db.get(TokenRow, SHOP)
    assert row is not None
    assert row.refresh_token is not None
    assert b"shpat" not in row.access_token
    assert b"shprt" not in row.refresh_token


async def test_token_near_its_end_is_renewed_and_the_new_pair_is_kept(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(minutes=4)))
    with respx.mock:
        route = respx.post(TOKEN_URL).respond(json=answer())
        assert await access_token(connections, SHOP) == "shpat_1"
        assert await access_token(connections, SHOP) == "shpat_1"
    assert route.call_count == 1
    sent = json.loads(route.calls.last.request.content)
    assert (sent["grant_type"], sent["refresh_token"]) == ("refresh_token", "shprt_old")


async def test_many_at_once_renew_it_once(connections: Connections) -> None:
    await keep(connections, grant(timedelta(0)))

    async def slowly(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        return httpx.Response(200, json=answer())

    with respx.mock:
        route = respx.post(TOKEN_URL).mock(side_effect=slowly)
        tokens = await asyncio.gather(*(access_token(connections, SHOP) for _ in range(8)))
    assert set(tokens) == {"shpat_1"}
    assert route.call_count == 1


async def test_processes_that_share_nothing_but_redis_and_the_database_renew_it_once(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(0)))
    async with connect(connections.settings, connections.redis_url) as another:
        with respx.mock:
            route = respx.post(TOKEN_URL).respond(json=answer())
            asked = [access_token(each, SHOP) for each in (connections, another) * 2]
            assert set(await asyncio.gather(*asked)) == {"shpat_1"}
    assert route.call_count == 1


async def test_asker_who_leaves_does_not_lose_the_renewed_token(connections: Connections) -> None:
    await keep(connections, grant(timedelta(0)))
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slowly(_request: httpx.Request) -> httpx.Response:
        asked.set()
        await answered.wait()
        return httpx.Response(200, json=answer())

    with respx.mock:
        route = respx.post(TOKEN_URL).mock(side_effect=slowly)
        asker = asyncio.create_task(access_token(connections, SHOP))
        await asked.wait()
        asker.cancel()
        await asyncio.gather(asker, return_exceptions=True)
        answered.set()
        assert await access_token(connections, SHOP) == "shpat_1"
    assert route.call_count == 1


async def test_process_that_lost_its_lease_does_not_undo_what_the_next_one_stored(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(0)))

    async def overtaken(_request: httpx.Request) -> httpx.Response:
        await keep(connections, grant(access_token="shpat_winner", refresh_token="shprt_winner"))
        return httpx.Response(200, json=answer())

    with respx.mock:
        respx.post(TOKEN_URL).mock(side_effect=overtaken)
        assert await access_token(connections, SHOP) == "shpat_winner"
        assert await access_token(connections, SHOP) == "shpat_winner"


async def test_refresh_token_spent_by_another_process_gives_that_ones_result(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(0)))

    async def too_late(_request: httpx.Request) -> httpx.Response:
        await keep(connections, grant(access_token="shpat_winner", refresh_token="shprt_winner"))
        return httpx.Response(400, json={"error": "invalid_grant"})

    with respx.mock:
        respx.post(TOKEN_URL).mock(side_effect=too_late)
        assert await access_token(connections, SHOP) == "shpat_winner"


def encrypting_anew(connections: Connections, answered: httpx.Response) -> Any:
    """Return what `tillwise reencrypt` may do to a shop's token while Shopify answers."""

    async def answering(_request: httpx.Request) -> httpx.Response:
        await keep(connections, grant(timedelta(0)))
        return answered

    return answering


async def test_a_token_that_is_encrypted_anew_while_it_is_renewed_is_replaced(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(0)))
    with respx.mock:
        respx.post(TOKEN_URL).mock(
            side_effect=encrypting_anew(connections, httpx.Response(200, json=answer()))
        )
        assert await access_token(connections, SHOP) == "shpat_1"
        assert await access_token(connections, SHOP) == "shpat_1"


async def test_a_refused_token_that_is_encrypted_anew_meanwhile_is_forgotten(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(0)))
    refused = httpx.Response(400, json={"error": "invalid_grant"})
    with respx.mock:
        respx.post(TOKEN_URL).mock(side_effect=encrypting_anew(connections, refused))
        with pytest.raises(TokenRevoked):
            await access_token(connections, SHOP)
    assert not await has_token(connections, SHOP)


async def test_refused_refresh_token_is_forgotten(connections: Connections) -> None:
    await keep(connections, grant(timedelta(0)))
    with respx.mock:
        respx.post(TOKEN_URL).respond(400, json={"error": "invalid_grant"})
        with pytest.raises(TokenRevoked):
            await access_token(connections, SHOP)
    assert not await has_token(connections, SHOP)


async def test_uninstall_during_a_refresh_leaves_no_token_behind(connections: Connections) -> None:
    await keep(connections, grant(timedelta(0)))

    async def uninstalled(_request: httpx.Request) -> httpx.Response:
        await forget_token(connections, SHOP)
        return httpx.Response(200, json=answer())

    with respx.mock:
        respx.post(TOKEN_URL).mock(side_effect=uninstalled)
        with pytest.raises(TokenRevoked):
            await access_token(connections, SHOP)
    assert not await has_token(connections, SHOP)


async def test_token_that_can_not_be_renewed_now_is_used_until_it_expires(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(minutes=4)))
    with respx.mock:
        respx.post(TOKEN_URL).respond(text="<html>")
        assert await access_token(connections, SHOP) == "shpat_old"
        await keep(connections, grant(timedelta(0)))
        with pytest.raises(ShopifyUnavailable):
            await access_token(connections, SHOP)


async def test_token_without_an_end_needs_no_refresh(connections: Connections) -> None:
    await keep(connections, grant(None, refresh_token=None, refresh_expires_at=None))
    assert await access_token(connections, SHOP) == "shpat_old"
    assert await has_token(connections, SHOP)


async def test_exchange_asks_for_an_expiring_offline_token(connections: Connections) -> None:
    with respx.mock:
        route = respx.post(TOKEN_URL).respond(json=answer())
        got = await exchange_id_token(connections, SHOP, "id-token")
    sent = json.loads(route.calls.last.request.content)
    assert (sent["subject_token"], sent["expiring"]) == ("id-token", "1")
    assert got.scopes == {"read_products", "write_pixels"}
    assert got.refresh_expires_at is not None
    assert "shpat" not in repr(got)
    assert "shprt" not in repr(got)


@pytest.mark.parametrize(
    ("kept", "good"),
    [
        (grant(), True),
        (grant(timedelta(0)), True),
        (grant(timedelta(0), refresh_token=None), False),
        (grant(timedelta(0), refresh_expires_at=datetime.now(UTC)), False),
    ],
    ids=["good", "renewable", "no refresh", "refresh expired"],
)
async def test_shop_has_a_token_when_it_is_good_or_can_be_renewed(
    connections: Connections, kept: Grant, good: bool
) -> None:
    await keep(connections, kept)
    assert await has_token(connections, SHOP) is good


async def test_token_for_fewer_scopes_than_the_app_asks_is_exchanged_anew(
    connections: Connections,
) -> None:
    await keep(connections, grant())
    wider = replace(connections.settings, scopes=frozenset({"read_products", "write_pixels"}))
    assert not await has_token(replace(connections, settings=wider), SHOP)


async def test_revoked_token_is_forgotten_when_nobody_has_a_newer_one(
    connections: Connections,
) -> None:
    await keep(connections, grant())
    with respx.mock:
        respx.post(GRAPHQL_URL).respond(401)
        respx.post(TOKEN_URL).respond(401, json={"error": "invalid_request"})
        with pytest.raises(TokenRevoked):
            await ask_shop(connections, SHOP, "query Name { shop { name } }")
    assert not await has_token(connections, SHOP)


async def test_a_renewal_that_was_not_understood_forgets_no_token(connections: Connections) -> None:
    await keep(connections, grant(timedelta(0)))
    with respx.mock:
        respx.post(TOKEN_URL).respond(400, json={"error": "invalid_request"})
        with pytest.raises(ShopifyRefused, match="invalid_request"):
            await access_token(connections, SHOP)
    assert await has_token(connections, SHOP)


async def test_revoked_token_that_can_not_be_renewed_is_forgotten(connections: Connections) -> None:
    await keep(connections, grant(refresh_token=None))
    with respx.mock:
        respx.post(GRAPHQL_URL).respond(401)
        with pytest.raises(TokenRevoked):
            await ask_shop(connections, SHOP, "query Name { shop { name } }")
    assert not await has_token(connections, SHOP)


async def test_token_that_looked_good_by_a_clock_put_back_is_renewed_and_not_forgotten(
    connections: Connections,
) -> None:
    await keep(connections, grant(timedelta(days=1)))

    def by_token(request: httpx.Request) -> httpx.Response:
        if request.headers["X-Shopify-Access-Token"] == "shpat_old":
            return httpx.Response(401)
        return httpx.Response(200, json={"data": {"shop": {"name": "Acme"}}})

    with respx.mock:
        respx.post(GRAPHQL_URL).mock(side_effect=by_token)
        renewed = respx.post(TOKEN_URL).respond(json=answer())
        data = await ask_shop(connections, SHOP, "query Name { shop { name } }")
    assert (data["shop"]["name"], renewed.call_count) == ("Acme", 1)
    assert await has_token(connections, SHOP)


async def test_token_that_is_refused_as_soon_as_it_is_new_is_forgotten(connections: Connections) -> None:
    await keep(connections, grant())
    with respx.mock:
        respx.post(GRAPHQL_URL).respond(401)
        respx.post(TOKEN_URL).respond(json=answer())
        with pytest.raises(TokenRevoked):
            await ask_shop(connections, SHOP, "query Name { shop { name } }")
    assert not await has_token(connections, SHOP)


async def test_token_renewed_meanwhile_is_tried_before_giving_up(connections: Connections) -> None:
    await keep(connections, grant())

    async def by_token(request: httpx.Request) -> httpx.Response:
        if request.headers["X-Shopify-Access-Token"] == "shpat_old":
            await keep(connections, grant(access_token="shpat_new"))
            return httpx.Response(401)
        return httpx.Response(200, json={"data": {"shop": {"name": "Acme"}}})

    with respx.mock:
        respx.post(GRAPHQL_URL).mock(side_effect=by_token)
        data = await ask_shop(connections, SHOP, "query Name { shop { name } }")
    assert data["shop"]["name"] == "Acme"


def test_first_key_seals_and_every_key_opens() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed = seal((old,), "shpat_x")
    assert unseal((new, old), sealed) == "shpat_x"
    assert unseal((new,), seal((new, old), "shpat_y")) == "shpat_y"
    with pytest.raises(TokenRevoked, match="TOKEN_ENCRYPTION_KEYS"):
        unseal((new,), sealed)
