from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import app.offpolicy.store
from app.archive.store import keep
from app.campaign_tables import CampaignRow
from app.campaigns.campaign import Campaign
from app.connections import Connections
from app.errors import InputError
from app.offers.store import record_decisions
from app.snapshots import load_snapshot
from app.tables import OrderRow, ShopRow
from app.values import ShopDomain
from tests.archive.test_store import decided
from tests.campaigns.factories import a_campaign
from tests.commands.conftest import Terminal
from tests.offers.factories import SHOP

WHEN = datetime.now(UTC) - timedelta(days=20)
BANNER = a_campaign("help", holdout=0.5)


async def a_logged_shop(connections: Connections, decisions: int = 400) -> None:
    """So many decisions of a banner with a holdout of half; it doubles what a checkout brings."""
    async with connections.write() as db:
        settings = {"arms": {"personalised": 1}}
        db.add(ShopRow(shop=SHOP, publishable_key="pk", currency="USD", installed_at=WHEN, settings=settings))
        db.add(running(BANNER))
    snapshot = await load_snapshot(connections, ShopDomain(SHOP))
    assert snapshot is not None
    await keep(connections, snapshot, WHEN)
    for n in range(decisions):
        entry = decided(snapshot, f"d{n}", checkout_token=f"t{n}", consent=("analytics",))
        await record_decisions(connections, [msgspec.structs.replace(entry, happened_at=WHEN)])
        brought = (2_000 if entry.answer["offers"] else 1_000) + n % 7
        async with connections.write() as db:
            db.add(
                OrderRow(
                    shop=SHOP, order_id=n + 1, checkout_token=f"t{n}", currency="USD",
                    subtotal_minor=brought, created_at=WHEN + timedelta(minutes=5), updated_at=WHEN,
                )
            )  # fmt: skip


def running(campaign: Campaign) -> CampaignRow:
    content = msgspec.to_builtins(campaign)
    return CampaignRow(
        shop=SHOP, campaign_id=campaign.id, number=1, status="running", content=content, created_at=WHEN,
        updated_at=WHEN,
    )  # fmt: skip


def a_file(folder: Path, content: Any) -> str:
    path = folder / "given.json"
    path.write_text(json.dumps(content), "utf-8")
    return str(path)


def test_a_banner_for_everyone_and_none_at_all_are_worth_what_the_log_holds(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.prepare(a_logged_shop)
    words = ("evaluate-policy", "--shop", SHOP, "--json")
    for_all = msgspec.to_builtins(a_campaign("help"))
    told = json.loads(terminal.run(*words, "--campaigns", a_file(tmp_path, [for_all])).output)
    assert (told["decisions"], told["untold"]) == (400, 0)
    assert told["result"]["self_normalised"]["value"] == pytest.approx(2_003, abs=2)
    nothing = {"campaigns": {"help": None}}
    told = json.loads(terminal.run(*words, a_file(tmp_path, nothing)).output)
    assert told["result"]["self_normalised"]["value"] == pytest.approx(1_003, abs=2)
    assert told["result"]["support"] == pytest.approx(1, abs=0.2)


def test_a_log_that_is_too_long_says_until_when_it_was_read(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.prepare(a_logged_shop)
    words = ("evaluate-policy", "--shop", SHOP, a_file(tmp_path, {"campaigns": {"help": None}}))
    assert "only those until" not in terminal.run(*words).output
    monkeypatch.setattr(app.offpolicy.store, "MOST", 300)
    told = terminal.run(*words).output
    assert told.startswith("300 first decisions")
    assert f"only those until {WHEN:%Y-%m-%d %H:%M} UTC: the period has more than" in told


def test_a_campaign_that_never_ran_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(a_logged_shop)
    new = msgspec.to_builtins(a_campaign("new"))
    told = terminal.run("evaluate-policy", "--shop", SHOP, "--campaigns", a_file(tmp_path, [new]))
    assert "not known: about 100% of what it would do was never done" in told.output


def test_what_is_no_policy_is_refused_by_name(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(lambda connections: a_logged_shop(connections, 40))
    neither = terminal.run("evaluate-policy", "--shop", SHOP)
    assert isinstance(neither.exception, InputError)
    same = terminal.run("evaluate-policy", "--shop", SHOP, a_file(tmp_path, {"dear_ratio": 1.0, "arms": {}}))
    assert isinstance(same.exception, InputError)
