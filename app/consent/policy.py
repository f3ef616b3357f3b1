"""What may be done with a person's data: one gate, pure, that everything personal passes.

A purpose is settled from all that is known, the strictest source first: Global Privacy Control, an
opt-out or withdrawal of the customer, the visitor's own answer, and, where there is none, what the
shop's policy says for the region they are in. What is unknown was not allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class Purpose(StrEnum):
    """Shopify's four purposes."""

    ANALYTICS = "analytics"
    MARKETING = "marketing"
    PREFERENCES = "preferences"
    SALE_OF_DATA = "sale_of_data"


_PURPOSES = tuple(Purpose)
PURPOSES: tuple[str, ...] = _PURPOSES


class Reason(StrEnum):
    """Why a purpose is allowed or not."""

    SAID_YES = "visitor_said_yes"
    SAID_NO = "visitor_said_no"
    GPC = "global_privacy_control"
    OPTED_OUT = "customer_opted_out_of_data_sale"
    WITHDRAWN = "customer_withdrew"
    NO_POLICY = "shop_policy_unknown"
    NO_REGION = "region_unknown"
    NOT_LISTED = "region_not_listed"
    OPT_IN_REGION = "region_asks_first"
    OPT_OUT_REGION = "region_does_not_ask"
    NOT_SUBSCRIBED = "not_subscribed_to_email"
    SUBSCRIBED = "subscribed_to_email"
    OWN_RECORDS = "merchants_own_records"
    NO_ANSWER = "no_answer_yet"


class Rung(StrEnum):
    """The consent ladder, from the most personal answer to the merchant's own defaults."""

    PERSONAL = "personal"
    SESSION = "session"
    CONTEXTUAL = "contextual"
    STATIC = "static"


class Answers(msgspec.Struct, frozen=True, gc=False):
    """What the visitor answered to each purpose: yes, no, or None for no answer yet.

    gpc: the browser sends Global Privacy Control.
    """

    analytics: bool | None = None
    marketing: bool | None = None
    preferences: bool | None = None
    sale_of_data: bool | None = None
    gpc: bool = False


class Region(msgspec.Struct, frozen=True, gc=False):
    """Where the visitor is, in ISO 3166 codes; None where that is not known."""

    country: Annotated[str, Meta(pattern=r"\A[A-Za-z]{2}\Z")] | None = None
    province: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9]{1,3}\Z")] | None = None

    @property
    def code(self) -> str | None:
        """Return `US-CA` or `US`, None where nothing is known."""
        if not self.country:
            return None
        parts = (self.country, self.province) if self.province else (self.country,)
        return "-".join(parts).upper()


class RegionPolicy(msgspec.Struct, frozen=True, gc=False):
    """What the shop's settings say for a region. None: Shopify does not say."""

    consent_required: bool | None = None
    data_sale_opt_out_required: bool | None = None


class ShopPolicy(msgspec.Struct, frozen=True, gc=False):
    """A shop's consent policy. regions: by `US` or `US-CA`; version: of its content, empty if unread."""

    version: str = ""
    regions: Mapping[str, RegionPolicy] = {}


class OptOuts(msgspec.Struct, frozen=True, gc=False):
    """What a known customer has refused, wherever they are now. withdrawn: purposes."""

    data_sale: bool = False
    withdrawn: frozenset[str] = frozenset()


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """Whether a purpose is allowed, and why."""

    allowed: bool
    reason: Reason


class Consent(msgspec.Struct, frozen=True, gc=False):
    """The four purposes, settled. What is missing was not allowed."""

    analytics: bool = False
    marketing: bool = False
    preferences: bool = False
    sale_of_data: bool = False

    @property
    def permitted(self) -> tuple[str, ...]:
        """Return the names of the allowed purposes, as events carry them."""
        return tuple(name for name in PURPOSES if getattr(self, name))


class Permissions(msgspec.Struct, frozen=True, gc=False):
    """What may be done with this visitor.

    may_use_profile: read the customer's history, and name the customer in the decision log.
    may_use_visit: read what this visit did.
    may_store_visitor: write down what the visit does, under its browser's id.
    may_store_checkout: keep the checkout's token beside the decision.
    """

    may_use_profile: bool = False
    may_use_visit: bool = False
    may_store_visitor: bool = False
    may_store_checkout: bool = False

    @property
    def rung(self) -> Rung:
        """Return the highest rung of the ladder these permissions reach."""
        if self.may_use_profile:
            return Rung.PERSONAL
        return Rung.SESSION if self.may_use_visit else Rung.CONTEXTUAL


NOWHERE = Region()
UNREAD = ShopPolicy()
NO_OPT_OUTS = OptOuts()


def verdict(
    purpose: Purpose,
    answers: Answers,
    region: Region = NOWHERE,
    policy: ShopPolicy = UNREAD,
    opt_outs: OptOuts = NO_OPT_OUTS,
) -> Verdict:
    """Return whether the purpose is allowed, and which source decided."""
    if purpose is Purpose.SALE_OF_DATA and answers.gpc:
        return Verdict(False, Reason.GPC)
    if purpose is Purpose.SALE_OF_DATA and opt_outs.data_sale:
        return Verdict(False, Reason.OPTED_OUT)
    if purpose in opt_outs.withdrawn:
        return Verdict(False, Reason.WITHDRAWN)
    answer: bool | None = getattr(answers, purpose)
    if answer is not None:
        return Verdict(answer, Reason.SAID_YES if answer else Reason.SAID_NO)
    return _unanswered(region, policy)


def settle(
    answers: Answers,
    region: Region = NOWHERE,
    policy: ShopPolicy = UNREAD,
    opt_outs: OptOuts = NO_OPT_OUTS,
) -> Consent:
    """Return the four purposes, each as its verdict says."""
    if None not in (answers.analytics, answers.marketing, answers.preferences, answers.sale_of_data):
        region, policy = NOWHERE, UNREAD  # nothing is left for them to say
    return Consent(*(verdict(each, answers, region, policy, opt_outs).allowed for each in _PURPOSES))


def consent_of(permitted: Iterable[str]) -> Consent:
    """Return the consent that names exactly these purposes; unknown ones allow nothing."""
    return Consent(**dict.fromkeys(set(PURPOSES).intersection(permitted), True))


def permissions(consent: Consent) -> Permissions:
    """Return what the consent allows: each permission needs its purposes, and nothing implies one."""
    knows_customer = consent.preferences and consent.marketing
    return Permissions(
        may_use_profile=knows_customer,
        may_use_visit=consent.analytics,
        may_store_visitor=consent.analytics,
        may_store_checkout=knows_customer or consent.analytics,
    )


def _unanswered(region: Region, policy: ShopPolicy) -> Verdict:
    """Return what no answer means there: with several policies for a country, the strictest."""
    if not policy.regions:
        return Verdict(False, Reason.NO_POLICY)
    if not region.country:
        return Verdict(False, Reason.NO_REGION)
    found = _policies_of(region, policy)
    if not found:
        return Verdict(False, Reason.NOT_LISTED)
    if all(each.consent_required is False for each in found):
        return Verdict(True, Reason.OPT_OUT_REGION)
    return Verdict(False, Reason.OPT_IN_REGION)


def _policies_of(region: Region, policy: ShopPolicy) -> list[RegionPolicy]:
    """Return the province's own policy, else the country's; every one of it when the province is unknown."""
    country = str(region.country).upper()
    whole = [policy.regions[country]] if country in policy.regions else []
    if region.province:
        own = policy.regions.get(str(region.code))
        return [own] if own else whole
    return whole + [each for name, each in policy.regions.items() if name.startswith(f"{country}-")]
