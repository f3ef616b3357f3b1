from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from app.connections import Connections
from app.errors import InputError
from app.tables import DecisionRow, OrderLineRow, OrderRow
from tests.commands.conftest import Terminal
from tests.commands.test_experiment import SHOP, a_shop

WHEN = datetime.now(UTC) - timedelta(days=3)


async def a_sale(connections: Connections) -> None:
    """A line of 12.50 after an offer of its product in the same checkout."""
    await a_shop(connections)
    offer = {"offer_id": "o", "kind": "upsell", "product": {"product_id": "gid://shopify/Product/10"}}
    async with connections.write() as db:
        db.add(
            DecisionRow(
                shop=SHOP, decision_id="d", decided_at=WHEN, surface="checkout", rung="session",
                arm="personalised", checkout_token="t", answer={"offers": [offer]},
            )
        )  # fmt: skip
        placed = WHEN + timedelta(hours=1)
        order = {"checkout_token": "t", "currency": "EUR", "created_at": placed, "updated_at": placed}
        db.add(OrderRow(shop=SHOP, order_id=1, **order))
        db.add(OrderLineRow(shop=SHOP, line_id=1, order_id=1, product_id=10, quantity=1, price_minor=1_250))


def test_what_is_credited_stands_beside_what_was_caused_or_why_that_is_not_known(terminal: Terminal) -> None:
    terminal.prepare(a_sale)
    told = terminal.run("attribution", "--shop", SHOP)
    assert told.exit_code == 0
    assert "credited to offers (last_touch, 7 days): 12.50 EUR in 1 orders" in told.output
    assert "caused: not known: a.myshopify.com has made no decision yet that tells its arm" in told.output


def test_the_report_for_machines_names_its_model_and_its_refusal(terminal: Terminal) -> None:
    terminal.prepare(a_sale)
    told = json.loads(terminal.run("attribution", "--shop", SHOP, "--model", "linear", "--json").output)
    assert (told["model"], told["credited_minor"]) == ("linear", 1_250)
    assert told["groups"]["product"] == {"10": {"minor": 1_250, "lines": 1, "orders": 1}}
    assert told["incremental"]["cause"] == "nobody_was_exposed"


@pytest.mark.parametrize(("option", "value"), [("--model", "first"), ("--since", "yesterday")])
def test_what_is_no_model_and_no_day_is_refused_by_name(terminal: Terminal, option: str, value: str) -> None:
    told = terminal.run("attribution", "--shop", SHOP, option, value)
    assert isinstance(told.exception, InputError)
    assert told.exception.field == option.strip("-")
