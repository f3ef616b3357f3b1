"""A guest in a checkout: what the cart says of their browser, and how far that is believed. Pure.

The storefront leaves the browser's id on the cart while its visitor allows analytics. A checkout may go on
in another browser, from a link in a letter, or bring along whatever a link put into its cart. So the name
is used by who allows analytics, and nobody but the browser itself is heard to allow anything in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from app.consent.policy import PURPOSES, Answers, Consent, permissions
from app.events.kinds import CHECKOUT_MET, AnyEvent, BrowserEvent
from app.profiles.consent_events import ConsentCall, consent_told

Told = Mapping[str, Answers | None]  # what was told before, by kind of name


def browser_refuses(told: Told) -> bool:
    """Return whether the browser itself last refused analytics."""
    browser = told.get("client")
    return browser is not None and browser.analytics is False


def heard_as(call: ConsentCall) -> Sequence[ConsentCall]:
    """Return the calls that it counts as: a checkout's is its own, and its refusals are the browser's too."""
    if call.source != "checkout" or call.names.client_id is None:
        return (call,)
    own = msgspec.structs.replace(call, names=call.names.only({"checkout", "customer"}))
    if call.answers.analytics is not False:
        return (own,)
    return own, msgspec.structs.replace(
        call,
        event_id=f"client:{call.event_id}",
        names=call.names.only({"client"}),
        answers=_refused(call.answers),
    )


def consent_events(call: ConsentCall, told: Told, consent: Consent) -> Sequence[AnyEvent]:
    """Return the events of a change of consent, and that the checkout is its browser's; none without one."""
    calls = heard_as(call)
    if all(told.get(kind) == each.answers for each in calls for kind, _ in each.names):
        return ()
    changes: list[AnyEvent] = [event for each in calls if (event := consent_told(each, told))]
    return [*changes, *_met(call, consent)] if changes else ()


def _refused(answers: Answers) -> Answers:
    return Answers(**{each: False for each in PURPOSES if getattr(answers, each) is False})


def _met(call: ConsentCall, consent: Consent) -> Sequence[BrowserEvent]:
    """Return that the checkout is the browser's, nothing where that may not be kept.

    By it what is known of the one is found, and goes, with the other. It signs nobody in there: whoever
    opens a link to somebody's cart would take their visit along.
    """
    names = call.names
    if call.source != "checkout" or not (names.client_id and names.checkout_token):
        return ()
    if not permissions(consent).may_store_visitor:
        return ()
    return (
        BrowserEvent(
            shop=call.shop,
            event_id=f"browser:{call.event_id}",
            happened_at=call.happened_at,
            name=CHECKOUT_MET,
            client_id=names.client_id,
            checkout_token=names.checkout_token,
            customer_id=None,
            permitted=consent.permitted,
            data={},
        ),
    )
