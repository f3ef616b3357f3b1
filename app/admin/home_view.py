"""What the first page says: the figures with what they are, and how healthy everything is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.admin.experiments_form import arm_words
from app.admin.figures import (
    NOTHING,
    estimate,
    milliseconds,
    moment,
    money,
    number,
    percent,
    percentage,
    share,
)
from app.admin.language import _, ngettext
from app.admin.lately import Dated
from app.admin.refusals import refusal_words
from app.admin.store import Health, Model
from app.attribution.attribute import OfferCounts, Revenue
from app.attribution.figures import Caused, Month
from app.attribution.kpis import Kpi
from app.attribution.report import Incremental
from app.attribution.served import Served
from app.experiments.assign import HOLDOUT
from app.experiments.refusal import Cause, Refusal


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure. name: of its definition. value: with its unit. note: what it rests on."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One part of the app's health. tone: a badge's."""

    name: str
    tone: str
    says: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """What Tillwise earned, in a sentence with how sure that is, and where to go from there.

    tone: a badge's; link: its label and the page it leads to.
    """

    tone: str
    badge: str
    says: str
    link: tuple[str, str]


def headline(found: Caused, currency: str, *, is_paused: bool) -> Headline | None:
    """Return what offers caused, None where that is not known yet."""
    if isinstance(found, Refusal):
        return None
    total, between = found.total, caused_words(found, currency)
    amount = estimate(abs(total.value), currency)
    if total.low > 0:
        says = _(
            "Tillwise brought in about %(amount)s more in sales: %(range)s.", amount=amount, range=between
        )
        link = (_("See where it came from"), "/admin/experiments/earned")
        return Headline("success", _("It pays"), says, link)
    if total.high < 0:
        says = _("You sold about %(amount)s less with Tillwise: %(range)s.", amount=amount, range=between)
        if not is_paused:
            says = " ".join((says, _("Check your campaigns, or pause Tillwise below.")))
        return Headline("critical", _("It costs sales"), says, (_("Open campaigns"), "/admin/campaigns"))
    says = _(
        "It's too early to tell whether Tillwise brings in more sales: the difference so far is "
        "%(range)s. It gets clearer as more shoppers come.",
        range=between,
    )
    return Headline("info", _("Not sure yet"), says, (_("See the groups"), "/admin/experiments/read"))


def tiles(month: Month) -> list[Tile]:
    """Return the figures of the first page, the most telling first."""
    revenue, counts, told = month.revenue, month.counts, {each.name: each for each in month.kpis}
    return [
        _incremental(month),
        Tile("attributed_revenue", money(revenue.net_minor, revenue.currency), _sold(revenue)),
        Tile("conversion", *_converted(_kpi(told, "checkout_conversion"))),
        Tile("aov", *_order_value(_kpi(told, "aov"), month.currency)),
        _lifetime(told, month.currency),
        Tile("offers_shown", number(counts.shown), _of_answers(counts)),
        Tile("offers_accepted", number(counts.accepted), _of_shown(counts)),
        Tile("latency", milliseconds(month.served.p50_us), _slowest(month.served)),
    ]


def caused_words(found: Incremental, currency: str) -> str:
    """Return the range that the incremental revenue lies in, and beside whom where nobody is held out."""
    between = _(
        "between %(low)s and %(high)s (%(level)s sure)",
        low=estimate(found.total.low, currency),
        high=estimate(found.total.high, currency),
        level=percentage(100 * found.level),
    )
    if found.control == HOLDOUT:
        return between
    return _("%(range)s, beside “%(control)s”", range=between, control=arm_words(found.control, {}))


def untold_words(refused: Refusal) -> str:
    """Return why it is not known what offers caused."""
    if refused.cause is Cause.EMPTY_ARM:
        return _("It's too early to tell: Tillwise follows the visitors in each group for 14 days first.")
    return refusal_words(refused)


def signs(health: Health, served: Served | None, model: Model | None) -> list[Sign]:
    """Return how each part of the app is; of its answers nothing while they are not counted."""
    answers = [_answers(served)] if served else []
    return [_webhooks(health), _pixel(health), _checkout(health), *answers, _model(model)]


def as_of_words(told: Dated[Any]) -> str:
    """Return of when the figures are; empty where they are of now."""
    if told.is_awaited:
        return _("Tillwise is working this out. The first time takes a few minutes, so come back soon.")
    if told.as_of is None:
        return ""
    return _(
        "As of %(time)s. With this many decisions, figures are prepared in advance.", time=moment(told.as_of)
    )


