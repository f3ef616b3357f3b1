"""How long what is written down stays: the limits, their defaults, and what a merchant may say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.consent.told import KEPT_S
from app.errors import InputError
from app.wording import wording

SETTING = "retention"
LEAST_DAYS = 1
# As long as a browser's remembered answer may still allow something. A customer's last word has no end.
RELIED_ON = timedelta(seconds=KEPT_S)


@dataclass(frozen=True, slots=True)
class RetentionLimit:
    """One store with a limit. setting: its name among the shop's; says: what is in it, for a merchant."""

    store: str
    setting: str
    days: int
    most_days: int
    label: str
    says: str


KEPT: tuple[RetentionLimit, ...] = (
    RetentionLimit("events", "events_days", 180, 3650, "Events",
         "what visitors did under their consent, and what Shopify told of orders and customers"),
    RetentionLimit("decisions", "decisions_days", 180, 3650, "Decisions",
         "what each checkout was offered, and why"),
    RetentionLimit("feedback", "feedback_days", 180, 3650, "Feedback",
         "which offers were shown, accepted or dismissed"),
    RetentionLimit("snapshots", "replay_days", 30, 3650, "What decisions were made on",
         "the catalogue, settings, campaigns and models as they stood, by which a decision is made again"),
    RetentionLimit("inbox", "inbox_days", 30, 30, "Messages from Shopify",
         "deliveries that were put aside; those handled are emptied within minutes and go within 7 days"),
    RetentionLimit("dead letters", "letters_days", 30, 3650, "Events put aside",
         "events that could not be handled, until an operator looks into them"),
    RetentionLimit("consents", "ledger_days", 1095, 3650, "Consent ledger",
         "who allowed what, and when; the last word of each person stays while it is relied on"),
)  # fmt: skip
# What an offer earned is told of the last 30 days, from the decisions themselves: there is no second
# account of them (daily sums) that would have to agree with the first. A shorter limit shortens that
# window, and this says so.
TOLD_DAYS = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit of each store in days, and which of the shop's settings could not be used, in words."""

    days: Mapping[str, int]
    unusable: tuple[str, ...] = ()


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """Return the limits that a shop's settings make. What can't be used falls back, and is said."""
    wanted = settings.get(SETTING, {})
    if not isinstance(wanted, Mapping):
        return Limits(_defaults(), (wording("retention is not a set of limits: the defaults hold"),))
    names = {each.setting for each in KEPT}
    unusable = [wording(f"{name} is no limit we know") for name in wanted if name not in names]
    days: dict[str, int] = {}
    for each in KEPT:
        value = wanted.get(each.setting, each.days)
        usable = _usable(each, value)
        days[each.store] = value if usable else each.days
        if not usable:
            unusable.append(wording(f"{_refusal(each, value)}: {each.days} holds instead"))
    return Limits(days, tuple(unusable))


def checked(wanted: Mapping[str, Any]) -> dict[str, int]:
    """Return limits by setting as a shop may keep them. Raises InputError naming the first wrong one."""
    known = {each.setting: each for each in KEPT}
    for name, value in wanted.items():
        if name not in known:
            raise InputError(f"{name[:50]} is no limit we know; there are {', '.join(known)}", name[:50])
        if not _usable(known[name], value):
            raise InputError(_refusal(known[name], value), name)
    return dict(wanted)


def told_days(limits: Limits) -> int:
    """Return of how many days it can be told what offers earned."""
    return min(TOLD_DAYS, limits.days["decisions"], limits.days["feedback"])


def warnings_of(limits: Limits) -> list[str]:
    """Return what these limits cost elsewhere, in words; empty when nothing."""
    shortest = told_days(limits)
    if shortest >= TOLD_DAYS:
        return []
    told = wording(f"What offers earned is told of {shortest} days instead of {TOLD_DAYS} with these limits.")
    return [told]


def _defaults() -> dict[str, int]:
    return {each.store: each.days for each in KEPT}


def _usable(kept: RetentionLimit, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and LEAST_DAYS <= value <= kept.most_days


def _refusal(kept: RetentionLimit, value: object) -> str:
    given = str(value)[:30]
    return wording(f"{kept.setting} must be {LEAST_DAYS} to {kept.most_days} whole days, not {given!r}")
