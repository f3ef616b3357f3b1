"""The degraded answer: to a shop above its rate limit, of an overloaded process, to a robot. Pure."""

from __future__ import annotations

import msgspec

from app.experiments.assign import HOLDOUT, STATIC
from app.offers.answer import nothing
from app.offers.choose import choose
from app.offers.situation import Occasion, in_arms, situation_of
from app.offers.wire import Answer


def degraded_answer(occasion: Occasion, why: str) -> Answer:
    """Return the shop's defaults, of which nobody who is held out sees any. why: the answer's `fallback`.

    Nothing is ranked, and what the shopper is like is not asked: the occasion's is one who was not read.
    """
    if occasion.shop.paused:
        return nothing(occasion.decision_id, "paused")
    occasion = in_arms(occasion)
    situation = situation_of(occasion)
    answer = msgspec.structs.replace(nothing(occasion.decision_id, why), arm=situation.arm)
    if situation.arm == HOLDOUT:
        return answer
    defaults = choose(occasion.shop, msgspec.structs.replace(situation, arm=STATIC))
    return msgspec.structs.replace(answer, offers=defaults)
