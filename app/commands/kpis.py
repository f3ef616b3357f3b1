"""A period's figures, by group, as a table or as CSV."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.attribution.kpi_facts import read_facts
from app.attribution.kpis import BY, Kpi, as_csv
from app.attribution.kpis import kpis as figures
from app.commands.attribution import Since, first_day
from app.commands.readings import money
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError
from app.experiments.refusal import Refusal
from app.values import shop_domain

_MONEY = frozenset({"aov", "clv_realised", "clv_predicted_90d"})


def kpis(
    shop: Shop,
    by: Annotated[str, typer.Option(help=f"One of {', '.join(BY)}")] = "all",
    since: Since = None,
    csv: Annotated[
        Path | None, typer.Option(help="File for all figures of all groups; money in minor units")
    ] = None,
) -> None:
    """Print conversion, order value, customer value and acceptance, or why one can't be told."""
    domain, now = shop_domain(shop), datetime.now(UTC)
    begin = first_day(since, now)
    if by not in BY:
        raise InputError(f"by is one of {', '.join(BY)}", "by")

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        facts, currency = await read_facts(connections, domain, begin, now)
        found = figures(facts)
        if csv is not None:
            csv.write_text(as_csv(found), "utf-8")
            return
        table = Table(by, "figure", "is", "over", box=None)
        for each in found:
            if each.by == by:
                table.add_row(each.group, each.name, _said(each, currency), f"{each.over:,}")
        if not table.row_count:
            typer.echo(f"Nothing to tell yet: no checkout was answered since {begin:%Y-%m-%d}.")
            return
        Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)

    with_connections(run)


def _said(each: Kpi, currency: str) -> str:
    if isinstance(each.value, Refusal):
        return f"not known: {each.value.says}"
    return money(each.value, currency) if each.name in _MONEY else f"{each.value:.2%}"
