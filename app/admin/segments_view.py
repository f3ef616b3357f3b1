"""How the segments pages say things: moves, verdicts, what a review found. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.admin.figures import NOTHING, listed, money, number, percent
from app.admin.language import _, lazy
from app.admin.privacy_view import minute
from app.admin.segment_titles import TITLES, title
from app.admin.segments_meanings import KINDS
from app.admin.segments_store import Card, Move
from app.admin.sentences import told
from app.profiles.customer import Profile
from app.profiles.interests import Interest, Interests, price_words
from app.profiles.reviews import Review
from app.profiles.rfm_segments import SEGMENTS, segment
from app.profiles.rfm_shopify import Comparison, difference, shopify_segment
from app.segment_tables import BY_MERCHANT

REASONS = {
    "bulk_buyer": lazy("Bulk buyer"),
    "reseller": lazy("Reseller"),
    "test_orders": lazy("Test orders"),
    "burst": lazy("Many orders at once"),
    "contradiction": lazy("Contradiction"),
    BY_MERCHANT: lazy("Your own word"),
}
_TONES = {"pin": "info", "rule": "success", "foreseen": "warning", "cluster": "caution", "rfm": "neutral"}


@dataclass(frozen=True, slots=True)
class Named:
    """A segment of a customer's, who says so, and why."""

    title: str
    kind: str
    tone: str
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Customers whom we call one thing and Shopify another."""

    ours: str
    theirs: str
    customers: int
    why: str


def named(card: Card) -> list[Named]:
    """Return a customer's segments, the most telling first."""
    return [
        Named(
            title(each["name"]),
            str(KINDS.get(each["kind"], each["kind"])),
            _TONES.get(each["kind"], "neutral"),
            why_words(each["why"]),
        )
        for each in card.memberships
    ]


def why_words(why: str) -> str:
    """Return why somebody is in a segment, as `Almost lost: last bought …` was kept."""
    name, _colon, kept = why.partition(": ")
    conditions = kept.removesuffix(".").split(" and ")
    if all(each.endswith(")") for each in conditions):  # of a merchant's own segment, each with their number
        return f"{name}: {listed(map(told, conditions))}."
    return f"{_kept_name(name)}: {told(kept)}" if kept else told(why)


def _kept_name(said: str) -> str:
    """Return what a merchant reads for a segment's name as it was kept: `Foreseen loyal`."""
    name = said.lower().replace(" ", "_")
    return title(name) if name in TITLES else told(said)


def figures(card: Card, currency: str) -> list[tuple[str, str]]:
    """Return a customer's numbers with their labels."""
    scores, ahead = card.scores, card.spend_ahead_minor
    said = [
        (_("Orders"), number(card.orders)),
        (_("Spent"), money(card.spent_minor, currency)),
        (_("Expected in the next 90 days"), NOTHING if ahead is None else money(ahead, currency)),
        (_("Recency, orders, spend"), NOTHING if scores is None else _scored(scores)),
    ]
    return said + [
        (_("%(segment)s, predicted", segment=title(label)), percent(chance))
        for label, chance in sorted(card.foreseen.items())
    ]


def _scored(scores: Sequence[int]) -> str:
    return _("%(score)s of 5", score=" · ".join(map(str, scores)))


def drawn_to(profile: Profile, interests: Interests) -> list[tuple[str, str]]:
    """Return what a customer is drawn to, with its labels; what is not known is left out."""
    affinity, returned = profile.discount_affinity, profile.return_rate
    level = interests.price_level
    said = [
        (_("Categories"), _listed(interests.categories)),
        (_("Vendors"), _listed(interests.vendors)),
        (_("Prices"), "" if level is None else told(price_words(level))),
        (_("Orders with a discount"), "" if affinity is None else percent(affinity)),
        (_("Money given back"), "" if returned is None else percent(returned)),
    ]
    return [(label, value) for label, value in said if value]


def _listed(several: Sequence[Interest]) -> str:
    return ", ".join(f"{each.name} {percent(each.share)}" for each in several)


def shopify_words(card: Card) -> tuple[str, str]:
    """Return Shopify's group of a customer, and how it stands to our RFM segment."""
    theirs = shopify_segment(card.rfm_group)
    if card.rfm_group is None:
        return _("Not read yet"), _("Shopify's group of this customer has not been read yet.")
    why = difference(segment(card.scores), card.rfm_group)
    return title(theirs or card.rfm_group.lower()), told(why) if why else _("The same as our RFM segment.")


def move_words(move: Move) -> str:
    """Return `Dormant → Champions`."""
    before = _("Nothing") if move.before is None else title(move.before)
    return f"{before} → {title(move.after)}"


def verdict_words(review: Review) -> str:
    """Return what the merchant said of a customer, empty while they said nothing."""
    words = {
        "pinned": _("Pinned to %(segment)s", segment=title(review.segment or "")),
        "excluded": _("Excluded from what is learnt"),
        "confirmed": _("Confirmed as they are"),
    }
    return words.get(review.verdict or "", "")


def decided_words(review: Review) -> str:
    """Return who said it and when, empty while nobody did."""
    if review.decided_at is None:
        return ""
    at = minute(review.decided_at)
    return _("By staff member %(id)s, %(time)s", id=review.decided_by, time=at) if review.decided_by else at


def reviewed(review: Review, segments: Mapping[int, str]) -> dict[str, Any]:
    """Return a customer of the queue. segments: the most telling one of each customer who has any."""
    name = segments.get(review.customer_id)
    return {
        "customer_id": review.customer_id,
        "reason": str(REASONS.get(review.reason, title(review.reason))),
        "detail": told(review.detail),
        "segment": title(name) if name else "–",
        "verdict": verdict_words(review),
        "decided": decided_words(review),
    }


def differences(found: Comparison) -> list[Difference]:
    """Return where the two differ and why, most customers first."""
    apart = [
        Difference(ours, theirs, customers, told(difference(ours, theirs) or ""))
        for (ours, theirs), customers in found.cells.items()
        if ours != theirs
    ]
    return sorted(apart, key=lambda each: (-each.customers, each.ours, each.theirs))


def matrix(found: Comparison) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Return Shopify's groups that have customers, and for each of our segments its customers in each."""
    theirs = [name for name in SEGMENTS if any(group == name for _ours, group in found.cells)]
    ours = [name for name in SEGMENTS if any(segment == name for segment, _theirs in found.cells)]
    return theirs, [(name, [found.cells.get((name, group), 0) for group in theirs]) for name in ours]
