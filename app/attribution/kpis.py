"""A period's figures by arm, experiment, segment, offer, trigger, campaign, market and day. Pure.

They describe those whom decisions met; what an arm caused is told by its experiment. None is told over
nothing.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO

from app.experiments.assign import HOLDOUT
from app.experiments.refusal import Cause, Refusal
from app.spreadsheet import cell

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as figures are told of it. checkout: None where it may not be remembered.

    kinds, campaigns: of the offers it made. accepted, dismissed: whether any of them was. experiments: its
    arms in other experiments than the standing one, as `id/version/arm`. trigger: what asked, else where.
    browser: the one with a cart that it was made for, where that is known. on_the_way: made before the
    order; after it, everybody has one.
    """

    checkout: str | None
    customer_id: int | None
    day: str
    arm: str
    segment: str | None
    market: str | None
    kinds: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()
    accepted: bool = False
    dismissed: bool = False
    experiments: frozenset[str] = frozenset()
    trigger: str | None = None
    browser: str | None = None
    on_the_way: bool = True


@dataclass(frozen=True, slots=True)
class Customer:
    """What a customer brought so far, net, and what they are expected to spend in the next 90 days."""

    spent_minor: int
    ahead_minor: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What figures are worked out from. orders: net minor units of each that stands, by checkout.

    carts: by day, browsers that put something into a cart; bought: those of them that completed a checkout.
    """

    decisions: Sequence[Decided]
    orders: Mapping[str, Sequence[int]]
    customers: Mapping[int, Customer]
    carts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    bought: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure of one group. over: how many stand under it. value: shares, or minor units."""

    by: str
    group: str
    name: str
    value: float | Refusal
    over: int


Groups = Callable[[Decided], Iterable[str | None]]
BY: Mapping[str, Groups] = {
    "all": lambda each: ("all",),
    "arm": lambda each: (each.arm,),
    "experiment": lambda each: each.experiments,
    "segment": lambda each: (each.segment,),
    "offer": lambda each: each.kinds,
    "trigger": lambda each: (each.trigger,),
    "campaign": lambda each: each.campaigns,
    "market": lambda each: (each.market,),
    "day": lambda each: (each.day,),
}


def kpis(facts: Facts, ways: Iterable[str] = tuple(BY)) -> list[Kpi]:
    """Return every figure of every group: of all ways to group, or of these.

    They describe; what an arm caused is told by its experiment.
    """
    return [
        kpi
        for by in ways
        for group, decisions in sorted(_grouped(facts, by, BY[by]).items())
        for kpi in _figures(by, group, decisions, facts)
    ]


def as_csv(found: Iterable[Kpi]) -> str:
    """Return a line a figure; an empty value has its reason beside it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("by", "group", "kpi", "value", "over", "reason"))
    for each in found:
        said = each.value
        told = ("", each.over, said.says) if isinstance(said, Refusal) else (f"{said:.6g}", each.over, "")
        writer.writerow((each.by, cell(each.group), each.name, *told))
    return text.getvalue()


def _grouped(facts: Facts, by: str, groups_of: Groups) -> dict[str, list[Decided]]:
    groups: dict[str, list[Decided]] = defaultdict(list)
    for each in facts.decisions:
        for group in groups_of(each):
            groups[group or UNKNOWN].append(each)
    # Carts may have come on a day without a decision.
    of_carts = {"all": ["all"] if facts.carts else [], "day": facts.carts}.get(by, ())
    return {group: groups[group] for group in {*groups, *of_carts}}


def _figures(by: str, group: str, decisions: Sequence[Decided], facts: Facts) -> Iterator[Kpi]:
    checkouts = {each.checkout for each in decisions if each.checkout}
    asked = {each.checkout for each in decisions if each.checkout and each.on_the_way}
    orders = [minor for each in checkouts for minor in facts.orders.get(each, ())]
    ids = {each.customer_id for each in decisions if each.customer_id is not None}
    known = [facts.customers[each] for each in sorted(ids) if each in facts.customers]
    ahead = [each.ahead_minor for each in known if each.ahead_minor is not None]
    offered = [each for each in decisions if each.kinds]
    ordered = sum(bool(facts.orders.get(each)) for each in asked)
    carts = _carts(by, group, decisions, facts)

    def kpi(name: str, above: float, below: int, missing: str) -> Kpi:
        value = above / below if below else Refusal(Cause.NO_BASE, missing)
        return Kpi(by, group, name, value, below)

    yield kpi("cart_conversion", len(carts & facts.bought), len(carts), "no cart was seen that is of it")
    yield kpi("checkout_conversion", ordered, len(asked), "no checkout that may be remembered")
    yield kpi("aov", sum(orders), len(orders), "no order that stands")
    yield kpi("clv_realised", sum(one.spent_minor for one in known), len(known), "no known customer")
    yield kpi("clv_predicted_90d", sum(ahead), len(ahead), "no customer with a forecast")
    free = [each for each in decisions if each.arm != HOLDOUT]
    yield kpi("activation", sum(bool(each.kinds) for each in free), len(free), "nobody but the holdout asked")
    for name, said in (("acceptance", "accepted"), ("dismissal", "dismissed")):
        so = sum(getattr(each, said) for each in offered)
        yield kpi(name, so, len(offered), "no decision that offered anything")


def _carts(by: str, group: str, decisions: Iterable[Decided], facts: Facts) -> frozenset[str]:
    """Return the group's browsers with a cart: of all and by day every one, else those a decision met.

    A cart that was left before any decision is of no arm, offer or market: nothing tells which.
    """
    if by == "all":
        return frozenset[str]().union(*facts.carts.values())
    if by == "day":
        return facts.carts.get(group, frozenset())
    return frozenset(each.browser for each in decisions if each.browser and each.on_the_way)
