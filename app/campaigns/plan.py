"""A shop's running campaigns, with all that can be worked out before anyone asks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from typing import Any, Literal

import msgspec

from app.campaigns.campaign import Campaign, Kind, Running, Schedule, Trigger
from app.campaigns.codes import pool_of
from app.campaigns.facts import ALWAYS, Reader, readers_of
from app.campaigns.messages import Text, normalised
from app.campaigns.recheck import MOST, Marks, marks_of
from app.catalog.costs import NO_COSTS, Costs
from app.experiments.assign import bucket
from app.rules.compiled import Matching, Wanted, matching_of
from app.rules.expression import read_rule, reads
from app.rules.fields import Facts
from app.rules.index import bits
from app.values import as_utc, minor_units, zone_of

Place = Literal["top", "progress", "main"]
# At most one nudge at the top, one progress and three products.
ROOM: Mapping[Place, int] = {"top": 1, "progress": 1, "main": 3}
PLACES: Mapping[Kind, Place] = {
    "coupon": "top",
    "banner": "top",
    "message": "top",
    "progress": "progress",
    "upsell": "main",
}
# Which of them there are where a question asks for less than all.
PLACES_OF: Mapping[str, tuple[Place, ...] | None] = {
    "all": None,
    "products": ("main",),
    "messages": ("top", "progress"),
    "message": ("top",),
}
_KEPT = 64  # shops whose rules are kept as they are asked: the catalogue changes oftener than they do
LIMITS, LOCALE = "discount_limits", "locale"


class Limits(msgspec.Struct, frozen=True):
    """How far the merchant lets discounts go.

    codes: how many unused codes one shopper may hold at once. percent: the highest of one discount.
    """

    codes: int = 1
    percent: float = 100.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A campaign ready to be weighed. Money is in minor units, times are epoch seconds.

    pool_id: where its codes come from, None for one that gives out none.
    """

    campaign: Campaign
    place: Place
    starts_at: float
    ends_at: float
    amount_minor: int
    minimum_minor: int
    target_minor: int
    texts: Mapping[str, Text]
    pool_id: str | None

    @property
    def id(self) -> str:
        """Return the campaign's id."""
        return self.campaign.id

    @property
    def has_caps(self) -> bool:
        """Return whether it may be shown only so often to one shopper."""
        caps = self.campaign.caps
        return caps.per_visitor is not None or caps.per_session is not None

    @property
    def takes_a_grant(self) -> bool:
        """Return whether its discount has no code."""
        discount = self.campaign.offer.discount
        return discount is not None and not discount.with_code

    def takes_minor(self, subtotal_minor: int) -> int:
        """Return what its discount takes off a cart, rounded up."""
        discount = self.campaign.offer.discount
        if discount is None or discount.applies_to == "shipping":
            return 0
        if discount.percentage is None:
            return min(self.amount_minor, subtotal_minor)
        return -(-subtotal_minor * round(discount.percentage * 100) // 10_000)


@dataclass(frozen=True, eq=False)
class Plan:
    """The shop's campaigns, the first to be looked at first.

    numbers: by campaign, where its showings are counted. costs: of a product's unit, in minor units.
    margin: the usual share of a price that is profit, None where no cost is known.
    weights: by choice and campaign, how likely each is to be drawn. marks: by campaign, when it may
    apply that did not at once.
    """

    shop: str
    currency: str
    zone: tzinfo
    locale: str
    planned: tuple[Planned, ...]
    numbers: Mapping[str, int]
    readers: tuple[tuple[str, Reader], ...]
    matching: Matching
    limits: Limits
    costs: Costs
    margin: float | None
    weights: Mapping[str, Mapping[str, float]]
    marks: Mapping[str, Marks]

    def withholds(self, unit: str, name: str, share: float) -> bool:
        """Return whether the unit is in the campaign's holdout, of this share: the same at every decision."""
        return bucket(f"campaign {self.shop} {name}", unit) < share

    @cached_property
    def by_id(self) -> Mapping[str, Planned]:
        """Return the campaigns by id."""
        return {each.id: each for each in self.planned}

    @cached_property
    def places(self) -> frozenset[Place]:
        """Return the places that any campaign takes."""
        return frozenset(each.place for each in self.planned)

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """Return the campaigns that may be shown only so often altogether."""
        return tuple(each.id for each in self.planned if each.campaign.caps.total is not None)

    @cached_property
    def pools(self) -> Mapping[str, str]:
        """Return the campaigns that give out codes, by pool."""
        return {each.pool_id: each.id for each in self.planned if each.pool_id is not None}

    @cached_property
    def discounts(self) -> bool:
        """Return whether any campaign takes something off."""
        return any(each.campaign.offer.discount for each in self.planned)

    @cached_property
    def timed(self) -> tuple[tuple[int, tuple[Planned, ...]], ...]:
        """Return the first times of a stay at which something may come to the top, and what of each."""
        found: dict[int, list[Planned]] = {}
        for planned in self.planned:
            for time in self.marks[planned.id].times if planned.place == "top" else ():
                found.setdefault(time, []).append(planned)
        return tuple((time, tuple(found[time])) for time in sorted(found)[:MOST])

    @cached_property
    def by_visit(self) -> tuple[Planned, ...]:
        """Return what may come to the top once it is known whose visit it is."""
        return tuple(each for each in self.planned if each.place == "top" and self.marks[each.id].soon)

    @cached_property
    def content(self) -> list[Any]:
        """Return all that a choice depends on here, for the snapshot's version."""
        campaigns = [msgspec.to_builtins(each.campaign) for each in self.planned]
        weights = sorted((name, sorted(arms.items())) for name, arms in self.weights.items())
        return [campaigns, str(self.zone), self.locale, msgspec.to_builtins(self.limits), weights]

    @cached_property
    def at_place(self) -> Mapping[Place, int]:
        """Return which campaigns take each place, as the bits of a number."""
        return {
            place: bits(at for at, each in enumerate(self.planned) if each.place == place)
            for place in self.places
        }

    def matches(self, facts: Facts, wanted: Wanted) -> Iterator[Planned]:
        """Yield the campaigns whose rules hold, in order. Rules of campaigns that are not wanted are not run.

        wanted: asked now and then which campaigns are still wanted, as the bits of a number.
        """
        return (self.planned[at] for at in self.matching(facts, wanted))


def plan_of(
    shop: str,
    campaigns: Sequence[Running],
    currency: str,
    settings: Mapping[str, Any],
    *,
    zone: str = "",
    costs: Costs = NO_COSTS,
    margin: float | None = None,
    weights: Mapping[str, Mapping[str, float]] | None = None,
    trigger: Trigger = "checkout",
) -> Plan | None:
    """Return the plan, None for a shop without campaigns of that trigger.

    zone: the shop's, `Europe/Berlin`; UTC where it is not known.
    """
    campaigns = [each for each in campaigns if each.campaign.trigger == trigger]
    if not campaigns:
        return None
    numbers = {each.campaign.id: each.number for each in campaigns}
    ordered = sorted((each.campaign for each in campaigns), key=lambda each: (-each.priority, each.id))
    fields, matching, marks = _asking(
        tuple(msgspec.json.encode(each.rule) for each in ordered), tuple(each.evidence for each in ordered)
    )
    return Plan(
        shop=shop,
        currency=currency,
        zone=zone_of(zone),
        locale=_locale(settings),
        planned=tuple(_planned(each, currency) for each in ordered),
        numbers=numbers,
        readers=readers_of(ALWAYS | fields),
        matching=matching,
        limits=limits_of(settings),
        costs=costs,
        margin=margin,
        weights=weights or {},
        marks={each.id: found for each, found in zip(ordered, marks, strict=True)},
    )


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """Return the merchant's limits; the usual ones where the setting is absent or unusable."""
    try:
        return msgspec.convert(settings.get(LIMITS, {}), Limits)
    except msgspec.ValidationError:
        return Limits()


def is_open(schedule: Schedule, local: datetime) -> bool:
    """Return whether the weekday and the hour are among the schedule's. local: in the shop's zone.

    Hours that go past midnight are of the day they began on: 22 to 6 on Friday ends on Saturday.
    """
    begin, end = schedule.hours or (0, 24)
    past_midnight = begin > end and local.hour < end
    weekday = (local - timedelta(days=1) if past_midnight else local).isoweekday()
    if schedule.weekdays and weekday not in schedule.weekdays:
        return False
    return past_midnight or begin <= local.hour < (end if begin < end else 24)


@lru_cache(maxsize=_KEPT)
def _asking(
    rules: tuple[bytes, ...], evidence: tuple[int, ...]
) -> tuple[frozenset[str], Matching, tuple[Marks, ...]]:
    """Return which facts the rules read, what asks them all, and each rule's marks; kept for the same."""
    read = [read_rule(msgspec.json.decode(each)) for each in rules]
    marks = tuple(map(marks_of, read, evidence))
    return frozenset[str]().union(*map(reads, read)), matching_of(read), marks


def _planned(campaign: Campaign, currency: str) -> Planned:
    discount, schedule = campaign.offer.discount, campaign.schedule
    amount, minimum = (discount.amount, discount.minimum) if discount else (None, None)
    return Planned(
        campaign=campaign,
        place=PLACES[campaign.offer.kind],
        starts_at=as_utc(schedule.starts_at).timestamp() if schedule.starts_at else float("-inf"),
        ends_at=as_utc(schedule.ends_at).timestamp() if schedule.ends_at else float("inf"),
        amount_minor=minor_units(amount or "0", currency),
        minimum_minor=minor_units(minimum or "0", currency),
        target_minor=minor_units(campaign.offer.target or "0", currency),
        texts=normalised(campaign.offer.messages),
        pool_id=pool_of(campaign, currency),
    )


def _locale(settings: Mapping[str, Any]) -> str:
    locale = settings.get(LOCALE)
    return locale if isinstance(locale, str) and locale else "en"
