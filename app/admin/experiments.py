"""What the experiments pages show: what is tried, how one is planned, and what one shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from starlette.datastructures import QueryParams

from app.admin import experiments_earned as earned_told
from app.admin import experiments_view as view
from app.admin import lately
from app.admin.credited_file import months
from app.admin.experiments_form import TRIES, Form, Tries, arm_words, scheduled_words
from app.admin.experiments_store import choices
from app.admin.figures import month
from app.admin.home_view import as_of_words
from app.admin.language import lazy
from app.admin.pausing import uncounted_words
from app.attribution.figures import PERIODS
from app.attribution.models import Model
from app.attribution.report import Report
from app.campaigns.campaign import Campaign
from app.campaigns.store import all_campaigns
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.assign import STANDING, holdout_share, standing_experiment
from app.experiments.patch import CAMPAIGNS
from app.experiments.store import Readout
from app.experiments.versions import Version, versions
from app.shops.store import Shop

PATH = "/admin/experiments"
TABS = (
    (PATH, lazy("All experiments")),
    (f"{PATH}/new", lazy("New experiment")),
    (f"{PATH}/earned", lazy("Revenue from offers")),
)


async def overview(connections: Connections, shop: Shop, _query: QueryParams) -> dict[str, Any]:
    """Return the shop's experiments, of each the version that runs, else the newest; what runs first."""
    every = sorted(await versions(connections, shop.shop), key=lambda each: each.status == "running")
    shown = {each.design.id: each for each in every}
    ordered = sorted(
        shown.values(), key=lambda each: (each.status != "running", -each.drafted_at.timestamp())
    )
    names = await campaign_names(connections, shop)
    return {
        "experiments": [_listed(each, names) for each in ordered],
        "holds_out": _holds_out(shop),
        **frame(PATH),
    }


