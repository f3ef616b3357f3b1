"""What the settings page shows: the plan, languages, what leaves for elsewhere, the shop's data, the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams

from app.admin.figures import day
from app.admin.language import Lazy, _, lazy
from app.admin.onboarding import places
from app.admin.pausing import log_words
from app.admin.settings_export import MOST_DECISIONS
from app.admin.settings_store import count_answers
from app.campaigns.plan import LOCALE
from app.connections import Connections
from app.outbound.api_keys import keys_of
from app.outbound.settings import webhook_of, write_back_of
from app.reach.settings import reach_of
from app.shops.plan import Plan, pricing_page, read_plan
from app.shops.store import Shop

PATH = "/admin/settings"
USED_DAYS = 30
PERIODS = (7, 30, 90, 365)
# The languages that the extensions speak to shoppers, by their own names.
LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "ar": "العربية",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ja": "日本語",
}
# What may leave the shop by itself, as `reach` has it.
WAYS: Mapping[str, tuple[Lazy, Lazy]] = {
    "mail": (
        lazy("E-mails to shoppers who left a checkout"),
        lazy("By the app's mail server, only to customers who subscribed."),
    ),
    "flow": (
        lazy("Shopify Flow, when a checkout is left"),
        lazy("Starts your workflows with the trigger “Checkout abandoned”, where a customer allows it."),
    ),
    "alerts_mail": (
        lazy("Alerts to your shop's own address"),
        lazy("When codes run low, answers fail or a guardrail stops a campaign."),
    ),
}


async def overview(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return all that a merchant can set that no other page is about."""
    plan = await read_plan(connections, shop.shop)
    since = datetime.now(UTC) - timedelta(days=USED_DAYS)
    used = await count_answers(connections, shop, since)
    wants, reach, webhook = write_back_of(shop.settings), reach_of(shop.settings), webhook_of(shop.settings)
    return {
        "plan": plan_words(plan),
        "over": over_words(plan, used, connections.settings.plans),
        "used": used,
        "used_days": USED_DAYS,
        "covered": connections.settings.plans.get(plan.name) if plan else None,
        "pricing": pricing_page(connections.settings, shop.shop, plan.app_handle) if plan else "",
        "languages": _languages(shop),
        "ways": [(name, str(is_), str(says), getattr(reach, name)) for name, (is_, says) in WAYS.items()],
        "has_mail": connections.settings.smtp is not None,
        "webhook": webhook.url if webhook else "",
        "written_back": wants.anything,
        "keys": sum(not each.revoked_at for each in await keys_of(connections, shop.shop)),
        "places": places(shop.shop, connections.settings.api_key),
        "pauses": log_words(shop),
        "periods": PERIODS,
        "most": MOST_DECISIONS,
    }


def plan_words(plan: Plan | None) -> str:
    """Return which plan the shop has."""
    if plan is None:
        return _("Shopify can't tell us your plan right now. Nothing else depends on it.")
    if not plan.name:
        return _("You have chosen no plan.")
    named = _("Your plan is “%(name)s”.", name=plan.name)
    ends = _("The period ends on %(day)s.", day=day(plan.period_end)) if plan.period_end else ""
    test = _("It is a test: nothing is charged.") if plan.test else ""
    return " ".join(filter(None, (named, ends, test)))


def over_words(plan: Plan | None, used: int, plans: Mapping[str, int]) -> str:
    """Return what is used beyond the plan, empty where nothing is or no limit is known."""
    covered = plans.get(plan.name) if plan else None
    if covered is None or used <= covered:
        return ""
    return _(
        "Your plan covers %(covered)s answers in 30 days; there were %(used)s. Your checkout goes on as it "
        "is and shoppers notice nothing. Please choose a larger plan.",
        covered=covered,
        used=used,
    )


def _languages(shop: Shop) -> list[tuple[str, str, bool]]:
    """Return the languages that the shop's own can be, with the one it is."""
    own = str(shop.settings.get(LOCALE) or "en")
    known = dict(LANGUAGES) if own in LANGUAGES else {**LANGUAGES, own: own}
    return [(tag, name, tag == own) for tag, name in known.items()]
