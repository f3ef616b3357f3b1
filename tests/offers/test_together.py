import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.offers.choose import rank
from app.offers.ranked import Rankings
from app.offers.situation import Situation
from app.offers.together import MOST, Together
from tests.offers.factories import a_shop, a_situation, goes_together

SHOP = a_shop(model=goes_together({(10, 30): 0.9, (20, 30): 0.4, (20, 40): 0.8}))
TRIPS: Any = a_shop(model=replace(goes_together({}), weights=None, version="trips"))


def alone(situation: Situation) -> object:
    return rank(SHOP, [situation], Rankings())[0]


async def test_who_asks_at_the_same_time_is_answered_as_if_alone() -> None:
    known = Rankings()
    together = Together(known)
    situations = [a_situation(10 * (1 + number % 4), orders=number) for number in range(2 * MOST + 1)]
    found = await asyncio.gather(*[together(SHOP, each) for each in situations])
    assert found == [alone(each) for each in situations]
    assert together.alone(SHOP, situations[0]) == found[0]
    assert known.made == len(situations)


async def test_a_shop_that_can_not_be_ranked_costs_no_other_its_rankings() -> None:
    together, asked = Together(Rankings()), a_situation(10)
    found = await asyncio.gather(together(TRIPS, asked), together(SHOP, asked), together(TRIPS, asked))
    assert found == [None, alone(asked), None]
    assert together.alone(TRIPS, asked) is None


async def test_who_goes_away_takes_nobody_along() -> None:
    together = Together(Rankings())
    gone, stays = (asyncio.ensure_future(together(SHOP, a_situation(number))) for number in (10, 20))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == alone(a_situation(20))
    with pytest.raises(asyncio.CancelledError):
        await gone
