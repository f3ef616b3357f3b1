"""Offers written ahead: what Shopify holds of a shop, switched on and off."""

from __future__ import annotations

from typing import Annotated

import typer

from app.ahead.switch import status, switch_offers_ahead
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.outbound.offer_metafields import SCOPES
from app.values import shop_domain


def offers_ahead(
    shop: Shop,
    on: Annotated[
        bool | None, typer.Option("--on/--off", help="Write offers ahead; off, they are taken back")
    ] = None,
) -> None:
    """Show or switch what a shop's checkouts can show before they are answered."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        if on is not None:
            await switch_offers_ahead(connections, domain, on)
        installed = await known_shop(connections, domain)
        told = await status(connections, installed)
        typer.echo(f"offers ahead {'on' if told.on else 'off'}")
        for kind, count in told.held.items():
            lacks = f"; nothing can be written without {SCOPES[kind]}" if kind in told.lacks else ""
            typer.echo(f"{kind}: {count} held by Shopify{lacks}")

    with_connections(run)
