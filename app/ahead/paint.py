"""What a checkout paints first from the metafields it holds, before any answer. Pure.

The checkout extension does the same in TypeScript; both are tested with one file of cases. What is written
ahead is made by `form`. A visitor whose arm can't be told, or who is held out, is painted nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from app.ahead.form import (
    VERSION,
    Ahead,
    AheadOffer,
    CustomerOffers,
    ProductOffers,
    SegmentOffers,
    ShopOffers,
)
from app.experiments.assign import PERSONALISED, STATIC, Arm, Experiment, assign, bucket

MOST = 3
PINNED = "merchant_pick"


class HeldMetafields(msgspec.Struct, frozen=True, kw_only=True):
    """The metafields of a checkout; None where there is none, or one of another version.

    products: by product id, of what is in the cart.
    """

    shop: ShopOffers | None = None
    segments: SegmentOffers | None = None
    products: Mapping[int, ProductOffers] = {}
    customer: CustomerOffers | None = None


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at the checkout, as far as it can tell. cart: product ids in the order of the lines.

    customer_id: None for a guest, and where the checkout may not know; knows_customer tells which.
    client_id: the browser, where the cart names it. analytics: what the visitor said of it, None for nothing.
    personal: the visitor said yes to preferences and to marketing; refused: said no to one of them.
    """

    cart: Sequence[int]
    checkout_token: str | None
    client_id: str | None = None
    analytics: bool | None = None
    customer_id: int | None = None
    knows_customer: bool = True
    personal: bool = False
    refused: bool = False


def paint(held: HeldMetafields, buyer: Buyer) -> list[AheadOffer]:
    """Return what to paint, best first: at most three offers, none of the cart."""
    arm = arm_of(held.shop, buyer)
    if held.shop is None or arm not in (PERSONALISED, STATIC):
        return []
    rest = [each for each in held.shop.offers if each.product_id not in buyer.cart]
    if arm == STATIC:
        return rest[:MOST]
    pinned = [each for each in rest if each.why and each.why[0].reason == PINNED][:1]
    return _once([*pinned, *_fused(_lists(held, buyer), buyer.cart), *rest])[:MOST]


def arm_of(shop: ShopOffers | None, buyer: Buyer) -> str | None:
    """Return the arm that every unit this buyer could be assigned by is in; None where they differ.

    None too where one of them takes part in a further experiment: what its arms show is not written ahead.

    The server assigns by the customer where the visitor allows it, else by the browser or the checkout: where
    it can't be told here for sure which it will be, all must say the same.
    """
    if shop is None or buyer.checkout_token is None:
        return None
    if not buyer.knows_customer and not buyer.refused:
        return None
    units = _guests(buyer)
    units += [] if buyer.customer_id is None else [f"customer:{buyer.customer_id}"]
    split = Experiment(shop.salt, tuple(Arm(*each) for each in shop.arms))
    arms = {assign(split, each) for each in units}
    if len(arms) > 1 or any(_entered(shop, each) for each in units):
        return None
    return arms.pop()


def _guests(buyer: Buyer) -> list[str]:
    """Return what a guest may be assigned by: either of two where the shop's policy has to say which."""
    checkout = f"checkout:{buyer.checkout_token}"
    if not buyer.client_id or buyer.analytics is False:
        return [checkout]
    browser = f"client:{buyer.client_id}"
    return [browser] if buyer.analytics else [browser, checkout]


def _entered(shop: ShopOffers, unit: str) -> bool:
    """Return whether a further experiment's ramp has reached the unit."""
    return any(ramp >= 1 or bucket(f"{salt} ramp", unit) < ramp for salt, ramp in shop.others)


def read(value: str, kind: type[Ahead]) -> Ahead | None:
    """Return what a metafield holds; None for another version's, and for what is none of ours."""
    try:
        found = msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return found if found.version == VERSION else None


def _lists(held: HeldMetafields, buyer: Buyer) -> list[Sequence[AheadOffer]]:
    """Return what to make one list of: each product's, then the customer's own or their segment's."""
    known = [each for each in dict.fromkeys(buyer.cart) if each in held.products]
    lists: list[Sequence[AheadOffer]] = [held.products[each].offers for each in known]
    if not buyer.personal or held.customer is None:
        return lists
    segments = held.segments.segments if held.segments else {}
    return [*lists, held.customer.offers or segments.get(held.customer.segment or "", ())]


def _fused(lists: Iterable[Sequence[AheadOffer]], cart: Collection[int]) -> list[AheadOffer]:
    """Return the offers of all lists by the sum of 1 / (place + 1), equal ones as they came.

    Reciprocal rank fusion without its constant: the lists are short. An offer is told as the list says in
    which it stands highest.
    """
    scores: dict[int, float] = {}
    best: dict[int, tuple[int, AheadOffer]] = {}
    for offers in lists:
        for place, offer in enumerate(offers):
            if offer.product_id in cart:
                continue
            scores[offer.product_id] = scores.get(offer.product_id, 0.0) + 1 / (place + 1)
            if offer.product_id not in best or place < best[offer.product_id][0]:
                best[offer.product_id] = (place, offer)
    ranked = sorted(scores, key=lambda each: -scores[each])
    return [best[each][1] for each in ranked]


def _once(offers: Iterable[AheadOffer]) -> list[AheadOffer]:
    first: dict[int, AheadOffer] = {}
    for each in offers:
        first.setdefault(each.product_id, each)
    return list(first.values())
