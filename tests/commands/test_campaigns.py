from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.campaigns.templates import TEMPLATES, template
from app.catalog.collections import Collection, record_collections
from app.connections import Connections
from app.tables import DecisionRow, OrderRow
from tests.commands.conftest import Terminal
from tests.offers.factories import SHOP
from tests.test_live import install, sell

HELP: dict[str, Any] = {
    "id": "help", "name": "Help", "evidence": 0, "rule": {">": [{"var": "cart.subtotal"}, 50]},
    "offer": {"kind": "banner"},
}  # fmt: skip
AT = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def shop(terminal: Terminal) -> Terminal:
    """A shop that sells one product and made three decisions, one of which was followed by an order."""
    terminal.empty()

    async def prepare(connections: Connections) -> None:
        await install(connections, time_zone="Europe/Berlin", settings={})
        await sell(connections, 10)
        async with connections.write() as db:
            for n, subtotal in enumerate((6_000, 6_000, 4_000)):
                situation = {
                    "decision_id": f"d{n}",
                    "arm": "personalised",
                    "cart": [10],
                    "subtotal_minor": subtotal,
                }
                db.add(DecisionRow(
                    shop=SHOP, decision_id=f"d{n}", decided_at=AT, surface="checkout", rung="session",
                    arm="personalised", checkout_token=f"t{n}", permitted=["analytics"],
                    inputs={"situation": situation},
                ))  # fmt: skip
            db.add(OrderRow(
                shop=SHOP, order_id=1, checkout_token="t1", currency="USD", updated_at=AT,
                created_at=AT + timedelta(minutes=5),
            ))  # fmt: skip

    terminal.prepare(prepare)
    return terminal


def written(tmp_path: Path, content: object) -> str:
    file = tmp_path / "campaigns.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_a_campaign_goes_from_a_file_to_running_and_stopped(shop: Terminal, tmp_path: Path) -> None:
    added = shop.run("campaigns", "add", written(tmp_path, HELP), "--shop", SHOP)
    assert "kept as draft" in added.output
    assert "cart's subtotal is above" in added.output
    started = shop.run("campaigns", "run", "help", "--shop", SHOP)
    assert started.output.strip() == "help is running"
    listed = shop.run("campaigns", "list", "--shop", SHOP).output
    assert "help  running  priority 0" in listed
    for command, standing in (("pause", "paused"), ("stop", "stopped")):
        assert shop.run("campaigns", command, "help", "--shop", SHOP).output.strip() == f"help is {standing}"


def test_a_dry_run_tells_what_would_have_been(shop: Terminal, tmp_path: Path) -> None:
    result = shop.run("campaigns", "dry-run", written(tmp_path, HELP), "--last", "100", "--shop", SHOP)
    assert result.exit_code == 0
    assert result.output.startswith(
        "help: Would have been shown 2 times to 2 shoppers, 1 of 2 times to one who bought anyway, "
        "in 3 of the last 3 decisions"
    )


def test_a_campaign_for_who_left_is_tried_on_checkouts_that_were_left(shop: Terminal, tmp_path: Path) -> None:
    both = [HELP, msgspec.to_builtins(template("high-value-left").campaign)]
    result = shop.run("campaigns", "dry-run", written(tmp_path, both), "--shop", SHOP)
    assert result.exit_code == 0
    helped, left = result.output.splitlines()
    assert helped.startswith("help: Would have been shown 2 times")
    assert left.startswith("high-value-left: Nobody who may be written to has left a checkout yet")


def test_what_is_wrong_is_said_with_its_place_and_nothing_is_added(shop: Terminal, tmp_path: Path) -> None:
    broken = [HELP, HELP | {"id": "worse", "rule": {">": [{"var": "cart.total"}, 5]}}]
    refused = shop.run("campaigns", "add", written(tmp_path, broken), "--shop", SHOP)
    assert refused.exit_code == 1
    assert "campaign worse (rule.>[0].var)" in str(refused.exception)
    assert shop.run("campaigns", "list", "--shop", SHOP).output.startswith("No campaign yet: ")
    unreadable = shop.run("campaigns", "check", written(tmp_path, "{"), "--shop", SHOP)
    assert "is not JSON" in str(unreadable.exception)
    folder = shop.run("campaigns", "add", "--shop", SHOP, str(tmp_path))
    assert str(folder.exception) == f"{tmp_path} can't be read: Is a directory"
    none = shop.run("campaigns", "add", written(tmp_path, []), "--shop", SHOP)
    assert str(none.exception).endswith(" has no campaign in it")


def test_a_rule_that_never_matches_fails_the_check(shop: Terminal, tmp_path: Path) -> None:
    never = HELP | {
        "rule": {"and": [{">": [{"var": "cart.subtotal"}, 50]}, {"<": [{"var": "cart.subtotal"}, 40]}]}
    }
    checked = shop.run("campaigns", "check", written(tmp_path, never), "--shop", SHOP)
    assert "wrong:" in checked.output
    assert "never match" in str(checked.exception)
    assert shop.run("campaigns", "check", written(tmp_path, HELP), "--shop", SHOP).exit_code == 0


def test_a_collection_is_known_that_no_product_is_in(shop: Terminal, tmp_path: Path) -> None:
    async def prepare(connections: Connections) -> None:
        await record_collections(connections, SHOP, [Collection(11, "outlet", "Outlet", ())], AT)

    shop.prepare(prepare)
    rules = [{"in": [each, {"var": "cart.collections"}]} for each in ("outlet", "outlets")]
    file = written(tmp_path, [HELP | {"rule": rule} for rule in rules])
    _, of_outlet, *more = shop.run("campaigns", "check", file, "--shop", SHOP).output.splitlines()
    assert of_outlet.startswith("help: banner")
    assert more == ["  note: The shop has no collection 'outlets'. Did you mean 'outlet'? (rule)"]


def test_every_template_can_be_printed_and_added_as_it_is(shop: Terminal, tmp_path: Path) -> None:
    listed = shop.run("campaigns", "templates").output
    assert [line.split("  ")[0] for line in listed.splitlines()] == list(TEMPLATES)
    for name in TEMPLATES:
        printed = shop.run("campaigns", "templates", name).output
        added = shop.run("campaigns", "add", written(tmp_path, printed), "--shop", SHOP)
        assert added.exit_code == 0, added.exception
    assert shop.run("campaigns", "list", "--shop", SHOP).output.count("draft") == len(TEMPLATES)


def test_a_shop_or_a_campaign_that_is_not_there_is_said(shop: Terminal) -> None:
    missing = shop.run("campaigns", "run", "nothing", "--shop", SHOP)
    assert "has no campaign 'nothing'" in str(missing.exception)
    nowhere = shop.run("campaigns", "list", "--shop", "nowhere.myshopify.com")
    assert "is not installed" in str(nowhere.exception)
