"""What the decisions pages show: the log, filtered, and one decision with why it offered what it did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from app.admin import decisions_view as view
from app.admin import store
from app.admin.campaigns import titles_in
from app.admin.decisions_filter import Filter, choices, read_filter
from app.admin.decisions_order import before_order
from app.admin.decisions_store import LOOKED_THROUGH, find, outcomes
from app.admin.experiments import campaign_names
from app.admin.language import _
from app.admin.view import (
    ARMS,
    FALLBACKS,
    SURFACES,
    offers_of,
    product_number,
    reason_words,
    referred_products,
)
from app.archive.store import plan_of_version
from app.connections import Connections
from app.coupons.store import given_code, statuses_of
from app.errors import NotFound, TillwiseError
from app.offers.considered import considered
from app.offers.situation import Situation
from app.replays import LoggedDecision, logged_decision, snapshot_of
from app.rules.expression import read_rule
from app.shops.store import Shop

PATH = "/admin/decisions"


async def overview(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return the decisions that are asked for, newest first."""
    campaigns = await campaign_names(connections, shop)
    wanted, wrong = read_filter(query, shop.time_zone)
    products = await _products(connections, shop, wanted)
    among, of_none = await before_order(connections, shop, wanted.order) if wanted.order else (None, "")
    found = await find(connections, shop, wanted, products, among)
    are_some = products is not None and len(products) >= store.SHOWN_PRODUCTS
    titles = await store.titles(connections, shop, referred_products(found.decisions))
    came = await outcomes(connections, shop, [each.decision_id for each in found.decisions])
    return {
        "wanted": wanted,
        "wrong": wrong,
        "of_no_order": of_none,
        "code": await _code(connections, shop, wanted.product, campaigns) if wanted.product else None,
        "choices": choices(),
        "campaigns": campaigns,
        "decisions": [
            _listed(each, titles, campaigns, came.get(each.decision_id, {})) for each in found.decisions
        ],
        "further": wanted.further(found.further) if found.further else "",
        "stopped": found.stopped,
        "products": store.SHOWN_PRODUCTS if are_some else 0,
        "looked_through": LOOKED_THROUGH,
        "begins": wanted.before is None,
    }


async def one(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return one decision. query: `id`, and `ranking` for all that was considered."""
    logged = await logged_decision(connections, shop.shop, query.get("id", ""))
    if logged is None:
        return {"id": None, "path": PATH}
    situation = view.situation_of(logged)
    titles = await store.titles(connections, shop, view.products_named(logged, situation))
    campaigns = await campaign_names(connections, shop)
    came = await outcomes(connections, shop, [logged.decision_id])
    codes = await statuses_of(connections, shop.shop, view.codes_named(logged))
    return {
        "id": logged.decision_id,
        "path": PATH,
        "at": logged.decided_at,
        "took": logged.duration_us,
        "meanings": view.meanings(logged),
        "facts": view.facts(logged, situation),
        "offers": view.offered(
            logged, titles, campaigns, came.get(logged.decision_id, {}), codes, datetime.now(UTC)
        ),
        "cart": [titles.get(each, str(each)) for each in (situation.cart if situation else ())],
        "erased": situation is None,
        "weighings": await _weighings(connections, shop, logged, situation, campaigns),
        "ranking": await _ranking(connections, shop, logged, situation) if "ranking" in query else None,
    }


async def _products(connections: Connections, shop: Shop, wanted: Filter) -> list[int] | None:
    """Return the products that are meant, by number, title or vendor, so many at most; None where all are."""
    if not wanted.product:
        return None
    found = await store.find_products(connections, shop, wanted.product)
    number = product_number(wanted.product)  # which may be a title too: “1984”
    named = [] if number is None else [number]
    return named + [each.product_id for each in found]


async def _code(
    connections: Connections, shop: Shop, words: str, campaigns: Mapping[str, str]
) -> dict[str, str] | None:
    """Return what became of the code that the words are, also of one that only an e-mail carried."""
    if (given := await given_code(connections, shop.shop, words)) is None:
        return None
    says = view.code_words(given.code, given.status, given.expires_at, datetime.now(UTC))
    return {"says": says, "campaign": campaigns.get(given.campaign_id or "", "")}


def _listed(
    each: store.ListedDecision,
    titles: Mapping[int, str],
    campaigns: Mapping[str, str],
    came: Mapping[str, list[str]],
) -> dict[str, Any]:
    offers = offers_of(each)
    kinds = dict.fromkeys(kind for kinds in came.values() for kind in kinds)
    return {
        "id": each.decision_id,
        "at": each.decided_at,
        "offers": [view.listed_title(offer, campaigns) for offer in each.answer.get("offers") or ()],
        "why": [reason_words(why, titles) for offer in offers[:1] for why in offer["why"][:2]],
        "surface": str(SURFACES.get(each.surface, each.surface)),
        "arm": str(ARMS.get(each.arm, each.arm)),
        "held_out": each.arm == "holdout",
        "fallback": str(FALLBACKS.get(each.fallback, each.fallback)) if each.fallback else "",
        "outcomes": [view.outcome_words(kind) for kind in kinds],
    }


async def _weighings(
    connections: Connections,
    shop: Shop,
    logged: LoggedDecision,
    situation: Situation | None,
    names: Mapping[str, str],
) -> list[view.Weighing]:
    if situation is None or situation.campaigns is None:
        return []
    weighed = situation.campaigns
    then = await _rules_then(connections, shop, logged)
    titles = await titles_in(connections, shop, [*then.values(), weighed.inputs.facts])
    rules = {name: read_rule(rule) for name, rule in then.items()}
    return view.weighings(weighed, rules, names, titles, shop.currency)


async def _rules_then(connections: Connections, shop: Shop, logged: LoggedDecision) -> dict[str, Any]:
    """Return the campaigns' rules as they were; none where they are no longer kept."""
    try:
        plan = await plan_of_version(connections, shop.shop, logged.snapshot)
    except TillwiseError:
        return {}
    return {} if plan is None else {name: each.campaign.rule for name, each in plan.by_id.items()}


async def _ranking(
    connections: Connections, shop: Shop, logged: LoggedDecision, situation: Situation | None
) -> dict[str, Any]:
    """Return what was considered, or why that can't be told any more."""
    if situation is None:
        return {"missing": _("What it was made from was erased with its customer."), "rows": []}
    try:
        then = await snapshot_of(connections, shop.shop, logged)
    except NotFound:
        return {"missing": _("The shop as it was then is no longer kept."), "rows": []}
    except TillwiseError:
        return {"missing": _("The app has changed since, so it can't be made again."), "rows": []}
    found = considered(then, situation)
    offered = {number for offer in logged.offers if (number := _offered_product(offer))}
    titles = {each: shown.shown.title for each, shown in then.offerable.items()}
    missing = "" if found else _("No model ranked: your defaults were offered.")
    return {"missing": missing, "rows": view.ranked(found, offered, titles)}


def _offered_product(offer: Mapping[str, Any]) -> int | None:
    return product_number((offer.get("product") or {}).get("product_id"))
