"""The consent event of a request: only when it changes something, only for people we may record. Pure.

Somebody who never allowed anything is nobody here: their refusal is obeyed and not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from app.consent.digests import Digests
from app.consent.policy import PURPOSES, Answers, Permissions, Region, ShopPolicy, permissions, settle
from app.consent.told import all_withdrawn, consent_change, merged
from app.events.kinds import ConsentTold
from app.profiles.names import Names


class ConsentCall(msgspec.Struct, frozen=True, gc=False):
    """A call that carries consent. source: checkout, pixel or storefront."""

    shop: str
    event_id: str
    happened_at: datetime
    source: str
    names: Names
    answers: Answers
    region: Region
    policy: ShopPolicy


def consent_told(call: ConsentCall, told: Mapping[str, Answers | None]) -> ConsentTold | None:
    """Return the event for the ledger, None when there is no news.

    told: what each name told before, by kind of name.
    """
    new = {kind: one for kind, _ in call.names if (one := consent_change(told.get(kind), call.answers))}
    if not new:  # as with nearly every call
        return None
    consent = settle(call.answers, call.region, call.policy)
    names = call.names.only(_writable(permissions(consent)) | {kind for kind in told if told[kind]})
    fresh = [new[kind] for kind, _ in names if kind in new]
    if not fresh:
        return None
    return ConsentTold(
        shop=call.shop,
        event_id=f"consent:{call.event_id}",
        happened_at=call.happened_at,
        source=call.source,
        client_id=names.client_id,
        checkout_token=names.checkout_token,
        customer_id=names.customer_id,
        answers={each: getattr(call.answers, each) for each in (*PURPOSES, "gpc")},
        permitted=consent.permitted,
        withdrawn=all_withdrawn(fresh),
        region=call.region.code,
        policy_version=call.policy.version,
    )


def all_told(
    calls: Sequence[ConsentCall], known: Mapping[str, Answers | None], digests: Digests
) -> list[ConsentTold]:
    """Return the events of several calls, in their order: each is judged by what those before it told.

    known: what each digest of the calls' names told before.
    """
    stands, told = dict(known), []
    for call in calls:
        subjects = call.names.subjects(digests, call.shop)
        event = consent_told(call, {kind: stands[subject] for kind, subject in subjects.items()})
        if event is None:
            continue
        told.append(event)
        for subject in names_of(event).subjects(digests, call.shop).values():
            stands[subject] = merged(stands[subject] or Answers(), call.answers)
    return told


def names_of(event: ConsentTold) -> Names:
    """Return the names an event tells of."""
    return Names(event.customer_id, event.client_id, event.checkout_token)


def _writable(may: Permissions) -> set[str]:
    """Return the kinds of names that may be written down."""
    allowed = {
        "client": may.may_store_visitor,
        "checkout": may.may_store_checkout,
        "customer": may.may_use_profile,
    }
    return {kind for kind, writable in allowed.items() if writable}
