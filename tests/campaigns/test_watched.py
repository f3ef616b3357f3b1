"""Whom a campaign's guardrails count, and as what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from app.campaigns.guardrails import harms, units_of
from app.campaigns.outcomes import Drawn, Told
from app.campaigns.watched import Decided, Placed, met

BEGUN = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_capped_campaign_is_not_stopped_because_who_is_held_back_from_it_comes_again() -> None:
    # One shopper in four comes four times and buys oftener. The campaign changes nothing and is shown once.
    random = np.random.default_rng(1)
    decisions, placed = [], {}
    for number in range(2_500):
        keen, held_back = random.random() < 0.25, random.random() < 0.1
        for visit in range(4 if keen else 1):
            checkout, at = f"{number}-{visit}", BEGUN + timedelta(days=visit, seconds=number)
            chosen = () if held_back or visit else (Drawn("ten", 1.0),)
            why = {} if chosen else {"ten": "withheld" if held_back else "capped"}
            decisions.append(Decided(checkout, at, checkout, 5_000, Told(chosen, why, unit=str(number))))
            if random.random() < (0.75 if keen else 0.4):
                placed[checkout] = [Placed(at + timedelta(minutes=5), None)]
    begun_again = BEGUN + timedelta(hours=12)  # whom it had met by then is not counted any more
    assert len(units_of(met("ten", begun_again, decisions, (), placed))) == 0
    units = units_of(met("ten", BEGUN, decisions, (), placed))
    assert len(units) == 2_500
    assert harms(units, (BEGUN + timedelta(days=30)).timestamp()) == []
