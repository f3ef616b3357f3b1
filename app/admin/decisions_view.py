"""How the dashboard speaks of one decision: what it offered and why, and which campaigns fired. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.admin.campaigns_view import LEFT_OUT, off_words
from app.admin.decisions_filter import OUTCOMES
from app.admin.figures import moment, money, percent, percentage
from app.admin.language import Lazy, _, lazy, ngettext, spoken
from app.admin.segment_titles import title
from app.admin.view import ARMS, FALLBACKS, SURFACES, product_number, reason_words
from app.campaigns.campaign import Class
from app.campaigns.weighed import Weighed
from app.consent.policy import PURPOSES
from app.coupons.store import REDEEMED, WITHDRAWN
from app.offers.considered import Considered
from app.offers.rerank import NEVER
from app.offers.situation import Situation
from app.replays import LoggedDecision, Replay
from app.rules.expression import reads
from app.rules.fields import FIELDS, Value
from app.rules.locale import LANGUAGES, locale
from app.rules.nodes import Constant, Rule
from app.rules.words import Words, collection_key, in_words
from app.values import minor_units

RUNG_MEANS: Mapping[str, Lazy] = {
    "personal": lazy("The shopper allowed history and profile to be used."),
    "session": lazy("The shopper allowed this visit to be used, and nothing before it."),
    "contextual": lazy("The shopper allowed nothing, so the cart alone decided."),
    "static": lazy("Your defaults were offered: nothing of the shopper was used."),
}
ARM_MEANS: Mapping[str, Lazy] = {
    "personalised": lazy("The shopper was placed at random in the group that gets personalised offers."),
    "static": lazy("The shopper was placed at random in the group that sees your defaults, to compare."),
    "holdout": lazy(
        "The shopper was held out at random, so nothing was offered. This measures what offers earn."
    ),
}
# What a step of the re-ranking thought of a product that it moved.
_STEPS: Mapping[str, Lazy] = {
    "profit": lazy("it would be sold at a loss"),
    "stock": lazy("the last unit may be gone"),
    "lead_time": lazy("it takes long until it is sent"),
    "returns": lazy("it is often sent back"),
    "pins": lazy("pinned by you"),
    "boosts": lazy("boosted by you"),
    "price_to_cart": lazy("dear beside the cart"),
    "looked_at": lazy("looked at in this visit"),
    "said_no": lazy("the shopper had sent it away"),
    "complement": lazy("like what is in the cart already"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of an offer, and its share of what speaks for it in percent."""

    says: str
    percent: int


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as it was made, and what became of it."""

    title: str
    image: str | None
    details: str
    code: str
    campaign: str
    reasons: tuple[Reason, ...]
    outcomes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Weighing:
    """What became of a campaign. facts: what was known of what its rule asks."""

    campaign_id: str
    name: str
    tone: str
    says: str
    rule: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A product that was considered. place: where it was offered, empty if not; why: what moved it."""

    place: str
    title: str
    rank: int
    why: str


def situation_of(logged: LoggedDecision) -> Situation | None:
    """Return what the decision was made from, None where it was erased or is of another layout."""
    try:
        return msgspec.convert(logged.inputs.get("situation"), Situation)
    except msgspec.ValidationError:
        return None


def facts(logged: LoggedDecision, situation: Situation | None) -> list[tuple[str, str]]:
    """Return what there is to know of the decision as a whole."""
    told = [
        (_("Where"), _known(SURFACES, logged.surface)),
        (_("Group"), _known(ARMS, logged.arm)),
        (_("Allowed"), ", ".join(_purposes(logged)) or _("nothing")),
        (_("Model"), logged.model_version or _("none")),
    ]
    if logged.fallback:
        told.append((_("Fallback"), _known(FALLBACKS, logged.fallback)))
    if segment := logged.answer.get("segment"):
        told.append((_("Segment"), title(str(segment))))
    if (intent := logged.answer.get("intent")) is not None:
        told.append((_("Chance of a purchase within five minutes"), percent(intent)))
    if situation is not None and situation.orders:
        told.append((_("Orders before"), ngettext("%(num)s order", "%(num)s orders", situation.orders)))
    return told


def meanings(logged: LoggedDecision) -> list[str]:
    """Return in sentences why it could use what it used."""
    told = (RUNG_MEANS.get(logged.rung), ARM_MEANS.get(logged.arm))
    return [str(each) for each in told if each is not None]


