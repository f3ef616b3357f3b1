"""The calls of the segments pages: what they keep, what they refuse, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.admin.routes import routes
from app.campaigns.store import change_status, keep_campaign
from app.config import Settings
from app.connections import Connections, connect, redis_key
from app.experiments.design import read_design
from app.experiments.versions import draft, start, stop
from app.profiles.keys import customer_key
from app.profiles.packed import unpack_profile
from app.profiles.reviews import review_of, reviews
from app.profiles.segmenting import segment_shop
from app.shops.store import get_shop
from app.values import ShopDomain
from tests.admin.experiment_factories import design
from tests.admin.factories import OTHER, SHOP, bearer, entrance, keep, now, opened, shop_row
from tests.admin.segment_factories import REGULARS, candidate, in_segment, keep_segments
from tests.admin.test_markup import SEGMENTS
from tests.admin.test_segments import sell
from tests.campaigns.factories import a_campaign
from tests.shops.web import browsing

CALLS = ("run", "check", "keep", "remove", "approach/check", "approach", "decide")
BIG_SPENDERS = {
    "name": "big_spenders",
    "match": "any",
    "conditions": [{"measure": "average_order", "compare": "more_than", "value": "100.00"}],
}


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def call(browser: httpx.AsyncClient, name: str, body: Any, shop: str = SHOP) -> httpx.Response:
    return await browser.post(f"/admin/api/segments/{name}", json=body, headers=bearer(shop))


async def settings_of(connections: Connections) -> Mapping[str, Any]:
    shop = await get_shop(connections, SHOP)
    assert shop is not None
    return shop.settings


async def test_segment_is_checked_while_it_is_written_and_every_mistake_names_its_field(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    good = await call(browser, "check", {"segment": BIG_SPENDERS})
    assert good.json() == {"says": "Average order more than $100.00."}
    condition = BIG_SPENDERS["conditions"][0]
    for changes, field in (
        ({"name": "Big, bigger"}, "segments[0].name"),
        ({"name": "regulars"}, "segments[0].name"),
        ({"name": "REGULARS"}, "segments[0].name"),
        ({"name": "champions"}, "segments[0].name"),
        ({"name": "At-risk"}, "segments[0].name"),
        ({"name": "Zögernde Käufer"}, "segments[0].name"),  # what hesitant buyers are called in German
        ({"conditions": []}, "segments[0].conditions"),
        ({"conditions": [condition, condition | {"value": "ten"}]}, "segments[0].conditions[1].value"),
        ({"conditions": [condition | {"within_days": 0}]}, "segments[0].conditions[0].within_days"),
        ({"conditions": [condition | {"measure": "shoe_size"}]}, "segments[0].conditions[0].measure"),
        ({"colour": "red"}, "segments[0].colour"),
    ):
        answer = await call(browser, "check", {"segment": BIG_SPENDERS | changes})
        assert (answer.status_code, answer.json()["field"]) == (400, field), changes
    assert (await settings_of(connections))["segments"] == [REGULARS]


async def test_segment_is_kept_changed_and_removed_and_a_segmentation_asked_for(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    kept = await call(browser, "keep", {"segment": BIG_SPENDERS})
    assert kept.json() == {"name": "big_spenders", "requested": True}
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "segment"))
    assert "Average order more than $100.00." in await opened(browser, "/admin/segments/own")
    renamed = BIG_SPENDERS | {"name": "spenders"}
    await call(browser, "keep", {"segment": renamed, "replaces": "big_spenders"})
    assert [each["name"] for each in (await settings_of(connections))["segments"]] == ["regulars", "spenders"]
    assert (await call(browser, "remove", {"name": "regulars"})).status_code == 200
    assert [each["name"] for each in (await settings_of(connections))["segments"]] == ["spenders"]
    for name, body in (("remove", {"name": "regulars"}), ("keep", {"segment": renamed, "replaces": "gone"})):
        assert (await call(browser, name, body)).status_code == 404


async def test_segment_that_is_asked_for_is_neither_renamed_nor_removed_and_it_is_said_who_asks_for_it(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    asks, shop = {"in": ["regulars", {"var": "profile.segments"}]}, ShopDomain(SHOP)
    some = {"some": [{"var": "profile.segments"}, {"in": [{"var": ""}, ["loyal", "regulars"]]}]}
    of_that_type = {"in": ["regulars", {"var": "cart.product_types"}]}
    for name, rule in (("draft", {"!": [some]}), ("over", asks), ("runs", asks), ("type", of_that_type)):
        await keep_campaign(connections, shop, a_campaign(name, rule=rule))
    for name, status in (("runs", "running"), ("over", "stopped"), ("type", "running")):
        await change_status(connections, shop, name, status)
    policy = {"warm": [{"approach": "loyalty", "segments": ["regulars"]}]}
    await call(browser, "approach", {"policy": policy})
    for customer in ("10", "11"):
        pin = {"customer_id": customer, "verdict": "pinned", "segment": "regulars"}
        assert (await call(browser, "decide", pin)).status_code == 200
    changes: dict[str, Any] = {"campaigns": {"type": {"rule": asks}}, "approach": policy}
    arms = [{"name": "plain"}, {"name": "other", "changes": changes}]
    of_arms = design(says="Gold", arms=arms, control="plain")
    await draft(connections, shop, read_design(of_arms), now())
    await start(connections, shop, of_arms["id"], now())

    renamed = {"segment": REGULARS | {"name": "Großkunden"}, "replaces": "regulars"}
    for name, body in (("check", renamed), ("keep", renamed), ("remove", {"name": "regulars"})):
        answer = await call(browser, name, body)
        assert answer.status_code == 400, name
        said = answer.json()["error"]
        assert "“Draft”, “Runs”, experiment “Gold”, Cold and warm, and 2 pinned customers" in said, said
    assert (await settings_of(connections))["segments"] == [REGULARS]
    other_conditions = REGULARS | {"match": "any"}
    body = {"segment": other_conditions, "replaces": "regulars"}
    assert (await call(browser, "keep", body)).status_code == 200

    for name in ("draft", "runs"):
        await keep_campaign(connections, shop, a_campaign(name))
    await stop(connections, shop, of_arms["id"], now())
    await call(browser, "approach", {"policy": {}})
    for customer in ("10", "11"):
        await call(browser, "decide", {"customer_id": customer, "verdict": "open"})
    assert (await call(browser, "keep", renamed)).status_code == 200
    assert (await call(browser, "remove", {"name": "Großkunden"})).status_code == 200


async def test_segment_is_called_as_the_merchant_writes_it_in_any_language(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    for name in ("VIP & Großkunden", "常連"):
        kept = await call(browser, "keep", {"segment": BIG_SPENDERS | {"name": name}})
        assert kept.json()["name"] == name
    page = await opened(browser, "/admin/segments/own")
    assert ">VIP &amp; Großkunden<" in page
    assert "edit=VIP%20%26%20Gro%C3%9Fkunden" in page
    assert 'value="VIP &amp; Großkunden"' in await opened(
        browser, "/admin/segments/own", edit="VIP & Großkunden"
    )
    policy = {"warm": [{"approach": "loyalty", "segments": ["常連"]}]}
    assert (await call(browser, "approach", {"policy": policy})).status_code == 200
    pin = {"customer_id": "10", "verdict": "pinned", "segment": "VIP & Großkunden"}
    assert (await call(browser, "decide", pin)).status_code == 200
    card = await opened(browser, "/admin/customer", id="10")
    assert "Pinned to VIP &amp; Großkunden" in card


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    both = [seen_on(await opened(browser, "/admin/segments/own", edit="regulars")) for _ in range(2)]
    for seen, status in zip(both, (200, 400), strict=True):
        body = {"segment": REGULARS | {"match": "any"}, "replaces": "regulars", "seen": seen}
        assert (await call(browser, "keep", body)).status_code == status
    answer = await call(browser, "check", {"segment": REGULARS, "replaces": "regulars", "seen": both[1]})
    assert "Somebody changed this meanwhile" in answer.json()["error"]
    policy = {"warm_from_orders": 2}
    seen = seen_on(await opened(browser, "/admin/segments/approach"))
    kept = (await call(browser, "approach", {"policy": policy, "seen": seen})).json()
    assert (await call(browser, "approach", {"policy": {}, "seen": seen})).status_code == 400
    assert (await settings_of(connections))["approach"]["warm_from_orders"] == 2
    assert (await call(browser, "approach", {"policy": {}, "seen": kept["seen"]})).status_code == 200


def seen_on(page: str) -> str:
    """Return the state that the page's form sends along."""
    (seen,) = re.findall(r'data-seen="([0-9a-f]+)"', page)
    return str(seen)


