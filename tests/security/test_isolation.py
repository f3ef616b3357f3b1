"""Two shops: nothing that one of them calls tells of the other, or changes it.

The staff, a shopper, a browser and the systems of the one call every route with ids of the other. What
they are answered is what they would be if there were no other shop; each statement on a table of
shops' names the shop that calls, and every row, key and file of the other stays as it was.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import httpx
from sqlalchemy import event, select
from sqlmodel import SQLModel
from starlette.applications import Starlette
from starlette.routing import Route

import app.decide
import webhooks.receive
from app.connections import Connections
from app.errors import TillwiseError
from app.events.log import STREAM
from app.main import ROUTES, answer_error
from app.outbound.api_keys import make_key
from app.values import ShopDomain
from tests.admin.campaign_factories import keep_learnt
from tests.admin.factories import OTHER, SHOP, bearer, entrance, imported, keep, parked, product, shop_row
from tests.admin.full_shop import keep_everything
from tests.admin.test_markup import ABOUT
from tests.offers.factories import EVERYTHING, a_body
from tests.outbound.segments import answer, move
from tests.privacy.planted import OTTO, ROSA, dump, home, plant
from tests.security.calls import staff_calls
from tests.shops.factories import checkout_claims, proxy_pairs, proxy_query, signed_token

PIXEL_KEY = "pk_" + "i" * 43
OPERATORS = ("/healthz", "/readyz", "/metrics")
# What only the other shop has and nobody asks for: an answer may say again what it was asked.
MARKS = (OTTO.word, str(OTTO.customer), "Butter", "Acme")
# What may be asked for: the right id of the other's for each page, then others wherever one may go.
ASKED = {
    "id": str(ROSA.customer), "name": "regulars", "edit": "regulars", "q": "Rye", "campaign": "loyal-thanked",
    "product": "2", "who": ROSA.email, "ours": "dormant", "theirs": "almost_lost", "job": "1", "cursor": "d0",
    "page": "2", "days": "90",
}  # fmt: skip
# Made by chance or by the clock: of no shop.
_CHANCE = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+(\+[\d:]+|Z)?|\d?\d:\d\d(\s[AP]M)?|twk_[\w-]+|[\w-]{22,}|\b[0-9a-f]{8,16}\b"
)
_TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO) (\w+)")
_BY_DIGEST = {"erased"}  # asked by digests, of which each has its shop in it, so that nobody is named
_OF_SHOPS = {name for name, table in SQLModel.metadata.tables.items() if "shop" in table.columns} - _BY_DIGEST


@dataclass
class Asking:
    """Calls of one shop, and the statements that they made. theirs: the other's ids made by chance."""

    http: httpx.AsyncClient
    theirs: dict[str, str]
    key: str
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def everything(self) -> Mapping[str, tuple[int, str]]:
        """Return what every call of the shop is answered, without what is made by chance."""
        for route in ROUTES:
            if isinstance(route, Route) and "GET" in (route.methods or ()):
                await self._look(route.path)
        for path, bodies in staff_calls(self.theirs).items():
            for number, body in enumerate(bodies):
                called = await self.http.post(path, json=body, headers=bearer(OTHER))
                self._keep(f"POST {path} {number}", called)
        await self._shop()
        return self.answers

    async def _look(self, path: str) -> None:
        """Ask for a page, or for what its scripts read, with each of the other's ids where one may go."""
        if path.startswith(("/proxy", "/auth")) or path in OPERATORS:
            return
        for number, about in enumerate((ABOUT.get(path, {}), ASKED)):
            query = {"version": self.theirs["version"], **about}
            named = str(ROSA.customer) if "{customer_id}" in path else "champions"
            address = re.sub(r"\{\w+(:path)?\}", named, path)
            key = {"Authorization": f"Bearer {self.key}"}
            if path.startswith("/api/v1"):
                asked = await self.http.get(address, headers=key)
            elif path.startswith("/admin/api"):
                asked = await self.http.get(address, params=query, headers=bearer(OTHER))
            else:
                asked = await self.http.get(address, params=entrance(address, OTHER)[1] | query)
            self._keep(f"GET {path} {number}", asked)

    async def _shop(self) -> None:
        """Ask and tell as a shopper with names of one of the other's: in a checkout, a page, a browser."""
        names = {"client_id": ROSA.client, "checkout_token": ROSA.token}
        body = a_body(1, 10, **names, consent=EVERYTHING)
        claims = checkout_claims(
            datetime.now(UTC), dest=f"https://{OTHER}", sub=f"gid://shopify/Customer/{ROSA.customer}"
        )
        token = {"Authorization": f"Bearer {signed_token(claims)}"}
        self._keep("decide", await self.http.post("/api/personalize", json=body, headers=token))
        pairs = [each for each in proxy_pairs(datetime.now(UTC)) if each[0] != "shop"]
        query = proxy_query(
            ("shop", OTHER), *pairs, ("question", json.dumps(body | {"surface": "storefront"}))
        )
        page = await self.http.get(f"/proxy/offers?{query}")
        assert page.status_code == 200
        self._keep("page", page)
        told = {
            "id": "seen", "name": "product_viewed", "timestamp": datetime.now(UTC).isoformat(), **names,
            "customer_id": ROSA.customer, "data": {"product_id": 2}, "consent": {"analytics": True},
        }  # fmt: skip
        for proof in (token, {"Authorization": f"Bearer {PIXEL_KEY}"}):
            said = await self.http.post("/api/track_event", json={"events": [told]}, headers=proof)
            self._keep(f"event {len(proof['Authorization'])}", said)

    def _keep(self, call: str, answer: httpx.Response) -> None:
        packed = answer.headers.get("content-type") == "application/zip"
        told = _unpacked(answer.content) if packed else answer.text
        assert [mark for mark in MARKS if mark in told] == [], call
        self.answers[call] = (answer.status_code, _CHANCE.sub("…", told))


