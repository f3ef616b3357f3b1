"""The answer to an occasion, and what is left of it when something fails. Pure."""

from __future__ import annotations

import logging

import msgspec

from app.consent.policy import Rung
from app.experiments.assign import HOLDOUT, STATIC
from app.offers.again import again_s
from app.offers.choose import choose
from app.offers.predictions import chance_of_purchase_soon
from app.offers.ranked import RankingCache
from app.offers.situation import Occasion, Situation
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import Answer, Offer

TTL_S = 60

_log = logging.getLogger(__name__)


def answer_to(occasion: Occasion, situation: Situation, cache: RankingCache | None = None) -> Answer:
    """Return the offers, the rung they stand on, and why they are less than they could be.

    cache: of rankings made before; None ranks anew.
    """
    offers, failed = _offers(occasion.shop, situation, cache)
    return Answer(
        decision_id=occasion.decision_id,
        rung=_rung(occasion, situation, failed),
        arm=situation.arm,
        segment=situation.segments[0] if situation.segments else None,
        intent=_intent(occasion),
        offers=offers,
        fallback=failed or (None if occasion.shopper.reached else "redis"),
        ttl_s=TTL_S,
        again_s=again_s(occasion, situation),
    )


def _intent(occasion: Occasion) -> float | None:
    """Return how likely a purchase within five minutes is, as far as what is allowed tells."""
    chance = chance_of_purchase_soon(occasion)
    return None if chance is None else round(chance, 4)


def nothing(decision_id: str, reason: str) -> Answer:
    """Return the answer of a shop that could not even be looked at."""
    return Answer(
        decision_id=decision_id, rung=Rung.STATIC, arm="none", segment=None, intent=None,
        offers=(), fallback=reason, ttl_s=TTL_S,
    )  # fmt: skip


def _offers(
    shop: ShopSnapshot, situation: Situation, cache: RankingCache | None
) -> tuple[tuple[Offer, ...], str | None]:
    """Return the offers, and why they are only the shop's defaults."""
    if situation.arm == HOLDOUT:
        return (), None
    try:
        return choose(shop, situation, cache), "no_model" if shop.model is None else None
    except Exception:  # at a checkout, a model that trips over a cart must not cost the defaults
        _log.exception("choosing failed", extra={"shop": shop.shop})
        return choose(shop, msgspec.structs.replace(situation, arm=STATIC)), "error"


def _rung(occasion: Occasion, situation: Situation, failed: str | None) -> Rung:
    """Return what was really used: less than was allowed when that failed."""
    if failed or situation.arm == STATIC:
        return Rung.STATIC
    return occasion.may.rung if occasion.shopper.reached else Rung.CONTEXTUAL
