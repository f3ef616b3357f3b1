"""What a campaign would have done on past decisions, by the same weighing that serves. Pure.

A decision tells much of what rules read: its cart, its time, what its shopper had bought and looked at,
and, where the shop ran campaigns, the facts of these and some more. A decision that does not tell all
that the rule reads is not judged. What a visitor did not allow was not known then either, and is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import msgspec

from app.campaigns.campaign import Campaign, Running
from app.campaigns.facts import ALWAYS, evidence_of, page_of
from app.campaigns.plan import PLACES_OF, Plan, Planned, plan_of
from app.campaigns.shopper_history import (
    NEVER,
    NOTHING,
    CampaignHistory,
    ShopperHistory,
    Showing,
    after,
    in_this_session,
    is_new_session,
    newly_shown,
    place_of,
)
from app.campaigns.weigh import LookUp, weigh
from app.campaigns.weighed import Inputs, Weighed
from app.catalog.catalog import Catalog, Product
from app.errors import InputError
from app.rules.expression import read_rule, reads
from app.rules.fields import FIELDS, WEEKDAYS, Value
from app.values import exponent


class PastDecision(NamedTuple):
    """A logged decision. situation: as logged. unit: whose decision it was, None where it may not be known.

    bought: whether they ordered afterwards, None where that can't be known.
    """

    decision_id: str
    at: datetime
    surface: str
    checkout_token: str | None
    customer_id: int | None
    permitted: tuple[str, ...]
    situation: Mapping[str, Any]
    bought: bool | None
    unit: str | None = None

    @property
    def who(self) -> str | None:
        """Return the name under which their history may be kept: of a customer, browser or checkout."""
        if self.customer_id is not None:
            return f"customer:{self.customer_id}"
        if self.unit is not None:
            return f"unit:{self.unit}"
        return f"checkout:{self.checkout_token}" if self.checkout_token else None

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Return the logged inputs of its campaigns, empty where the shop had none."""
        inputs: Mapping[str, Any] = (self.situation.get("campaigns") or {}).get("inputs") or {}
        return inputs


class DryRun(NamedTuple):
    """What would have been. looked_at: decisions, latest first; judged: those that tell all the rule reads.

    matched: decisions whose rule, schedule and evidence held. fired: showings, one a place and session.
    shoppers: different ones. known: showings of which it is known whether an order followed; bought: with
    one. left_out: why others that matched were not shown. missing: what decisions did not tell, by field.
    """

    looked_at: int
    judged: int
    matched: int
    fired: int
    shoppers: int
    known: int
    bought: int
    left_out: Mapping[str, int]
    missing: Mapping[str, int]

    def says(self) -> str:
        """Return it in a sentence for the merchant."""
        if not self.judged:
            return f"None of the last {self.looked_at} decisions tells all that the rule reads."
        told = f"Would have been shown {self.fired} times to {self.shoppers} shoppers"
        judged = f"in {self.judged} of the last {self.looked_at} decisions that can be judged"
        return f"{told}, {self.bought} of {self.known} times to one who bought anyway, {judged}."


def dry_run(
    campaign: Campaign,
    decisions: Iterable[PastDecision],
    catalog: Catalog,
    zone: str,
    settings: Mapping[str, Any],
) -> DryRun:
    """Return what the campaign alone would have done, oldest decision first; nobody is held back.

    catalog: today's, by which products have their types, vendors, tags and collections. Raises InputError for
    a campaign that no checkout shows.
    """
    if campaign.trigger != "checkout":
        raise InputError(
            "it goes to shoppers who left a checkout: past decisions can't tell of it", "trigger"
        )
    plan = plan_of("", [Running(campaign, 0)], catalog.currency, settings, zone=zone)
    assert plan is not None
    running = _Running(plan, catalog, reads(read_rule(campaign.rule)))
    for past in sorted(decisions, key=lambda each: (each.at, each.decision_id)):
        running.take(past)
    return running.result()


