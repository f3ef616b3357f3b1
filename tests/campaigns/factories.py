"""A campaign, and what it is weighed by; each test varies only what matters to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.campaigns.campaign import Campaign, Running, read_campaign
from app.campaigns.plan import Plan, plan_of
from app.campaigns.weigh import weigh
from app.campaigns.weighed import Inputs, Weighed

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
AT = int(NOW.timestamp())
DAY_S = 86_400
HELP = {"kind": "banner", "key": "banner.help"}
TEN_PERCENT = {"kind": "coupon", "discount": {"percentage": 10}}


def a_campaign(name: str = "help", **changes: Any) -> Campaign:
    """Return a banner for everyone, seen by all who match."""
    fields: dict[str, Any] = {
        "id": name, "name": name.capitalize(), "rule": True, "evidence": 0, "holdout": 0, "offer": HELP,
    }  # fmt: skip
    return read_campaign(fields | changes)


def a_plan(*campaigns: Campaign, **changes: Any) -> Plan:
    """Return the plan of a shop in dollars and UTC that runs these."""
    settings: Mapping[str, Any] = changes.pop("settings", {})
    running = [Running(campaign, at) for at, campaign in enumerate(campaigns)]
    plan = plan_of("acme.myshopify.com", running, "USD", settings, **changes)
    assert plan is not None
    return plan


def inputs(**changes: Any) -> Inputs:
    """Return a visitor who may be remembered, with a cart of 100.00."""
    fields: dict[str, Any] = {
        "at": AT, "subtotal_minor": 10_000, "remembers": True, "place": "here",
        "evidence": ("cart",), "cart": (10,),
    }  # fmt: skip
    return Inputs(**(fields | changes))


def nobody(_name: str, _share: float) -> bool:
    """Return False: withheld from nobody."""
    return False


def weighed(plan: Plan, decision_id: str = "d", **changes: Any) -> Weighed:
    """Return the weighing; nobody is withheld."""
    return weigh(plan, inputs(**changes), decision_id, nobody)


def shown(plan: Plan, decision_id: str = "d", **changes: Any) -> list[str]:
    """Return the campaigns that are shown."""
    return [each.campaign_id for each in weighed(plan, decision_id, **changes).chosen]