async def plan(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return the page on which an experiment is planned. The query may name what to try."""
    found = await choices(connections, shop)
    return {
        "form": _form(query),
        "tries": {name: str(says) for name, says in TRIES.items()},
        "campaigns": {name: each.name for name, each in found.campaigns.items()},
        "versions": found.versions,
        "metrics": {name: str(says) for name, says in view.METRIC_WORDS.items()},
        "locale": str(shop.settings.get("locale") or "en"),
        **frame(f"{PATH}/new"),
    }


async def reading(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return what an experiment shows so far.

    query: `id`; `version`, else the latest that was started; `whom`, `vouched` for those alone who are.
    """
    name, number = query.get("id", STANDING), query.get("version")
    vouched = query.get("whom") == "vouched"
    of_it = [each for each in await versions(connections, shop.shop) if each.design.id == name]
    asked = [each for each in of_it if number in (None, str(each.version))]
    version = max(asked, key=lambda each: (each.started_at is not None, each.version), default=None)
    campaigns = [each.campaign for each in await all_campaigns(connections, shop.shop)]
    names = {each.id: each.name for each in campaigns}
    shown: lately.Dated[Readout] | None = None
    with suppress(NotFound, InputError):
        shown = await lately.shown(connections, shop.shop, name, number, vouched)
    found = shown.value if shown else None
    return {
        "id": name,
        "missing": shown is None and version is None and name != STANDING,
        "name": _name(version),
        "version": None if version is None else _shown(version, of_it),
        "as_of": as_of_words(shown) if shown else "",
        "holds_out": _holds_out(shop),
        "vouched": vouched,
        "found": None if found is None else _told(found, names),
        "uncounted": _uncounted(shop, version),
        "scheduled": "" if version is None else _scheduled(version, campaigns),
        "arms": [] if version is None else _kept_arms(version, names),
        **frame(f"{PATH}/read"),
    }


async def earned(connections: Connections, shop: Shop, query: QueryParams) -> dict[str, Any]:
    """Return what offers are credited with beside what they caused. query: `days` and `model`."""
    days = next((each for each in PERIODS if str(each) == query.get("days")), 30)
    models: tuple[Model, ...] = get_args(Model)
    model = next((each for each in models if each == query.get("model")), models[0])
    now = datetime.now(UTC)
    found = await lately.earned(connections, shop.shop, days, model)
    report, names = found.value, await campaign_names(connections, shop)
    return {
        "days": days,
        "periods": PERIODS,
        "model": model,
        "models": {each: str(earned_told.MODELS[each]) for each in models},
        "as_of": as_of_words(found),
        "report": await _earned(connections, shop, report, names) if report else None,
        "uncounted": uncounted_words(shop, now - timedelta(days=days), now),
        "months": {each.name: month(each.begin) for each in months(shop, now)},
        **frame(f"{PATH}/earned"),
    }


async def _earned(
    connections: Connections, shop: Shop, report: Report, names: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "sold": earned_told.sold(report),
        "credited": earned_told.credited(report),
        "caused": earned_told.caused(report.incremental, report.currency),
        "groups": await earned_told.groups(connections, shop, report, names),
        "foreign": report.foreign_orders,
    }


def _holds_out(shop: Shop) -> bool:
    """Return whether some shoppers see nothing of Tillwise."""
    return holdout_share(standing_experiment(shop.shop, shop.settings)) > 0


def frame(here: str) -> dict[str, Any]:
    """Return what every experiments page shows."""
    return {"tabs": TABS, "here": here}


async def campaign_names(connections: Connections, shop: Shop) -> dict[str, str]:
    """Return the shop's campaigns' names by id."""
    return {each.campaign.id: each.campaign.name for each in await all_campaigns(connections, shop.shop)}


def _listed(version: Version, names: Mapping[str, str]) -> dict[str, Any]:
    tone, standing = view.STANDINGS[version.status]
    return {
        "id": version.design.id,
        "name": _name(version),
        "tone": tone,
        "standing": str(standing),
        "since": view.version_words(version),
        "arms": " · ".join(arm_words(arm, names) for arm in version.design.shares),
        "metric": str(view.METRIC_WORDS[version.design.metric]),
    }


def _uncounted(shop: Shop, version: Version | None) -> str:
    """Return for how long the shop was paused while the version ran, or since it was installed."""
    began_at, ended_at = (shop.installed_at, None) if version is None else version.ran
    now = datetime.now(UTC)
    return uncounted_words(shop, began_at or now, ended_at or now)


def _scheduled(version: Version, campaigns: Iterable[Campaign]) -> str:
    """Return what the schedules of the campaigns it changes do to it while it is not over."""
    if version.status == "stopped":
        return ""
    changed = {name for arm in version.design.arms for name in arm.changes.get(CAMPAIGNS) or ()}
    return scheduled_words((each for each in campaigns if each.id in changed), datetime.now(UTC))


def _name(version: Version | None) -> str:
    return "" if version is None else version.design.says or version.design.id


def _form(query: QueryParams) -> Form:
    tries: Tries = next((each for each in TRIES if each == query.get("tries")), "without_campaign")
    return Form(tries=tries, campaign=query.get("campaign", ""), version=query.get("version", ""))


def _told(found: Readout, names: Mapping[str, str]) -> dict[str, Any]:
    done, words = view.progress(found)
    figures = view.figures(found, names)
    return {
        "says": view.says(found, names),
        "groups": view.groups(found, names),
        "figures": [each for each in figures if not each.missing],
        "untold": [each for each in figures if each.missing],
        "notes": view.notes(found),
        "provisos": view.provisos(found, names),
        "done": done,
        "progress": words,
        "control": arm_words(found.design.control, names),
        "version": found.version,
    }


def _shown(version: Version, of_it: Sequence[Version]) -> dict[str, Any]:
    """Return a version as its page shows it. of_it: every version of the experiment."""
    tone, standing = view.STANDINGS[version.status]
    return {
        "number": version.version,
        "status": version.status,
        "tone": tone,
        "standing": str(standing),
        "since": view.version_words(version),
        "ramp": round(100 * version.ramp),
        "is_newest": version.version == max(each.version for each in of_it),
        "others": [each.version for each in of_it if each.version != version.version],
        "metric": str(view.METRIC_WORDS[version.design.metric]),
        "window_days": version.design.window_days,
    }


def _kept_arms(version: Version, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the arms that can be kept for good, by name and in words."""
    return [(arm.name, arm_words(arm.name, names)) for arm in version.design.arms if arm.changes]
