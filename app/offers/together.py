"""Rankings of questions that come at the same time: made one step for all of them after the other.

What a step needs is near the processor for the second question and those after it, where each question that
takes all steps by itself finds it gone. Each ranking is the one that it would be alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

from app.offers.choose import rank
from app.offers.ranked import Rankings
from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot
from app.offers.static import Pick

MOST = 16  # at once: of a very large catalogue each takes some megabytes while it is made

Picks = Sequence[Pick]

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    shop: ShopSnapshot
    situation: Situation
    picks: asyncio.Future[Picks | None]


class Together:
    """Ranks for all who ask in the same turn of the event loop.

    known: rankings that need not be made again.
    """

    def __init__(self, known: Rankings) -> None:
        self._known = known
        self._waiting: list[_Waiting] = []

    async def __call__(self, shop: ShopSnapshot, situation: Situation) -> Picks | None:
        """Return the best products for the situation, None where they could not be ranked with the others."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._rank)  # behind all who were woken with this one
        waiting = _Waiting(shop, situation, loop.create_future())
        self._waiting.append(waiting)
        return await waiting.picks

    def alone(self, shop: ShopSnapshot, situation: Situation) -> Picks | None:
        """Return the same at once, for somebody beside whom nobody is there."""
        return self._ranked(shop, [situation])[0]

    def _rank(self) -> None:
        now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._rank)
        for shop in dict.fromkeys(one.shop for one in now):
            asked = [one for one in now if one.shop is shop]
            found = self._ranked(shop, [one.situation for one in asked])
            for one, picks in zip(asked, found, strict=True):
                if not one.picks.done():  # its caller may have gone away
                    one.picks.set_result(picks)

    def _ranked(self, shop: ShopSnapshot, situations: Sequence[Situation]) -> Sequence[Picks | None]:
        try:
            return rank(shop, situations, self._known)
        except Exception:  # one of them trips: each is ranked by itself then, and fails by itself
            _log.warning("not ranked together", extra={"shop": shop.shop})
            return [None] * len(situations)
