"""Back to the model that served before."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.recommend.rollback import roll_back
from app.values import shop_domain


def rollback(
    shop: Shop,
    to: Annotated[
        str | None, typer.Option("--to", help="A version from the admin; the champion before by default")
    ] = None,
) -> None:
    """Serve an earlier version of a shop's model again, at once; what it replaces stays on disk."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        typer.echo(f"{await roll_back(connections, domain, to)}: serves {domain} again")

    with_connections(run)
