from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.design import Design, read_design
from app.experiments.versions import (
    draft,
    get_version,
    models_tried,
    running_experiments,
    start,
    stop,
    versions,
)
from app.shops.changes import CHANGED
from tests.attribution.test_store import SHOP, a_shop, write
from tests.experiments.factories import NOW
from tests.experiments.test_design import a_design


def design(name: str = "pin", arms: int = 2, **changes: Any) -> Design:
    """Return a design whose arms, but the first, change a setting of its own."""
    others = [{"name": f"arm{n}", "changes": {name: n}} for n in range(1, arms)]
    return read_design(a_design(id=name, arms=[{"name": "as_is"}, *others]) | changes)


async def test_a_draft_assigns_nobody_until_it_is_started(connections: Connections) -> None:
    await write(connections, a_shop())
    await draft(connections, SHOP, design(), NOW)
    assert await running_experiments(connections, SHOP) == ()
    started = await start(connections, SHOP, "pin", NOW)
    assert (started.status, started.version, started.started_at) == ("running", 1, NOW)
    assert [each.id for each in await running_experiments(connections, SHOP)] == ["pin"]


async def test_the_models_that_are_tried_are_those_of_what_runs(connections: Connections) -> None:
    await write(connections, a_shop())
    arms = [{"name": "now"}, {"name": "old", "changes": {"model": "v1"}}]
    arms += [{"name": "none", "changes": {"model": None}}, {"name": "pins", "changes": {"pinned": [1]}}]
    await draft(connections, SHOP, read_design(a_design(id="model", arms=arms, control="now")), NOW)
    assert await models_tried(connections, SHOP) == frozenset()
    await start(connections, SHOP, "model", NOW)
    assert await models_tried(connections, SHOP) == {"v1"}
    await stop(connections, SHOP, "model", NOW)
    assert await models_tried(connections, SHOP) == frozenset()


async def test_a_change_is_a_new_version_and_the_old_one_is_kept_and_stopped(
    connections: Connections,
) -> None:
    await write(connections, a_shop())
    for hours, window in ((0, 7), (1, 14)):
        await draft(connections, SHOP, design(window_days=window), NOW)
        await start(connections, SHOP, "pin", NOW + timedelta(hours=hours))
    first, second = await versions(connections, SHOP)
    assert (first.status, first.stopped_at) == ("stopped", NOW + timedelta(hours=1))
    assert (first.design.window_days, second.design.window_days) == (7, 14)
    assert [each.version for each in await running_experiments(connections, SHOP)] == ["2"]


async def test_more_units_are_let_in_and_none_out(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await write(connections, a_shop())
    await draft(connections, SHOP, design(), NOW)
    await start(connections, SHOP, "pin", NOW, ramp=0.1)
    more = await start(connections, SHOP, "pin", NOW + timedelta(days=1), ramp=0.5)
    assert (more.ramp, more.started_at) == (0.5, NOW)
    with pytest.raises(InputError, match="50% of units"):
        await start(connections, SHOP, "pin", NOW, ramp=0.4)
    for nonsense in (0.0, 1.1, float("nan")):
        with pytest.raises(InputError, match="ramp"):
            await start(connections, SHOP, "pin", NOW, ramp=nonsense)


async def test_what_was_stopped_is_not_started_again(connections: Connections) -> None:
    await write(connections, a_shop())
    await draft(connections, SHOP, design(), NOW)
    await start(connections, SHOP, "pin", NOW)
    assert (await stop(connections, SHOP, "pin", NOW)).status == "stopped"
    assert await running_experiments(connections, SHOP) == ()
    with pytest.raises(InputError, match="draft a new one"):
        await start(connections, SHOP, "pin", NOW)
    with pytest.raises(NotFound):
        await stop(connections, SHOP, "pin", NOW)


async def test_two_experiments_do_not_change_the_same_setting(connections: Connections) -> None:
    await write(connections, a_shop())
    arms = [{"name": "as_is"}, {"name": "b", "changes": {"pin": 2}}]
    other = read_design(a_design(id="other", arms=arms))
    for each in (design(), other):
        await draft(connections, SHOP, each, NOW)
    await start(connections, SHOP, "pin", NOW)
    with pytest.raises(InputError, match="`pin`"):
        await start(connections, SHOP, "other", NOW)


async def test_no_more_run_than_a_process_can_hold(connections: Connections) -> None:
    await write(connections, a_shop())
    for name in ("a", "b", "c"):
        await draft(connections, SHOP, design(name, arms=3), NOW)
    await start(connections, SHOP, "a", NOW)
    await start(connections, SHOP, "b", NOW)  # 3 * 3 kinds of shop
    with pytest.raises(InputError, match="16"):
        await start(connections, SHOP, "c", NOW)


async def test_a_start_and_a_stop_are_announced(connections: Connections) -> None:
    await write(connections, a_shop())
    await draft(connections, SHOP, design(), NOW)
    async with connections.redis.pubsub() as channel:
        await channel.subscribe(CHANGED)
        await channel.get_message(timeout=60)
        await start(connections, SHOP, "pin", NOW)
        await stop(connections, SHOP, "pin", NOW)
        told = [await channel.get_message(timeout=60) for _ in range(2)]
    assert [each and each["data"] for each in told] == [SHOP.encode()] * 2


async def test_the_version_that_ran_last_is_the_one_to_read(connections: Connections) -> None:
    await write(connections, a_shop())
    await draft(connections, SHOP, design(), NOW)
    await start(connections, SHOP, "pin", NOW)
    await draft(connections, SHOP, design(), NOW)
    assert (await get_version(connections, SHOP, "pin")).version == 1
    assert (await get_version(connections, SHOP, "pin", 2)).status == "draft"
    for name, version in (("pin", 3), ("other", None)):
        with pytest.raises(NotFound):
            await get_version(connections, SHOP, name, version)


async def test_a_shop_without_the_app_or_the_experiment_is_refused(connections: Connections) -> None:
    with pytest.raises(NotFound):
        await draft(connections, SHOP, design(), NOW)
    await write(connections, a_shop())
    with pytest.raises(NotFound):
        await start(connections, SHOP, "pin", NOW)
