"""How the dashboard says things: shares, reasons, how far an import is. Pure but for the language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.admin.figures import number, percent
from app.admin.language import Lazy, _, lazy
from app.admin.store import Import, ListedDecision, Model
from app.errors import InputError
from app.values import shopify_id

# The figures of a model card, best known first, in a merchant's words.
FIGURES: Mapping[str, Lazy] = {
    "hit_at_4": lazy("A product the shopper went on to buy was among the top 4"),
    "recall_at_10": lazy("Share of what they went on to buy that was in the top 10 (recall@10)"),
    "ndcg_at_10": lazy("Ranking quality of the top 10 (NDCG@10)"),
}
_INDICES = frozenset({"ndcg_at_10"})  # between 0 and 1, and a share of nothing
KINDS: Mapping[str, Lazy] = {
    "products": lazy("Products"),
    "customers": lazy("Customers"),
    "orders": lazy("Orders"),
}
RUNGS: Mapping[str, Lazy] = {
    "personal": lazy("Personal: history and profile"),
    "session": lazy("Session: this visit only"),
    "contextual": lazy("Contextual: the cart alone"),
    "static": lazy("Static: your defaults"),
}
ARMS: Mapping[str, Lazy] = {
    "personalised": lazy("Personalised"),
    "static": lazy("Static"),
    "holdout": lazy("Holdout"),
}
FALLBACKS: Mapping[str, Lazy] = {
    "no_model": lazy("No model yet"),
    "redis": lazy("The shopper could not be read"),
    "error": lazy("Choosing failed"),
    "log": lazy("The answer could not be written down"),
    "no_shop": lazy("The app was not installed"),
    "timeout": lazy("The shop was not loaded in time"),
}
SURFACES: Mapping[str, Lazy] = {
    "checkout": lazy("Checkout"),
    "checkout_lines": lazy("Order summary"),
    "thank_you": lazy("Thank-you page"),
    "order_status": lazy("Order status page"),
    "storefront": lazy("Online store"),
}
REASONS: Mapping[str, Lazy] = {
    "bought_together": lazy("Often bought together with %(product)s"),
    "goes_with_history": lazy("Fits what this customer bought before"),
    "similar": lazy("Similar to %(product)s"),
    "popular": lazy("Popular in your shop"),
    "new_in": lazy("New in your shop"),
    "merchant_pick": lazy("Chosen by you"),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One held-out figure of ours beside popularity's. lift: their quotient less one, or None."""

    name: str
    label: str
    ours: float
    popularity: float
    lift: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a whole: its label, its count and its share in percent."""

    label: str
    count: int
    percent: int


def named(name: str, names: Mapping[str, Lazy]) -> str:
    """Return what a name of ours is called; one without a word of its own stands for itself."""
    return str(names[name]) if name in names else name.replace("_", " ").capitalize()


def first_upper(text: str) -> str:
    """Return the text as a sentence begins."""
    return text[:1].upper() + text[1:]


def bars(counts: Mapping[str, int], labels: Mapping[str, Lazy]) -> list[Bar]:
    """Return the counts as parts of their sum, in their order."""
    total = sum(counts.values())
    return [Bar(named(name, labels), count, round(100 * count / total)) for name, count in counts.items()]


def comparisons(model: Model) -> list[Comparison]:
    """Return our held-out figures beside popularity's; empty when nothing could be held out."""
    ours, plain = model.figures.get("tillwise"), model.figures.get("popularity")
    if not ours or not plain:
        return []
    return [
        Comparison(
            name, str(label), ours[name], plain[name], ours[name] / plain[name] - 1 if plain[name] else None
        )
        for name, label in FIGURES.items()
        if name in ours and name in plain
    ]


def kind_words(kind: str) -> str:
    """Return what a kind of import is called."""
    return named(kind, KINDS)


def percent_done(one: Import) -> int | None:
    """Return how much of it is imported, None while Shopify has not counted yet."""
    if one.status == "done":
        return 100
    return min(99, 100 * one.loaded // one.total) if one.total else None


def import_words(one: Import) -> str:
    """Return how far it is, in words."""
    match one.status:
        case "done":
            return _("%(loaded)s imported", loaded=one.loaded)
        case "failed":
            return _("Stopped: %(why)s", why=one.error or _("the reason is in the app's log"))
        case "loading" if one.total:
            return _("%(loaded)s of %(total)s", loaded=one.loaded, total=one.total)
        case "loading":
            return _("%(loaded)s so far", loaded=one.loaded)
        case "running":
            return _("Shopify is preparing the data")
        case _other:
            return _("Waiting to start")


def reason_words(why: Mapping[str, Any], titles: Mapping[int, str]) -> str:
    """Return one reason as a sentence; the product it refers to by title where we know it."""
    name = str(why.get("reason", ""))
    if name not in REASONS:
        return name.replace("_", " ")
    referred = titles.get(product_number(why.get("with")) or 0) or _("what is in the cart")
    return _(REASONS[name].text, product=referred)


def referred_products(decisions: Sequence[ListedDecision]) -> set[int]:
    """Return the products that the decisions' reasons refer to."""
    reasons = (why for each in decisions for offer in offers_of(each) for why in offer["why"])
    return {number for why in reasons if (number := product_number(why.get("with")))}


def offers_of(decision: ListedDecision) -> list[dict[str, Any]]:
    """Return the offers of a logged answer, each with its title and its reasons."""
    return [
        {
            "title": (offer.get("product") or {}).get("title") or offer.get("kind", ""),
            "image": (offer.get("product") or {}).get("image"),
            "why": offer.get("why") or [],
        }
        for offer in decision.answer.get("offers") or []
    ]


def product_number(identifier: object) -> int | None:
    """Return the number of a product's id as logged, None for what is none."""
    try:
        return shopify_id(identifier)
    except InputError:
        return None


def quality(name: str, value: float) -> str:
    """Return a figure of a model's card: a share in percent, an index as a number."""
    return number(value, 3) if name in _INDICES else percent(value, 1)
