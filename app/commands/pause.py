"""The whole app hidden from a shop's shoppers, and shown to them again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.ahead.pausing import go_on, pause_shop
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.shops.pausing import COMMAND_LINE, is_paused, pauses_of
from app.values import shop_domain


def pause(
    shop: Shop,
    on: Annotated[
        bool | None, typer.Option("--on/--off", help="Hide Tillwise from shoppers; off, show it again")
    ] = None,
) -> None:
    """Show or switch whether a shop's shoppers see nothing of Tillwise; who did so before is listed."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        if on is not None:
            await (pause_shop if on else go_on)(connections, domain, COMMAND_LINE, datetime.now(UTC))
        installed = await known_shop(connections, domain)
        typer.echo("paused" if is_paused(installed.settings) else "not paused")
        for each in pauses_of(installed.settings):
            ended = f"{each.ended_at:%Y-%m-%d %H:%M} by {each.ended_by}" if each.ended_at else "now"
            typer.echo(f"{each.began_at:%Y-%m-%d %H:%M} by {each.began_by} until {ended} (UTC)")

    with_connections(run)
