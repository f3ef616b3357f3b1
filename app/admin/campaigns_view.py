"""A campaign in words for the dashboard: what it shows, to whom, and its status. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from app.admin.figures import NOTHING, day, hour, listed, moment, money, percent, percentage, weekdays
from app.admin.language import Lazy, _, lazy, ngettext, spoken
from app.campaigns.activity import Activity, CampaignActivity
from app.campaigns.campaign import Campaign, Class, DiscountTerms, Kind, Schedule
from app.campaigns.plan import LOCALE
from app.coupons.store import Pool
from app.intent.rates import Rate
from app.rules.expression import read_rule
from app.rules.fields import Field
from app.rules.locale import LANGUAGES, locale
from app.rules.words import Words, in_words
from app.shops.store import Shop
from app.values import minor_units

TONES: Mapping[str, str] = {
    "running": "success",
    "scheduled": "info",
    "paused": "caution",
    "stopped": "critical",
    "ended": "neutral",
    "draft": "info",
}
KINDS: Mapping[str, Lazy] = {
    "coupon": lazy("Discount"),
    "banner": lazy("Banner"),
    "message": lazy("Message"),
    "progress": lazy("Progress bar"),
    "upsell": lazy("Products"),
}
# Why a campaign that matched was not shown, in a merchant's words.
LEFT_OUT: Mapping[str, Lazy] = {
    "withheld": lazy("held back to measure its effect"),
    "capped": lazy("shown often enough already"),
    "waiting": lazy("its delay was not over"),
    "over": lazy("its time for the shopper was over"),
    "dismissed": lazy("the shopper had sent it away"),
    "no_code": lazy("no code was left"),
    "unremembered": lazy("the shopper may not be remembered, and so given no code of their own"),
    "subscribed": lazy("the cart held only subscriptions or gift cards, which no code takes anything off"),
    "company": lazy("a company bought, which has prices of its own"),
    "margin": lazy("it would have sold at a loss"),
    "limit": lazy("beyond your limit for discounts"),
    "minimum": lazy("the cart was below the minimum"),
    "not_drawn": lazy("another campaign was drawn"),
    "unknown_cart": lazy("the cart's amount was not known"),
    "in_cart": lazy("the products were in the cart already"),
    "unavailable": lazy("none of its products could be had"),
    "beside": lazy("it does not go with another discount of the shopper's"),
    "intent_high": lazy("the shopper was likely to buy anyway"),
    "no_effect": lazy("it changes nothing for such a shopper"),
    "no_margin": lazy("nothing would be left of the margin"),
}
STANDINGS: Mapping[str, Lazy] = {
    "draft": lazy("Draft"),
    "running": lazy("Running"),
    "scheduled": lazy("Scheduled"),
    "paused": lazy("Paused"),
    "stopped": lazy("Stopped"),
    "ended": lazy("Ended"),
}


class Figure(NamedTuple):
    """One figure of a campaign. between: where it lies with 95 % certainty."""

    label: str
    says: str
    between: str


class Level(NamedTuple):
    """A campaign's pool of codes. says: how full it is; refused: what Shopify said, in its words."""

    says: str
    low: bool
    refused: str


def rule_words(campaign: Campaign, shop: Shop, names: Mapping[str, str] | None = None) -> str:
    """Return whom it is for, as a sentence in the shop's language."""
    return f"{in_words(read_rule(campaign.rule), shop.currency, language_of(shop), names)}."


def language_of(shop: Shop) -> str:
    """Return the language that rules are said in: the merchant's, else the shop's, if there is a table."""
    shops = str(shop.settings.get(LOCALE, "en")).partition("-")[0].lower()
    return next((each for each in (spoken().language, shops) if each in LANGUAGES), "en")


def field_words(field: Field) -> str:
    """Return what a field of rules is called in the merchant's language."""
    return Words(locale(spoken().language), "", {}).name(field)


def shows(campaign: Campaign, currency: str, names: Mapping[str, str] | None = None) -> str:
    """Return what a shopper gets, in a few words. names: of products, by id as a text."""
    offer = campaign.offer
    if offer.discount is not None:
        off = _off(offer.discount, currency)
        if not campaign.lasts_s:
            return off
        return _("%(off)s, for %(time)s", off=off, time=_lasting(campaign.lasts_s))
    if offer.target is not None:
        return _("Progress towards %(amount)s", amount=amount(offer.target, currency))
    if offer.product_ids:
        called = [(names or {}).get(str(each)) for each in offer.product_ids]
        if all(called):
            return listed(filter(None, called))
        return ngettext("%(num)s product you chose", "%(num)s products you chose", len(offer.product_ids))
    return str(KINDS[offer.kind])


def when_words(schedule: Schedule) -> str:
    """Return when it runs, in the shop's time; empty for always."""
    return " · ".join(_times(schedule))


def _times(schedule: Schedule) -> Iterator[str]:
    match schedule.starts_at, schedule.ends_at:
        case datetime() as begin, datetime() as end:
            yield _("%(low)s to %(high)s", low=moment(begin), high=moment(end))
        case datetime() as begin, None:
            yield _("from %(time)s", time=moment(begin))
        case None, datetime() as end:
            yield _("until %(time)s", time=moment(end))
    if schedule.weekdays:
        names = weekdays()
        yield listed(names[day - 1] for day in sorted(schedule.weekdays))
    if schedule.hours:
        low, high = map(hour, schedule.hours)
        yield _("%(low)s to %(high)s", low=low, high=high)


