"""What changes while a slow receiver takes its time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.connections import Connections
from app.outbound.deliver import deliver_due
from app.outbound.deliveries import count_waiting, queue_moves
from app.outbound.settings_store import remove_webhook
from tests.outbound.segments import answer, move
from tests.outbound.test_deliver import SHOP, Receiver, shop_with_webhook

_FIRST, _LAST = 100, 109  # more than are under way at once


class SlowReceiver(Receiver):
    """A receiver that takes so long that somebody says no, or the webhook goes, meanwhile."""

    def __init__(self, connections: Connections, then: str) -> None:
        super().__init__()
        self._connections, self._then = connections, then

    async def _resolve(self, host: str) -> list[str]:
        then, self._then = self._then, ""
        if then == "a no":
            await answer(self._connections, SHOP, _LAST, sale_of_data=False)
        elif then == "no webhook":
            await remove_webhook(self._connections, SHOP)
        return await super()._resolve(host)


@pytest.mark.parametrize(("then", "told"), [("a no", 9), ("no webhook", 8)])
async def test_what_may_not_be_told_any_more_is_not_though_it_was_taken_up_before(
    connections: Connections, then: str, told: int
) -> None:
    receiver = SlowReceiver(connections, then)
    await shop_with_webhook(connections, *range(_FIRST, _LAST + 1))
    for who in range(_FIRST, _LAST + 1):
        await move(connections, SHOP, who, "loyal")
    now = datetime.now(UTC)
    await queue_moves(connections, now)
    await deliver_due(connections, receiver.post, SHOP, now)
    assert len(receiver.requests) == told
    assert await count_waiting(connections, SHOP) == 0