def _kpi(told: Mapping[str, Kpi], name: str) -> Kpi:
    """Return the figure; one of a shop that nobody has asked says so."""
    return told.get(name) or Kpi("all", "all", name, Refusal(Cause.NOBODY, "nobody asked yet"), 0)


def _incremental(month: Month) -> Tile:
    found = month.caused
    if isinstance(found, Refusal):
        return Tile("incremental_revenue", NOTHING, untold_words(found))
    value = estimate(found.total.value, month.currency)
    return Tile("incremental_revenue", value, caused_words(found, month.currency))


def _sold(revenue: Revenue) -> str:
    orders = ngettext("%(num)s order", "%(num)s orders", revenue.orders)
    if not revenue.refunded_minor:
        return orders
    refunded = money(revenue.refunded_minor, revenue.currency)
    return _("%(orders)s, %(refunded)s refunded", orders=orders, refunded=refunded)


def _converted(kpi: Kpi) -> tuple[str, str]:
    if isinstance(kpi.value, Refusal):
        return NOTHING, _no_base(kpi.value, _("no checkout yet with consent to be remembered"))
    return percent(kpi.value, 1), ngettext("of %(num)s checkout", "of %(num)s checkouts", kpi.over)


def _order_value(kpi: Kpi, currency: str) -> tuple[str, str]:
    if isinstance(kpi.value, Refusal):
        return NOTHING, _no_base(kpi.value, _("no order yet from these checkouts"))
    return money(round(kpi.value), currency), ngettext("%(num)s order", "%(num)s orders", kpi.over)


def _no_base(refused: Refusal, says: str) -> str:
    """Return why there is no figure. says: what it is that there is none of."""
    return says if refused.cause is Cause.NO_BASE else refusal_words(refused)


def _lifetime(told: Mapping[str, Kpi], currency: str) -> Tile:
    so_far, ahead = _kpi(told, "clv_realised"), _kpi(told, "clv_predicted_90d")
    if isinstance(so_far.value, Refusal):
        return Tile("lifetime_value", NOTHING, refusal_words(so_far.value))
    note = ngettext("%(num)s customer", "%(num)s customers", so_far.over)
    if not isinstance(ahead.value, Refusal):
        expected = money(round(ahead.value), currency)
        note = _("%(customers)s; %(amount)s more expected in 90 days", customers=note, amount=expected)
    return Tile("lifetime_value", money(round(so_far.value), currency), note)


def _of_answers(counts: OfferCounts) -> str:
    if not counts.decisions:
        return _("none yet")
    if not counts.shown:
        return _("no browser has reported one yet")
    return _("%(share)s of answers", share=share(counts.shown, counts.decisions))


def _of_shown(counts: OfferCounts) -> str:
    if not counts.shown:
        return _("none yet")
    return _("%(share)s of those shown", share=share(counts.accepted, counts.shown))


def _slowest(served: Served) -> str:
    if not served.total:
        return _("none yet")
    answers = ngettext("%(num)s answer", "%(num)s answers", served.total)
    return _("%(answers)s, 99%% within %(time)s", answers=answers, time=milliseconds(served.p99_us))


def _webhooks(health: Health) -> Sign:
    name = _("Messages from Shopify")
    if health.parked_webhooks:
        stuck = ngettext("%(num)s put aside", "%(num)s put aside", health.parked_webhooks)
        return Sign(name, "warning", stuck)
    if health.heard_at is None:
        return Sign(name, "neutral", _("None yet"))
    return Sign(name, "success", _("Arriving"), _("last at %(time)s", time=moment(health.heard_at)))


def _pixel(health: Health) -> Sign:
    says = ("success", _("Connected")) if health.has_pixel else ("warning", _("Not connected"))
    return Sign(_("Web pixel"), *says)


def _checkout(health: Health) -> Sign:
    name = _("Checkout block")
    if health.asked_at is None:
        return Sign(name, "neutral", _("Has not asked yet"))
    return Sign(name, "success", _("Asking"), _("last at %(time)s", time=moment(health.asked_at)))


def _answers(served: Served) -> Sign:
    name, fallen = _("Answers"), sum(served.by_fallback.values())
    if not served.total:
        return Sign(name, "neutral", _("None yet"))
    tone = "warning" if fallen * 10 > served.total else "success"
    return Sign(name, tone, _("%(share)s in full", share=share(served.total - fallen, served.total)))


def _model(model: Model | None) -> Sign:
    if model is None:
        return Sign(_("Model"), "neutral", _("Not trained yet"))
    trained = _("trained on %(time)s", time=moment(model.trained_at))
    return Sign(_("Model"), "success", _("In use"), trained)
