"""What a shop's merchant has to know."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.reach.alert_store import KeptAlert, last_alerts, open_alerts
from app.values import shop_domain


def alerts(
    shop: Shop,
    last: Annotated[int | None, typer.Option(min=1, help="The last so many, those that are over too")] = None,
) -> None:
    """List what a shop's merchant has to know now; exits 1 when there is something."""
    domain = shop_domain(shop)
    found: list[KeptAlert] = []

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        found.extend(
            await open_alerts(connections, domain)
            if last is None
            else await last_alerts(connections, domain, last)
        )

    with_connections(run)
    for each in found:
        about = f" ({each.about})" if each.about else ""
        over = "" if each.resolved_at is None else f", over {_at(each.resolved_at)}"
        typer.echo(f"{each.kind}{about}  since {_at(each.opened_at)}{over}\n  {each.says}")
    if not found:
        typer.echo("nothing to know")
    if any(each.resolved_at is None for each in found):
        raise typer.Exit(1)


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
