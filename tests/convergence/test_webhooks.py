"""However Shopify's letters arrive, the app ends up knowing the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from devstore.schema import MODULES
from tests.convergence.history import Letter, Step, steps, telling
from tests.convergence.post import Fate, Forgery, fates, forged, forgeries, mangled
from tests.convergence.taking import Snapshot, Taking, taking
from tests.convergence.world import EXAMPLES, World

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@settings(max_examples=EXAMPLES)
@given(steps, fates, forgeries)
def test_letters_lost_doubled_late_out_of_order_or_forged_change_nothing_in_the_end(
    world: World, lived: list[Step], fated: list[Fate], lies: list[Forgery]
) -> None:
    clean, disturbed = asyncio.run(_both(world, lived, fated, lies))
    assert disturbed == clean


async def _both(
    world: World, lived: Sequence[Step], fated: Sequence[Fate], lies: Sequence[Forgery]
) -> tuple[Snapshot, Snapshot]:
    """Return what the app knows after a clean run, and after one in which everything went wrong."""
    async with telling() as told:
        letters = await told.live(lived)
        async with taking(world, told, "clean") as app:
            clean = await _known(app, letters, ())
        async with taking(world, told, "disturbed") as app:
            return clean, await _known(app, mangled(letters, fated), lies)


async def _known(app: Taking, arriving: Sequence[Letter], lies: Sequence[Forgery]) -> Snapshot:
    """Return what the app knows once all has arrived and it has looked for what it missed."""
    for at, letter in enumerate(arriving):
        for lie in lies:
            if lie.after == at:
                assert await app.deliver(*forged(letter, lie.how)) in (400, 401)
        assert await app.deliver(letter.headers, letter.body) == 200
        if at % 3 == 0:  # some letters are worked off together, some before the next is there
            await app.work()
    await app.work()
    await app.reconcile()
    assert await app.put_aside() == 0
    return await app.snapshot()