def _unpacked(archive: bytes) -> str:
    with zipfile.ZipFile(BytesIO(archive)) as files:
        return "".join(name + files.read(name).decode() for name in files.namelist())


@asynccontextmanager
async def asking(connections: Connections, theirs: dict[str, str]) -> AsyncIterator[Asking]:
    """Yield the calls of a shop with two products, that came today. Shopify knows nobody."""
    await keep(
        connections,
        shop_row(OTHER, name="Another", publishable_key=PIXEL_KEY),
        *(imported(kind, OTHER) for kind in ("products", "customers", "orders")),
        *product(1, "Soap", OTHER),
        *product(2, "Towel", OTHER),
    )
    key = await make_key(connections, OTHER)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404))) as nobody:
        web = Starlette(routes=ROUTES, exception_handlers={TillwiseError: answer_error})
        web.state.connections = replace(connections, http=nobody)
        async with (
            webhooks.receive.opened(web),
            app.decide.opened(web),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(web), base_url=connections.settings.app_url
            ) as http,
        ):
            yield Asking(http, theirs, key.secret)


async def plant_the_other(connections: Connections) -> dict[str, str]:
    """Fill the other shop with everything there is, and return its ids that are made by chance."""
    await plant(connections, ROSA, OTTO, shop=ShopDomain(SHOP))
    version = await keep_everything(connections, units=20)
    await keep(connections, parked())
    await keep_learnt(connections)
    await move(connections, SHOP, ROSA.customer, "champions")
    await answer(connections, SHOP, ROSA.customer, marketing=True, sale_of_data=True)
    return {"version": version, "key": (await make_key(connections, SHOP)).key_id}


async def emptied(connections: Connections) -> None:
    async with connections.write() as db:
        for table in reversed(SQLModel.metadata.sorted_tables):
            await (await db.connection()).execute(table.delete())
    await connections.redis.flushall()


async def everything_of(connections: Connections, shop: str) -> dict[str, bytes]:
    """Return each row, key and file of the shop."""
    held = {}
    for place, content in (await dump(connections)).items():
        if not place.startswith("key") or place == f"key {STREAM}":
            continue
        if f"{{{shop}}}" in place:
            held[place] = content
        elif said := re.findall(rb"%b(?: \d+)?" % shop.encode(), content):  # a key for all shops
            held[place] = b" ".join(said)
    for file in home(connections, ShopDomain(shop)).rglob("*"):
        held[str(file)] = file.read_bytes() if file.is_file() else b""
    async with connections.read() as db:
        for name in sorted(_OF_SHOPS):
            table = SQLModel.metadata.tables[name]
            rows = (await (await db.connection()).execute(select(table).where(table.c.shop == shop))).all()
            held[f"table {name}"] = repr(sorted(map(repr, rows))).encode()
    return held


@contextmanager
def statements(connections: Connections) -> Iterator[list[tuple[str, str]]]:
    """Yield the statements that are made meanwhile, each with its parameters."""
    made: list[tuple[str, str]] = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_rest: Any) -> None:
        made.append((text, repr(parameters)))

    engine = connections.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(engine, "before_cursor_execute", note)


def is_of_the_caller(text: str, parameters: str) -> bool:
    """Return whether a statement asks only about the shop that calls."""
    asks_of_none = text.partition(" ORDER BY ")[0].endswith("WHERE 0 = 1")
    if asks_of_none or not _OF_SHOPS.intersection(_TABLE.findall(text)):
        return True
    by_secret = "api_keys.digest = " in text or "shops.publishable_key = " in text
    return SHOP not in parameters and (OTHER in parameters or by_secret)


def test_every_call_of_the_staff_is_tried() -> None:
    calls = {
        route.path
        for route in ROUTES
        if isinstance(route, Route) and "POST" in (route.methods or ()) and route.path.startswith("/admin")
    }
    assert set(staff_calls({"version": "", "key": ""})) == calls


async def test_no_call_of_a_shop_tells_of_another_or_changes_it(connections: Connections) -> None:
    theirs = await plant_the_other(connections)
    before = await everything_of(connections, SHOP)
    async with asking(connections, theirs) as shop:
        with statements(connections) as made:
            answers = await shop.everything()
        assert await everything_of(connections, SHOP) == before
    assert {text for text, parameters in made if not is_of_the_caller(text, parameters)} == set()
    await emptied(connections)
    async with asking(connections, theirs) as alone:
        answers_alone = await alone.everything()
    assert {call for call in answers if answers[call] != answers_alone[call]} == set()
    assert Counter(status for status, _ in answers.values())[200] > len(answers) / 2
