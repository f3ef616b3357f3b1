"""Which offers to make. Pure: the same snapshot and situation give the same offers, always."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b

from app.experiments.assign import HOLDOUT, PERSONALISED
from app.offers.situation import Situation
from app.offers.snapshot import Offerable, ShopSnapshot
from app.offers.static import Pick
from app.offers.wire import Message, Offer, Why
from app.recommend.model import Scored
from app.recommend.reasons import Reason
from app.recommend.terms import Past
from app.values import gid

MOST_OFFERS = 3
CANDIDATES = 8

# In units of a ranking's score, whose terms are z-scores.
TOO_DEAR = 1.0
SAME_TYPE = 0.5
LOOKED_AT = 0.5
DEAR_RATIO = 2  # times the cart's subtotal


def choose(shop: ShopSnapshot, situation: Situation) -> tuple[Offer, ...]:
    """Return up to three offers, best first: none for a holdout."""
    if situation.arm == HOLDOUT:
        return ()
    personalised = situation.arm == PERSONALISED and shop.model is not None
    picks = _model_picks(shop, situation) if personalised else _static_picks(shop, situation)
    return tuple(_offer(shop, situation.decision_id, pick) for pick in picks)


def offer_id(decision_id: str, product_id: int) -> str:
    """Return the id of a decision's offer of a product: the same whenever it is asked."""
    return blake2b(f"{decision_id} {product_id}".encode(), digest_size=8).hexdigest()


def _static_picks(shop: ShopSnapshot, situation: Situation) -> list[Pick]:
    in_cart = set(situation.cart)
    return [pick for pick in shop.defaults if pick.product_id not in in_cart][:MOST_OFFERS]


def _model_picks(shop: ShopSnapshot, situation: Situation) -> list[Pick]:
    assert shop.model is not None
    ranked = shop.model.rank(
        # An empty cart says nothing; what the visit looked at does.
        situation.cart or situation.viewed,
        k=CANDIDATES,
        customer_id=situation.customer_id,
        history={product_id: Past(times, days) for product_id, times, days in situation.history},
        orders=situation.orders,
        allowed=shop.allowed,
        keep=partial(_best, shop, situation),
    )
    return [_pick(scored) for scored in ranked]


def _best(shop: ShopSnapshot, situation: Situation, product_ids: list[int], scores: list[float]) -> list[int]:
    """Return which of the ranked to offer, each chosen with the kinds of those before it in view."""
    products = [shop.offerable[product_id] for product_id in product_ids]
    scores = [_score(situation, *each) for each in zip(products, scores, strict=True)]
    chosen: list[int] = []
    while len(chosen) < min(MOST_OFFERS, len(products)):
        best = max((at for at in range(len(products)) if at not in chosen), key=scores.__getitem__)
        chosen.append(best)
        for at, product in enumerate(products):
            scores[at] -= SAME_TYPE * (product.kind == products[best].kind)
    return chosen


def _score(situation: Situation, product: Offerable, score: float) -> float:
    """Return the score, higher for what was looked at, lower for what is dear beside the cart."""
    if situation.subtotal_minor and product.price_minor > DEAR_RATIO * situation.subtotal_minor:
        score -= TOO_DEAR
    return score + LOOKED_AT if product.product_id in situation.viewed else score


def _pick(scored: Scored) -> Pick:
    companion = scored.reasons[0].with_product_id if scored.reasons else None
    return Pick(scored.product_id, tuple(map(_why, scored.reasons)), companion)


def _why(reason: Reason) -> Why:
    companion = reason.with_product_id
    return Why(
        reason=reason.reason,
        weight=round(reason.weight, 2),
        with_=None if companion is None else gid("Product", companion),
    )


def _offer(shop: ShopSnapshot, decision_id: str, pick: Pick) -> Offer:
    return Offer(
        offer_id=offer_id(decision_id, pick.product_id),
        kind="upsell",
        slot="main",
        product=shop.offerable[pick.product_id].shown,
        message=_message(shop, pick),
        why=pick.why,
    )


def _message(shop: ShopSnapshot, pick: Pick) -> Message:
    """Return what the first reason says, naming the product it refers to if the shop has it."""
    companion = None if pick.companion is None else shop.catalog.get(pick.companion)
    reason = pick.why[0].reason if pick.why else "popular"
    return Message(f"upsell.{reason}", {"with": companion.title} if companion else {})
