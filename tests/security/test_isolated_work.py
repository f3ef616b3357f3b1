"""Two shops in the worker: no event and no job of the one, whatever it names, reads or changes the other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import inspect

from app.attribution.figures import read_figures
from app.connections import Connections
from app.errors import TillwiseError
from app.events.consume import work_off
from app.events.kinds import ShopRedactionRequested
from app.events.log import EventConsumer, EventLog, this_consumer
from app.values import ShopDomain
from app.worker import HANDLERS, JOBS
from tests.admin.factories import OTHER, SHOP, keep, product, shop_row
from tests.privacy.planted import ROSA, late_events
from tests.security.test_isolation import everything_of, is_of_the_caller, plant_the_other, statements

NAMED = {
    "customer_id": ROSA.customer, "order_id": ROSA.order, "line_id": ROSA.order, "checkout_token": ROSA.token,
    "cart_token": ROSA.cart, "client_id": ROSA.client, "product_id": 2, "variant_id": 2, "decision_id": "d0",
    "refund_id": 1,
}  # fmt: skip
# They learn in a process of their own, of what was read here before.
LEARN = frozenset({"train", "resume", "segment", "intent"})
FIGURES = "figures"  # it reads there too, and so is looked at without it


def an_event(kind: Any, number: int) -> Any:
    """Return an event of the kind that names what the other shop has wherever it can name something."""
    told = _told(inspect.type_info(kind)) | {"shop": OTHER, "event_id": f"e-{number}", "kind": kind.__name__}
    return msgspec.convert(told, kind)


def _told(kind: inspect.StructType) -> dict[str, Any]:
    return {
        each.name: NAMED[each.name] if each.name in NAMED else _value(each.type)
        for each in kind.fields
        if each.required or each.name in NAMED
    }


def _value(kind: inspect.Type) -> Any:
    """Return a plain value of the type."""
    match kind:
        case inspect.UnionType():
            return _value(kind.types[0])
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.DateTimeType():
            return datetime.now(UTC)
        case inspect.StructType():
            return _told(kind)
        case inspect.VarTupleType() | inspect.ListType():
            return [_value(kind.item_type)]
        case inspect.DictType():
            return {}
        case inspect.IntType():
            return 1
        case inspect.FloatType():
            return 0.5
        case inspect.BoolType():
            return True
        case inspect.StrType():
            return "USD"
    return None


@pytest.mark.parametrize("kind", HANDLERS, ids=lambda kind: kind.__name__)
def test_an_event_of_each_kind_can_be_made(kind: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(an_event(kind, 1)), type=kind).shop == OTHER


async def test_no_event_or_job_of_a_shop_reads_or_changes_another(connections: Connections) -> None:
    await plant_the_other(connections)
    consumer = EventConsumer(connections.redis, this_consumer())
    await consumer.open()
    await work_off(connections, consumer, HANDLERS, await consumer.read(block_ms=1))
    await keep(
        connections, shop_row(OTHER, name="Another"), *product(1, "Soap", OTHER), *product(2, "Towel", OTHER)
    )
    before = await everything_of(connections, SHOP)
    events = [an_event(kind, n) for n, kind in enumerate(HANDLERS) if kind is not ShopRedactionRequested]
    nobody = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404)))
    async with nobody:
        ours = replace(connections, http=nobody)
        with statements(connections) as made:
            await EventLog(connections.redis).append([*late_events(ROSA, OTHER), *events])
            await work_off(ours, consumer, HANDLERS, await consumer.read(block_ms=1))
            for job in (job for name, job in JOBS.items() if name not in {*LEARN, FIGURES}):
                with suppress(TillwiseError):  # Shopify knows nobody
                    await job(ours, ShopDomain(OTHER))
            await read_figures(ours, ShopDomain(OTHER), datetime.now(UTC))
            gone = an_event(ShopRedactionRequested, 99)
            await EventLog(connections.redis).append([gone])
            await work_off(ours, consumer, HANDLERS, await consumer.read(block_ms=1))
    assert await everything_of(connections, SHOP) == before
    assert {text for text, parameters in made if not is_of_the_caller(text, parameters)} == set()
