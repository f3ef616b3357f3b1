"""What offers are credited with, summed, beside what the holdout shows that they caused. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from app.attribution.models import Model
from app.attribution.touches import Credit, OwedLine, SoldLine, Touch
from app.experiments.analysis import Interval
from app.experiments.assign import PERSONALISED
from app.experiments.refusal import Refusal
from app.experiments.store import Readout

NONE = "none"  # the group of what has no campaign, no reason or no product


@dataclass(frozen=True, slots=True)
class PeriodSales:
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
class CreditShare:
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

    sold_minor: by all orders that stand. credited_orders: those that any of it is from. groups: of the
    credited part, by what, then by name.
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
    groups: Mapping[str, Mapping[str, CreditShare]]
    incremental: Incremental | Refusal


class CreditTally:
    """A period's sales as they are told part by part, and whose they are by one model.

    What is credited in all is the same by each model; only whose it is differs.
    """

    def __init__(self, model: Model, window_days: float) -> None:
        self._model: Model = model
        self._window_days = window_days
        self._currency = ""
        self._orders = self._sold_minor = self._credited_orders = self._foreign_orders = 0
        self._credited_minor = 0.0
        self._groups: dict[str, dict[str, _Credited]] = {name: defaultdict(_Credited) for name in _BY}

    def add(self, sold: PeriodSales, owed: Sequence[OwedLine]) -> None:
        """Take in a part. No order is in two. owed: its lines that offers came before."""
        # Nothing stayed of some lines, and last touch gives all offers but one nothing.
        found = [credit for each in owed for credit in each.shared(self._model) if credit.minor]
        self._currency = sold.currency
        self._orders += len({line.order.order_id for line in sold.lines}) + sold.other_orders
        self._sold_minor += sum(line.net_minor for line in sold.lines) + sold.other_minor
        self._credited_orders += len({credit.order_id for credit in found})
        self._credited_minor += sum(credit.minor for credit in found)
        self._foreign_orders += sold.foreign_orders
        product_of = {line.line_id: line.product_id for line in sold.lines}
        for name, of in _BY.items():
            for group, theirs in _grouped(found, of, product_of).items():
                self._groups[name][group].add(theirs)

    def report(self, incremental: Incremental | Refusal, since: datetime) -> Report:
        """Return the report. since: when the period began."""
        return Report(
            model=self._model,
            window_days=self._window_days,
            since=since,
            currency=self._currency,
            orders=self._orders,
            sold_minor=self._sold_minor,
            credited_orders=self._credited_orders,
            credited_minor=round(self._credited_minor),
            foreign_orders=self._foreign_orders,
            groups={name: _largest_first(groups) for name, groups in self._groups.items()},
            incremental=incremental,
        )


def incremental_of(found: Readout) -> Incremental | Refusal:
    """Return what the standing experiment says of revenue, over everybody who was served personally."""
    told = found.reading.metrics["revenue"]
    if isinstance(told, Refusal):
        return told
    each = next(one for one in told if one.arm == PERSONALISED)
    place = found.design.plan.arms.index(PERSONALISED)
    visitors = found.completed[place]
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


@dataclass(slots=True)
class _Credited:
    """What one group has so far. minor: not rounded."""

    minor: float = 0.0
    lines: int = 0
    orders: int = 0

    def add(self, theirs: Sequence[Credit]) -> None:
        self.minor += sum(credit.minor for credit in theirs)
        self.lines += len({credit.line_id for credit in theirs})
        self.orders += len({credit.order_id for credit in theirs})


_Of = Callable[[Credit, Mapping[int, int | None]], object]
# What a credit is of. Beside it stand the products of the lines.
_BY: Mapping[str, _Of] = {
    "kind": lambda credit, _: credit.touch.kind,
    "campaign": lambda credit, _: credit.touch.campaign,
    "reason": lambda credit, _: credit.touch.reason,
    "surface": lambda credit, _: credit.touch.surface,
    "product": lambda credit, product_of: product_of[credit.line_id],
}


def _grouped(
    found: Iterable[Credit], of: _Of, product_of: Mapping[int, int | None]
) -> dict[str, list[Credit]]:
    groups: dict[str, list[Credit]] = defaultdict(list)
    for credit in found:
        groups[str(of(credit, product_of) or NONE)].append(credit)
    return groups


def _largest_first(groups: Mapping[str, _Credited]) -> dict[str, CreditShare]:
    shares = {name: CreditShare(round(each.minor), each.lines, each.orders) for name, each in groups.items()}
    return dict(sorted(shares.items(), key=lambda item: (-item[1].minor, item[0])))
