from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlmodel import col, delete, func, select, update

import app.offers.snapshot
from app.archive.keeper import Keeper
from app.archive.store import drop_unused_parts, keep, restore
from app.archive_tables import SnapshotPartRow, SnapshotRow
from app.campaign_tables import CampaignRow
from app.campaigns.campaign import Campaign
from app.connections import Connections
from app.consent.policy import PURPOSES, consent_of, permissions
from app.errors import NotFound, TillwiseError
from app.events.kinds import DecisionMade
from app.experiments.assign import Arm, Experiment
from app.offers.answer import answer_to
from app.offers.campaigns import with_campaigns
from app.offers.replay import entry_of, replay
from app.offers.situation import Occasion, situation_of
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import read_question
from app.privacy.aged import clear_aged
from app.profiles.recall import Shopper
from app.recommend.publish import publish, version_path
from app.recommend.retired import retire_version, retired_versions
from app.snapshots import load_snapshot
from app.tables import ProductRow, ShopRow, VariantRow
from tests.campaigns.factories import a_campaign
from tests.offers.factories import SHOP, a_body, as_json, goes_together
from tests.recommend.test_publish import a_card
from tests.test_live import install, sell

NOW = datetime.now(UTC)
SETTINGS = {"arms": {"personalised": 1}}


def running(campaign: Campaign) -> CampaignRow:
    content = msgspec.to_builtins(campaign)
    return CampaignRow(
        shop=SHOP, campaign_id=campaign.id, number=1, status="running", content=content, created_at=NOW,
        updated_at=NOW,
    )  # fmt: skip


async def a_busy_shop(connections: Connections) -> ShopSnapshot:
    """Return a shop with four products, a model and two campaigns that compete."""
    await install(connections, settings=SETTINGS, time_zone="Europe/Berlin")
    for product_id in (10, 20, 30, 40):
        await sell(connections, product_id)
    async with connections.write() as db:
        db.add(running(a_campaign("left", choice="best", holdout=0.5)))
        db.add(running(a_campaign("right", choice="best", holdout=0.5)))
    publish(connections.settings.data_dir, SHOP, goes_together({(10, 30): 0.9, (10, 20): 0.4}), a_card())
    return await now_at(connections)


async def now_at(connections: Connections, *trying: Experiment) -> ShopSnapshot:
    snapshot = await load_snapshot(connections, SHOP, trying=trying or None)
    assert snapshot is not None
    return snapshot


def decided(
    snapshot: ShopSnapshot, decision_id: str = "d", consent: Iterable[str] = PURPOSES, **body: Any
) -> DecisionMade:
    """Return the log entry of a decision made on it."""
    allowed = consent_of(consent)
    question = read_question(as_json(a_body(10, client_id=decision_id, **body)))
    occasion = Occasion(decision_id, NOW, snapshot, question, allowed, permissions(allowed), Shopper())
    situation = with_campaigns(occasion, situation_of(occasion))
    return entry_of(occasion, situation, answer_to(occasion, situation), 800)


def is_made_again(entry: DecisionMade, snapshot: ShopSnapshot) -> bool:
    """Return whether the offers are the same, through JSON as the database holds them."""
    again = replay(json.loads(json.dumps(entry.inputs)), {snapshot.version: snapshot})
    return bool(json.loads(msgspec.json.encode(again)) == json.loads(json.dumps(entry.answer["offers"])))


async def change_everything(connections: Connections) -> None:
    """Another price, a product less, other settings, other campaigns and another model."""
    async with connections.write() as db:
        await db.exec(update(VariantRow).values(price_minor=990))
        await db.exec(update(ProductRow).where(col(ProductRow.product_id) == 30).values(deleted_at=NOW))
        await db.exec(update(ShopRow).values(settings={**SETTINGS, "pinned": [40]}, time_zone="UTC"))
        await db.exec(
            update(CampaignRow).where(col(CampaignRow.campaign_id) == "left").values(status="stopped")
        )
    later = a_card(trained_at=NOW)
    publish(connections.settings.data_dir, SHOP, goes_together({(10, 40): 0.9}), later)


