"""Experiments: planned, drafted, started, read and stopped."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.commands.attribution import first_day
from app.commands.files import read_json
from app.commands.readings import as_json, tables, version_line
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError
from app.experiments.baseline import Baseline, baseline_of
from app.experiments.design import LONGEST_WINDOW_DAYS, read_design
from app.experiments.metrics import METRICS
from app.experiments.power import PowerPlan, days_needed, units_needed
from app.experiments.store import read_out
from app.experiments.versions import draft, start, stop, versions
from app.live_arms import check_arms
from app.values import shop_domain

experiment = typer.Typer(
    name="experiment", help="Plan, draft, start, read and stop experiments.", no_args_is_help=True
)

_PAGE_WIDTH = 160  # where no terminal says how wide it is

Name = Annotated[str, typer.Argument(help="The experiment's id; `standing` is the one that always runs")]


@experiment.command("plan")
def plan_command(
    shop: Shop,
    metric: Annotated[str, typer.Option(help=f"One of {', '.join(METRICS)}")] = "revenue",
    lift: Annotated[float, typer.Option(help="The smallest relative difference worth finding")] = 0.05,
    share: Annotated[float, typer.Option(help="Of the units, in the arm")] = 0.5,
    control_share: Annotated[float, typer.Option(help="Of the units, in the control")] = 0.5,
    arms: Annotated[int, typer.Option(min=1, help="Arms beside the control")] = 1,
    ramp: Annotated[float, typer.Option(help="Of the shop's units, let in")] = 1.0,
    alpha: Annotated[float, typer.Option(help="How often nothing may be taken for something")] = 0.05,
    power: Annotated[float, typer.Option(help="How often the difference should be found")] = 0.8,
    window_days: Annotated[
        int, typer.Option(min=1, max=LONGEST_WINDOW_DAYS, help="How long a unit is followed")
    ] = 14,
) -> None:
    """Say how many units and days an experiment needs, from what the shop's units did of late."""
    domain = shop_domain(shop)
    if metric not in METRICS:
        raise InputError(f"metric is one of {', '.join(METRICS)}", "metric")

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        base = await baseline_of(connections, domain, metric, window_days, datetime.now(UTC))
        try:
            needed = units_needed(
                PowerPlan(base.mean, base.deviation, lift, share, control_share, arms, alpha, power)
            )
            days = days_needed(needed.units, base.units_a_day, window_days, ramp)
        except ValueError as error:
            raise InputError(str(error)) from None
        typer.echo(_of_base(base, metric))
        typer.echo(
            f"{needed.units:,} units to find {lift:+.1%} in {power:.0%} of such experiments, looking when "
            f"you like ({needed.fixed_units:,} were you to look once): about {days} days"
        )

    with_connections(run)


@experiment.command("draft")
def draft_command(
    shop: Shop,
    file: Annotated[Path, typer.Argument(help="JSON, as docs/measurement.md describes it", exists=True)],
) -> None:
    """Keep a design as the experiment's next version. It assigns nobody before it is started."""
    domain = shop_domain(shop)
    design = read_design(read_json(file))

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        typer.echo(version_line(await draft(connections, domain, design, datetime.now(UTC))))

    with_connections(run)


@experiment.command("start")
def start_command(
    shop: Shop,
    name: Name,
    ramp: Annotated[float, typer.Option(help="The share of units to let in; more can follow")] = 1.0,
) -> None:
    """Start the newest version, or let more units into it. An older version that runs is stopped."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        await check_arms(connections, domain, name)
        typer.echo(version_line(await start(connections, domain, name, datetime.now(UTC), ramp)))

    with_connections(run)


@experiment.command("stop")
def stop_command(shop: Shop, name: Name) -> None:
    """Stop it: everybody is served as the shop is set. What it found can still be read."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        typer.echo(version_line(await stop(connections, domain, name, datetime.now(UTC))))

    with_connections(run)


@experiment.command("list")
def list_command(shop: Shop) -> None:
    """List every version of the shop's experiments."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        for each in await versions(connections, domain):
            typer.echo(version_line(each))
        typer.echo("standing  always runs; `arms` in the shop's settings are its shares")

    with_connections(run)


@experiment.command("read")
def read_command(
    shop: Shop,
    name: Name,
    version: Annotated[str | None, typer.Option(help="Else the latest that was started")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only of who came first on this day or later, as 2026-01-31 (UTC)")
    ] = None,
    vouched: Annotated[
        bool, typer.Option("--vouched", help="Only of whom Shopify vouched for when they came first")
    ] = False,
    machine: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
) -> None:
    """Print what it shows so far, with intervals that hold however often one looks."""
    domain, now = shop_domain(shop), datetime.now(UTC)
    begin = None if since is None else first_day(since, now)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        found = await read_out(connections, domain, name, now, version, begin, vouched)
        if machine:
            typer.echo(as_json(found))
        else:
            width = None if sys.stdout.isatty() else _PAGE_WIDTH
            Console(highlight=False, width=width).print(*tables(found), sep="\n")

    with_connections(run)


def _of_base(base: Baseline, metric: str) -> str:
    return (
        f"{METRICS[metric].says}: {base.mean:,.4g} on average with a deviation of {base.deviation:,.4g}, "
        f"from {base.units:,} units of the last {base.days} days ({base.units_a_day:,.1f} a day)"
    )
