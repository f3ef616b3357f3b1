"""What offers are credited with, summed, beside what the holdout shows that they caused. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from app.attribution.models import Model
from app.attribution.touches import Credit, SoldLine, Touch, credits_of
from app.experiments.analysis import Interval
from app.experiments.assign import PERSONALISED
from app.experiments.refusal import Refusal
from app.experiments.store import Readout

NONE = "none"  # the group of what has no campaign, no reason or no product


@dataclass(frozen=True, slots=True)
class Sold:
    """A period's sales and the offers made before them, as they stand now.

    foreign_orders: in another currency than the shop's, in no sum. other_orders, other_minor: of orders whose
    lines no offer can be credited with, and what they brought.
    """

    currency: str
    lines: tuple[SoldLine, ...]
    touches: tuple[Touch, ...]
    foreign_orders: int = 0
    other_orders: int = 0
    other_minor: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """What one group of offers is credited with. orders, lines: in which it has any credit."""

    minor: int
    lines: int
    orders: int


class Incremental(msgspec.Struct, frozen=True, tag="incremental"):
    """What the experiment's arm brought that its control did not, by assignment.

    visitors: of the arm, whose window is over. per_visitor, total: minor units with their interval, which
    holds with probability `level`: at any look where the period's first day stays, else for one look.
    arm_share: of all visitors, as planned.
    """

    arm: str
    control: str
    version: str
    visitors: int
    per_visitor: Interval
    total: Interval
    level: float
    arm_share: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was sold in a period, what of it offers are credited with, and what they caused.

    sold_minor: by all orders that stand. groups: of the credited part, by what, then by name.
    """

    model: Model
    window_days: float
    since: datetime
    currency: str
    orders: int
    sold_minor: int
    credited_orders: int
    credited_minor: int
    foreign_orders: int
    groups: Mapping[str, Mapping[str, Share]]
    incremental: Incremental | Refusal


def report_of(
    sold: Sold, incremental: Incremental | Refusal, model: Model, window_days: float, since: datetime
) -> Report:
    """Return the report. What is credited in all is the same by each model; only whose it is differs."""
    found = credits_of(sold.lines, sold.touches, model, window_days)
    return Report(
        model=model,
        window_days=window_days,
        since=since,
        currency=sold.currency,
        orders=len({line.order_id for line in sold.lines}) + sold.other_orders,
        sold_minor=sum(line.net_minor for line in sold.lines) + sold.other_minor,
        credited_orders=len({credit.order_id for credit in found}),
        credited_minor=round(sum(credit.minor for credit in found)),
        foreign_orders=sold.foreign_orders,
        groups=_groups(sold.lines, found),
        incremental=incremental,
    )


def incremental_of(found: Readout) -> Incremental | Refusal:
    """Return what the standing experiment says of revenue, over everybody who was served personally."""
    told = found.reading.metrics["revenue"]
    if isinstance(told, Refusal):
        return told
    each = next(one for one in told if one.arm == PERSONALISED)
    place = found.design.terms.arms.index(PERSONALISED)
    visitors = found.observed.units.counts(len(found.design.arms))[place]
    per = each.difference
    return Incremental(
        arm=PERSONALISED,
        control=found.design.control,
        version=found.version,
        visitors=visitors,
        per_visitor=per,
        total=Interval(per.value * visitors, per.low * visitors, per.high * visitors),
        level=each.level,
        arm_share=found.design.shares[PERSONALISED],
    )


def _groups(lines: Iterable[SoldLine], found: Sequence[Credit]) -> dict[str, dict[str, Share]]:
    product_of = {line.line_id: line.product_id for line in lines}
    by: dict[str, Callable[[Credit], object]] = {
        "kind": lambda credit: credit.touch.kind,
        "campaign": lambda credit: credit.touch.campaign,
        "reason": lambda credit: credit.touch.reason,
        "surface": lambda credit: credit.touch.surface,
        "product": lambda credit: product_of[credit.line_id],
    }
    return {name: _summed(found, of) for name, of in by.items()}


def _summed(found: Iterable[Credit], of: Callable[[Credit], object]) -> dict[str, Share]:
    """Return each group's sum, the largest first."""
    groups: dict[str, list[Credit]] = defaultdict(list)
    for credit in found:
        if credit.minor:  # last touch gives the others nothing
            groups[str(of(credit) or NONE)].append(credit)
    shares = {
        name: Share(
            minor=round(sum(credit.minor for credit in each)),
            lines=len({credit.line_id for credit in each}),
            orders=len({credit.order_id for credit in each}),
        )
        for name, each in groups.items()
    }
    return dict(sorted(shares.items(), key=lambda item: (-item[1].minor, item[0])))
