"""A logged decision made again, to see that what it says is what was chosen."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import TillwiseError
from app.replays import replay_decision
from app.values import shop_domain


def replay(
    shop: Shop, decision: Annotated[str, typer.Argument(help="The decision's id, from the admin")]
) -> None:
    """Make a logged decision again and compare: the same offers, bit for bit, or why not."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        again = await replay_decision(connections, domain, decision)
        if not again.is_same:
            raise TillwiseError(
                f"decision {decision} is NOT the same (its fallback: {again.logged.fallback or 'none'})\n"
                f"  then: {json.dumps(again.logged.offers)}\n  now:  {json.dumps(again.offers)}"
            )
        typer.echo(f"{decision}: same, bit for bit (snapshot {again.shop.version})")

    with_connections(run)