def offered(
    logged: LoggedDecision,
    titles: Mapping[int, str],
    campaigns: Mapping[str, str],
    came: Mapping[str, list[str]],
    codes: Mapping[str, str],
    now: datetime,
) -> list[Offered]:
    """Return the offers with their reasons. came: kinds of feedback by offer; codes: the status of each."""
    return [
        Offered(
            title=offer_title(offer),
            image=(offer.get("product") or {}).get("image"),
            details=_details(offer),
            code=_code_words(offer, codes, now),
            campaign=_campaign(offer, campaigns),
            reasons=tuple(
                Reason(reason_words(why, titles), round(100 * why.get("weight", 0)))
                for why in offer.get("why") or ()
            ),
            outcomes=tuple(outcome_words(kind) for kind in came.get(offer.get("offer_id", ""), ())),
        )
        for offer in logged.offers
    ]


def codes_named(logged: LoggedDecision) -> list[str]:
    """Return the codes that were given with the offers."""
    discounts = (offer.get("discount") or {} for offer in logged.offers)
    return [each["code"] for each in discounts if each.get("code")]


def products_named(logged: LoggedDecision, situation: Situation | None) -> set[int]:
    """Return the products that a decision's page names."""
    referred = (why.get("with") for offer in logged.offers for why in offer.get("why") or ())
    named = {number for each in referred if (number := product_number(each))}
    return named if situation is None else named | set(situation.cart)


def weighings(
    weighed: Weighed,
    rules: Mapping[str, Rule],
    names: Mapping[str, str],
    titles: Mapping[str, str],
    currency: str,
) -> list[Weighing]:
    """Return what became of each campaign whose rule held. rules: as they were then, those still known.

    names: of campaigns, by id. titles: of what rules name, as `in_words` has it.
    """
    words = Words(locale(_language()), currency, titles)
    shown = {each.campaign_id: each.propensity for each in weighed.chosen}
    return [
        Weighing(
            campaign_id=name,
            name=names.get(name, name),
            tone="success" if name in shown else "neutral",
            says=_became(name, shown, weighed),
            rule=f"{in_words(rules[name], currency, _language(), titles)}." if name in rules else "",
            facts=tuple(_facts_of(rules[name], weighed, words)) if name in rules else (),
        )
        for name in dict.fromkeys((*shown, *weighed.matched, *weighed.left_out))
    ]


def ranked(found: list[Considered], offered_ids: set[int], titles: Mapping[int, str]) -> list[Ranked]:
    """Return what was considered, as the model ranked it, and what moved each."""
    return [
        Ranked(
            place=_place(each, offered_ids),
            title=titles.get(each.product_id, str(each.product_id)),
            rank=at,
            why=", ".join(_moves(each)) or "–",
        )
        for at, each in enumerate(found, start=1)
    ]


def same_words(again: Replay) -> tuple[str, str]:
    """Return whether the decision comes out the same, with a banner's tone."""
    if again.is_same:
        return "success", _("The same offers were chosen again, bit for bit.")
    then, now = ([offer_title(each) for each in offers] for offers in (again.logged.offers, again.offers))
    nothing = _("nothing")
    return "critical", _(
        "It comes out otherwise. Then: %(then)s. Now: %(now)s.",
        then=", ".join(then) or nothing,
        now=", ".join(now) or nothing,
    )


def _place(each: Considered, offered_ids: set[int]) -> str:
    if each.product_id in offered_ids:
        return _("Offered")
    return "" if each.place is None else _("Gave way")


def _moves(each: Considered) -> Iterator[str]:
    """Yield what the re-ranking thought of a product, what took it out first."""
    for name, added in sorted(each.steps, key=lambda step: step[1]):
        if added == NEVER:
            yield _("Taken out: %(why)s", why=str(_STEPS[name]))
        elif name not in ("profit", "returns"):  # every product has some of these
            yield str(_STEPS[name])
    if each.alike:
        yield _("another of its type came before it")


def _facts_of(rule: Rule, weighed: Weighed, words: Words) -> Iterator[tuple[str, str]]:
    for name in sorted(reads(rule)):
        yield words.name(FIELDS[name]), _value(weighed.inputs.facts.get(name), name, words)