def amount(text: str, currency: str) -> str:
    """Return an amount as it is spoken of: `€50.00`."""
    return money(minor_units(text, currency), currency)


def level(
    campaign: Campaign,
    pools: Sequence[Pool],
    counted: Mapping[str, Mapping[str, int]],
    *,
    granted: bool,
    running: bool,
) -> Level | None:
    """Return how many codes are left, None for a campaign that gives out none.

    counted: codes by pool and status, no pool that has had none. running: it runs or is to.
    """
    if not campaign.needs_code:
        return None
    live = [each for each in pools if each.campaign_id == campaign.id and each.ended_at is None]
    refused = next((each.error for each in live if each.error), "")
    if not live and not granted:
        return Level(_("Waits for your permission"), False, refused)
    if not live and not running:
        return Level(_("Made once it runs"), False, refused)
    if not any(counted.get(each.pool_id, {}).keys() - {"asked"} for each in live):
        return Level(_("Being made") if running and not refused else _("Not made yet"), False, refused)
    left = sum(counted.get(each.pool_id, {}).get("pooled", 0) for each in live)
    size = sum(each.size for each in live)
    ready_words = _("%(left)s of %(size)s codes ready", left=left, size=size)
    return Level(ready_words, left < size / 10, refused)


def guards(campaign: Campaign, *, costs_known: bool, most_percent: float) -> list[str]:
    """Return what will hold a discount back, each in a sentence; nothing for what takes nothing off."""
    discount = campaign.offer.discount
    if discount is None:
        return []
    said = [
        _("Not shown where it would sell the cart at a loss.")
        if costs_known
        else _(
            "Tillwise doesn't know what your products cost you, so it can't hold back a discount that would "
            "sell at a loss. Enter “Cost per item” at your products in Shopify."
        ),
    ]
    if discount.percentage is not None and discount.percentage > most_percent:
        limit = percentage(most_percent)
        said.append(_("Never shown: it is above your limit of %(limit)s for one discount.", limit=limit))
    if not campaign.holdout:
        said.append(_("Nobody is held back, so nobody can tell whether it earns more than it gives away."))
    return said


def figures(done: CampaignActivity | None, kind: Kind) -> list[Figure]:
    """Return what came of a campaign, as the list shows it; nothing before it met anybody.

    Words alone can be taken by nobody.
    """
    if done is None or not (done.fired.happened or done.anyway.of):
        return []
    took = [(_("Took it"), done.accepted)] if kind in ("coupon", "upsell") else []
    rates = [
        (_("Shown to"), done.fired),
        *took,
        (_("“Not for me”"), done.dismissed),
        (_("Bought anyway"), done.anyway),
    ]
    return [Figure(label, rate_words(measured), between(measured)) for label, measured in rates]


def rate_words(measured: Rate) -> str:
    """Return a rate as it is spoken of: `25% (1 of 4)`."""
    if measured.share is None:
        return NOTHING
    share = percent(measured.share, _digits(measured))
    return _("%(share)s (%(some)s of %(all)s)", share=share, some=measured.happened, all=measured.of)


def between(measured: Rate) -> str:
    """Return where the rate lies with 95 % certainty, nothing of none."""
    if measured.share is None:
        return ""
    low, high = (percent(end, _digits(measured)) for end in (measured.low, measured.high))
    return _("%(low)s to %(high)s", low=low, high=high)


def _digits(measured: Rate) -> int:
    """Return how many digits tell something: of what is rare, a whole number of percent is too coarse."""
    return int(0 < (measured.share or 0) < 0.1)


def window_words(told: Activity, window_days: int) -> str:
    """Return of which time the figures are."""
    if told.whole:
        return ngettext("Of the last day.", "Of the last %(num)s days.", window_days)
    return _("Since %(day)s: what was before is too much to count while you wait.", day=day(told.since))


_OFF: Mapping[Class, Callable[[str], str]] = {
    "order": lambda off: _("%(off)s off", off=off),
    "product": lambda off: _("%(off)s off products", off=off),
    "shipping": lambda off: _("%(off)s off the shipping", off=off),
}


def _off(discount: DiscountTerms, currency: str) -> str:
    if discount.frees_shipping:
        return _("Free shipping")
    off = percentage(discount.percentage) if discount.percentage else amount(discount.amount or "0", currency)
    said = off_words(off, discount.applies_to)
    if not discount.minimum:
        return said
    return _("%(off)s, from %(minimum)s", off=said, minimum=amount(discount.minimum, currency))


def off_words(off: str, applies_to: Class) -> str:
    """Return of what it is taken off: `10% off the shipping`."""
    return _OFF[applies_to](off)


def _lasting(seconds: int) -> str:
    if seconds % 86_400 == 0:
        return ngettext("%(num)s day", "%(num)s days", seconds // 86_400)
    if seconds % 3_600 == 0:
        return ngettext("%(num)s hour", "%(num)s hours", seconds // 3_600)
    if seconds % 60 == 0:
        return ngettext("%(num)s minute", "%(num)s minutes", seconds // 60)
    return ngettext("%(num)s second", "%(num)s seconds", seconds)


def standing_words(standing: str) -> str:
    """Return how a campaign stands."""
    return str(STANDINGS[standing])


def _left_out(why: str, count: int) -> str:
    reason = str(LEFT_OUT.get(why, why))
    return ngettext("%(num)s time not shown: %(why)s", "%(num)s times not shown: %(why)s", count, why=reason)


def left_out_words(counts: Mapping[str, int]) -> list[str]:
    """Return why it would not have been shown, commonest first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [_left_out(why, count) for why, count in ordered]
