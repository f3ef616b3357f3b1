"""What to offer ahead: with a product, to a customer, to a segment, to anyone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from app.ahead.form import VERSION, AheadOffer, AheadWhy, CustomerOffers, ProductOffers, ShopOffers
from app.offers.approach import in_order
from app.offers.ranked import CANDIDATES
from app.offers.rerank import Around, rerank
from app.offers.snapshot import ShopSnapshot
from app.offers.static import Pick
from app.offers.wire import Why
from app.recommend.model import Scored
from app.recommend.terms import Past
from app.values import shopify_id

MOST_WITH, MOST_TO_ANYONE, MOST_TO_SEGMENT, MOST_WHY = 6, 12, 6, 2
# A segment's list tells nothing of one of its customers.
FEWEST_OF_SEGMENT = 5


def to_anyone(shop: ShopSnapshot) -> ShopOffers:
    """Return the shop's defaults with how its visitors are split."""
    return ShopOffers(
        VERSION,
        shop.currency,
        shop.experiment.salt,
        tuple((arm.name, arm.share) for arm in shop.experiment.arms),
        tuple(_offer(shop, each) for each in shop.defaults[:MOST_TO_ANYONE]),
        tuple((each.salt, each.ramp) for each in shop.experiments),
    )


def with_product(shop: ShopSnapshot, product_id: int) -> ProductOffers | None:
    """Return what goes with a product, None where that is nothing the shop could say of it."""
    product = shop.catalog.get(product_id)
    if shop.model is None or product is None or not product.published:
        return None
    if not len(shop.model.positions([product_id])):
        return None
    price_minor = product.variants[0].price_minor if product.variants else None
    around = Around(shop.terms, price_minor, (), frozenset({product.kind}))
    picks = _ranked(shop, around, (product_id,), None, {}, 0)
    return ProductOffers(VERSION, tuple(_offer(shop, each) for each in picks)) if picks else None


def to_customer(
    shop: ShopSnapshot,
    customer_id: int,
    history: Mapping[int, Past],
    orders: int,
    segments: Sequence[str],
) -> CustomerOffers | None:
    """Return the offers for a customer, None where nothing about them is particular.

    history: product, in how many orders it was bought and how many days ago; segments: the most telling
    first.
    """
    picks: Sequence[Pick] = ()
    if shop.model is not None and history:
        ranked = _ranked(shop, Around(shop.terms), (), customer_id, history, orders)
        picks = in_order(shop.approach, ranked, orders, 0, segments)
    if not picks and not segments:
        return None
    segment = segments[0] if segments else None
    return CustomerOffers(VERSION, segment, tuple(_offer(shop, each) for each in picks))


def to_segments(
    of_customers: Iterable[CustomerOffers],
) -> list[tuple[str, tuple[AheadOffer, ...]]]:
    """Return what to offer to each segment, the largest first: what its customers' own lists agree on.

    By the sum of 1 / (place + 1) over the lists. Only segments of several customers with a list.
    """
    scores: dict[str, dict[int, float]] = {}
    known: dict[int, AheadOffer] = {}
    sizes: dict[str, int] = {}
    for each in of_customers:
        if each.segment is None or not each.offers:
            continue
        sizes[each.segment] = sizes.get(each.segment, 0) + 1
        of_segment = scores.setdefault(each.segment, {})
        for place, offer in enumerate(each.offers):
            known[offer.product_id] = offer
            of_segment[offer.product_id] = of_segment.get(offer.product_id, 0.0) + 1 / (place + 1)
    large = sorted(
        (name for name, size in sizes.items() if size >= FEWEST_OF_SEGMENT),
        key=lambda name: (-sizes[name], name),
    )
    return [(name, _best(scores[name], known)) for name in large]


def _best(scores: Mapping[int, float], known: Mapping[int, AheadOffer]) -> tuple[AheadOffer, ...]:
    """Return the offers with the highest scores, told as what they are to a segment: popular."""
    ranked = sorted(scores, key=lambda product_id: (-scores[product_id], product_id))[:MOST_TO_SEGMENT]
    return tuple(_popular(known[product_id]) for product_id in ranked)


def _popular(offer: AheadOffer) -> AheadOffer:
    return msgspec.structs.replace(offer, why=(AheadWhy("popular"),))


def _ranked(
    shop: ShopSnapshot,
    around: Around,
    cart: tuple[int, ...],
    customer_id: int | None,
    history: Mapping[int, Past],
    orders: int,
) -> list[Pick]:
    assert shop.model is not None
    ranked = shop.model.rank(
        cart,
        k=CANDIDATES,
        customer_id=customer_id,
        history=history,
        orders=orders,
        allowed=shop.allowed,
        keep=partial(_kept, shop, around),
    )
    return [_pick(each) for each in ranked]


def _kept(shop: ShopSnapshot, around: Around, product_ids: list[int], scores: list[float]) -> list[int]:
    candidates = [shop.offerable[each].ranked for each in product_ids]
    return rerank(candidates, scores, around, MOST_WITH)


def _pick(scored: Scored) -> Pick:
    why = tuple(Why(each.reason, 0.0, _text(each.with_product_id)) for each in scored.reasons)
    return Pick(scored.product_id, why)


def _text(product_id: int | None) -> str | None:
    return None if product_id is None else str(product_id)


def _offer(shop: ShopSnapshot, pick: Pick) -> AheadOffer:
    shown = shop.offerable[pick.product_id].shown
    why = tuple(map(_why, pick.why[:MOST_WHY]))
    variant_id = shopify_id(shown.variant_id)
    return AheadOffer(pick.product_id, variant_id, shown.title, shown.price, shown.image, why, shown.variant)


def _why(why: Why) -> AheadWhy:
    return AheadWhy(why.reason, shopify_id(why.with_) if why.with_ else 0)