class _Running:
    """A dry run under way."""

    def __init__(self, plan: Plan, catalog: Catalog, fields: frozenset[str]) -> None:
        self._plan, self._catalog, self._fields = plan, catalog, fields
        self._seen: dict[str, ShopperHistory] = {}
        self._who: set[str] = set()
        self._left_out: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def take(self, past: PastDecision) -> None:
        """Judge one decision."""
        self._counts["looked_at"] += 1
        facts = facts_of_past(past, self._catalog, self._plan.zone)
        missing = self._fields - facts.keys()
        evidence = evidence_of(facts)
        if len(evidence) < self._plan.planned[0].campaign.evidence and not (past.inputs or _untold(past)):
            missing |= {"evidence"}
        self._missing.update(missing)
        if not missing:
            self._judge(past, facts, evidence)

    def result(self) -> DryRun:
        """Return what it comes to."""
        names = ("looked_at", "judged", "matched", "fired")
        counts = {name: self._counts[name] for name in names}
        return DryRun(
            **counts,
            shoppers=len(self._who),
            known=self._counts["known"],
            bought=self._counts["bought"],
            left_out=dict(self._left_out),
            missing=dict(self._missing),
        )

    def _judge(self, past: PastDecision, facts: Mapping[str, Value], evidence: tuple[str, ...]) -> None:
        who, at = past.who, int(past.at.timestamp())
        history = self._seen.get(who, NOTHING) if who else NOTHING
        known = in_this_session(history, is_new_session(history, None, at), self._plan.by_id)
        inputs = _inputs(past, facts, evidence, known)
        look_up = LookUp(self._is_spent, self._has_nothing)
        weighed = weigh(self._plan, inputs, past.decision_id, lambda _name, _share: False, look_up)
        self._counts["judged"] += 1
        self._counts["matched"] += len(weighed.matched)
        self._left_out.update(weighed.left_out.values())
        shown = tuple(each.campaign_id for each in weighed.chosen)
        showing = Showing(at, inputs.place, shown, weighed.waiting)
        if newly_shown(known, showing):
            self._fire(past)
        if who:
            self._seen[who] = after(history, self._with_code(known, weighed), showing)

    def _is_spent(self, planned: Planned) -> bool:
        most = planned.campaign.caps.total
        return most is not None and self._counts["fired"] >= most

    def _has_nothing(self, planned: Planned) -> bool:
        """Return whether it offers products, and none can be had."""
        wanted = planned.campaign.offer.product_ids
        return bool(wanted) and self._catalog.available_ids.isdisjoint(wanted)

    def _fire(self, past: PastDecision) -> None:
        self._counts["fired"] += 1
        self._who.add(past.who or past.decision_id)
        self._counts["known"] += past.bought is not None
        self._counts["bought"] += past.bought is True

    def _with_code(
        self, known: Mapping[str, CampaignHistory], weighed: Weighed
    ) -> Mapping[str, CampaignHistory]:
        """Return what is known of the shopper with the code they would have been given."""
        (planned,), at = self._plan.planned, weighed.inputs.at
        held = known.get(planned.id, NEVER)
        if not weighed.chosen or planned.pool_id is None or held.code:
            return known
        until = at + (planned.campaign.lasts_s or 0)
        return {**known, planned.id: msgspec.structs.replace(held, code="-", expires_at=until)}


def facts_of_past(past: PastDecision, catalog: Catalog, zone: tzinfo) -> dict[str, Value]:
    """Return what the decision tells of each field, None where it was not known; untold ones are left out."""
    told = _of_situation(past, catalog) | _of_time(past.at.astimezone(zone))
    told |= dict.fromkeys(_not_allowed(past))
    if past.inputs:
        told |= dict.fromkeys(ALWAYS - told.keys())
        told |= {name: _value(value) for name, value in past.inputs.get("facts", {}).items()}
    return told


