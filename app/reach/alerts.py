"""What a merchant is alerted to, and when: from counts of the shop, never of a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, lgamma, log
from typing import Any

SPIKE, ERRORS, FALLBACKS = "abandonment_spike", "errors", "fallbacks"
COUPONS_LOW, COUPONS_REFUSED = "coupons_low", "coupons_refused"
GUARDRAIL, MAIL, FLOW = "guardrail", "mail", "flow"

# A look every five minutes is some hundred thousand a year; what chance does once in a million is told.
_SURE = 1e-6
LEAST_CHECKOUTS = 20
_WORSE_BY = 1.25  # a fourth more than usual: below that it is sure in a large shop and tells nothing
LEAST_DECISIONS = 20
_ERRORS_SHARE, _FALLBACKS_SHARE = 0.05, 0.10
LOW_SHARE = 0.1
_REASONS = {
    "no_model": "no model is trained yet",
    "redis": "the shopper could not be read",
    "error": "choosing failed",
    "log": "the answer could not be written down",
    "no_shop": "the app was not installed",
    "timeout": "the shop was not loaded in time",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """Something the merchant has to know now. about: a campaign's id, or empty for the whole shop.

    says: in English, for other systems. facts: what it is made of, for who reads it in their language.
    """

    kind: str
    says: str
    about: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    some: int
    all: int

    @property
    def share(self) -> float:
        """Return the share, 0 of none."""
        return self.some / self.all if self.all else 0.0


@dataclass(frozen=True, slots=True)
class PoolLevel:
    """A running campaign's pool. ready: codes that wait. error: what Shopify last refused.

    size: 0 of one that gives its discount without a code.
    """

    campaign_id: str
    name: str
    ready: int
    size: int
    error: str


def spike(lately: Share, usual: Share) -> list[Alert]:
    """Return an alert when more checkouts were abandoned than the shop's usual share explains.

    usual: of the same shop before, the same hours of earlier days where that is enough.
    """
    if lately.all < LEAST_CHECKOUTS or usual.all < LEAST_CHECKOUTS:
        return []
    expected = (usual.some + 1) / (usual.all + 2)
    if lately.share < _WORSE_BY * expected or at_least(lately.some, lately.all, expected) > _SURE:
        return []
    says = (
        f"{lately.some} of {lately.all} checkouts were left in the last hour ({lately.share:.0%}); "
        f"usually it is {expected:.0%}. Check whether payment, shipping and discounts still work."
    )
    facts = {"some": lately.some, "all": lately.all, "lately": lately.share, "usual": expected}
    return [Alert(SPIKE, says, facts=facts)]


def errors(failed: Share) -> list[Alert]:
    """Return an alert when browsers could not show what they were offered. failed: of the shown or failed."""
    if failed.all < LEAST_DECISIONS or failed.share < _ERRORS_SHARE:
        return []
    says = f"{failed.some} of {failed.all} offers failed in shoppers' browsers in the last hour."
    return [Alert(ERRORS, says, facts={"some": failed.some, "all": failed.all, "share": failed.share})]


def fallbacks(fallen: Share, reasons: Mapping[str, int]) -> list[Alert]:
    """Return an alert when answers were less than they could be. reasons: how often each."""
    if fallen.all < LEAST_DECISIONS or fallen.share < _FALLBACKS_SHARE:
        return []
    most = max(reasons, key=lambda each: (reasons[each], each), default="unknown")
    says = (
        f"{fallen.some} of {fallen.all} answers to checkouts in the last hour were fallbacks, "
        f"most of them for this reason: {_REASONS.get(most, most)}. "
        "Shoppers saw less than they could; sales go on."
    )
    facts = {"some": fallen.some, "all": fallen.all, "share": fallen.share, "reason": most}
    return [Alert(FALLBACKS, says, facts=facts)]


def coupons(levels: Iterable[PoolLevel]) -> list[Alert]:
    """Return an alert for each running campaign whose codes run out, or are not made."""
    found: list[Alert] = []
    for each in levels:
        if each.error:
            what = "codes" if each.size else "discount"
            says = f"Shopify makes no {what} for {each.name!r}: {each.error}"
            refused = {"name": each.name, "error": each.error, "what": what}
            found.append(Alert(COUPONS_REFUSED, says, each.campaign_id, refused))
        if each.size and each.ready < max(1, LOW_SHARE * each.size):
            says = (
                f"{each.ready} of {each.size} codes are left for {each.name!r}; without any it is not shown."
            )
            low = {"name": each.name, "ready": each.ready, "size": each.size}
            found.append(Alert(COUPONS_LOW, says, each.campaign_id, low))
    return found


def at_least(some: int, many: int, share: float) -> float:
    """Return how likely it is that so many of these or more do it by chance, each with this share."""
    if some <= 0:
        return 1.0
    if not 0 < share < 1:
        return float(share >= 1)
    terms = [
        lgamma(many + 1) - lgamma(k + 1) - lgamma(many - k + 1) + k * log(share) + (many - k) * log(1 - share)
        for k in range(some, many + 1)
    ]
    most = max(terms)
    return min(1.0, exp(most) * sum(exp(each - most) for each in terms))


def kinds_of(alerts: Sequence[Alert]) -> set[tuple[str, str]]:
    """Return what the alerts are of, and about."""
    return {(each.kind, each.about) for each in alerts}
