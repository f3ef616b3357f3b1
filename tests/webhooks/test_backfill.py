from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import delete, select
from streaq import TaskStatus

from app.catalog.store import load_catalog
from app.connections import Connections
from app.consent.requests import Kind, open_request
from app.errors import ShopClosed, ShopifyRefused, ShopifyUnavailable
from app.events.erased import only_kept
from app.events.kinds import BulkOperationFinished, CustomerChanged
from app.jobs import exclusive_job, job_queue
from app.privacy import unfinished
from app.privacy.erasure import erase_person
from app.privacy.shop import erase_shop
from app.privacy.unfinished import RequestIncomplete
from app.profiles.store import customer_key
from app.shops.store import install
from app.shops.tokens import exchange_id_token
from app.tables import (
    BackfillRow,
    CustomerRow,
    InventoryRow,
    OrderLineRow,
    OrderRow,
)
from app.values import ShopDomain
from devstore.schema import MODULES
from tests.devstore.conftest import past_order, second_customer
from tests.devstore.small_shop import NOW
from tests.webhooks.shopfront import Shopfront, installed, installed_late
from webhooks import backfill
from webhooks.backfill import PAUSES, resume_backfill, run_backfill

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def front(connections: Connections) -> AsyncIterator[Shopfront]:
    async with installed_late(connections) as made:
        yield made


async def rows(connections: Connections, kind: Any) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(kind))).all())


async def statuses(front: Shopfront) -> dict[str, tuple[str, int]]:
    kept = await rows(front.connections, BackfillRow)
    return {row.kind: (row.status, row.loaded) for row in kept}


async def test_a_shops_history_is_imported(front: Shopfront) -> None:
    await run_backfill(front.connections, front.installed.shop)
    assert await statuses(front) == {
        "products": ("done", 4),
        "customers": ("done", 1),
        "orders": ("done", 5),
    }
    catalog = await load_catalog(front.connections, front.installed.shop)
    assert catalog.products[1].title == "Whole Milk"
    assert catalog.products[1].variants[0].price_minor == 349
    assert catalog.available_ids == {1, 2, 3}  # the ice cream is sold out
    (customer,) = await rows(front.connections, CustomerRow)
    assert (customer.customer_id, customer.orders_count) == (7, 5)
    orders = await rows(front.connections, OrderRow)
    assert customer.spent_minor == sum(order.total_minor for order in orders)
    assert customer.last_order_at == max(order.created_at for order in orders)
    assert {order.customer_id for order in orders} == {7}
    assert {order.subtotal_minor for order in orders} == {698}  # 2 x 3.49
    lines = await rows(front.connections, OrderLineRow)
    assert {(line.variant_id, line.quantity, line.price_minor) for line in lines} == {(101, 2, 349)}
    assert await front.connections.redis.exists(customer_key(front.installed.shop, 7))
    levels = await rows(front.connections, InventoryRow)
    assert {level.inventory_item_id: level.available for level in levels}[904] == 0


async def test_what_no_offer_is_made_of_is_imported_so(front: Shopfront) -> None:
    front.shop.products[2].requires_selling_plan = front.shop.products[3].gift_card = True
    await run_backfill(front.connections, front.installed.shop)
    catalog = await load_catalog(front.connections, front.installed.shop)
    assert catalog.products[2].title == "Sourdough Loaf"
    assert catalog.available_ids == {1}


async def test_what_the_shop_does_not_count_is_imported_as_in_stock(front: Shopfront) -> None:
    front.shop.variants[104].tracked = False  # Shopify still tells a number of each place
    await run_backfill(front.connections, front.installed.shop)
    catalog = await load_catalog(front.connections, front.installed.shop)
    assert catalog.available_ids == {1, 2, 3, 4}


async def test_prices_are_read_in_the_currency_the_shop_has_though_nobody_described_it_yet(
    front: Shopfront,
) -> None:
    front.shop.currency = "JPY"
    await run_backfill(front.connections, front.installed.shop)
    catalog = await load_catalog(front.connections, front.installed.shop)
    # Shopify says 349, and yen have no decimals.
    assert (catalog.currency, catalog.products[1].variants[0].price_minor) == ("JPY", 349)


