"""The first page: what Tillwise earns, its health, what needs a hand, and the way to the first offer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.admin import campaigns_lacking, lately, models_view, store, view
from app.admin.access import staff_only
from app.admin.attention import Attention, alerted, attention, due, to_review
from app.admin.figures import day, estimate
from app.admin.home_view import as_of_words, caused_words, headline, signs, tiles
from app.admin.language import _
from app.admin.onboarding import Journey, Step, marks_of, steps
from app.admin.segments_store import segment_of
from app.admin.settings import over_words
from app.attribution.figures import CHART_DAYS
from app.attribution.report import Incremental
from app.connections import Connections
from app.consent.policies import current_policy
from app.consent.report import requests
from app.consent.retention import limits_of, told_days
from app.experiments.assign import holdout_share, standing_experiment
from app.profiles.reviews import reviews
from app.reach.alert_store import open_alerts
from app.recommend.drift_watch import last_watch
from app.shops.grants import covers
from app.shops.pausing import is_paused
from app.shops.plan import Plan, read_plan
from app.shops.store import Shop
from app.ttl_cache import TtlCache
from app.values import ShopDomain, exponent

SHOWN_DECISIONS = 5


async def home(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return what the first page shows."""
    imports = await store.imports(connections, shop)
    health = await store.health(connections, shop)
    model = await store.champion(connections, shop)
    month = await lately.month(connections, shop.shop)
    served = month.value.served if month.value else None
    beyond = await _beyond_plan(connections, shop, served.total) if served else []
    return {
        "imports": imports,
        "imported": all(one.status == "done" for one in imports),
        "attention": [*await _attention(connections, shop, imports, health), *beyond],
        "steps": await _steps(connections, shop, imports, health, model),
        "as_of": as_of_words(month),
        "headline": (
            headline(month.value.caused, shop.currency, is_paused=is_paused(shop.settings))
            if month.value
            else None
        ),
        "tiles": tiles(month.value) if month.value else [],
        "signs": signs(health, served, model),
        "begun": health.ever_decided,
        "orders": health.orders,
        "model": model,
        "comparisons": view.comparisons(model) if model else [],
        "served": served,
        "rungs": view.bars(served.by_rung, view.RUNGS) if served else [],
        "arms": view.bars(served.by_arm, view.ARMS) if served else [],
        "fallbacks": view.bars(served.by_fallback, view.FALLBACKS) if served else [],
        "excluded": await store.count_excluded(connections, shop),
        "window_days": told_days(limits_of(shop.settings)),
        "chart_days": CHART_DAYS,
    }


@staff_only
async def earned_by_day(_request: Request, connections: Connections, shop: Shop) -> Response:
    """Return the incremental revenue of the 30 days before each of the last days, with its range."""
    found = await lately.by_day(connections, shop.shop)
    awaited = as_of_words(found) if found.is_awaited else ""
    return JSONResponse({"days": list(_told(found.value or (), shop.currency)), "awaited": awaited})


def _told(history: lately.ByDay, currency: str) -> Iterator[dict[str, Any]]:
    """Yield a day's figures in the currency's own unit, None where nothing can be said."""
    unit = 10 ** exponent(currency)
    for when, found in history:
        told: dict[str, Any] = {"at": int(when.timestamp()), "day": day(when), "value": None}
        if isinstance(found, Incremental):
            total = found.total
            told |= {"value": total.value / unit, "low": total.low / unit, "high": total.high / unit}
            told |= {"says": estimate(total.value, currency), "range": caused_words(found, currency)}
        yield told


async def _read_plan(connections: Connections, shop: str) -> Plan | None:
    return await read_plan(connections, ShopDomain(shop))


# Shopify is asked for it while a merchant waits.
_plans = TtlCache(_read_plan, for_s=600)


async def _attention(
    connections: Connections, shop: Shop, imports: list[store.Import], health: store.Health
) -> list[Attention]:
    """Return what needs a hand, what can't wait first."""
    found = [
        *attention(imports, health, missing=_missing(connections, shop)),
        *due(await requests(connections, shop.shop, datetime.now(UTC))),
        *alerted(await open_alerts(connections, shop.shop)),
        *await campaigns_lacking.attention(connections, shop),
        *models_view.attention(await last_watch(connections, shop.shop)),
        *to_review(await _waiting(connections, shop)),
    ]
    order = ("critical", "warning", "info")
    return sorted(found, key=lambda each: order.index(each.tone) if each.tone in order else len(order))


async def _waiting(connections: Connections, shop: Shop) -> int:
    """Return how many customers wait to be judged, as the page of them has it: nobody who is gone."""
    waiting = [each.customer_id for each in await reviews(connections, shop.shop, only_open=True)]
    return len(await segment_of(connections, shop.shop, waiting))


async def _beyond_plan(connections: Connections, shop: Shop, used: int) -> list[Attention]:
    """Return that the plan is exceeded. used: answers in 30 days.

    Shopify is not asked for the plan where the smallest one covers them.
    """
    plans = connections.settings.plans
    if used <= min(plans.values(), default=used):
        return []
    says = over_words(await _plans.of(connections, shop.shop), used, plans)
    link = (_("Settings"), "/admin/settings")
    return [Attention("warning", _("Beyond your plan"), says, link=link)] if says else []


async def _steps(
    connections: Connections,
    shop: Shop,
    imports: list[store.Import],
    health: store.Health,
    model: store.Model | None,
) -> list[Step]:
    split = standing_experiment(shop.shop, shop.settings)
    journey = Journey(
        shop.shop, connections.settings.api_key, imports, health, model,
        await current_policy(connections, shop.shop), holdout_share(split), marks_of(shop.settings),
    )  # fmt: skip
    return steps(journey)


def _missing(connections: Connections, shop: Shop) -> list[str]:
    wanted = connections.settings.scopes
    return sorted(scope for scope in wanted if not covers(shop.scopes, frozenset({scope})))


routes: list[BaseRoute] = [Route("/admin/api/home/earned", earned_by_day)]
