"""Why there is no figure, in the merchant's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.admin.language import Lazy, lazy
from app.experiments.refusal import Cause, Refusal

_SAYS: Mapping[Cause, Lazy] = {
    Cause.NOBODY: lazy("No visitor that Tillwise may remember has come yet."),
    Cause.EMPTY_ARM: lazy("No one in one of the groups has been followed to the end yet."),
    Cause.NOT_SERVED: lazy("No one gets personalised offers, so there is nothing to compare."),
    Cause.ALIKE: lazy("Everyone gets the same treatment, so there is no one to compare with."),
    Cause.TOO_EARLY: lazy("Too few orders yet to tell an effect from chance."),
    Cause.MISMATCH: lazy("Visitors weren't split as planned, so no comparison can be trusted."),
    Cause.NOTHING_VARIES: lazy(
        "Every shopper in a group did the same, so a difference can't be told from chance."
    ),
    Cause.NO_BASE: lazy("Nothing to work this out from yet."),
    Cause.COSTS_UNKNOWN: lazy(
        "Tillwise doesn't know what enough of your products cost. Enter their “Cost per item” in Shopify."
    ),
    Cause.CURRENCIES: lazy("Orders came in several currencies, which can't be added up."),
    Cause.NO_SUPPORT: lazy("It was never tried, so there is nothing to report."),
}


def refusal_words(refused: Refusal) -> str:
    """Return the refusal as a sentence."""
    return str(_SAYS[refused.cause])
