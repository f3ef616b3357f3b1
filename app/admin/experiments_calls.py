"""The calls of the experiments pages: planned, drafted, started, let grow, stopped, kept and exported."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.admin import lately
from app.admin.access import staff_only
from app.admin.attachments import attached, sent
from app.admin.calls import read_call
from app.admin.credited_file import credited_file, months
from app.admin.experiments import campaign_names
from app.admin.experiments_form import (
    UNPLANNED,
    Aim,
    Form,
    aim_of,
    design_of,
    experiment_id_of,
    scheduled_words,
    tried,
    wrong_with,
)
from app.admin.experiments_store import choices, keep_arm
from app.admin.experiments_view import METRIC_WORDS, said
from app.admin.figures import short
from app.admin.home_view import as_of_words
from app.admin.language import _, ngettext
from app.attribution.models import Model
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.baseline import Baseline
from app.experiments.export import reading_csv
from app.experiments.metrics import METRICS
from app.experiments.power import PowerPlan, SampleSize, days_needed, units_needed
from app.experiments.versions import draft, get_version, start, stop, versions
from app.live_arms import check_arms
from app.shops.changes import announce_kept
from app.shops.store import Shop

_MAX_BODY = 16_384
_CSV = "text/csv; charset=utf-8"


class DraftExperiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An experiment as it is typed."""

    form: Form


class ExperimentReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which experiment; its latest version that was started, unless one is named."""

    id: str
    version: str | None = None


class ShareIncrease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An experiment that is to have this share of shoppers, in percent."""

    id: str
    share: Annotated[float, msgspec.Meta(gt=0, le=100)]


class ArmRollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arm of a version of an experiment that everybody is to be served as."""

    id: str
    version: int
    arm: str


class CreditedMonth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The month, as `2026-11`, whose credits are wanted, and how several offers share one."""

    month: str
    model: Model


