"""What another set of rules, settings or model would have earned, from the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from app.campaigns.campaign import Running, read_campaign
from app.campaigns.plan import plan_of
from app.commands.attribution import Since, first_day
from app.commands.files import read_json
from app.commands.readings import money
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.analysis import Interval
from app.experiments.assign import Arm, Experiment
from app.experiments.patch import check_changes
from app.experiments.refusal import Refusal
from app.offers.snapshot import ShopSnapshot
from app.offpolicy.judging import TargetPolicy
from app.offpolicy.store import MOST, PolicyEvaluation, evaluate_logged
from app.snapshots import load_snapshot
from app.values import ShopDomain, shop_domain

_OTHER = "other"


def evaluate_policy(
    shop: Shop,
    file: Annotated[
        Path | None, typer.Argument(help="JSON: changes as an experiment's arm makes them", exists=True)
    ] = None,
    campaigns: Annotated[
        Path | None, typer.Option(help="JSON: a list of campaigns to run in place of the shop's", exists=True)
    ] = None,
    since: Since = None,
    machine: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
) -> None:
    """Estimate what another policy would have earned, or say why the log can't tell."""
    domain, now = shop_domain(shop), datetime.now(UTC)
    begin = first_day(since, now)
    if (file is None) == (campaigns is None):
        raise InputError("give either a FILE of changes or --campaigns", "campaigns")
    told = read_json(file or campaigns)  # type: ignore[arg-type]

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        if campaigns is not None:
            other = await _with_campaigns(connections, domain, told)
        else:
            other = await _changed(connections, domain, told)
        found = await evaluate_logged(connections, domain, other, begin, now)
        if machine:
            typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        else:
            typer.echo("\n".join(_says(found)))

    with_connections(run)


async def _with_campaigns(connections: Connections, shop: ShopDomain, told: Any) -> TargetPolicy:
    """Return the shop running these campaigns in place of its own."""
    if not isinstance(told, Sequence) or isinstance(told, str):
        raise InputError("a list of campaigns is expected", "campaigns")
    now, known = await _now(connections, shop), await known_shop(connections, shop)
    running = [Running(read_campaign(each), number) for number, each in enumerate(told)]
    plan = plan_of(
        shop, running, now.currency, known.settings, zone=known.time_zone, margin=now.terms.margin,
        weights=now.foresight.weights,
    )  # fmt: skip
    return TargetPolicy(replace(now, plan=plan))


async def _changed(connections: Connections, shop: ShopDomain, told: Any) -> TargetPolicy:
    """Return the shop under the changes. Raises InputError for some that make no shop, or the same."""
    if not isinstance(told, Mapping):
        raise InputError("changes are a JSON object, as an experiment's arm has them", "file")
    check_changes(told, "changes")
    trying = Experiment(_OTHER, (Arm(_OTHER, 1.0, told),), 1.0, _OTHER, "1")
    now = await _now(connections, shop, (trying,))
    made = now.variants.get(frozenset({(_OTHER, _OTHER)}))
    if made is None or made.version == now.version:
        raise InputError("these changes can't be served, or change nothing", "file")
    return TargetPolicy(made, ranks_alike=set(told) <= {"campaigns"})


async def _now(
    connections: Connections, shop: ShopDomain, trying: tuple[Experiment, ...] | None = None
) -> ShopSnapshot:
    snapshot = await load_snapshot(connections, shop, trying=trying)
    if snapshot is None:
        raise NotFound(f"{shop} does not have the app")
    return snapshot


def _says(found: PolicyEvaluation) -> list[str]:
    told = f"{found.decisions:,} first decisions, {found.untold:,} of which do not tell all it depends on"
    begins = [told] if found.until is None else [told, _until(found.until)]
    result = found.result
    if isinstance(result, Refusal):
        return [*begins, f"not known: {result.says}"]

    def said(name: str, each: Interval) -> str:
        low, value, high = (money(one, found.currency) for one in (each.low, each.value, each.high))
        return f"  {name:<17}{value} ({low} to {high})"

    return [
        *begins,
        f"worth {result.effective:,.0f} of its own; {result.support:.1%} of what it does was done",
        "revenue a decision, with 95 % intervals:",
        said("earned", result.logged),
        said("IPS", result.ips),
        said("self-normalised", result.self_normalised),
        said("doubly robust", result.doubly_robust),
        said("gain", result.gain),
    ]


def _until(until: datetime) -> str:
    return (
        f"only those until {until:%Y-%m-%d %H:%M} UTC: the period has more than {MOST:,} decisions, which is "
        "the most that are read; begin later"
    )
