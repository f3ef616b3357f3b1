"""A campaign tried on what was decided before, and on checkouts that were left."""

from __future__ import annotations

import httpx
import pytest

from app.connections import Connections
from app.reach_tables import AbandonmentRow
from tests.admin.campaign_factories import bought, weighed, written
from tests.admin.campaigns_calls import call
from tests.admin.factories import SHOP, keep, now, shop_row

TIMES = ("began_at", "last_at", "silent_since", "abandoned_at")


@pytest.fixture
def connections(on_both_databases: Connections) -> Connections:
    return on_both_databases


async def test_a_dry_run_tells_what_would_have_been_on_past_decisions(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    rich, poor = ({"situation": {"cart": [], "subtotal_minor": minor}} for minor in (9_000, 5_000))
    shown = [weighed(n, f"t{n}") for n in range(4)]
    for at, each in enumerate(shown):
        each.inputs = poor if at == 3 else rich
    await keep(connections, shop_row(), *shown, bought(1, "t1"))
    rule = '{">": [{"var": "cart.subtotal"}, 80]}'
    form = written(rule=rule, evidence="0")
    told = (await call(browser, "dry-run", {"form": form, "last": 100})).json()
    assert told["says"].startswith(
        "Would have been shown 3 times to 3 shoppers, 1 of 3 times to one who bought"
    )


async def test_a_dry_run_says_what_past_decisions_do_not_tell(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    cart = {"situation": {"cart": [], "subtotal_minor": 9_000}}
    shown = [weighed(n, f"t{n}") for n in range(8)]
    for each in shown:
        each.inputs, each.permitted = cart, ["analytics"]
    await keep(connections, shop_row(), *shown)
    form = written(rule='{">": [{"var": "visit.pages"}, 3]}')
    told = (await call(browser, "dry-run", {"form": form})).json()
    assert told["says"] == "None of the last 8 decisions tells all that the rule reads."
    assert any("the number of pages seen in this visit" in each for each in told["more"])


async def test_a_dry_run_without_any_decision_says_so(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    told = (await call(browser, "dry-run", {"form": written()})).json()
    assert told["says"].startswith("No checkout has asked yet")


async def test_a_campaign_for_who_left_is_tried_on_checkouts_that_were_left(
    connections: Connections, browser: httpx.AsyncClient
) -> None:
    await keep(connections, shop_row())
    rule = '{">": [{"var": "cart.subtotal"}, 80]}'
    form = written(rule=rule, trigger="abandonment")
    told = (await call(browser, "dry-run", {"form": form})).json()
    assert told["says"].startswith("Nobody who may be written to has left a checkout yet")
    left = [
        AbandonmentRow(
            shop=SHOP, abandonment_id=f"a{n}", kind="checkout", customer_id=11, currency="USD",
            lines=[[1, 1]], subtotal_minor=n * 5_000, resolution="ordered" if n == 3 else "",
            **dict.fromkeys(TIMES, now()),
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    await keep(connections, *left)
    told = (await call(browser, "dry-run", {"form": form})).json()
    assert told["says"] == (
        "Would have written 2 messages to 1 customers about the last 3 checkouts left by who may be written "
        "to, 1 of which were ordered anyway."
    )
    assert told["more"] == []