def _inputs(
    past: PastDecision,
    facts: Mapping[str, Value],
    evidence: tuple[str, ...],
    known: Mapping[str, CampaignHistory],
) -> Inputs:
    return Inputs(
        at=int(past.at.timestamp()),
        facts=dict(facts),
        evidence=evidence,
        cart=tuple(past.situation.get("cart", ())),
        subtotal_minor=past.situation.get("subtotal_minor"),
        home_minor=past.inputs.get("home_minor"),
        cards_minor=past.inputs.get("cards_minor", 0),
        spare_minor=past.inputs.get("spare_minor"),
        remembers=past.who is not None,
        place=place_of(past.surface, past.checkout_token) if past.who else past.decision_id,
        fired=dict(known),
        applied=past.inputs.get("applied", 0),
        taken=tuple(past.inputs.get("taken", ())),
        subscribed=past.inputs.get("subscribed", False),
        company=past.inputs.get("company", False),
        places=PLACES_OF.get(past.situation.get("wants", "all")),
    )


def _of_situation(past: PastDecision, catalog: Catalog) -> dict[str, Value]:
    situation, visit = past.situation, "analytics" in past.permitted
    cart: Sequence[int] = situation.get("cart", ())
    subtotal = situation.get("subtotal_minor")
    digits = exponent(catalog.currency)
    told: dict[str, Value] = {
        "checkout.surface": page_of(past.surface),
        "cart.subtotal": None if subtotal is None else round(subtotal / 10**digits, digits),
        "cart.product_ids": tuple(map(str, cart)),
    }
    in_cart = [product for each in cart if (product := catalog.get(each))]
    told |= {f"cart.{name}": texts for name, texts in _texts(in_cart).items()}
    if visit and (viewed := situation.get("viewed")):
        seen = [product for each in viewed if (product := catalog.get(each))]
        told["visit.viewed_product_ids"] = tuple(map(str, viewed))
        told["visit.viewed_product_types"] = _texts(seen)["product_types"]
        told["visit.viewed_collections"] = _texts(seen)["collections"]
        told["visit.viewed_dearest_price"] = _dearest(seen, digits)
    return told | _of_customer(past)


def _of_customer(past: PastDecision) -> dict[str, Value]:
    situation = past.situation
    if past.customer_id is None:
        return {}
    told: dict[str, Value] = {
        "profile.orders": situation.get("orders", 0),
        "profile.segments": tuple(situation.get("segments", ())),
    }
    if history := situation.get("history"):
        told["profile.days_since_order"] = int(min(days for _, _, days in history))
    if told["profile.orders"]:
        told["shopper.cold"] = False
    return told


def _of_time(local: datetime) -> dict[str, Value]:
    return {
        "time.hour": local.hour,
        "time.weekday": WEEKDAYS[local.weekday()],
        "time.date": local.date().isoformat(),
    }


def _not_allowed(past: PastDecision) -> Collection[str]:
    """Return the fields of which nothing was known, because the visitor did not allow it or is nobody."""
    closed = set() if "analytics" in past.permitted else {"visit"}
    closed |= set() if past.customer_id is not None else {"profile"}
    return [field.name for field in FIELDS.values() if field.needs in closed]


def _untold(past: PastDecision) -> bool:
    """Return whether all of its engagement is told: of who did not allow their visit, the cart is all."""
    return "analytics" not in past.permitted


def _texts(products: Sequence[Product]) -> dict[str, tuple[str, ...]]:
    found = {
        "product_types": [each.product_type for each in products],
        "vendors": [each.vendor for each in products],
        "tags": [tag for each in products for tag in each.tags],
        "collections": [name for each in products for name in each.in_collections],
    }
    return {name: tuple(dict.fromkeys(filter(None, texts))) for name, texts in found.items()}


def _dearest(products: Sequence[Product], digits: int) -> float | None:
    prices = [variant.price_minor for each in products if (variant := each.offered)]
    return round(max(prices) / 10**digits, digits) if prices else None


def _value(value: Any) -> Value:
    logged: Value = tuple(value) if isinstance(value, list) else value
    return logged
