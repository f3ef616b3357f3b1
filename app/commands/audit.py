"""What an auditor asks, as tables or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.consent.audit import FOUR_FIFTHS, LEAST, Figure, Finding, Group
from app.consent.report import PrivacyReport, RequestStatus, StoreLimit, StoreSize, report
from app.values import shop_domain

_PAGE_WIDTH = 160  # in a file or a pipe, where nobody says how wide it is
FINDINGS = {
    Finding.BEST: "best",
    Finding.EVEN: "",
    Finding.LOWER: "lower",
    Finding.UNCLEAR: "lower, may be chance",
    Finding.TOO_FEW: "too few to tell",
    Finding.ALONE: "",
}


def audit(
    shop: Shop,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Decisions of the last so many days")] = 90,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines")] = False,
) -> None:
    """Report who is offered what and how unevenly, what is held and for how long, and open requests."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        known = await known_shop(connections, domain)
        found = await report(connections, domain, known.settings, days, datetime.now(UTC))
        if json:
            sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        else:
            _show(found, days)

    with_connections(run)


def _show(found: PrivacyReport, days: int) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PAGE_WIDTH)
    everybody = found.served.everybody
    console.print(f"{found.shop}: {everybody.decisions} decisions in the last {days} days, holdouts left out")
    console.print(_groups("segment", found.served.by_segment, everybody))
    console.print(_groups("region", found.served.by_region, everybody))
    console.print(
        "A figure is followed by its 95 % interval and, after x, by its ratio to the best group's. It is "
        f"lower under {FOUR_FIFTHS:.0%} of the best where the intervals don't touch; of fewer than {LEAST} "
        "nothing is told. What became of an offer is known of visitors who allow analytics, and from orders."
    )
    console.print(_held(found.held))
    console.print(_limits(found.limits))
    for words in found.unusable:
        console.print(f"not usable: {words}")
    console.print(_requests(found.requests) if found.requests else "no open requests")


def _groups(kind: str, groups: Sequence[Group], everybody: Group) -> Table:
    table = _table(f"By {kind}", kind, "decisions", "offered something", "discount, %", "accepted")
    for group in [*groups, everybody]:
        name = "everybody" if group is everybody else group.name or "not known"
        figures = (
            _share(group.exposure, 100),
            _share(group.discount, 1, unit=""),
            _share(group.acceptance, 100),
        )
        table.add_row(name, f"{group.decisions:,}", *figures)
    return table


def _share(figure: Figure, scale: int, unit: str = " %") -> str:
    """Return `40.0 % (35.1 to 45.1) x0.72 lower`."""
    if figure.finding is Finding.TOO_FEW or figure.value is None or figure.low is None or figure.high is None:
        return FINDINGS[Finding.TOO_FEW]
    interval = f"({figure.low * scale:.1f} to {figure.high * scale:.1f})"
    ratio = "" if figure.to_best is None else f"x{figure.to_best:.2f}"
    said = f"{figure.value * scale:.1f}{unit}", interval, ratio, FINDINGS[figure.finding]
    return " ".join(filter(None, said))


def _held(held: Sequence[StoreSize]) -> Table:
    table = _table("What is held", "store", "rows", "purpose", "ground")
    for each in held:
        table.add_row(each.name, "–" if each.rows is None else f"{each.rows:,}", each.purpose, each.ground)
    return table


def _limits(limits: Sequence[StoreLimit]) -> Table:
    table = _table("How long it stays", "store", "days", "last cleared", "deleted", "left", "oldest")
    for each in limits:
        last = each.last
        if last is None:
            table.add_row(each.store, str(each.days), "not yet", "", "", "")
            continue
        counts = f"{last.deleted:,}", f"{last.remaining:,}"
        table.add_row(each.store, str(each.days), _day(last.ran_at), *counts, _day(last.oldest_at))
    return table


def _requests(asked: Sequence[RequestStatus]) -> Table:
    table = _table("Open requests", "request", "kind", "status", "received", "due")
    for each in asked:
        due = f"{_day(each.due_at)}, {'LATE' if each.late else f'{each.left_days} days left'}"
        table.add_row(each.request_id, each.kind, each.status, _day(each.received_at), due)
    return table


def _day(moment: datetime | None) -> str:
    return "–" if moment is None else moment.strftime("%Y-%m-%d")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
