"""What offers are credited with, and what they caused, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.admin import store
from app.admin.campaigns_view import KINDS
from app.admin.experiments_form import arm_words
from app.admin.figures import average, estimate, money, percentage
from app.admin.home_view import untold_words
from app.admin.language import Lazy, _, lazy, ngettext
from app.admin.view import REASONS, SURFACES
from app.attribution.models import Model
from app.attribution.report import NONE, CreditShare, Incremental, Report
from app.connections import Connections
from app.experiments.refusal import Refusal
from app.shops.store import Shop

MOST_ROWS = 12
MODELS: Mapping[Model, Lazy] = {
    "last_touch": lazy("All to the last offer"),
    "linear": lazy("The same to each offer"),
    "time_decay": lazy("More to later offers"),
    "position": lazy("Most to the first and the last"),
}
_BY: Mapping[str, Lazy] = {
    "kind": lazy("Kind of offer"),
    "campaign": lazy("Campaign"),
    "reason": lazy("First reason given"),
    "surface": lazy("Where"),
    "product": lazy("Product sold"),
}
# What stands for an offer of none of a group.
_NONE: Mapping[str, Lazy] = {
    "kind": lazy("Not known"),
    "campaign": lazy("No campaign"),
    "reason": lazy("No reason given"),
    "surface": lazy("Not known"),
    "product": lazy("No single product"),
}


@dataclass(frozen=True, slots=True)
class Caused:
    """What the offers caused. value: empty where that is not known; says: how sure, or why not."""

    value: str
    between: str
    says: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one group of offers is credited with. percent: of all that is credited."""

    name: str
    credited: str
    orders: str
    percent: int


def sold(report: Report) -> tuple[str, str]:
    """Return what was sold, and in how many orders."""
    return money(report.sold_minor, report.currency), _orders(report.orders)


def credited(report: Report) -> tuple[str, str]:
    """Return what of it offers are credited with, and in how many orders."""
    return money(report.credited_minor, report.currency), _orders(report.credited_orders)


def caused(found: Incremental | Refusal, currency: str) -> Caused:
    """Return what the offers caused, with its limits, or why that is not known."""
    if isinstance(found, Refusal):
        return Caused("", "", untold_words(found))
    total, per = found.total, found.per_visitor
    low, high = estimate(total.low, currency), estimate(total.high, currency)
    return Caused(
        estimate(total.value, currency),
        _("%(low)s to %(high)s", low=low, high=high),
        _(
            "%(each)s more per shopper than “%(control)s”, times %(n)s shoppers; %(sure)s sure, for one "
            "look.",
            each=average(per.value, currency),
            control=arm_words(found.control, {}),
            n=found.visitors,
            sure=percentage(100 * found.level),
        ),
    )


async def groups(
    connections: Connections, shop: Shop, report: Report, campaigns: Mapping[str, str]
) -> list[tuple[str, list[Row]]]:
    """Return the credited part by what offered it, the largest first."""
    ids = {int(name) for name in report.groups["product"] if name.isdecimal()}
    titles = await store.titles(connections, shop, ids)
    words: Mapping[str, Mapping[str, object]] = {
        "kind": KINDS,
        "campaign": campaigns,
        "reason": {name: _(says.text, product="…") for name, says in REASONS.items()},
        "surface": SURFACES,
        "product": {str(number): title for number, title in titles.items()},
    }
    return [
        (
            str(_BY[by]),
            [_row(name, each, {NONE: _NONE[by], **words[by]}, report) for name, each in _first(shares)],
        )
        for by, shares in report.groups.items()
        if shares
    ]


def _first(shares: Mapping[str, CreditShare]) -> list[tuple[str, CreditShare]]:
    return list(shares.items())[:MOST_ROWS]


def _row(name: str, share: CreditShare, words: Mapping[str, object], report: Report) -> Row:
    said = words.get(name, name.replace("_", " "))
    orders = ngettext("%(num)s order", "%(num)s orders", share.orders)
    percent_of_all = round(100 * share.minor / report.credited_minor) if report.credited_minor > 0 else 0
    return Row(str(said), money(share.minor, report.currency), orders, max(0, min(100, percent_of_all)))


def _orders(number: int) -> str:
    return ngettext("in %(num)s order", "in %(num)s orders", number)
