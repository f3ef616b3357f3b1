from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from app.connections import Connections
from app.consent.requests import Kind, open_request
from app.errors import ShopifyUnavailable
from app.events.kinds import AppUninstalled
from app.outbound import marking
from app.outbound.settings import WriteBack
from app.outbound.settings_store import switch_write_back
from app.outbound.write_back import note_uninstall, request_due_write_backs, status, unmark, write_back
from app.privacy.erasure import erase_person
from app.shops.store import get_shop
from devstore.records import Customer
from devstore.schema import MODULES
from tests.outbound.segments import answer, change_shop, marks, move
from tests.webhooks.shopfront import SCOPES, Shopfront, installed

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
BOTH = WriteBack(tags=True, metafields=True)
ADA = 7


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    """A shop that lets us write, with both switches on and customer 7, who has a tag of the merchant's."""
    async with installed(connections, f"{SCOPES},write_customers") as made:
        made.shop.customers[ADA].tags = ["vip"]
        await switch_write_back(made.connections, made.installed.shop, BOTH)
        yield made


async def run(front: Shopfront) -> int:
    return await write_back(front.connections, front.installed.shop)


async def to(front: Shopfront, *names: str, who: int = ADA, minute: int = 0) -> None:
    await move(front.connections, front.installed.shop, who, *names, minute=minute)


def tags(front: Shopfront, who: int = ADA) -> list[str]:
    return sorted(front.shop.customers[who].tags)


def metafields(front: Shopfront) -> dict[str, Any]:
    assert front.shop.installation is not None
    held: Mapping[Any, Any] = front.shop.installation.metafields
    return {each.owner: json.loads(each.value) for each in held.values()}


async def counts(front: Shopfront) -> tuple[int, int]:
    shop = await get_shop(front.connections, front.installed.shop)
    assert shop is not None
    told = await status(front.connections, shop)
    return told.written, told.waiting


async def known(front: Shopfront) -> dict[int, Any]:
    return await marks(front.connections, front.installed.shop)


async def test_segments_become_tags_and_a_metafield_beside_the_merchants_own(front: Shopfront) -> None:
    await to(front, "champions", "big_spenders")
    assert await run(front) == 1
    assert tags(front) == ["tillwise:big_spenders", "tillwise:champions", "vip"]
    assert metafields(front) == {"gid://shopify/Customer/7": ["champions", "big_spenders"]}


async def test_nothing_is_written_twice_and_a_move_writes_what_changed(front: Shopfront) -> None:
    await to(front, "champions")
    assert await counts(front) == (0, 1)
    await run(front)
    assert await counts(front) == (1, 0)
    assert await run(front) == 0
    await to(front, "at_risk", minute=1)
    assert await run(front) == 1
    assert tags(front) == ["tillwise:at_risk", "vip"]
    assert metafields(front) == {"gid://shopify/Customer/7": ["at_risk"]}


async def test_without_a_switch_nothing_is_written(connections: Connections) -> None:
    async with installed(connections, f"{SCOPES},write_customers") as front:
        await to(front, "champions")
        assert await run(front) == 0
        assert (tags(front), metafields(front)) == ([], {})


async def test_switched_off_all_of_ours_is_taken_back_and_forgotten(front: Shopfront) -> None:
    await to(front, "champions")
    await run(front)
    await switch_write_back(front.connections, front.installed.shop, WriteBack(metafields=True))
    await run(front)
    assert (tags(front), list(metafields(front))) == (["vip"], ["gid://shopify/Customer/7"])
    await switch_write_back(front.connections, front.installed.shop, WriteBack())
    assert await counts(front) == (0, 1)
    await run(front)
    assert await counts(front) == (0, 0)
    assert (tags(front), metafields(front), await known(front)) == (["vip"], {}, {})


async def test_who_is_in_no_segment_any_more_carries_none(front: Shopfront) -> None:
    await to(front, "champions")
    await run(front)
    await to(front)
    assert await run(front) == 1
    assert (tags(front), metafields(front), await known(front)) == (["vip"], {}, {})


@pytest.mark.parametrize("refused", ["preferences", "marketing"])
async def test_who_refuses_is_not_marked_and_loses_the_marks(front: Shopfront, refused: str) -> None:
    await to(front, "champions")
    await run(front)
    await answer(front.connections, front.installed.shop, ADA, **{refused: False})
    await to(front, "at_risk", minute=1)  # written before the profile followed the refusal
    await run(front)
    assert (tags(front), metafields(front), await known(front)) == (["vip"], {}, {})


async def test_without_the_scope_nothing_is_written_nothing_lost_and_it_is_told(
    connections: Connections,
) -> None:
    async with installed(connections, SCOPES) as front:
        await switch_write_back(front.connections, front.installed.shop, BOTH)
        await to(front, "champions")
        assert await run(front) == 0
        shop = await get_shop(front.connections, front.installed.shop)
        assert shop is not None
        told = await status(front.connections, shop)
        assert (told.lacks_scope, told.written, told.waiting) == (True, 0, 1)


