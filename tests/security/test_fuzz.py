"""Whatever is sent to whichever route, by whomever: an answer, in time, that is no failure of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Mount, Route

import app.decide
import webhooks.receive
from app.config import read_settings
from app.connections import connect
from app.main import ROUTES, create_app
from app.migrations import migrate
from app.shops.signatures import hmac_base64
from app.tables import ShopRow
from tests.conftest import ENVIRONMENT
from tests.shops.factories import (
    SECRET,
    SHOP,
    admin_claims,
    checkout_claims,
    proxy_query,
    signed_token,
    webhook_headers,
)

PATIENCE_S = 60
PIXEL_KEY = "pk_" + "k" * 43
NASTY = (
    "'; DROP TABLE shops; --", "' OR '1'='1", "{{7*7}}", "{% raw %}", "${jndi:ldap://x}",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0", "a\r\nSet-Cookie: x=1", "\x00", "../../etc/passwd", "%00", "🦊" * 50, "A" * 5_000,
    "-1", "9" * 40, "1e400", "NaN", "null", "gid://shopify/Order/1", "http://169.254.169.254/latest",
)  # fmt: skip

text = st.sampled_from(NASTY) | st.text(max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True)
class Door:
    """A route that somebody may knock at."""

    path: str
    method: str


def doors() -> list[Door]:
    """Return every route of the app with each of its methods."""
    routes = [route for route in ROUTES if isinstance(route, Route)]
    mounted = [
        r for mount in ROUTES if isinstance(mount, Mount) for r in mount.routes if isinstance(r, Route)
    ]
    return [
        Door(route.path, method)
        for route in (*routes, *mounted)
        for method in sorted(route.methods or {"GET"})
        if method != "HEAD"
    ]


class Outside:
    """The whole app in this process, on a loop of its own, with a Shopify that answers nothing."""

    def __init__(self, directory: Path, redis_url: str) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._settings = read_settings(ENVIRONMENT | {"TILLWISE_DATA_DIR": str(directory)})
        self._redis_url = redis_url
        self.http: httpx.AsyncClient

    def open(self) -> None:
        self._runner.run(self._open())

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def ask(self, door: Door, path: str, **sent: object) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with asyncio.timeout(PATIENCE_S):
                return await self.http.request(door.method, path, **sent)  # type: ignore[arg-type]

        return self._runner.run(asked())

    async def _open(self) -> None:
        await migrate(self._settings.database_url)
        connections = await self._stack.enter_async_context(connect(self._settings, self._redis_url))
        await connections.redis.flushall()
        async with connections.write() as db:
            db.add(ShopRow(shop=SHOP, publishable_key=PIXEL_KEY, installed_at=datetime.now(UTC)))
        nobody = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404)))
        await self._stack.enter_async_context(nobody)
        web = create_app(self._settings, self._redis_url)
        web.state.connections = replace(connections, http=nobody)
        await self._stack.enter_async_context(webhooks.receive.opened(web))
        await self._stack.enter_async_context(app.decide.opened(web))
        transport = httpx.ASGITransport(web)
        self.http = await self._stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://app.test")
        )


@pytest.fixture(scope="module")
def outside(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    made = Outside(tmp_path_factory.mktemp("outside"), redis_url)
    made.open()
    yield made
    made.close()


def proofs(door: Door, body: bytes) -> Mapping[str, Mapping[str, str]]:
    """Return headers by who sends: nobody, somebody who guesses, and who may."""
    now = datetime.now(UTC)
    staff = {"Authorization": f"Bearer {signed_token(admin_claims(now))}"}
    buyer = {"Authorization": f"Bearer {signed_token(checkout_claims(now))}"}
    return {
        "nobody": {},
        "guesser": {"Authorization": "Bearer " + signed_token(checkout_claims(now), "guessed")},
        "staff": staff,
        "buyer": buyer,
        "pixel": {"Authorization": f"Bearer {PIXEL_KEY}"},
        "shopify": webhook_headers(body, Hmac_Sha256=hmac_base64(SECRET, body), Shop_Domain=SHOP),
    }


def filled(path: str, value: str) -> str:
    """Return the path with each of its parameters set."""
    parts = [quote(value, safe="") if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(doors()),
    st.sampled_from(("nobody", "guesser", "staff", "buyer", "pixel", "shopify")),
    text,
    st.dictionaries(
        st.sampled_from(("shop", "id_token", "q", "page", "days", "host", "cursor", "s")), text, max_size=3
    ),
    st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode()),
)
def test_no_route_fails_or_hangs_whatever_is_sent(
    outside: Outside, door: Door, who: str, name: str, query: dict[str, str], body: bytes
) -> None:
    sent = {"headers": proofs(door, body)[who], "params": query}
    answer = outside.ask(door, filled(door.path, name), content=body, **sent)
    assert answer.status_code < 500 or answer.status_code in (502, 503), answer.text
    assert "Traceback" not in answer.text
    assert "set-cookie" not in answer.headers or "x=1" not in answer.headers["set-cookie"]


def test_no_answer_leads_to_the_host_that_a_request_names(outside: Outside) -> None:
    """Whoever had such an answer kept by a cache led others there."""
    for door in doors():
        for path in (filled(door.path, "x"), f"{filled(door.path, 'x')}/"):
            answer = outside.ask(door, path, params={"shop": SHOP}, headers={"Host": "evil.example.com"})
            assert "evil.example.com" not in answer.headers.get("location", "") + answer.text, path


@pytest.mark.parametrize("nasty", NASTY)
def test_what_the_storefront_sends_signed_is_answered(outside: Outside, nasty: str) -> None:
    query = proxy_query(("shop", SHOP), ("product_id", nasty), now=datetime.now(UTC))
    answer = outside.ask(Door("/proxy/offers", "GET"), f"/proxy/offers?{query}")
    assert answer.status_code < 500
