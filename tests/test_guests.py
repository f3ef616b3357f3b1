"""A guest is one person in the storefront and in the checkout, by the browser that their cart names."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.connections import Connections
from app.events.kinds import CHECKOUT_MET, ConsentTold, DecisionMade
from app.events.log import EventConsumer
from app.experiments.assign import pseudonym
from app.privacy_tables import ConsentRow
from app.profiles.keys import checkout_key, client_key
from app.profiles.packed import unpack_visit
from app.tables import DecisionRow, EventRow
from tests.offers.factories import EVERYTHING, SHOP
from tests.test_consent_on_the_next_call import NOTHING, a_shopper, look, of, rows, work
from tests.test_decide import ask, offered, token

ANALYTICS = NOTHING | {"analytics": True}
BROWSER, CHECKOUT = pseudonym(SHOP, "client:browser"), pseudonym(SHOP, "checkout:token")


@pytest.fixture
async def guest(connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    async with a_shopper(connections) as client:
        yield client


async def check_out(client: httpx.AsyncClient, consent: dict[str, Any], *cart: int) -> dict[str, Any]:
    """Ask as the checkout of a cart that names its browser does."""
    named = {"client_id": "browser", "checkout_token": "token"}
    return await ask(client, *cart, headers=token(sub=None), consent=consent, **named)


async def test_what_a_guest_looked_at_and_their_arm_go_along_into_the_checkout(
    connections: Connections, reader: EventConsumer, guest: httpx.AsyncClient
) -> None:
    await look(guest, "1", ANALYTICS)
    await work(connections, reader)
    answer = await check_out(guest, ANALYTICS)
    assert offered(answer)[0] == 40  # goes with 20, which the browser looked at
    await check_out(guest, ANALYTICS)
    events = await work(connections, reader)
    assert {each.inputs["unit"] for each in of(DecisionMade, events)} == {BROWSER}
    met = [row for row in await rows(connections, EventRow) if row.name == CHECKOUT_MET]
    assert [(row.client_id, row.checkout_token) for row in met] == [("browser", "token")]


@pytest.mark.parametrize("where", ["in the checkout", "in the storefront"])
async def test_what_a_guest_takes_back_is_forgotten_of_both_though_no_pixel_saw_the_checkout(
    connections: Connections, reader: EventConsumer, guest: httpx.AsyncClient, where: str
) -> None:
    await look(guest, "1", ANALYTICS)
    await work(connections, reader)
    await check_out(guest, ANALYTICS)
    await work(connections, reader)
    if where == "in the checkout":
        await check_out(guest, NOTHING)
    else:
        await look(guest, "2", NOTHING)
    told = of(ConsentTold, await work(connections, reader))
    assert ["browser" for each in told if "analytics" in each.withdrawn and each.client_id] == ["browser"]
    for key in (client_key(SHOP, "browser"), checkout_key(SHOP, "token")):
        assert await connections.redis.exists(key) == 0
    assert not [row for row in await rows(connections, EventRow) if row.client_id or row.checkout_token]
    kept = await rows(connections, DecisionRow)
    assert {(row.checkout_token, row.inputs.get("unit")) for row in kept} == {(None, None)}


async def test_a_checkout_that_goes_on_elsewhere_does_not_undo_what_the_browser_took_back(
    connections: Connections, reader: EventConsumer, guest: httpx.AsyncClient
) -> None:
    await look(guest, "1", ANALYTICS)
    await look(guest, "2", NOTHING)
    await work(connections, reader)
    await check_out(guest, ANALYTICS)  # the link of a letter, opened on another device
    events = await work(connections, reader)
    assert [each.inputs["unit"] for each in of(DecisionMade, events)] == [CHECKOUT]
    assert [(each.client_id, each.checkout_token) for each in of(ConsentTold, events)] == [(None, "token")]
    told = [
        row.answers["analytics"]
        for row in await rows(connections, ConsentRow)
        if row.subject_kind == "client"
    ]
    assert told == [True, False]
    assert not [row for row in await rows(connections, EventRow) if row.client_id]

    await look(guest, "3", ANALYTICS)  # the browser itself may
    await work(connections, reader)
    await check_out(guest, ANALYTICS)
    (decided,) = of(DecisionMade, await work(connections, reader))
    assert decided.inputs["unit"] == BROWSER


async def test_a_checkout_is_never_the_first_to_allow_for_a_browser(
    connections: Connections, reader: EventConsumer, guest: httpx.AsyncClient
) -> None:
    await check_out(guest, ANALYTICS, 10)
    await work(connections, reader)
    assert {row.subject_kind for row in await rows(connections, ConsentRow)} == {"checkout"}


async def test_a_checkout_that_refuses_allows_nothing_in_the_browsers_name_beside(
    connections: Connections, reader: EventConsumer, guest: httpx.AsyncClient
) -> None:
    await look(guest, "1", ANALYTICS)
    await work(connections, reader)
    await check_out(guest, NOTHING | {"marketing": True})
    await work(connections, reader)
    told = [row.answers for row in await rows(connections, ConsentRow) if row.subject_kind == "client"]
    assert [(each["analytics"], each["marketing"]) for each in told] == [(True, False), (False, False)]


async def test_who_checks_out_with_somebodys_cart_does_not_take_their_visit_for_an_account(
    connections: Connections, reader: EventConsumer, guest: httpx.AsyncClient
) -> None:
    await look(guest, "1", ANALYTICS)
    await work(connections, reader)
    await ask(guest, consent=EVERYTHING, client_id="browser", checkout_token="shared")
    await work(connections, reader)
    assert offered(await check_out(guest, ANALYTICS))[0] == 40  # as before: their own visit
    kept: Any = await connections.redis.get(checkout_key(SHOP, "shared"))
    assert unpack_visit(kept).viewed == {}  # which is kept of nobody else's checkout
