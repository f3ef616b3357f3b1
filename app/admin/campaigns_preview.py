"""What a shopper reads of a campaign, with example values filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from app.admin.figures import language_name
from app.admin.language import _
from app.campaigns.campaign import Campaign, OfferTerms
from app.campaigns.messages import Text, chain, key_of, normalised, text_for
from app.rules.locale import Locale
from app.rules.locale import locale as language_table
from app.values import exponent

# What the shopper's page says in English where the merchant wrote nothing; it has each in its languages.
BUILT_IN_ENGLISH: Mapping[str, str] = {
    "coupon.save_order": "Save {saving} on your order",
    "coupon.save_shipping": "Save {saving} on shipping",
    "coupon.free_shipping": "Free shipping",
    "banner.help": "Any questions? We are happy to help before you pay.",
    "banner.welcome": "Good to see you: have a look around, and ask us anything.",
    "message.help": "Any questions? We are happy to help.",
    "progress.free_shipping": "Add {amount} more for free shipping.",
    "upsell.merchant_pick": "Picked by the shop",
}
_VARIABLE = re.compile(r"\{([a-z]+)\}")
_COUNT = 3


class Preview(NamedTuple):
    """What is read. whose: which of the merchant's words they are, or that they are the page's own."""

    text: str
    whose: str


def preview(campaign: Campaign, currency: str, locale: str, country: str | None, default: str) -> Preview:
    """Return what a shopper with this locale reads. default: the shop's own language."""
    texts = normalised(campaign.offer.messages)
    table = language_table(locale or default)
    text = text_for(texts, locale, country, default)
    if text is None:
        words = BUILT_IN_ENGLISH.get(_key(campaign.offer), "")
        if not words:
            return Preview("", _("Nothing: you wrote no words that this shopper could read."))
        return Preview(
            _filled(words, campaign, currency, language_table("en")),
            _("The page's own sentence, here in English; shoppers read it in their language."),
        )
    name = next(each for each in chain(locale, country, default) if each in texts)
    return Preview(
        _filled(_form(text, table), campaign, currency, table),
        _("Your words for %(language)s.", language=language_name(name)),
    )


def _key(offer: OfferTerms) -> str:
    """Return the key of the page's own sentence; it says of a discount what it takes off."""
    if offer.discount is None:
        return key_of(offer.kind, offer.key, offer.messages)
    if offer.discount.frees_shipping:
        return "coupon.free_shipping"
    return f"coupon.save_{'shipping' if offer.discount.applies_to == 'shipping' else 'order'}"


def _form(text: Text, table: Locale) -> str:
    return text if isinstance(text, str) else table.form(text, _COUNT)


def _filled(words: str, campaign: Campaign, currency: str, table: Locale) -> str:
    values = _values(campaign, currency, table)
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), words)


def _values(campaign: Campaign, currency: str, table: Locale) -> dict[str, str]:
    """Return examples of what the page fills in."""
    offer = campaign.offer
    values = {"code": "TILL-EXAMPLE", "count": str(_COUNT), "product": "Sample product"}
    if offer.target:
        values |= {"target": _money(float(offer.target), currency, table)}
        values |= {"amount": _money(float(offer.target) * 0.3, currency, table)}
    if offer.discount:
        discount = offer.discount
        values["percentage"] = table.number(discount.percentage or 0)
        values["amount"] = _money(float(discount.amount or 0), currency, table)
        values["saving"] = f"{values['percentage']}%" if discount.percentage else values["amount"]
        values["minimum"] = _money(float(discount.minimum or 0), currency, table)
    return values


def _money(amount: float, currency: str, table: Locale) -> str:
    return table.money(round(amount, exponent(currency)), currency)
