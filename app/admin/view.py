"""How the dashboard says things: money, shares, reasons, what needs attention. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.admin.store import Health, Import, LoggedDecision, Model
from app.errors import InputError
from app.values import shopify_id

# The figures of a model card, best known first, in a merchant's words.
FIGURES = {
    "hit_at_4": "A product the shopper went on to buy was among the top 4",
    "recall_at_10": "Share of what they went on to buy that was in the top 10 (recall@10)",
    "ndcg_at_10": "Ranking quality of the top 10 (NDCG@10)",
}
RUNGS = {
    "personal": "Personal: history and profile",
    "session": "Session: this visit only",
    "contextual": "Contextual: the cart alone",
    "static": "Static: your defaults",
}
REASONS = {
    "bought_together": "Often bought together with {with}",
    "goes_with_history": "Fits what this customer bought before",
    "similar": "Similar to {with}",
    "popular": "Popular in your shop",
    "new_in": "New in your shop",
}


@dataclass(frozen=True, slots=True)
class Attention:
    """Something to be looked at. tone: a banner's; action: the button's label and what it does."""

    tone: str
    heading: str
    text: str
    action: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One held-out figure of ours beside popularity's. lift: their quotient less one, or None."""

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


def counted(number: int, noun: str) -> str:
    """Return `1 order`, `1,234 orders`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def bars(counts: Mapping[str, int], labels: Mapping[str, str] | None = None) -> list[Bar]:
    """Return the counts as parts of their sum, in their order."""
    total, names = sum(counts.values()), labels or {}
    return [
        Bar(names.get(name, name.replace("_", " ").capitalize()), count, round(100 * count / total))
        for name, count in counts.items()
    ]


def comparisons(model: Model) -> list[Comparison]:
    """Return our held-out figures beside popularity's; empty when nothing could be held out."""
    ours, plain = model.figures.get("tillwise"), model.figures.get("popularity")
    if not ours or not plain:
        return []
    return [
        Comparison(label, ours[name], plain[name], ours[name] / plain[name] - 1 if plain[name] else None)
        for name, label in FIGURES.items()
        if name in ours and name in plain
    ]


def percent_done(one: Import) -> int | None:
    """Return how much of it is imported, None while Shopify has not counted yet."""
    if one.status == "done":
        return 100
    return min(99, 100 * one.loaded // one.total) if one.total else None


def import_words(one: Import) -> str:
    """Return how far it is, in words."""
    match one.status:
        case "done":
            return f"{one.loaded:,} imported"
        case "failed":
            return "Stopped: " + (one.error or "the reason is in the app's log")
        case "loading":
            return f"{one.loaded:,} of {one.total:,}" if one.total else f"{one.loaded:,} so far"
        case "running":
            return "Shopify is preparing the data"
        case _:
            return "Waiting to start"


def reason_words(why: Mapping[str, Any], titles: Mapping[int, str]) -> str:
    """Return one reason as a sentence; the product it refers to by title where we know it."""
    sentence = REASONS.get(str(why.get("reason")), str(why.get("reason", "")).replace("_", " "))
    referred = titles.get(product_number(why.get("with")) or 0, "what is in the cart")
    return sentence.replace("{with}", referred)


def referred_products(decisions: Sequence[LoggedDecision]) -> set[int]:
    """Return the products that the decisions' reasons refer to."""
    reasons = (why for each in decisions for offer in offers_of(each) for why in offer["why"])
    return {number for why in reasons if (number := product_number(why.get("with")))}


def offers_of(decision: LoggedDecision) -> list[dict[str, Any]]:
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


def attention(imports: Sequence[Import], health: Health, *, missing: Sequence[str]) -> list[Attention]:
    """Return what needs a hand, most pressing first. missing: scopes that were not granted."""
    found = [
        Attention(
            "critical",
            f"Importing {one.kind} stopped",
            f"{import_words(one)}. What was imported is kept; the import goes on from there.",
            ("Try again", "import"),
        )
        for one in imports
        if one.status == "failed"
    ]
    if missing:
        found.append(
            Attention(
                "warning",
                "Tillwise is missing permissions",
                f"Not granted: {', '.join(missing)}. Open the app's settings in Shopify to agree.",
            )
        )
    if health.parked_webhooks:
        found.append(
            Attention(
                "warning",
                f"{counted(health.parked_webhooks, 'message')} from Shopify could not be read",
                "They are kept. The app's log names each and its reason.",
            )
        )
    if not health.has_pixel:
        found.append(
            Attention(
                "warning",
                "The web pixel is not connected",
                "Without it Tillwise does not see which offers are shown. "
                "It is connected when the app's extensions are deployed and this page is opened.",
            )
        )
    if not health.ever_decided and all(one.status == "done" for one in imports):
        found.append(
            Attention(
                "info",
                "No checkout has asked for an offer yet",
                "Add the Tillwise block to your checkout and thank-you pages in the checkout editor.",
            )
        )
    return found