async def test_every_process_hears_of_a_changed_segment(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    async with connections.redis.pubsub() as channel:
        await channel.subscribe("tw:changed")
        await call(browser, "keep", {"segment": BIG_SPENDERS})
        heard = [await channel.get_message(timeout=60) for _ in range(2)]
    assert SHOP.encode() in [each["data"] for each in heard if each]


async def test_way_with_shoppers_is_checked_and_kept(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    policy = {
        "warm_from_orders": 2,
        "cold": [{"approach": "generic_offer", "most_percent": 15}],
        "warm": [{"approach": "loyalty", "segments": ["regulars", "champions"]}],
    }
    assert (await call(browser, "approach/check", {"policy": policy})).status_code == 200
    assert "approach" not in await settings_of(connections)
    assert (await call(browser, "approach", {"policy": policy})).json()["requested"]
    kept = (await settings_of(connections))["approach"]
    assert (kept["warm_from_orders"], kept["cold"][0]["most_percent"]) == (2, 15)
    assert 'value="Regulars, Champions"' in await opened(browser, "/admin/segments/approach")
    for changes, field in (
        ({"warm_from_orders": 0}, "warm_from_orders"),
        ({"cold": [{"approach": "loyalty"}]}, "cold[0].approach"),
        ({"warm": [{"approach": "loyalty", "segments": ["nobody"]}]}, "warm[0].segments"),
        ({"cold": [{"approach": "education", "most_percent": 91}]}, "cold[0].most_percent"),
    ):
        answer = await call(browser, "approach", {"policy": policy | changes})
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await settings_of(connections))["approach"] == kept


async def test_pin_holds_at_once_outlives_a_training_and_can_be_taken_back(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await sell(connections)
    await segment_shop(connections, ShopDomain(SHOP))
    pin = {"customer_id": "1", "verdict": "pinned", "segment": "loyal"}
    assert (await call(browser, "decide", pin)).json() == {"applied": True}
    profile = unpack_profile(await connections.redis.get(customer_key(SHOP, 1)))
    assert profile.segments == ("loyal", "dormant")
    await segment_shop(connections, ShopDomain(SHOP))
    card = await opened(browser, "/admin/customer", id="1")
    assert "The merchant put this customer here." in card
    assert "Dormant → Loyal" in card
    assert "By staff member 42" in card
    await call(browser, "decide", {"customer_id": "1", "verdict": "open"})
    assert unpack_profile(await connections.redis.get(customer_key(SHOP, 1))).segments == ("dormant",)
    assert await review_of(connections, SHOP, 1) is None
    assert (await call(browser, "decide", {"customer_id": "1", "verdict": "open"})).status_code == 404


async def test_customer_who_stands_out_leaves_the_queue_and_comes_back_when_the_word_is_taken_back(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    assert "An order of $9,000.00" in await opened(browser, "/admin/segments/review")
    await call(browser, "decide", {"customer_id": "11", "verdict": "excluded"})
    assert "Excluded from what is learnt" in await opened(browser, "/admin/segments/review")
    decided = await review_of(connections, SHOP, 11)
    assert decided is not None
    assert (decided.verdict, decided.decided_by) == ("excluded", "42")
    await call(browser, "decide", {"customer_id": "11", "verdict": "open"})
    assert 11 in [each.customer_id for each in await reviews(connections, SHOP, only_open=True)]


async def test_who_may_not_be_profiled_is_not_shown_in_the_queue(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row(), candidate(5))
    assert "Nobody to look at" in await opened(browser, "/admin/segments/review")
    assert "1 customer to look at" not in await opened(browser, "/admin")
    assert "An order of" not in await opened(browser, "/admin/customer", id="5")


async def test_pin_needs_a_segment_there_is_and_a_customer_there_is(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    for segment in (None, "", "nowhere"):
        body = {"customer_id": "10", "verdict": "pinned", "segment": segment}
        answer = await call(browser, "decide", body)
        assert (answer.status_code, answer.json()["field"]) == (400, "segment")
    assert (await call(browser, "decide", {"customer_id": "99", "verdict": "confirmed"})).status_code == 404
    assert (await call(browser, "decide", {"customer_id": "ann", "verdict": "confirmed"})).status_code == 400


async def test_segmentation_is_asked_for_and_followed(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    assert (await call(browser, "run", {})).status_code == 202
    assert await connections.redis.exists(redis_key(SHOP, "waiting", "segment"))
    before = await browser.get("/admin/api/segments/progress", headers=bearer())
    assert before.json() == {"stage": "asked", "done": 0, "trained_at": ""}
    await segment_shop(connections, ShopDomain(SHOP))
    after = (await browser.get("/admin/api/segments/progress", headers=bearer())).json()
    assert after["stage"] == "done"
    assert after["trained_at"]


async def test_one_shop_sees_and_changes_nothing_of_another(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep_segments(connections)
    await keep(connections, shop_row(OTHER))
    assert "No segments yet" in await opened(browser, "/admin/segments", OTHER)
    assert "Customer 10 is in no segment" in await opened(browser, "/admin/customer", OTHER, id="10")
    assert "Nobody to look at" in await opened(browser, "/admin/segments/review", OTHER)
    body = {"customer_id": "10", "verdict": "confirmed"}
    assert (await call(browser, "decide", body, OTHER)).status_code == 404
    assert (await call(browser, "remove", {"name": "regulars"}, OTHER)).status_code == 404


async def test_call_that_makes_no_sense_or_has_no_good_token_is_refused(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    for name in CALLS:
        address = f"/admin/api/segments/{name}"
        assert (await browser.post(address, json={})).status_code == 401
        for body in (b"", b"[]", b"{}", b'{"x": 1}', b"\xff", b"[" * 4000):
            if name != "run":
                answer = await browser.post(address, content=body, headers=bearer())
                assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


async def test_without_its_database_every_call_and_page_says_so(settings: Settings, redis_url: str) -> None:
    nowhere = replace(settings, database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    async with connect(nowhere, redis_url) as connections, browsing(routes, connections) as browser:
        for name in CALLS:
            answer = await call(browser, name, {})
            assert answer.status_code == 503
            assert "can't reach its database" in answer.json()["error"]
        for path in SEGMENTS:
            address, query = entrance(path)
            page = await browser.get(address, params=query)
            assert page.status_code == 503
            assert "can&#39;t reach its database" in page.text


async def test_without_redis_a_word_and_a_segment_are_kept_and_it_is_said_that_they_hold_later(
    connections: Connections, settings: Settings
) -> None:
    await keep_segments(connections)
    await keep(connections, in_segment(20, "dormant", (1, 1, 1)))
    alone = replace(settings, database_url=connections.settings.database_url)
    async with connect(alone, "redis://127.0.0.1:1") as cut_off, browsing(routes, cut_off) as browser:
        kept = await call(browser, "keep", {"segment": BIG_SPENDERS})
        assert kept.json() == {"name": "big_spenders", "requested": False}
        decided = await call(browser, "decide", {"customer_id": "20", "verdict": "confirmed"})
        assert decided.json() == {"applied": False}
    review = await review_of(connections, SHOP, 20)
    assert review is not None
    assert review.verdict == "confirmed"