@staff_only
async def plan(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return how many shoppers and days it takes to find what is to be found, or why nobody can say."""
    form = (await read_call(request, DraftExperiment, _MAX_BODY)).form
    campaigns = tried(form, await choices(connections, shop))
    aim, when = aim_of(form), scheduled_words(campaigns, datetime.now(UTC))
    try:
        base, needed, days = await _planned(connections, shop, aim)
    except (InputError, NotFound, ValueError):
        return JSONResponse({"says": _too_little_known() | {"when": when}, "units": None, "days": None})
    says = _plan_words(aim, base, needed, days, shop.currency) | {"when": when}
    return JSONResponse({"says": says, "units": needed.units, "days": days})


@staff_only
async def keep(request: Request, connections: Connections, shop: Shop) -> Response:
    """Keep what is typed as a draft. Nothing is kept while anything is wrong with it."""
    form = (await read_call(request, DraftExperiment, _MAX_BODY)).form
    there = await choices(connections, shop)
    if wrong := wrong_with(form, there):
        told = [{"error": str(each), "field": each.field} for each in wrong]
        return JSONResponse(told[0] | {"wrong": told}, 400)
    taken = frozenset(each.design.id for each in await versions(connections, shop.shop))
    aim = aim_of(form)
    try:
        planned = (await _planned(connections, shop, aim))[1].units
    except (InputError, NotFound, ValueError):
        planned = UNPLANNED
    design = design_of(form, there, experiment_id_of(form.name, taken), planned)
    made = await draft(connections, shop.shop, design, datetime.now(UTC))
    return JSONResponse({"id": made.design.id, "version": made.version, "share": round(100 * aim.share, 2)})


@staff_only
async def grow(request: Request, connections: Connections, shop: Shop) -> Response:
    """Start the experiment, or let more shoppers into it."""
    asked = await read_call(request, ShareIncrease, _MAX_BODY)
    await check_arms(connections, shop.shop, asked.id)
    begun = await start(connections, shop.shop, asked.id, datetime.now(UTC), asked.share / 100)
    return JSONResponse({"id": begun.design.id, "status": begun.status})


@staff_only
async def end(request: Request, connections: Connections, shop: Shop) -> Response:
    """Stop the experiment: everybody is served as the shop is set. A repeat only announces it again."""
    asked = await read_call(request, ExperimentReference, _MAX_BODY)
    if (await get_version(connections, shop.shop, asked.id)).status == "stopped":
        await announce_kept(connections.redis, shop.shop)
    else:
        await stop(connections, shop.shop, asked.id, datetime.now(UTC))
    return JSONResponse({"id": asked.id, "status": "stopped"})


@staff_only
async def conclude(request: Request, connections: Connections, shop: Shop) -> Response:
    """Stop the experiment and serve everybody as one of its arms was."""
    asked = await read_call(request, ArmRollout, _MAX_BODY)
    await keep_arm(connections, shop, asked.id, asked.version, asked.arm, datetime.now(UTC))
    return JSONResponse({"id": asked.id, "arm": asked.arm})


@staff_only
async def export(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what the experiment shows as CSV."""
    asked = await read_call(request, ExperimentReference, _MAX_BODY)
    shown = await lately.shown(connections, shop.shop, asked.id, asked.version)
    if shown.value is None:
        raise InputError(as_of_words(shown))
    headers = attached(f"{asked.id}-{shown.as_of or datetime.now(UTC):%Y-%m-%d}.csv")
    return Response(reading_csv(shown.value), media_type=_CSV, headers=headers)


@staff_only
async def export_credited(request: Request, connections: Connections, shop: Shop) -> Response:
    """Return what offers are credited with in a month as CSV."""
    asked, now = await read_call(request, CreditedMonth, _MAX_BODY), datetime.now(UTC)
    month = next((each for each in months(shop, now) if each.name == asked.month), None)
    if month is None:
        raise InputError(_("“%(value)s” can't be chosen here.", value=asked.month[:40]), "month")
    names = await campaign_names(connections, shop)
    file = await credited_file(connections, shop, month, asked.model, names, now)
    return sent(file, f"credited-{month.name}.csv", _CSV)


async def _planned(connections: Connections, shop: Shop, aim: Aim) -> tuple[Baseline, SampleSize, int]:
    """Return what the shop's shoppers did of late, and what it takes to find a difference from it."""
    base = await lately.base(connections, shop.shop, aim.metric, aim.window_days)
    needed = units_needed(PowerPlan(base.mean, base.deviation, aim.lift))
    return base, needed, days_needed(needed.units, base.units_a_day, aim.window_days, aim.share)


def _plan_words(aim: Aim, base: Baseline, needed: SampleSize, days: int, currency: str) -> dict[str, Any]:
    metric = METRICS[aim.metric]
    return {
        "takes": ngettext(
            "About a week: %(n)s shoppers, at %(daily)s a day.",
            "About %(num)s weeks: %(n)s shoppers, at %(daily)s a day.",
            days // 7,
            n=needed.units,
            daily=round(base.units_a_day * aim.share),
        ),
        "from": _(
            "Now: %(metric)s is %(value)s, from %(n)s shoppers in the last %(days)s days. Four of five "
            "such experiments find a true difference of %(lift)s%%.",
            metric=str(METRIC_WORDS[aim.metric]),
            value=said(metric, base.mean, currency),
            n=base.units,
            days=base.days,
            lift=short(100 * aim.lift),
        ),
    }


def _too_little_known() -> dict[str, Any]:
    return {
        "takes": _(
            "It's too early to say how long this takes: too few shoppers have been followed for long enough."
        ),
        "from": _("You can start anyway: the results appear once there is enough data."),
    }


_CALLS = "/admin/api/experiments"
routes = [
    Route(f"{_CALLS}/plan", plan, methods=["POST"]),
    Route(f"{_CALLS}/keep", keep, methods=["POST"]),
    Route(f"{_CALLS}/start", grow, methods=["POST"]),
    Route(f"{_CALLS}/stop", end, methods=["POST"]),
    Route(f"{_CALLS}/conclude", conclude, methods=["POST"]),
    Route(f"{_CALLS}/export", export, methods=["POST"]),
    Route(f"{_CALLS}/credited", export_credited, methods=["POST"]),
]
