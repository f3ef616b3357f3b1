"""What may be done with a known customer's record outside of a visit. Pure.

A visit brings its consent with it. What happens without one (a profile kept from orders, a training,
a tag, an e-mail, data handed to another system) asks here, with what the customer last answered.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.consent.policy import Answers, OptOuts, Purpose, Reason, Verdict, verdict


class Use(StrEnum):
    """What is done with a customer's record."""

    PROFILE = "profile"
    TRAIN = "train"
    TAG = "tag"
    EMAIL = "email"
    SHARE = "share"


class Basis(StrEnum):
    """On what a profile of orders rests until the customer has answered.

    PREPARED: the merchant's own order records; nobody sees it used before they allow it.
    ON_CONSENT: on consent alone; there is no profile before it.
    """

    PREPARED = "prepared"
    ON_CONSENT = "on_consent"


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What is known of a customer's wishes. answers: the last ones, of any of their visits.

    email_marketing: Shopify's word for the channel, None when not told.
    """

    answers: Answers = Answers()
    data_sale_opt_out: bool = False
    email_marketing: str | None = None


UNKNOWN = Standing()

_NEEDS: dict[Use, tuple[Purpose, ...]] = {
    Use.PROFILE: (Purpose.PREFERENCES, Purpose.MARKETING),
    Use.TRAIN: (Purpose.PREFERENCES, Purpose.MARKETING),
    Use.TAG: (Purpose.PREFERENCES, Purpose.MARKETING),
    Use.EMAIL: (Purpose.MARKETING,),
    Use.SHARE: (Purpose.MARKETING, Purpose.SALE_OF_DATA),
}
_FROM_RECORDS = frozenset({Use.PROFILE, Use.TRAIN, Use.TAG})
_UNANSWERED = frozenset({Reason.NO_POLICY})


def may(use: Use, standing: Standing = UNKNOWN, basis: Basis = Basis.PREPARED) -> Verdict:
    """Return whether the customer's record may be used so, and what decided: the first refusal."""
    if use is Use.EMAIL and standing.email_marketing != "subscribed":
        return Verdict(False, Reason.NOT_SUBSCRIBED)
    opt_outs = OptOuts(data_sale=standing.data_sale_opt_out)
    verdicts = [verdict(each, standing.answers, opt_outs=opt_outs) for each in _NEEDS[use]]
    refusals = [each for each in verdicts if not each.allowed]
    said_no = [each for each in refusals if each.reason not in _UNANSWERED]
    if said_no:
        return said_no[0]
    if not refusals:
        return verdicts[0]
    if use is Use.EMAIL:  # the subscription is the answer to just this
        return Verdict(True, Reason.SUBSCRIBED)
    if use in _FROM_RECORDS and basis is Basis.PREPARED:
        return Verdict(True, Reason.OWN_RECORDS)
    return Verdict(False, Reason.NO_ANSWER)
