"""Why there is no figure, in the merchant's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.admin.language import Lazy, lazy
from app.experiments.refusal import Cause, Refusal

_SAYS: Mapping[Cause, Lazy] = {
    Cause.NOBODY: lazy("No visitor who consented to be remembered has come yet."),
    Cause.EMPTY_ARM: lazy("In one of the groups nobody has been followed to the end yet."),
    Cause.NOT_SERVED: lazy("Nobody is served personally, so there is nothing to compare."),
    Cause.ALIKE: lazy("Everybody is served alike, so there is nobody to compare with."),
    Cause.TOO_EARLY: lazy("Too few orders yet to tell an effect from chance."),
    Cause.MISMATCH: lazy("Visitors did not split as planned, so no comparison can be trusted."),
    Cause.NOTHING_VARIES: lazy("All visitors of a group are alike, so chance has no measure."),
    Cause.NO_BASE: lazy("Nothing has happened yet to work it out from."),
    Cause.COSTS_UNKNOWN: lazy(
        "It is not known what too many of your products cost: enter “Cost per item” at them in Shopify."
    ),
    Cause.CURRENCIES: lazy("Orders came in several currencies, which don't add up."),
    Cause.NO_SUPPORT: lazy("It was never tried, so nothing can be said of it."),
}


def refusal_words(refused: Refusal) -> str:
    """Return the refusal as a sentence."""
    return str(_SAYS[refused.cause])
