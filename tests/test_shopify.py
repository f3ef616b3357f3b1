from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx

from app.config import Settings
from app.errors import InputError, ShopClosed, ShopifyRefused, ShopifyUnavailable, TokenRevoked
from app.shopify import accepted, graphql, open_http, operation_name, request_grant, throttle_pause_s

SHOP = "acme.myshopify.com"
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"
TOKEN_URL = f"https://{SHOP}/admin/oauth/access_token"
QUERY = "query Name { shop { name } }"
MUTATION = "mutation Make { webPixelDelete(id: 1) { userErrors { message } } }"
GOOD = httpx.Response(200, json={"data": {"shop": {"name": "Acme"}}})
# What Shopify says of its own failures, as its changelog of 31 October 2019 has it.
FAILED_INSIDE = httpx.Response(
    200,
    json={
        "data": None,
        "errors": [
            {
                "message": "Internal error. Looks like something went wrong on our end.",
                "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "d2f47302"},
            }
        ],
    },
)


class Pauses:
    """Keeps what was slept, and sleeps none of it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with open_http(settings) as client:
        yield client


def throttled(needed: int = 100, held: int = 20, most: int = 2000) -> httpx.Response:
    status = {"maximumAvailable": most, "currentlyAvailable": held, "restoreRate": 40}
    body = {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": needed, "throttleStatus": status}},
    }
    return httpx.Response(200, json=body)


async def test_answer_is_the_data_and_the_request_is_shopifys(
    http: httpx.AsyncClient, settings: Settings
) -> None:
    with respx.mock:
        route = respx.post(URL).mock(return_value=GOOD)
        data = await graphql(http, settings, SHOP, "shpat_secret", QUERY, {"a": 1})
    assert data == {"shop": {"name": "Acme"}}
    sent = route.calls.last.request
    assert sent.headers["X-Shopify-Access-Token"] == "shpat_secret"
    assert json.loads(sent.content) == {"query": QUERY, "variables": {"a": 1}}


async def test_throttle_inside_a_200_is_waited_out_by_its_cost(
    http: httpx.AsyncClient, settings: Settings
) -> None:
    pauses = Pauses()
    with respx.mock:
        respx.post(URL).mock(side_effect=[throttled(100, 20), GOOD])
        data = await graphql(http, settings, SHOP, "t", MUTATION, sleep=pauses)
    assert data["shop"]["name"] == "Acme"
    assert pauses.seconds == [2.0]  # (100 - 20) / 40


async def test_429_waits_as_long_as_shopify_says(http: httpx.AsyncClient, settings: Settings) -> None:
    pauses = Pauses()
    busy = httpx.Response(429, headers={"Retry-After": "2.0"})
    with respx.mock:
        respx.post(URL).mock(side_effect=[busy, GOOD])
        await graphql(http, settings, SHOP, "t", QUERY, sleep=pauses)
    assert pauses.seconds == [2.0]


@pytest.mark.parametrize("failure", [httpx.Response(503), httpx.ReadTimeout("slow"), FAILED_INSIDE], ids=str)
async def test_query_is_asked_again_after_a_short_failure_with_longer_pauses(
    http: httpx.AsyncClient, settings: Settings, failure: Any
) -> None:
    pauses = Pauses()
    with respx.mock:
        respx.post(URL).mock(side_effect=[failure, failure, GOOD])
        await graphql(http, settings, SHOP, "t", QUERY, sleep=pauses)
    first, second = pauses.seconds
    assert 0.375 <= first <= 0.625 < 0.75 <= second <= 1.25


@pytest.mark.parametrize("failure", [httpx.Response(502), httpx.ReadTimeout("slow"), FAILED_INSIDE], ids=str)
async def test_mutation_whose_outcome_is_unknown_is_not_sent_again(
    http: httpx.AsyncClient, settings: Settings, failure: Any
) -> None:
    with respx.mock:
        route = respx.post(URL).mock(side_effect=[failure])
        with pytest.raises(ShopifyUnavailable):
            await graphql(http, settings, SHOP, "t", MUTATION, sleep=Pauses())
    assert route.call_count == 1


async def test_mutation_that_never_left_is_sent_again(http: httpx.AsyncClient, settings: Settings) -> None:
    with respx.mock:
        respx.post(URL).mock(side_effect=[httpx.ConnectError("down"), GOOD])
        await graphql(http, settings, SHOP, "t", MUTATION, sleep=Pauses())


async def test_patience_ends_and_the_error_names_shop_and_operation_not_the_token(
    http: httpx.AsyncClient, settings: Settings
) -> None:
    pauses = Pauses()
    with respx.mock:
        route = respx.post(URL).mock(side_effect=httpx.ConnectError("down"))
        with pytest.raises(ShopifyUnavailable, match=f"{SHOP} Name") as caught:
            await graphql(http, settings, SHOP, "shpat_secret", QUERY, sleep=pauses)
    assert route.call_count == 6
    assert len(pauses.seconds) == 5
    assert "shpat_secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401), TokenRevoked),
        (httpx.Response(402), ShopClosed),
        (httpx.Response(423), ShopClosed),
        (httpx.Response(430), ShopifyUnavailable),
        (
            httpx.Response(200, json={"errors": [{"message": "", "extensions": {"code": "SHOP_INACTIVE"}}]}),
            ShopClosed,
        ),
        (httpx.Response(404, text="<html>"), ShopifyRefused),
        (httpx.Response(200, text="<html>"), ShopifyUnavailable),
        (httpx.Response(200, json=[1]), ShopifyUnavailable),
        (httpx.Response(200, json={"errors": "Not Found"}), ShopifyRefused),
        (
            httpx.Response(200, json={"data": {"a": 1}, "errors": [{"message": "denied"}]}),
            ShopifyRefused,
        ),
        (throttled(needed=3000), ShopifyRefused),
    ],
    ids=["401", "402", "423", "430", "inactive", "404", "html", "list", "text", "partial", "too dear"],
)
async def test_answer_that_another_try_would_not_change_is_an_error_at_once(
    http: httpx.AsyncClient, settings: Settings, answer: httpx.Response, error: type[Exception]
) -> None:
    with respx.mock:
        route = respx.post(URL).mock(return_value=answer)
        with pytest.raises(error, match=SHOP):
            await graphql(http, settings, SHOP, "t", QUERY, sleep=Pauses())
    assert route.call_count == 1


async def test_nothing_leaves_for_what_is_no_shop(http: httpx.AsyncClient, settings: Settings) -> None:
    with respx.mock, pytest.raises(InputError):
        await graphql(http, settings, "evil.com", "t", QUERY, sleep=Pauses())


@pytest.mark.parametrize(
    ("status", "error"),
    # The second is how Shopify answers a refresh token that was used.
    [(400, "invalid_grant"), (401, "invalid_request"), (400, "invalid_subject_token")],
)
async def test_used_up_code_or_token_is_a_revoked_token(
    http: httpx.AsyncClient, settings: Settings, status: int, error: str
) -> None:
    answer = httpx.Response(status, json={"error": error})
    with respx.mock:
        respx.post(TOKEN_URL).mock(return_value=answer)
        with pytest.raises(TokenRevoked, match=error):
            await request_grant(http, settings, SHOP, {"refresh_token": "r"}, sleep=Pauses())


@pytest.mark.parametrize("status", [400, 401])
async def test_wrong_client_is_a_refusal_and_says_nothing_of_the_shops_token(
    http: httpx.AsyncClient, settings: Settings, status: int
) -> None:
    answer = httpx.Response(status, json={"error": "invalid_client"})
    with respx.mock:
        respx.post(TOKEN_URL).mock(return_value=answer)
        with pytest.raises(ShopifyRefused, match="invalid_client"):
            await request_grant(http, settings, SHOP, {}, sleep=Pauses())


async def test_bulk_result_is_fetched_but_never_with_the_shops_token(
    http: httpx.AsyncClient,
) -> None:
    url = "https://storage.googleapis.com/shopify/bulk.jsonl?signature=x"
    with respx.mock:
        respx.get(url).respond(text="{}\n")
        assert (await http.get(url)).text == "{}\n"
        with pytest.raises(InputError):
            await http.get(url, headers={"X-Shopify-Access-Token": "t"})
        with pytest.raises(InputError):
            await http.post(url)


@pytest.mark.parametrize(
    ("needed", "held", "pause_s"),
    [(100, 20, 2.0), (100, 99, 1.0), (100, 200, 1.0), (2001, 0, None)],
)
def test_pause_is_what_the_bucket_needs_to_fill_and_at_least_a_second(
    needed: int, held: int, pause_s: float | None
) -> None:
    assert throttle_pause_s(throttled(needed, held).json()) == pause_s


def test_throttle_without_a_cost_waits_a_second() -> None:
    assert throttle_pause_s({}) == 1.0


def test_user_errors_say_field_message_and_code() -> None:
    error = {"field": ["webPixel", "settings"], "message": "is wrong", "code": "INVALID_SETTINGS"}
    data = {"webPixelCreate": {"userErrors": [error]}}
    with pytest.raises(ShopifyRefused, match=r"webPixel.settings is wrong \(INVALID_SETTINGS\)"):
        accepted(data, "webPixelCreate", shop=SHOP)
    assert accepted({"x": {"userErrors": [], "id": 1}}, "x", shop=SHOP)["id"] == 1


@pytest.mark.parametrize(
    ("document", "name"),
    [(QUERY, "Name"), ("\n  mutation Make($a: ID!) {", "Make"), ("{ shop }", "unnamed operation")],
)
def test_documents_are_named_by_their_operation(document: str, name: str) -> None:
    assert operation_name(document) == name
