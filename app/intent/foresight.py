"""All predictions about a shop's shoppers that decisions use: intent, uplift, choice. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from app.intent.features import FEATURES
from app.intent.model import IntentModel
from app.intent.prior import PRIOR
from app.intent.uplift import UpliftModel
from app.intent.worth import Worth, worth


class Foresight(msgspec.Struct, frozen=True):
    """The models of a shop's shoppers.

    intent: the shop's own model or the shared one. uplift: by campaign, where there is enough to tell.

    weights: by choice and campaign, how often each is to be drawn. version: of the trainings that it is
    from, empty before the first.
    """

    intent: IntentModel = PRIOR
    uplift: Mapping[str, UpliftModel] = {}
    weights: Mapping[str, Mapping[str, float]] = {}
    version: str = ""

    def worth(
        self, campaign: str, features: Sequence[float], margin_minor: int, discount_minor: int
    ) -> Worth | None:
        """Return whether the campaign's coupon is worth its price; None where its rule alone decides.

        margin_minor: what the cart leaves before the discount.
        """
        model = self.uplift.get(campaign)
        if model is None:
            return None
        return worth(margin_minor, discount_minor, model.without(features), model.effect(features))


UNTAUGHT = Foresight()


def usable(features: Sequence[str]) -> bool:
    """Return whether a stored model reads what this version of the app works out."""
    return tuple(features) == FEATURES
