"""A worker that is told to stop while it writes: what had not left leaves later, and nothing leaves twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app.admin.alerts_view import alert_letter
from app.reach import jobs, sending
from app.reach.alert_store import raise_alert
from app.reach.alerts import ERRORS, FALLBACKS, Alert
from app.reach.jobs import mail_alerts
from devstore.schema import MODULES
from tests.reach.scene import DUE, GONE_SILENT, MAIL, NOW, Scene

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


async def stopped_at(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, work: Callable[[], Awaitable[object]]
) -> None:
    """Do the work until it comes to the function, and stop the worker there."""
    there = asyncio.Event()

    async def hang(*_: Any) -> None:
        there.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(module, name, hang)
        doing = asyncio.ensure_future(work())
        await asyncio.wait_for(there.wait(), 60)
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing


async def test_a_letter_that_had_not_left_leaves_later(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.left(GONE_SILENT)
    await stopped_at(monkeypatch, sending, "fetch_customer", lambda: scene.look(DUE))
    assert await scene.left(DUE + timedelta(minutes=10), DUE + timedelta(hours=1)) == 1


async def test_a_letter_that_may_have_left_does_not_leave_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.left(GONE_SILENT)
    await stopped_at(monkeypatch, sending, "send", lambda: scene.look(DUE))
    assert await scene.left(DUE + timedelta(minutes=10), DUE + timedelta(hours=1)) == 0
    ((_, status, _),) = await scene.messages()
    assert status == "failed"


async def test_alerts_behind_the_one_that_was_on_its_way_are_mailed_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = scene.front.installed
    for kind in (ERRORS, FALLBACKS):
        await raise_alert(scene.connections, shop, Alert(kind, "x"), NOW)
    await stopped_at(
        monkeypatch, jobs, "send", lambda: mail_alerts(scene.connections, shop, MAIL, NOW, alert_letter)
    )
    assert await mail_alerts(scene.connections, shop, MAIL, NOW + timedelta(minutes=2), alert_letter) == 1
