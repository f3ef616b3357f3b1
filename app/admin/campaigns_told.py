"""How the dashboard speaks of campaigns: what one shows, whom it is for, how it stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.admin.figures import NOTHING, day, money, percent
from app.admin.language import _, ngettext
from app.campaigns.activity import Activity, Done
from app.campaigns.campaign import Campaign, DiscountTerms
from app.campaigns.plan import LOCALE
from app.coupons.store import Pool
from app.intent.rates import Rate
from app.rules.expression import read_rule
from app.rules.locale import LANGUAGES
from app.rules.words import in_words
from app.shops.store import Shop
from app.values import minor_units

TONES: Mapping[str, str] = {
    "running": "success",
    "paused": "caution",
    "stopped": "critical",
    "ended": "neutral",
    "draft": "info",
}
KINDS: Mapping[str, str] = {
    "coupon": "Discount",
    "banner": "Banner",
    "message": "Message",
    "progress": "Progress bar",
    "upsell": "Products",
}
# Why a campaign that matched was not shown, in a merchant's words.
LEFT_OUT: Mapping[str, str] = {
    "withheld": "held back to measure its effect",
    "capped": "shown often enough already",
    "waiting": "its delay was not over",
    "over": "its time for the shopper was over",
    "dismissed": "the shopper had sent it away",
    "no_code": "no code was left",
    "margin": "it would have sold at a loss",
    "limit": "beyond your limit for discounts",
    "minimum": "the cart was below the minimum",
    "not_drawn": "another campaign was drawn",
    "unknown_cart": "the cart's amount was not known",
    "in_cart": "the products were in the cart already",
    "intent_high": "the shopper was likely to buy anyway",
    "no_effect": "it changes nothing for such a shopper",
    "no_margin": "nothing would be left of the margin",
}
_CLASSES = {"order": "the order", "product": "products", "shipping": "shipping"}


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
    """Return the language that rules are said in: the shop's where there is a table of it."""
    language = str(shop.settings.get(LOCALE, "en")).partition("-")[0].lower()
    return language if language in LANGUAGES else "en"


def shows(campaign: Campaign, currency: str) -> str:
    """Return what a shopper gets, in a few words."""
    offer = campaign.offer
    if offer.discount is not None:
        lasting = f", for {_lasting(campaign.lasts_s)}" if campaign.lasts_s else ""
        return f"{_off(offer.discount, currency)}{lasting}"
    if offer.target is not None:
        return f"Progress towards {amount(offer.target, currency)}"
    if offer.product_ids:
        count = len(offer.product_ids)
        return f"{count} product{'' if count == 1 else 's'} you chose"
    return KINDS[offer.kind]


def amount(text: str, currency: str) -> str:
    """Return an amount as it is spoken of: `€50.00`."""
    return money(minor_units(text, currency), currency)


def level(
    campaign: Campaign, pools: Sequence[Pool], ready: Mapping[str, int], *, granted: bool
) -> Level | None:
    """Return how many codes are left, None for a campaign that gives out none."""
    if not campaign.needs_code:
        return None
    live = [each for each in pools if each.campaign_id == campaign.id and each.ended_at is None]
    refused = next((each.error for each in live if each.error), "")
    if not live:
        return Level("Made once it runs" if granted else "Waits for your permission", False, refused)
    left, size = sum(ready.get(each.pool_id, 0) for each in live), sum(each.size for each in live)
    return Level(f"{left:,} of {size:,} codes ready", left < size / 10, refused)


def guards(campaign: Campaign, *, costs_known: bool, most_percent: float) -> list[str]:
    """Return what will hold a discount back, each in a sentence; nothing for what takes nothing off."""
    discount = campaign.offer.discount
    if discount is None:
        return []
    said = [
        "Not shown where it would sell the cart at a loss."
        if costs_known
        else "Tillwise doesn't know what your products cost you, so it can't hold back a discount that "
        "would sell at a loss.",
    ]
    if discount.percentage is not None and discount.percentage > most_percent:
        said.append(f"Never shown: it is above your limit of {most_percent:g} % for one discount.")
    if not campaign.holdout:
        said.append("Nobody is held back, so nobody can tell whether it earns more than it gives away.")
    return said


def figures(done: Done | None) -> list[Figure]:
    """Return what came of a campaign, as the list shows it; nothing before it met anybody."""
    if done is None or not (done.fired.happened or done.anyway.of):
        return []
    rates = (
        (_("Shown to"), done.fired),
        (_("Took it"), done.accepted),
        (_("“Not for me”"), done.dismissed),
        (_("Bought anyway"), done.anyway),
    )
    return [Figure(label, rate_words(measured), between(measured)) for label, measured in rates]


def rate_words(measured: Rate) -> str:
    """Return a rate as it is spoken of: `25% (1 of 4)`."""
    if measured.share is None:
        return NOTHING
    share = percent(measured.share)
    return _("%(share)s (%(some)s of %(all)s)", share=share, some=measured.happened, all=measured.of)


def between(measured: Rate) -> str:
    """Return where the rate lies with 95 % certainty, nothing of none."""
    if measured.share is None:
        return ""
    return _("%(low)s to %(high)s", low=percent(measured.low), high=percent(measured.high))


def window_words(told: Activity, window_days: int) -> str:
    """Return of which time the figures are."""
    if told.whole:
        return ngettext("Of the last day.", "Of the last %(num)s days.", window_days)
    return _("Since %(day)s: what was before is too much to count while you wait.", day=day(told.since))


def _off(discount: DiscountTerms, currency: str) -> str:
    if discount.applies_to == "shipping":
        return "Free shipping"
    off = f"{discount.percentage:g} %" if discount.percentage else amount(discount.amount or "0", currency)
    on = "" if discount.applies_to == "order" else f" {_CLASSES[discount.applies_to]}"
    minimum = f", from {amount(discount.minimum, currency)}" if discount.minimum else ""
    return f"{off} off{on}{minimum}"


def _lasting(seconds: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def left_out_words(counts: Mapping[str, int]) -> list[str]:
    """Return why it would not have been shown, commonest first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return [f"{count:,} times not shown: {LEFT_OUT.get(why, why)}" for why, count in ordered]
