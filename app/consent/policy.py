"""What a visitor's consent lets us do. Pure, and computed once: at the top of decide and of collect.

Global Privacy Control arrives as `sale_of_data = false`: Shopify's consent banner reads the signal
and withdraws that purpose. Nothing a visitor tells us is sold or shared with anyone, so it opens and
closes nothing here; it is carried with the rest so that whoever does share can ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Rung(StrEnum):
    """The consent ladder, from the most personal answer to the merchant's own defaults."""

    PERSONAL = "personal"
    SESSION = "session"
    CONTEXTUAL = "contextual"
    STATIC = "static"


class Consent(msgspec.Struct, frozen=True, gc=False):
    """Shopify's four purposes. What is missing was not allowed."""

    analytics: bool = False
    marketing: bool = False
    preferences: bool = False
    sale_of_data: bool = False

    @property
    def permitted(self) -> tuple[str, ...]:
        """Return the names of the allowed purposes, as events carry them."""
        return tuple(name for name in PURPOSES if getattr(self, name))


PURPOSES: tuple[str, ...] = Consent.__struct_fields__


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


def rung(consent: Consent) -> Rung:
    """Return the rung of the answer this consent allows: personal, session or contextual."""
    return permissions(consent).rung
