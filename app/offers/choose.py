"""Which offers to make. Pure: the same snapshot and situation give the same offers, always."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from app.experiments.assign import HOLDOUT, PERSONALISED, bucket
from app.offers.approach import in_order
from app.offers.nudges import campaign_products, nudges_of, upsell_of
from app.offers.ranked import RankingCache, asked_about, pick_of, ranking, visit_of
from app.offers.rerank import Around, rerank
from app.offers.situation import Situation, offer_id
from app.offers.snapshot import ShopSnapshot
from app.offers.static import Pick
from app.offers.wire import Message, Offer
from app.values import shopify_id

MOST_OFFERS = 3
# One decision in ten gives its last place to a product that was never sold, so that it can be.
EXPLORED = 0.1
EXPLORED_AMONG = 5


def choose(shop: ShopSnapshot, situation: Situation, cache: RankingCache | None = None) -> tuple[Offer, ...]:
    """Return up to three products, best first, behind what campaigns say: none for a holdout.

    cache: of rankings made before; None ranks anew.
    """
    if situation.arm == HOLDOUT:
        return ()
    if not situation.takes_products:
        return tuple(nudges_of(shop, situation))
    personalised = situation.arm == PERSONALISED and shop.model is not None
    picks = _model_picks(shop, situation, cache) if personalised else _static_picks(shop, situation)
    offers = tuple(_offer(shop, situation.decision_id, pick) for pick in picks)
    return offers if situation.campaigns is None else _with_campaigns(shop, situation, offers)


def _with_campaigns(shop: ShopSnapshot, situation: Situation, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """Return the offers behind what campaigns say, their products in the place of the last."""
    wanted = campaign_products(shop, situation)
    first = [upsell_of(shop, situation, product_id, shown) for product_id, shown in wanted.items()]
    there = {offer.offer_id for offer in first}
    others = [offer for offer in offers if offer.offer_id not in there]
    return (*nudges_of(shop, situation), *[*first, *others][:MOST_OFFERS])


def _static_picks(shop: ShopSnapshot, situation: Situation) -> list[Pick]:
    in_cart = set(situation.cart)
    return [pick for pick in shop.defaults if pick.product_id not in in_cart][:MOST_OFFERS]


def _model_picks(shop: ShopSnapshot, situation: Situation, cache: RankingCache | None) -> list[Pick]:
    ranked = ranking(shop, situation, partial(_best, shop, situation), cache)
    picks = in_order(
        shop.approach,
        ranked,
        situation.orders,
        len(situation.viewed),
        situation.segments,
    )
    return _with_new(shop, situation, _with_pinned(shop, situation, picks))


def _best(shop: ShopSnapshot, situation: Situation, product_ids: list[int], scores: list[float]) -> list[int]:
    """Return which of the ranked to offer."""
    candidates = [shop.offerable[product_id].ranked for product_id in product_ids]
    return rerank(candidates, scores, around_of(shop, situation), MOST_OFFERS)


def around_of(shop: ShopSnapshot, situation: Situation) -> Around:
    """Return the cart as the re-ranking looks at it."""
    in_cart = (shop.catalog.get(product_id) for product_id in situation.cart)
    return Around(
        shop.terms,
        situation.subtotal_minor,
        situation.viewed,
        frozenset(product.kind for product in in_cart if product),
        situation.sent_away,
    )


def propensities(shop: ShopSnapshot, situation: Situation, offers: Sequence[Offer]) -> list[float]:
    """Return how likely each offer was to be made in this situation, given its arm.

    Only the last place is left to chance: one time in ten it goes to one of at most five new products.
    offers: those of the ranking, by place.
    """
    certain = [1.0] * len(offers)
    if not shop.unsold or situation.arm != PERSONALISED or len(offers) < MOST_OFFERS:
        return certain
    if campaign_products(shop, situation):
        return certain
    first = (shopify_id(offer.product.product_id) for offer in offers[:-1] if offer.product)
    gone = {*asked_about(situation), *situation.sent_away, *first}
    pool = len(shop.unsold) - sum(product_id in shop.unsold for product_id in gone)
    if not pool:
        return certain
    explores = bucket(situation.decision_id, "explore") < EXPLORED
    return [*certain[:-1], EXPLORED / min(pool, EXPLORED_AMONG) if explores else 1 - EXPLORED]


def _with_pinned(shop: ShopSnapshot, situation: Situation, picks: list[Pick]) -> list[Pick]:
    """Return the picks led by the first product the merchant pinned."""
    if not shop.terms.pinned:
        return picks
    wanted = shop.terms.pinned.difference(situation.sent_away)
    pinned = [pick for pick in _static_picks(shop, situation) if pick.product_id in wanted]
    if not pinned:
        return picks
    others = [pick for pick in picks if pick.product_id != pinned[0].product_id]
    return [pinned[0], *others][:MOST_OFFERS]


def _with_new(shop: ShopSnapshot, situation: Situation, picks: list[Pick]) -> list[Pick]:
    """Return the picks, in one decision of ten with the last place given to a product never sold."""
    if not shop.unsold or len(picks) < MOST_OFFERS or campaign_products(shop, situation):
        return picks
    if bucket(situation.decision_id, "explore") >= EXPLORED:
        return picks
    assert shop.model is not None
    visit = visit_of(shop.model, situation)
    there = {*situation.sent_away, *(pick.product_id for pick in picks[:-1])}
    best = shop.model.rank_new(visit, shop.tried, EXPLORED_AMONG + len(there))
    new = [one for one in best if one.product_id not in there][:EXPLORED_AMONG]
    if not new:
        return picks
    return [*picks[:-1], pick_of(new[int(bucket(situation.decision_id, "which") * len(new))])]


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
