"""How the dashboard speaks of what was learnt of shoppers. Pure but for the language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.admin.campaigns_view import between, rate_words
from app.admin.figures import money, number, percent
from app.admin.language import Lazy, _, lazy
from app.campaigns.campaign import Campaign, Running
from app.campaigns.plan import plan_of
from app.intent.rates import rate
from app.intent.table import FEWEST_PURCHASES, FEWEST_VISITS
from app.intent.worth import threshold
from app.shops.store import Shop

_HEADS: Mapping[str, Lazy] = {
    "now": lazy("A purchase within 5 minutes"),
    "visit": lazy("A purchase within the visit"),
}
# What is compared, ours first; the last one is there to show what foreknowledge would look like.
_BY: Mapping[str, Lazy] = {
    "ours": lazy("Your shop's own model"),
    "prior": lazy("The model all shops begin with"),
    "rule": lazy("The checkout's step and the cart alone"),
    "cart_alone": lazy("Ours, of shoppers who allow nothing"),
    "leaky": lazy("With what only the end of a visit tells: too good to be true"),
}


class Verdict(NamedTuple):
    """Which model serves, and why."""

    serves: str
    why: str


class Row(NamedTuple):
    """One way of foretelling, and how good it was on later visits."""

    by: str
    auc: str
    pr_auc: str
    error: str
    ours: bool


class Head(NamedTuple):
    """One probability. says: of how many moments it is judged, and how many of these ended in an order."""

    label: str
    says: str
    rows: tuple[Row, ...]


class Changed(NamedTuple):
    """What a campaign's coupon changes. limit: up to when it is given; anyway: its false positives."""

    name: str
    effect: str
    apart: str
    limit: str
    anyway: str


class Arm(NamedTuple):
    """A campaign that competes. share: how often it is drawn among all of its choice."""

    name: str
    share: str


def verdict(report: Mapping[str, Any]) -> Verdict:
    """Return which model of intent serves, and what speaks for it."""
    visits, purchases = report["visits"], report["purchases"]
    seen = _(
        "%(visits)s visits, %(purchases)s of which ended in an order", visits=visits, purchases=purchases
    )
    if report["publish"]:
        why = _("Learnt from %(seen)s, and surely better on the latest of them.", seen=seen)
        return Verdict(_("Your shop's own model is in use"), why)
    if report["heads"]:
        why = _("There are %(seen)s. A model of your own was not surely better on the latest.", seen=seen)
    else:
        why = _(
            "There are %(seen)s. A model of your own takes %(needed)s visits, and %(orders)s orders among "
            "the latest third of them.",
            seen=seen, needed=FEWEST_VISITS, orders=FEWEST_PURCHASES,
        )  # fmt: skip
    return Verdict(_("The model all shops begin with is in use"), why)


def heads(report: Mapping[str, Any]) -> list[Head]:
    """Return how good each probability was on visits later than all it was learnt from; none without."""
    return [_head(str(_HEADS[name]), each) for name, each in report.get("heads", {}).items()]


def changed(campaign: Campaign, report: Mapping[str, Any], shop: Shop) -> Changed:
    """Return what a campaign's coupon changes, as far as its holdout tells."""
    average, anyway = report["average"], report["bought_anyway"]
    measured = rate(anyway["happened"], anyway["of"])
    told = f"{rate_words(measured)}, {between(measured)}" if measured.of else _("Nobody was held back yet.")
    return Changed(
        campaign.name, _effect(report), _apart(report), _limit(campaign, average, report, shop), told
    )


def arms(
    weights: Mapping[str, Mapping[str, float]], campaigns: Mapping[str, Campaign]
) -> dict[str, list[Arm]]:
    """Return, by choice, how often each of the campaigns that compete is drawn among all of them."""
    found: dict[str, list[Arm]] = {}
    for choice, weighed in weights.items():
        known = {name: weight for name, weight in weighed.items() if name in campaigns}
        whole = sum(known.values())
        ordered = sorted(known.items(), key=lambda each: -each[1])
        if whole:
            found[choice] = [Arm(campaigns[name].name, percent(each / whole)) for name, each in ordered]
    return found


def _head(label: str, report: Mapping[str, Any]) -> Head:
    says = _(
        "Of %(moments)s moments, %(share)s were followed by it.",
        moments=report["moments"], share=percent(report["share"], 1),
    )  # fmt: skip
    rows = [
        Row(
            str(by), number(each["auc"], 3), number(each["pr_auc"], 3), number(each["ece"], 4), name == "ours"
        )
        for name, by in _BY.items()
        if (each := report.get(name))
    ]
    return Head(label, says, tuple(rows))


def _effect(report: Mapping[str, Any]) -> str:
    average = report["average"]
    if average is None:
        return _("Not known yet: the rule alone decides.")
    mean, low, high = (percent(average[each], 1, signed=True) for each in ("mean", "low", "high"))
    return _(
        "%(mean)s of shoppers buy because of it (%(low)s to %(high)s), of %(exposures)s shown or held back.",
        mean=mean, low=low, high=high, exposures=report["exposures"],
    )  # fmt: skip


def _apart(report: Mapping[str, Any]) -> str:
    if report["basis"] == "by_shopper":
        return _("It can be told whom it changes: shoppers are judged by the fifth they are in.")
    if report["basis"] == "average":
        return _("Whom it changes can't be told apart yet: all are judged by the average.")
    return ""


def _limit(
    campaign: Campaign, average: Mapping[str, float] | None, report: Mapping[str, Any], shop: Shop
) -> str:
    """Return up to which chance of buying anyway the coupon is given, at the usual cart."""
    cart = report.get("cart")
    if average is None:
        return ""
    if cart is None:
        return _("Without your products' costs it can't be told for whom it is worth its price.")
    takes = _taken_off(campaign, cart["subtotal_minor"], shop)
    limit = threshold(cart["spare_minor"], takes, average["mean"])
    if average["low"] <= 0 or not limit:
        return _("To nobody but one in twenty, who are given it to learn: it does not pay for itself.")
    return _(
        "To who would buy anyway in fewer than %(limit)s of cases, at the usual cart of %(cart)s, which "
        "leaves %(left)s and of which the coupon takes %(takes)s.",
        limit=percent(limit, 1), cart=money(cart["subtotal_minor"], shop.currency),
        left=money(cart["spare_minor"], shop.currency), takes=money(takes, shop.currency),
    )  # fmt: skip


def _taken_off(campaign: Campaign, subtotal_minor: int, shop: Shop) -> int:
    plan = plan_of(shop.shop, [Running(campaign, 0)], shop.currency, shop.settings, trigger=campaign.trigger)
    return 0 if plan is None else plan.planned[0].takes_minor(subtotal_minor)
