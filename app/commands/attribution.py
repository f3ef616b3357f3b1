"""What offers are credited with, and beside it what they caused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_args

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from app.attribution.models import Model
from app.attribution.report import Incremental, Report
from app.attribution.sold import attribution as report
from app.attribution.touches import WINDOW_DAYS
from app.commands.readings import money
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError
from app.values import shop_domain

_MODELS: tuple[Model, ...] = get_args(Model)
_DAYS = 30
_PAGE_WIDTH = 160  # where no terminal says how wide it is
_MOST_SHOWN = 12

Since = Annotated[
    str | None, typer.Option(help=f"First day, as 2026-01-31 (UTC); {_DAYS} days ago by default")
]


def attribution(
    shop: Shop,
    model: Annotated[str, typer.Option(help=f"One of {', '.join(_MODELS)}")] = "last_touch",
    window: Annotated[float, typer.Option(help="Days before an order in which offers count")] = WINDOW_DAYS,
    since: Since = None,
    machine: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
) -> None:
    """Share what was sold among the offers before it, beside what the holdout shows that they caused."""
    domain, now = shop_domain(shop), datetime.now(UTC)
    begin = first_day(since, now)
    known = next((each for each in _MODELS if each == model), None)
    if known is None:
        raise InputError(f"model is one of {', '.join(_MODELS)}", "model")

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        found = await report(connections, domain, known, begin, now, window)
        if machine:
            typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=1).decode())
        else:
            width = None if sys.stdout.isatty() else _PAGE_WIDTH
            Console(highlight=False, width=width).print(*tables(found), sep="\n")

    with_connections(run)


def first_day(given: str | None, now: datetime) -> datetime:
    """Return when a period begins. Raises InputError for what is no day."""
    if given is None:
        return now - timedelta(days=_DAYS)
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"{given!r} is no day like 2026-01-31", "since") from None


def tables(found: Report) -> Iterator[Table | str]:
    """Yield what was sold, what of it is credited to what, and what was caused."""
    sold, credited = money(found.sold_minor, found.currency), money(found.credited_minor, found.currency)
    yield (
        f"since {found.since:%Y-%m-%d}: {found.orders:,} orders of {sold}, "
        "net of discounts, refunds and cancellations"
    )
    yield (
        f"credited to offers ({found.model}, {found.window_days:g} days): "
        f"{credited} in {found.credited_orders:,} orders. "
        "A credit does not say that the offer caused the sale."
    )
    yield f"caused: {caused(found.incremental, found.currency)}"
    if found.foreign_orders:
        yield f"{found.foreign_orders} orders are in another currency than the shop's; in no figure"
    for name, shares in found.groups.items():
        if shares:
            table = Table(name, "credited", "orders", "lines", box=None)
            for group, share in list(shares.items())[:_MOST_SHOWN]:
                sums = money(share.minor, found.currency), f"{share.orders:,}", f"{share.lines:,}"
                table.add_row(group, *sums)
            yield table


def caused(found: object, currency: str) -> str:
    """Return the incremental figure with its interval in one sentence, or why there is none."""
    if not isinstance(found, Incremental):
        return f"not known: {getattr(found, 'says', '')}"
    total, per = found.total, found.per_visitor
    return (
        f"{money(total.value, currency)} ({money(total.low, currency)} to {money(total.high, currency)}, "
        f"{found.level:.1%} sure): {money(per.value, currency)} a visitor more than "
        f"`{found.control}`, times {found.visitors:,} visitors"
    )
