"""A guest in a checkout: what the cart says of their browser, and how far that is believed. Pure.

The storefront leaves the browser's id on the cart while its visitor allows analytics. A checkout may go on
in another browser, from a link in a letter, or bring along whatever a link put into its cart. So the name
is used by who allows analytics, and nobody but the browser itself is heard to allow it again.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.consent.policy import Answers, Consent, permissions
from app.events.kinds import CHECKOUT_MET, BrowserEvent
from app.profiles.names import Names
from app.profiles.telling import ConsentCall


def has_taken_back(told: Mapping[str, Answers | None]) -> bool:
    """Return whether the browser refuses analytics, by what it told itself. told: by kind of name."""
    browser = told.get("client")
    return browser is not None and browser.analytics is False


def heard_of(names: Names, answers: Answers) -> Names:
    """Return whose word a checkout's answers are: the browser's too where they refuse, else only its own."""
    if names.client_id is None or answers.analytics is False:
        return names
    return names.only({"checkout", "customer"})


def met(call: ConsentCall, names: Names, consent: Consent, customer_id: int | None) -> BrowserEvent | None:
    """Return that the checkout is the browser's, None where that may not be kept.

    By it what is known of the one is found, and goes, with the other. customer_id: as far as it may be known.
    """
    if not (names.client_id and names.checkout_token and permissions(consent).may_store_visitor):
        return None
    return BrowserEvent(
        shop=call.shop,
        event_id=f"browser:{call.event_id}",
        happened_at=call.happened_at,
        name=CHECKOUT_MET,
        client_id=names.client_id,
        checkout_token=names.checkout_token,
        customer_id=customer_id,
        permitted=consent.permitted,
        data={},
    )