async def test_an_import_does_not_bring_an_erased_customer_back(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    await open_request(connections, shop, "r", Kind.CUSTOMER, datetime.now(UTC), customer_id=7)
    await erase_person(connections, shop, "r")
    await run_backfill(connections, shop)
    assert await rows(connections, CustomerRow) == []
    orders = await rows(connections, OrderRow)
    assert {(order.customer_id, order.checkout_token) for order in orders} == {(None, None)}
    assert len(orders) == 5
    assert not await connections.redis.exists(customer_key(shop, 7))


async def test_an_erasure_does_not_end_while_an_import_writes_by_an_earlier_look(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, shop = front.connections, front.installed.shop
    monkeypatch.setattr(unfinished, "_PATIENCE_S", 0)
    await open_request(connections, shop, "r", Kind.CUSTOMER, datetime.now(UTC), customer_id=7)
    looked = list[type[object]]()

    async def look_then_redact(connections: Connections, events: Sequence[Any]) -> list[Any]:
        kept = await only_kept(connections, events)
        looked.extend(map(type, kept[:1]))
        with pytest.raises(RequestIncomplete):
            await erase_person(connections, shop, "r")
        return kept

    monkeypatch.setattr(backfill, "only_kept", look_then_redact)
    await run_backfill(connections, shop)
    assert looked[0] is CustomerChanged
    await erase_person(connections, shop, "r")
    assert await rows(connections, CustomerRow) == []
    assert {order.customer_id for order in await rows(connections, OrderRow)} == {None}
    assert not await connections.redis.exists(customer_key(shop, 7))


async def test_an_import_tells_who_was_merged_into_whom_while_the_app_was_away(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    await run_backfill(connections, shop)
    second_customer(front.shop)
    for order in front.shop.orders.values():
        order.customer_id, order.updated_at = 8, NOW
    async with connections.write() as db:
        await db.exec(delete(BackfillRow))
    await run_backfill(connections, shop)
    heirs = {each.customer_id: each.heir_id for each in await rows(connections, CustomerRow)}
    assert heirs == {7: 8, 8: None}
    assert {order.customer_id for order in await rows(connections, OrderRow)} == {8}


async def test_the_history_of_a_shop_that_was_erased_and_came_back_is_imported(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    await run_backfill(connections, shop)
    await open_request(connections, shop, "gone", Kind.SHOP, datetime.now(UTC))
    await erase_shop(connections, shop, "gone")
    assert await rows(connections, OrderRow) == []
    token = (await front.http.post("/control/id-token")).json()["token"]
    await install(connections, shop, await exchange_id_token(connections, shop, token))
    await run_backfill(connections, shop)
    assert len(await rows(connections, OrderRow)) == 5
    (customer,) = await rows(connections, CustomerRow)
    assert customer.customer_id == 7


async def test_without_the_scope_for_all_orders_sixty_days_are_imported(
    connections: Connections,
) -> None:
    async with installed(connections) as front:
        now = datetime.now(NOW.tzinfo)
        for number, days in enumerate((1, 59, 61, 300), 1):
            made = past_order(front.shop, 0, number)
            made.created_at = made.updated_at = now - timedelta(days=days)
        await run_backfill(front.connections, front.installed.shop)
        assert len(await rows(connections, OrderRow)) == 2


async def test_an_import_can_be_repeated(front: Shopfront) -> None:
    for _ in range(2):
        await run_backfill(front.connections, front.installed.shop)
    assert len(await rows(front.connections, OrderRow)) == 5
    assert (await statuses(front))["orders"] == ("done", 5)


class CutOff(httpx.AsyncBaseTransport):
    """Breaks the connection in the middle of the first downloads."""

    def __init__(self, inner: httpx.AsyncClient, times: int) -> None:
        self._inner = inner
        self._times = times
        self.ranges: list[str | None] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner._transport.handle_async_request(request)
        if request.method != "GET":
            return response
        self.ranges.append(request.headers.get("Range"))
        body = await response.aread()
        if self._times == 0:
            return httpx.Response(response.status_code, headers=response.headers, content=body)
        self._times -= 1
        return httpx.Response(response.status_code, content=_broken(body[: len(body) * 2 // 3]))


async def _broken(body: bytes) -> AsyncIterator[bytes]:
    yield body
    raise httpx.ReadError("the connection broke")


async def test_a_download_that_broke_goes_on_at_the_last_object_stored(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BATCH", 1)
    cut = CutOff(front.connections.http, times=4)
    async with httpx.AsyncClient(transport=cut) as http:
        ours = replace(front.connections, http=http)
        for _ in range(4):
            with pytest.raises(ShopifyUnavailable):
                await run_backfill(ours, front.installed.shop)
        await run_backfill(ours, front.installed.shop)
    assert any(asked for asked in cut.ranges)
    assert (await statuses(front))["orders"] == ("done", 5)
    assert len(await rows(front.connections, OrderRow)) == 5


async def test_an_operation_that_failed_is_told_and_started_anew_next_time(front: Shopfront) -> None:
    front.store.fail_next_bulk_after = 1
    with pytest.raises(ShopifyRefused, match="FAILED INTERNAL_SERVER_ERROR"):
        await run_backfill(front.connections, front.installed.shop)
    (failed,) = [row for row in await rows(front.connections, BackfillRow) if row.status == "failed"]
    assert failed.kind == "products"
    assert "INTERNAL_SERVER_ERROR" in failed.error
    await run_backfill(front.connections, front.installed.shop)
    assert {status for status, _ in (await statuses(front)).values()} == {"done"}


async def put_back(front: Shopfront) -> list[float]:
    """Return after how many minutes from now the queue begins an import, for each that it holds back."""
    queue = job_queue(front.connections.redis_url)
    async with queue:
        held = await queue.get_tasks_by_status(TaskStatus.SCHEDULED)
    found = [task.scheduled - datetime.now(UTC) for task in held if task.fn_name == "backfill"]
    return sorted(round(each.total_seconds() / 60, 1) for each in found)


async def test_an_import_that_shopify_gave_up_is_tried_again_by_itself_after_longer_and_longer(
    front: Shopfront,
) -> None:
    connections, shop = front.connections, front.installed.shop
    for times in range(len(PAUSES) + 1):
        front.store.fail_next_bulk_after = 1
        with pytest.raises(ShopifyRefused):
            await run_backfill(connections, shop)
        expected = [each.total_seconds() / 60 for each in PAUSES[: times + 1]]
        assert await put_back(front) == pytest.approx(expected, abs=0.5)
    await run_backfill(connections, shop)
    assert not await connections.redis.exists(f"tw:{{{shop}}}:resting:backfill")


@pytest.mark.parametrize("status", [402, 423], ids=["frozen", "locked"])
async def test_the_import_of_a_shop_that_is_closed_goes_on_by_itself_once_it_is_open(
    front: Shopfront, status: int
) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(status))) as closed:
        with pytest.raises(ShopClosed):
            await run_backfill(replace(front.connections, http=closed), front.installed.shop)
    assert await put_back(front) == [pytest.approx(1, abs=0.5)]
    await run_backfill(front.connections, front.installed.shop)
    assert {status for status, _ in (await statuses(front)).values()} == {"done"}


async def test_an_operation_that_takes_long_is_gone_on_with_later_and_not_begun_anew(
    front: Shopfront, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_backfill(front.connections, front.installed.shop)
    monkeypatch.setattr(backfill, "_LONGEST_WAIT_S", 0.0)
    async with front.connections.write() as db:
        row = await db.get(BackfillRow, (front.installed.shop, "orders"))
        assert row is not None
        assert row.operation_id is not None
        row.status, row.loaded_bytes, row.loaded = "running", 0, 0
        db.add(row)
    operation = front.store.bulk[int(row.operation_id.rpartition("/")[2])]
    operation.status = "RUNNING"
    with pytest.raises(ShopifyUnavailable, match="bulk orders: RUNNING"):
        await run_backfill(front.connections, front.installed.shop)
    operation.status, many = "COMPLETED", len(front.store.bulk)
    await run_backfill(front.connections, front.installed.shop)
    assert (await statuses(front))["orders"] == ("done", 5)
    assert len(front.store.bulk) == many


async def test_customers_that_are_refused_do_not_keep_out_the_orders(front: Shopfront) -> None:
    connections, shop = front.connections, front.installed.shop
    now = datetime.now(UTC)
    async with connections.write() as db:
        db.add(BackfillRow(shop=shop, kind="products", status="done", updated_at=now))
    front.store.fail_next_bulk_after = 0
    with pytest.raises(ShopifyRefused, match="bulk customers: FAILED"):
        await run_backfill(connections, shop)
    told = {kind: status for kind, (status, _) in (await statuses(front)).items()}
    assert told == {"products": "done", "customers": "failed", "orders": "done"}
    assert len(await rows(connections, OrderRow)) == 5
    assert await connections.redis.exists(f"tw:{{{shop}}}:waiting:train")


async def test_a_link_that_is_no_longer_good_is_asked_for_anew(front: Shopfront) -> None:
    await run_backfill(front.connections, front.installed.shop)
    async with front.connections.write() as db:
        row = await db.get(BackfillRow, (front.installed.shop, "orders"))
        assert row is not None
        row.status, row.url, row.loaded_bytes = "loading", "http://devstore.test/bulk/gone", 10
        db.add(row)
    with pytest.raises(ShopifyUnavailable, match="404"):
        await run_backfill(front.connections, front.installed.shop)
    await run_backfill(front.connections, front.installed.shop)
    assert (await statuses(front))["orders"] == ("done", 5)


async def test_a_finished_operation_wakes_only_the_import_it_belongs_to(front: Shopfront) -> None:
    redis = front.connections.redis
    await run_backfill(front.connections, front.installed.shop)
    async with front.connections.write() as db:
        row = await db.get(BackfillRow, (front.installed.shop, "orders"))
        assert row is not None
        row.status = "running"
        db.add(row)
        ours = row.operation_id
    waiting = f"tw:{{{front.installed.shop}}}:waiting:backfill"
    for operation, asked in (("gid://shopify/BulkOperation/1", 0), (ours, 1)):
        event = BulkOperationFinished(
            shop=front.installed.shop,
            event_id="b",
            happened_at=NOW,
            operation_id=str(operation),
            status="completed",
            error_code=None,
        )
        await redis.delete(waiting)
        await resume_backfill(front.connections, event)
        assert await redis.exists(waiting) == asked
    await redis.delete(waiting)
    async with exclusive_job(front.connections, "backfill", front.installed.shop):
        await resume_backfill(front.connections, event)  # it looks for itself, and asks for the training
    assert not await redis.exists(waiting)


async def test_nothing_is_imported_for_a_shop_without_the_app(connections: Connections) -> None:
    await run_backfill(connections, ShopDomain("nobody.myshopify.com"))
    assert await rows(connections, BackfillRow) == []
