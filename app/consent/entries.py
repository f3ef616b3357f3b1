"""How a new ledger entry changes a person's standing consent, in any order of arrival. Pure.

The newest word counts, by when it was told and not by when it arrived: a word that comes late is
kept as history, counts where nobody said anything later, and overrides nothing newer. No answer
takes none back, and Global Privacy Control, once seen, stays.

Beside the four purposes a customer's record has words of its own: `email_marketing`, `sms_marketing`
(Shopify's words) and `data_sale_opt_out`. A newsletter that is cancelled takes back no purpose of a
visit, and an opt-out that is lifted allows none; the gate reads them where it needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.consent.policy import PURPOSES, Answers

GPC = "gpc"
RECORDED = ("email_marketing", "sms_marketing", "data_sale_opt_out")
_CLOCKS_DIFFER = timedelta(minutes=1)
_PURPOSES = tuple(map(str, PURPOSES))
_SAID = (*_PURPOSES, *RECORDED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One word of one subject. told: what was said, by purpose, None for no answer.

    answers: what stands after it; the ledger fills it in. withdraws: when it was said it took
    something back, so that it is written down also where that seems to be no news: a consent in
    between may still arrive, and must not come last.
    """

    subject: str
    subject_kind: str
    event_id: str
    told_at: datetime
    source: str
    told: Mapping[str, Any]
    permitted: tuple[str, ...] = ()
    region: str | None = None
    policy_version: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    withdraws: bool = field(default=False, compare=False)


def taken_in(known: Sequence[Entry], entry: Entry, now: datetime) -> Entry | None:
    """Return the entry with what stands after it, None when it adds nothing to what is known.

    known: the subject's entries as they were written down, the last one saying what stands.
    now: a word that lies ahead of it was told by a clock that was wrong, and holds up no refusal.
    """
    if any(one.event_id == entry.event_id for one in known):
        return None
    before: Mapping[str, Any] = known[-1].answers if known else {}
    later = [one for one in known if one.told_at > entry.told_at]
    after = {**dict.fromkeys(entry.told), **before, **_counting(entry, later, now + _CLOCKS_DIFFER)}
    if entry.told.get(GPC) is not None:
        after[GPC] = bool(before.get(GPC) or entry.told[GPC])
    if after == before and not entry.withdraws and not (later and _differs(entry, before)):
        return None
    return replace(entry, answers=after)


def standing(known: Sequence[Entry]) -> Answers | None:
    """Return what stands of a visitor's answers, None for who never gave any in a visit.

    known: as they were written down.
    """
    answers = known[-1].answers if known else {}
    return purposes_of(answers) if answers.keys() & {*_PURPOSES, GPC} else None


def purposes_of(words: Mapping[str, Any]) -> Answers:
    """Return the answers to the four purposes among all the words."""
    return Answers(**{name: words.get(name) for name in _PURPOSES}, gpc=bool(words.get(GPC)))


def _counting(entry: Entry, later: Sequence[Entry], latest: datetime) -> dict[str, Any]:
    """Return the words that count: those that nobody said anything about later, up to the latest."""
    credible = [one for one in later if one.told_at <= latest]
    return {
        name: entry.told[name]
        for name in _SAID
        if _said(entry, name)
        and not any(_said(one, name) for one in (credible if _refuses(entry, name) else later))
    }


def _differs(entry: Entry, stands: Mapping[str, Any]) -> bool:
    return any(_said(entry, name) and stands.get(name) != entry.told[name] for name in _SAID)


def _refuses(entry: Entry, name: str) -> bool:
    return name in _PURPOSES and entry.told[name] is False


def _said(entry: Entry, name: str) -> bool:
    return entry.told.get(name) is not None