def _value(value: Value, name: str, words: Words) -> str:
    match value:
        case None:
            return _("not known")
        case bool():
            return _("yes") if value else _("no")
        case tuple() | list():
            return ", ".join(_called(each, name, words) for each in value) or _("none")
        case _:
            return words.term(Constant(value), FIELDS[name])


def _called(text: str, name: str, words: Words) -> str:
    """Return what one of a field's texts is called."""
    match FIELDS[name].names:
        case "segment":
            return title(text)
        case "product":
            return words.names.get(text, text)
        case "collection":
            return words.names.get(collection_key(text), text)
        case _:
            return text


def _became(name: str, shown: Mapping[str, float], weighed: Weighed) -> str:
    if name in shown:
        drawn = shown[name]
        return _("Shown") if drawn == 1 else _("Shown, drawn with a chance of %(p)s", p=percent(drawn))
    why = weighed.left_out.get(name)
    if why is None:
        return _("Its rule held")
    return _("Not shown: %(why)s", why=str(LEFT_OUT.get(why, why.replace("_", " "))))


def _kind(offer: Mapping[str, Any]) -> str:
    kinds = {
        "coupon": _("A discount"),
        "banner": _("A banner"),
        "message": _("A message"),
        "upsell": _("A product"),
    }
    return kinds.get(offer.get("kind", ""), _("A progress bar"))


def offer_title(offer: Mapping[str, Any]) -> str:
    """Return what an offer is called: its product's title, else its kind."""
    return (offer.get("product") or {}).get("title") or _kind(offer)


def listed_title(offer: Mapping[str, Any], campaigns: Mapping[str, str]) -> str:
    """Return what an offer is called among others: with its campaign, where it is one's."""
    return " · ".join(filter(None, (offer_title(offer), _campaign(offer, campaigns))))


def _details(offer: Mapping[str, Any]) -> str:
    """Return what the offer costs, or what it takes off."""
    product, discount = offer.get("product") or {}, offer.get("discount") or {}
    if product.get("price"):
        return _money(product["price"], product.get("currency"))
    return _off(discount, discount.get("applies_to") or "order")


def _code_words(offer: Mapping[str, Any], statuses: Mapping[str, str], now: datetime) -> str:
    discount = offer.get("discount") or {}
    code, until = discount.get("code"), discount.get("expires_at")
    if not (code and until):  # a code always ends
        return ""
    return code_words(code, statuses.get(code), datetime.fromisoformat(until), now)


def code_words(code: str, status: str | None, end: datetime, now: datetime) -> str:
    """Return what became of a code that was given, for a shopper may say that it did not work."""
    if status == REDEEMED:
        return _("Code %(code)s: an order used it", code=code)
    if status == WITHDRAWN:
        return _("Code %(code)s: its discount was deleted or deactivated in Shopify", code=code)
    if end > now:
        return _("Code %(code)s: good until %(time)s", code=code, time=moment(end))
    return _("Code %(code)s: ended on %(time)s", code=code, time=moment(end))


def _off(discount: Mapping[str, Any], applies_to: Class) -> str:
    if share := discount.get("percentage"):
        if (share, applies_to) == (100, "shipping"):
            return _("Free shipping")
        return off_words(percentage(share), applies_to)
    if discount.get("amount"):
        return off_words(_money(discount["amount"], discount.get("currency")), applies_to)
    return ""


def _money(amount: str, currency: str | None) -> str:
    return money(minor_units(amount, currency), currency) if currency else amount


def _campaign(offer: Mapping[str, Any], campaigns: Mapping[str, str]) -> str:
    name = offer.get("campaign")
    return campaigns.get(name, name) if name else ""


def outcome_words(kind: str) -> tuple[str, str]:
    """Return a badge's tone and words for what became of an offer."""
    tones = {"accepted": "success", "dismissed": "caution", "failed": "critical"}
    return tones.get(kind, "info"), str(OUTCOMES.get(kind, kind))


def _purposes(logged: LoggedDecision) -> list[str]:
    names = {
        "analytics": _("analytics"),
        "marketing": _("marketing"),
        "preferences": _("preferences"),
        "sale_of_data": _("sale of data"),
    }
    return [names[each] for each in PURPOSES if each in logged.permitted]


def _known(words: Mapping[str, Lazy], value: str) -> str:
    return str(words[value]) if value in words else value.replace("_", " ")


def _language() -> str:
    return spoken().language if spoken().language in LANGUAGES else "en"
