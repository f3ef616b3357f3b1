"""What the privacy pages show: what visitors allow, whose requests are open, the rules, the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from app.admin import privacy_view as view
from app.admin.language import _, lazy
from app.admin.sentences import told
from app.admin.view import RUNGS
from app.connections import Connections
from app.consent.audit import FOUR_FIFTHS, LEAST, audit
from app.consent.outcomes import allowed, served
from app.consent.policies import policy_history
from app.consent.report import held, limits, requests
from app.consent.retention import limits_of, warnings_of
from app.consent.weeks import week_starts, weeks, whole
from app.shops.store import Shop

WEEKS = 13
AUDIT_DAYS = 90
AUDITED_AT_ONCE = 50_000  # decisions: two seconds on a slow machine, and enough to tell groups apart
TABS = (
    ("/admin/privacy", lazy("Consent")),
    ("/admin/privacy/people", lazy("People and requests")),
    ("/admin/privacy/rules", lazy("Rules and limits")),
    ("/admin/privacy/audit", lazy("Audit")),
)


async def overview(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return what visitors allowed, week by week."""
    now = datetime.now(UTC)
    starts = week_starts(now, WEEKS)
    found = weeks(await allowed(connections, shop.shop, starts, now), starts)
    everything = whole(found)
    assert everything is not None
    asked = await requests(connections, shop.shop, now)
    return {
        "bars": view.bars(found),
        "decisions": everything.decisions,
        "rungs": view.parts(everything.rungs, RUNGS, everything.decisions),
        "purposes": view.parts(everything.purposes, view.PURPOSES, everything.decisions),
        "weeks": WEEKS,
        "open_requests": sum(each.done_at is None for each in asked),
        "late_requests": sum(each.late for each in asked),
        **_frame("/admin/privacy"),
    }


async def people(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the requests with their deadlines; a person is looked up by a call of the page's."""
    asked = await requests(connections, shop.shop, datetime.now(UTC))
    return {
        "requests": [
            {
                "asked": each,
                "kind": view.kind_words(each.kind),
                "received": view.day(each.received_at),
                "due": view.day(each.due_at),
                "says": view.due_words(each),
                "tone": view.due_tone(each),
            }
            for each in asked
        ],
        **_frame("/admin/privacy/people"),
    }


async def rules(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the policy in force and those before it, the limits, and what is held."""
    history = await policy_history(connections, shop.shop)
    standing = limits_of(shop.settings)
    stores = await limits(connections, shop.shop, shop.settings)
    return {
        "groups": view.region_groups(history[0].policy) if history else [],
        "policies": view.policies_told(history),
        "limits": [(each, view.limit_words(each)) for each in stores],
        "warnings": [told(each) for each in (*standing.unusable, *warnings_of(standing))],
        "held": await held(connections, shop.shop),
        **_frame("/admin/privacy/rules"),
    }


async def audited(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return who was offered what, by segment and by region."""
    now = datetime.now(UTC)
    since = now - timedelta(days=AUDIT_DAYS)
    found = audit(await served(connections, shop.shop, since, now, AUDITED_AT_ONCE))
    tables = (
        (_("By segment"), _("Segment"), found.by_segment, view.segment_name),
        (_("By region"), _("Region"), found.by_region, view.region_name),
    )
    lower = [words for _heading, _column, groups, called in tables for words in view.lower(groups, called)]
    return {
        "everybody": found.everybody,
        "tables": [
            {
                "heading": heading,
                "column": column,
                "rows": view.group_rows(groups, called, found.everybody),
                "left_out": max(0, len(groups) - view.MOST_GROUPS),
            }
            for heading, column, groups, called in tables
        ],
        "lower": lower[: view.MOST_SENTENCES],
        "more_lower": max(0, len(lower) - view.MOST_SENTENCES),
        "days": AUDIT_DAYS,
        "cut_off": found.everybody.decisions == AUDITED_AT_ONCE,
        "least": LEAST,
        "four_fifths": round(100 * FOUR_FIFTHS),
        **_frame("/admin/privacy/audit"),
    }


def _frame(path: str) -> dict[str, Any]:
    return {"tabs": TABS, "here": path}