async def test_a_customer_whom_shopify_does_not_have_holds_up_no_other(front: Shopfront) -> None:
    await to(front, "champions", who=1)  # not in the shop
    await to(front, "champions")
    await run(front)
    assert tags(front) == ["tillwise:champions", "vip"]
    assert metafields(front) == {"gid://shopify/Customer/7": ["champions"]}
    assert list(await known(front)) == [ADA]


async def test_more_customers_than_a_request_takes_are_all_written(front: Shopfront) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    for who in range(1_000, 1_060):
        front.shop.add_customer(Customer(who, "A", "B", f"c{who}@example.com", now, now))
        await to(front, "loyal", who=who)
    assert await run(front) == 60
    assert {tuple(tags(front, who)) for who in range(1_000, 1_060)} == {("tillwise:loyal",)}
    assert len(metafields(front)) == 60


async def test_what_a_crash_left_behind_is_finished_or_taken_back(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def died(*_: Any) -> None:
        raise ShopifyUnavailable("the process went away before it wrote down what it had sent")

    await to(front, "champions")
    with monkeypatch.context() as broken:
        broken.setattr(marking, "note_written", died)
        with pytest.raises(ShopifyUnavailable):
            await run(front)
    assert await known(front) == {ADA: (["tillwise:champions"], ["champions"], False)}
    await to(front)  # refused in between: nothing but the note says that there is a tag
    await run(front)
    assert (tags(front), metafields(front), await known(front)) == (["vip"], {}, {})


async def test_a_shop_with_something_to_write_is_asked_for_and_one_without_is_not(front: Shopfront) -> None:
    waiting = f"tw:{{{front.installed.shop}}}:waiting:write_back"
    await run(front)
    await request_due_write_backs(front.connections)
    assert not await front.connections.redis.exists(waiting)
    await to(front, "champions")
    await request_due_write_backs(front.connections)
    assert await front.connections.redis.exists(waiting)


async def test_what_shopify_refuses_is_left_for_a_while(front: Shopfront) -> None:
    await to(front, "champions")
    async with httpx.AsyncClient(transport=httpx.MockTransport(_denied)) as refusing:
        assert await write_back(replace(front.connections, http=refusing), front.installed.shop) == 0
    await request_due_write_backs(front.connections)
    assert not await front.connections.redis.exists(f"tw:{{{front.installed.shop}}}:waiting:write_back")
    assert await known(front) == {ADA: (["tillwise:champions"], ["champions"], False)}


def _denied(_: httpx.Request) -> httpx.Response:
    error = {"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}
    return httpx.Response(200, json={"errors": [error]})


async def test_an_erasure_takes_the_marks_back_before_it_forgets_them(front: Shopfront) -> None:
    shop, ours = front.installed.shop, front.connections
    await to(front, "champions")
    await run(front)
    await open_request(ours, shop, "r", Kind.CUSTOMER, datetime.now(UTC), customer_id=ADA)
    signed = await erase_person(ours, shop, "r")
    assert signed.receipt.deleted["shopify_marks"] == 1
    assert (tags(front), metafields(front), await known(front)) == (["vip"], {}, {})
    assert await run(front) == 0


async def test_an_erasure_after_the_app_is_gone_forgets_what_can_not_be_taken_back(front: Shopfront) -> None:
    await to(front, "champions")
    await run(front)
    await change_shop(front.connections, front.installed.shop, uninstalled_at=datetime.now(UTC))
    await unmark(front.connections, front.installed.shop, [ADA])
    assert await known(front) == {}
    assert tags(front) == ["tillwise:champions", "vip"]


async def test_a_shop_that_comes_back_gets_its_metafields_again_and_its_tags_are_known(
    front: Shopfront,
) -> None:
    await to(front, "champions")
    await run(front)
    front.shop.installation.metafields.clear()  # type: ignore[union-attr]
    shop, now = front.installed.shop, datetime.now(UTC)
    event = AppUninstalled(shop=shop, event_id="e", happened_at=now)
    await change_shop(front.connections, shop, uninstalled_at=now)
    await note_uninstall(front.connections, event)
    assert await known(front) == {ADA: (["tillwise:champions"], None, False)}
    await change_shop(front.connections, shop, uninstalled_at=None)
    await run(front)
    assert metafields(front) == {"gid://shopify/Customer/7": ["champions"]}
    await note_uninstall(front.connections, event)  # told once more, after the return
    assert await known(front) == {ADA: (["tillwise:champions"], ["champions"], False)}
    await run(front)
    assert metafields(front) == {"gid://shopify/Customer/7": ["champions"]}