async def test_a_decision_is_made_again_after_all_it_was_made_on_has_changed(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    before = await a_busy_shop(connections)
    entries = [decided(before, f"d{n}") for n in range(60)]
    assert len({json.dumps(each.answer["offers"][0].get("campaign")) for each in entries}) > 1
    await keep(connections, before, NOW)
    await change_everything(connections)
    after = await now_at(connections)
    assert after.version != before.version
    assert decided(after, "d0").answer["offers"] != entries[0].answer["offers"]
    restored = await restore(connections, SHOP, before.version)
    assert restored.model_version == before.model_version
    assert [each.event_id for each in entries if not is_made_again(each, restored)] == []


async def test_the_shop_of_an_experiments_arm_is_kept_as_the_arm_made_it(connections: Connections) -> None:
    await a_busy_shop(connections)
    changed = {"pinned": [40], "campaigns": {"left": {"rule": False}}}
    trying = Experiment("salt", (Arm("as_is", 0.5), Arm("new", 0.5, changed)), 1.0, "try", "1")
    snapshot = await now_at(connections, trying)
    arm = snapshot.variants[frozenset({("try", "new")})]
    entry = decided(arm)
    await keep(connections, arm, NOW)
    await change_everything(connections)
    assert is_made_again(entry, await restore(connections, SHOP, arm.version))


async def test_a_model_whose_files_are_gone_is_named(connections: Connections) -> None:
    before = await a_busy_shop(connections)
    await keep(connections, before, NOW)
    assert before.model_version is not None
    shutil.rmtree(version_path(connections.settings.data_dir, SHOP, before.model_version))
    with pytest.raises(NotFound, match=f"model {before.model_version} that ranked then is gone"):
        await restore(connections, SHOP, before.version)


async def test_a_decision_is_made_again_after_another_model_took_the_place_of_its_own(
    connections: Connections,
) -> None:
    before = await a_busy_shop(connections)
    entries = [decided(before, f"d{n}") for n in range(20)]
    await keep(connections, before, NOW)
    await change_everything(connections)
    after = await now_at(connections)
    data_dir = connections.settings.data_dir
    assert before.model_version is not None
    assert after.model_version is not None
    retire_version(
        data_dir, SHOP, before.model_version, after.model_version
    )  # as it is freshened with every order
    restored = await restore(connections, SHOP, before.version)
    assert restored.model_version == before.model_version
    assert all(is_made_again(each, restored) for each in entries)
    (path,) = retired_versions(data_dir, SHOP)
    os.utime(path, times=((NOW - timedelta(days=31)).timestamp(),) * 2)
    await clear_aged(connections, SHOP)
    with pytest.raises(NotFound, match=f"model {before.model_version} that ranked then is gone"):
        await restore(connections, SHOP, before.version)


async def test_another_app_that_makes_another_snapshot_of_it_says_so(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await a_busy_shop(connections)
    await keep(connections, before, NOW)
    monkeypatch.setattr(app.offers.snapshot, "_version", lambda *_: "another")
    with pytest.raises(TillwiseError, match="the app has changed since"):
        await restore(connections, SHOP, before.version)


async def test_a_version_that_was_never_kept_is_not_found(connections: Connections) -> None:
    with pytest.raises(NotFound, match="no snapshot 'unknown'"):
        await restore(connections, SHOP, "unknown")


async def test_what_first_serves_a_decision_is_kept_once(connections: Connections) -> None:
    snapshot = await a_busy_shop(connections)
    keeper = Keeper(connections)
    for _ in range(3):
        keeper.served(snapshot)
    await keeper.close()
    assert (await restore(connections, SHOP, snapshot.version)).version == snapshot.version
    await count(connections, SnapshotRow, 1)
    await change_everything(connections)
    keeper.served(await now_at(connections))
    await keeper.close()
    await count(connections, SnapshotRow, 2)


async def test_nothing_is_kept_of_a_shop_that_was_erased(connections: Connections) -> None:
    snapshot = await a_busy_shop(connections)
    async with connections.write() as db:
        await db.delete(await db.get(ShopRow, SHOP))
    await keep(connections, snapshot, NOW)
    await count(connections, SnapshotPartRow, 0)


async def test_versions_past_the_limit_go_with_the_parts_that_only_they_had(
    on_both_databases: Connections,
) -> None:
    connections = on_both_databases
    old = await a_busy_shop(connections)
    await keep(connections, old, NOW - timedelta(days=31))
    async with connections.write() as db:
        await db.exec(update(VariantRow).values(price_minor=990))
    new = await now_at(connections)
    await keep(connections, new, NOW)
    await count(connections, SnapshotPartRow, 5)  # products twice, settings, campaigns, the rest
    await clear_aged(connections, SHOP)
    await count(connections, SnapshotPartRow, 4)
    assert (await restore(connections, SHOP, new.version)).version == new.version
    with pytest.raises(NotFound):
        await restore(connections, SHOP, old.version)


async def test_a_part_that_is_needed_again_is_as_young_as_a_new_one(on_both_databases: Connections) -> None:
    connections = on_both_databases
    snapshot = await a_busy_shop(connections)
    for ago in (timedelta(days=40), timedelta()):
        await keep(connections, snapshot, NOW - ago)
        async with connections.write() as db:  # as if whoever clears had looked for what is needed before
            await db.exec(delete(SnapshotRow))
    assert await drop_unused_parts(connections, SHOP, NOW - timedelta(days=1)) == 0
    await keep(connections, snapshot, NOW)
    assert (await restore(connections, SHOP, snapshot.version)).version == snapshot.version


async def count(connections: Connections, row: Any, expected: int) -> None:
    async with connections.read() as db:
        assert (await db.exec(select(func.count()).select_from(row))).one() == expected
