"""A decision's log entry, and making the decision again from it, bit for bit. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.campaigns.weigh import reweigh
from app.errors import NotFound
from app.events.kinds import DecisionMade
from app.experiments.assign import pseudonym
from app.offers.choose import choose, propensities
from app.offers.situation import Occasion, Situation, unit_of
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import Answer, Offer


def entry_of(occasion: Occasion, situation: Situation, answer: Answer, duration_us: int) -> DecisionMade:
    """Return the log entry: what went in, with which versions, and what came out.

    inputs: the snapshot's version, the situation, the propensity of its arm, and of each offer in it; for
    each experiment its version, the arm, and how likely that was; the unit that is in them, under another
    name; whether an arm could not be served; what asked, where the page said so. The customer, the checkout
    and the unit are named only where the visitor allowed it.
    """
    question, shop = occasion.question, occasion.shop
    return DecisionMade(
        shop=shop.shop,
        event_id=answer.decision_id,
        happened_at=occasion.now,
        surface=question.surface,
        rung=answer.rung,
        arm=answer.arm,
        fallback=answer.fallback,
        model_version=shop.model_version,
        checkout_token=question.checkout_token if occasion.may.may_store_checkout else None,
        customer_id=occasion.shopper.customer_id,
        permitted=occasion.consent.permitted,
        region=question.region.code if occasion.may.may_store_checkout else None,
        duration_us=duration_us,
        inputs={
            "snapshot": shop.version,
            "trigger": question.trigger_type,
            "propensity": round(shop.experiment.share(situation.arm), 6),
            "unit": pseudonym(shop.shop, unit_of(occasion)) if occasion.may.may_store_checkout else None,
            "experiments": {
                each.experiment_id: [each.version, each.arm, round(each.share, 6)]
                for each in occasion.assignments
            },
            "unserved": occasion.unserved,
            "propensities": _propensities(shop, situation, answer.offers),
            "situation": msgspec.to_builtins(situation),
        },
        answer=msgspec.to_builtins(answer),
    )


def replay(inputs: Mapping[str, Any], snapshots: Mapping[str, ShopSnapshot]) -> tuple[Offer, ...]:
    """Return the offers that a decision with these logged inputs made.

    snapshots: by version. Raises NotFound when the decision's is not among them.
    """
    shop = snapshots.get(inputs["snapshot"])
    if shop is None:
        raise NotFound(f"no snapshot {inputs['snapshot']!r} to replay the decision on")
    situation = msgspec.convert(inputs["situation"], Situation)
    if shop.plan is not None and situation.campaigns is not None:
        weighed = reweigh(shop.plan, situation.campaigns, situation.decision_id)
        situation = msgspec.structs.replace(situation, campaigns=weighed)
    return choose(shop, situation)


def _propensities(shop: ShopSnapshot, situation: Situation, offers: Sequence[Offer]) -> list[float]:
    """Return how likely each offer was: a campaign's by its draw, the others by the ranking's own chance."""
    if situation.campaigns is None:
        return propensities(shop, situation, offers)
    drawn = {each.campaign_id: each.propensity for each in situation.campaigns.chosen}
    ranked = iter(propensities(shop, situation, [offer for offer in offers if offer.campaign is None]))
    return [next(ranked) if offer.campaign is None else drawn[offer.campaign] for offer in offers]
