"""Which logged decisions a merchant asks for, read from the page's address. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from app.admin.language import Lazy, _, lazy
from app.admin.view import ARMS, FALLBACKS, RUNGS, SURFACES
from app.values import as_utc, zone_of

OUTCOMES: Mapping[str, Lazy] = {
    "shown": lazy("Shown"),
    "accepted": lazy("Accepted"),
    "dismissed": lazy("Sent away"),
    "failed": lazy("Could not be added"),
}
ANY: Final = "any"
_CHOICES: Mapping[str, Mapping[str, Lazy]] = {
    "surface": SURFACES,
    "rung": RUNGS,
    "arm": ARMS,
    "outcome": OUTCOMES,
    "fallback": {ANY: lazy("Any"), **FALLBACKS},
}
_LONGEST_WORDS = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: behind this decision. decision_id: empty for behind all of that moment."""

    at: datetime
    decision_id: str = ""

    def __str__(self) -> str:
        return f"{self.at.timestamp():.6f}~{self.decision_id}"


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; empty means all. day: in the shop's zone.

    product: words of its title or vendor, its number, or a discount code. order: its number or its page.
    """

    day: str = ""
    surface: str = ""
    rung: str = ""
    arm: str = ""
    outcome: str = ""
    fallback: str = ""
    campaign: str = ""
    product: str = ""
    order: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: Cursor | None = None

    @property
    def named(self) -> dict[str, str]:
        """Return what is asked for, as the address has it, without where the page begins."""
        names = ("day", "surface", "rung", "arm", "outcome", "fallback", "campaign", "product", "order")
        return {name: value for name in names if (value := getattr(self, name))}

    def further(self, cursor: Cursor) -> str:
        """Return the address's query of the page behind."""
        return urlencode({**self.named, "before": str(cursor)})


def read_filter(query: Mapping[str, str], time_zone: str) -> tuple[Filter, dict[str, str]]:
    """Return what is asked for, and by field what is wrong with what can't be asked for: that is left out."""
    wrong: dict[str, str] = {}
    chosen = {name: _one_of(name, query.get(name, ""), wrong) for name in _CHOICES}
    day = query.get("day", "").strip()
    times = _day(day, time_zone, wrong) if day else None
    found = Filter(
        day=day if times else "",
        **chosen,
        campaign=query.get("campaign", "")[:40],
        product=_words(query, "product"),
        order=_words(query, "order"),
        since=times[0] if times else None,
        until=times[1] if times else None,
        before=_cursor(query.get("before", "")),
    )
    return found, wrong


def choices() -> dict[str, dict[str, str]]:
    """Return what each field can be asked for, in words."""
    return {field: {value: str(words) for value, words in known.items()} for field, known in _CHOICES.items()}


def _one_of(field: str, value: str, wrong: dict[str, str]) -> str:
    if value and value not in _CHOICES[field]:
        wrong[field] = _("“%(value)s” can't be chosen here.", value=value[:40])
        return ""
    return value


def _words(query: Mapping[str, str], field: str) -> str:
    return "".join(filter(str.isprintable, query.get(field, ""))).strip()[:_LONGEST_WORDS]


def _day(text: str, time_zone: str, wrong: dict[str, str]) -> tuple[datetime, datetime] | None:
    """Return when the day begins and ends."""
    zone = zone_of(time_zone)
    try:
        begin = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
        return as_utc(begin), as_utc(begin + timedelta(days=1))
    except (ValueError, OverflowError):
        wrong["day"] = _("Write a day as 2026-01-31.")
        return None


def _cursor(text: str) -> Cursor | None:
    at, mark, decision_id = text.partition("~")
    if not mark:
        return None
    try:
        return Cursor(datetime.fromtimestamp(float(at), UTC), decision_id[:100])
    except (ValueError, OverflowError, OSError):
        return None
