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
class KpiDecision:
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
class KpiInputs:
    """What figures are worked out from. orders: of each that stands, by checkout, what it brought less what
    was given back, in minor units; None of one without goods, such as of gift cards alone.

    carts: by day, browsers that put something into a cart; bought: those of them that completed a checkout.
    """

    decisions: Sequence[KpiDecision]
    orders: Mapping[str, Sequence[int | None]]
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


@dataclass(frozen=True, slots=True)
class GroupTotals:
    """What a group's checkouts and customers brought, in net minor units.

    asked: checkouts that a decision was made in before the order; ordered: those of them with an order that
    stands. orders: of goods. forecasts, ahead_minor: customers with a forecast, and what they are expected to
    spend.
    """

    asked: int = 0
    ordered: int = 0
    orders: int = 0
    orders_minor: int = 0
    customers: int = 0
    spent_minor: int = 0
    forecasts: int = 0
    ahead_minor: int = 0


Groups = Callable[[KpiDecision], Iterable[str | None]]
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


def kpis(facts: KpiInputs, ways: Iterable[str] = tuple(BY)) -> list[Kpi]:
    """Return every figure of every group: of all ways to group, or of these.

    They describe; what an arm caused is told by its experiment.
    """
    return [
        kpi
        for by in ways
        for group, decisions in sorted(_grouped(facts, by, BY[by]).items())
        for kpi in _figures(by, group, decisions, facts)
    ]


def of_sums(by: str, group: str, sums: GroupTotals) -> Iterator[Kpi]:
    """Yield what a group's sums tell: the figures that Home shows, see `app.attribution.overall`."""
    ordered, asked = sums.ordered, sums.asked
    yield _kpi(by, group, "checkout_conversion", ordered, asked, "no checkout that may be remembered")
    yield _kpi(by, group, "aov", sums.orders_minor, sums.orders, "no order that stands")
    yield _kpi(by, group, "clv_realised", sums.spent_minor, sums.customers, "no known customer")
    missing = "no customer with a forecast"
    yield _kpi(by, group, "clv_predicted_90d", sums.ahead_minor, sums.forecasts, missing)


def as_csv(found: Iterable[Kpi]) -> str:
    """Return a line a figure, exact to a part of a minor unit; an empty value has its reason beside it."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("by", "group", "kpi", "value", "over", "reason"))
    for each in found:
        said = each.value
        told = ("", each.over, said.says) if isinstance(said, Refusal) else (f"{said:.12g}", each.over, "")
        writer.writerow((each.by, cell(each.group), each.name, *told))
    return text.getvalue()


def _grouped(facts: KpiInputs, by: str, groups_of: Groups) -> dict[str, list[KpiDecision]]:
    groups: dict[str, list[KpiDecision]] = defaultdict(list)
    for each in facts.decisions:
        for group in groups_of(each):
            groups[group or UNKNOWN].append(each)
    # Carts may have come on a day without a decision.
    of_carts = {"all": ["all"] if facts.carts else [], "day": facts.carts}.get(by, ())
    return {group: groups[group] for group in {*groups, *of_carts}}


def _figures(by: str, group: str, decisions: Sequence[KpiDecision], facts: KpiInputs) -> Iterator[Kpi]:
    carts = _carts(by, group, decisions, facts)
    bought = len(carts & facts.bought)
    yield _kpi(by, group, "cart_conversion", bought, len(carts), "no cart was seen that is of it")
    yield from of_sums(by, group, _sums(decisions, facts))
    offered, free = [each for each in decisions if each.kinds], [e for e in decisions if e.arm != HOLDOUT]
    active = sum(bool(each.kinds) for each in free)
    yield _kpi(by, group, "activation", active, len(free), "nobody but the holdout asked")
    for name, said in (("acceptance", "accepted"), ("dismissal", "dismissed")):
        so = sum(getattr(each, said) for each in offered)
        yield _kpi(by, group, name, so, len(offered), "no decision that offered anything")


def _sums(decisions: Sequence[KpiDecision], facts: KpiInputs) -> GroupTotals:
    checkouts = {each.checkout for each in decisions if each.checkout}
    asked = {each.checkout for each in decisions if each.checkout and each.on_the_way}
    brought = [minor for each in checkouts for minor in facts.orders.get(each, ())]
    orders = [minor for minor in brought if minor is not None]
    ids = {each.customer_id for each in decisions if each.customer_id is not None}
    known = [facts.customers[each] for each in ids if each in facts.customers]
    ahead = [each.ahead_minor for each in known if each.ahead_minor is not None]
    return GroupTotals(
        asked=len(asked),
        ordered=sum(bool(facts.orders.get(each)) for each in asked),
        orders=len(orders),
        orders_minor=sum(orders),
        customers=len(known),
        spent_minor=sum(one.spent_minor for one in known),
        forecasts=len(ahead),
        ahead_minor=sum(ahead),
    )


def _kpi(by: str, group: str, name: str, above: float, below: int, missing: str) -> Kpi:
    value = above / below if below else Refusal(Cause.NO_BASE, missing)
    return Kpi(by, group, name, value, below)


def _carts(by: str, group: str, decisions: Iterable[KpiDecision], facts: KpiInputs) -> frozenset[str]:
    """Return the group's browsers with a cart: of all and by day every one, else those a decision met.

    A cart that was left before any decision is of no arm, offer or market: nothing tells which.
    """
    if by == "all":
        return frozenset[str]().union(*facts.carts.values())
    if by == "day":
        return facts.carts.get(group, frozenset())
    return frozenset(each.browser for each in decisions if each.browser and each.on_the_way)
