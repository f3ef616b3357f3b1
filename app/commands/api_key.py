"""Keys for other systems to a shop's segments."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.outbound.api_keys import keys_of, make_key, revoke_key
from app.values import shop_domain


def api_key(
    shop: Shop,
    make: Annotated[bool, typer.Option("--make", help="Make a key and show it, this once")] = False,
    label: Annotated[str, typer.Option(help="What the new key is for, such as crm")] = "",
    revoke: Annotated[str | None, typer.Option(help="The id of the key that opens nothing any more")] = None,
) -> None:
    """List, make or revoke a shop's keys to the API; see docs/api.md."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        if revoke is not None:
            await revoke_key(connections, domain, revoke)
        if make:
            made = await make_key(connections, domain, label)
            typer.echo(f"key {made.key_id}, shown this once: {made.secret}")
        if not (keys := await keys_of(connections, domain)):
            typer.echo("No key yet: --make makes one.")
        for each in keys:
            until = "" if each.revoked_at is None else f"  revoked {each.revoked_at:%Y-%m-%d %H:%M} UTC"
            typer.echo(f"{each.key_id}  made {each.made_at:%Y-%m-%d %H:%M} UTC  {each.label}{until}".rstrip())

    with_connections(run)
