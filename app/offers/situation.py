"""What a choice depends on beside the shop, reduced to what the visitor allowed. Pure."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from hashlib import blake2b

import msgspec

from app.campaigns.weighed import Weighed
from app.consent.policy import Consent, Permissions
from app.events.surfaces import IN_CHECKOUT
from app.experiments.assign import Assignment, assign, assignments_of
from app.intent.features import Features, InCart, PageSignals, features_of
from app.offers.snapshot import ShopSnapshot
from app.offers.variants import is_unserved, variant_of
from app.offers.wire import Question, Wants
from app.profiles.customer import Profile, segment
from app.profiles.recall import Shopper
from app.profiles.visit import NO_VISIT
from app.profiles.visit_clusters import visit_segment
from app.values import price_minor

DAY_S = 86_400


class Occasion(msgspec.Struct, frozen=True, dict=True):
    """What a decision is made for: the question, the shop, the shopper, and what they allow.

    shop: as the arms of its experiments change it, once `in_arms` has assigned them.
    may: what the consent permits to be done with the shopper's data.
    assignments: the unit's arm in each running experiment, the standing one first.
    unserved: whether one of these arms can't be served, so that the shop is as it was.
    """

    decision_id: str
    now: datetime
    shop: ShopSnapshot
    question: Question
    consent: Consent
    may: Permissions
    shopper: Shopper
    assignments: tuple[Assignment, ...] = ()
    unserved: bool = False

    @cached_property
    def features(self) -> Features:
        """Return what intent is predicted from; a visit that may not be used, or was not read, is empty."""
        cart, signals = self.question.cart, self.question.signals
        own_currency = cart.currency == self.shop.currency
        return features_of(
            self.shopper.visit if self.may.may_use_visit else NO_VISIT,
            InCart(sum(line.quantity for line in cart.lines), float(cart.subtotal) if own_currency else 0.0),
            PageSignals(int(self.question.surface in IN_CHECKOUT), (signals.errors or 0) if signals else 0),
            self.now.timestamp(),
        )


class Situation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that a choice depends on beside the shop; logged, so that it can be made again.

    What was not allowed, or could not be read, is empty here.

    decision_id: seeds whatever is random about the decision.
    arm: of the standing experiment.
    cart: its products. subtotal_minor: in the shop's currency, None where the cart is in another.
    customer_id: None where the visitor is a guest, did not allow it, or could not be read.
    history: products bought before, each in how many orders and how many days ago the last time.
    orders: how many were placed. viewed: products looked at, the latest first.
    segments: the most telling first; of the visit where no order is known.
    sent_away: products that they dismissed in the visit.
    campaigns: the shop's, weighed; None where it has none.
    wants: what the page has a place for.
    """

    decision_id: str
    arm: str
    cart: tuple[int, ...] = ()
    subtotal_minor: int | None = None
    customer_id: int | None = None
    history: tuple[tuple[int, int, float], ...] = ()
    orders: int = 0
    viewed: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    sent_away: tuple[int, ...] = ()
    campaigns: Weighed | None = None
    wants: Wants = "all"

    @property
    def takes_products(self) -> bool:
        """Return whether there is a place for products: where there is none, none is ranked."""
        return self.wants in ("all", "products")


def offer_id(decision_id: str, what: int | str) -> str:
    """Return the id of a decision's offer of a product or a campaign: the same whenever it is asked."""
    return blake2b(f"{decision_id} {what}".encode(), digest_size=8).hexdigest()


def in_arms(occasion: Occasion) -> Occasion:
    """Return the occasion with its unit assigned to arms, and the shop as they change it."""
    shop = occasion.shop
    assignments = assignments_of(shop.experiment, shop.experiments, unit_of(occasion))
    beside_standing = assignments[1:]
    return msgspec.structs.replace(
        occasion,
        assignments=assignments,
        shop=variant_of(shop, beside_standing),
        unserved=is_unserved(shop, beside_standing),
    )


def situation_of(occasion: Occasion) -> Situation:
    """Return the situation. What was not allowed is not in it, so nothing after this can use it."""
    shop, cart, shopper = occasion.shop, occasion.question.cart, occasion.shopper
    standing = (
        occasion.assignments[0].arm if occasion.assignments else assign(shop.experiment, unit_of(occasion))
    )
    same_currency = cart.currency == shop.currency
    return Situation(
        decision_id=occasion.decision_id,
        arm=standing,
        cart=cart.product_ids,
        subtotal_minor=price_minor(cart.subtotal, cart.currency) if same_currency else None,
        customer_id=shopper.customer_id if shopper.reached else None,
        history=history_of(shopper.profile, occasion.now),
        orders=shopper.profile.orders_placed,
        viewed=shopper.visit.last_viewed,
        sent_away=shopper.visit.sent_away,
        segments=segments_of(occasion),
        wants=occasion.question.wants,
    )


def history_of(profile: Profile, now: datetime) -> tuple[tuple[int, int, float], ...]:
    """Return what was bought before: product, in how many orders, how many days ago the last time.

    Rounded, so that what is logged and what was used are the same number.
    """
    today = now.timestamp()
    return tuple(
        (product_id, bought.times, round(max(0.0, today - bought.last_at) / DAY_S, 2))
        for product_id, bought in profile.bought.items()
    )


def segments_of(occasion: Occasion) -> tuple[str, ...]:
    """Return the shopper's segments: a customer's by their orders, anyone else's by the visit."""
    shopper, profile = occasion.shopper, occasion.shopper.profile
    if profile.segments or not shopper.reached:
        return profile.segments
    if not profile.orders_ever and (by_visit := visit_segment(occasion.shop.visits, shopper.visit)):
        return (by_visit,)
    return () if shopper.customer_id is None else (segment(profile, occasion.now),)


def unit_of(occasion: Occasion) -> str:
    """Return who is assigned to an arm: the most lasting name that may be used.

    A checkout's token names a transaction, not a visitor, so it needs no consent to be hashed.
    """
    question, customer_id = occasion.question, occasion.shopper.customer_id
    if customer_id is not None:
        return f"customer:{customer_id}"
    if occasion.may.may_use_visit and question.client_id:
        return f"client:{question.client_id}"
    return f"checkout:{question.checkout_token or occasion.decision_id}"
