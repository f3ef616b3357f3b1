"""What a shop sends elsewhere: switched on and off, looked at, and sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError
from app.outbound.deliveries import count_waiting, parked_deliveries, replay_parked
from app.outbound.settings import SCOPE, WriteBack, webhook_of, write_back_of
from app.outbound.settings_store import remove_webhook, set_webhook, switch_write_back
from app.outbound.write_back import Status, status
from app.values import ShopDomain, shop_domain


def write_back(
    shop: Shop,
    tags: Annotated[bool | None, typer.Option(help="Segments as tags of the shop's customers")] = None,
    metafields: Annotated[bool | None, typer.Option(help="Segments as app metafields of customers")] = None,
) -> None:
    """Show or switch what a shop's customers carry in Shopify; switched off, it is taken back."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        now = write_back_of((await known_shop(connections, domain)).settings)
        wants = WriteBack(_or(tags, now.tags), _or(metafields, now.metafields))
        if wants != now:
            await switch_write_back(connections, domain, wants)
        _tell(await status(connections, await known_shop(connections, domain)))

    with_connections(run)


def webhook(
    shop: Shop,
    url: Annotated[str | None, typer.Option(help="Tell moves to this https address from now on")] = None,
    off: Annotated[bool, typer.Option("--off", help="Tell nobody any more")] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Send again what was given up")] = False,
) -> None:
    """Show, set or remove where a shop's segment changes are told, and what was given up."""
    domain = shop_domain(shop)
    if off and url is not None:
        raise InputError("either --url or --off")

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        if off:
            await remove_webhook(connections, domain)
        elif url is not None:
            secret = await set_webhook(connections, domain, url)
            typer.echo(f"secret, shown this once: {secret}")
        if replay:
            again = await replay_parked(connections, domain, datetime.now(UTC))
            typer.echo(f"put back: {again} messages; the worker sends them")
        await _show(connections, domain)

    with_connections(run)


def _tell(told: Status) -> None:
    words = {True: "on", False: "off"}
    typer.echo(f"tags {words[told.wants.tags]}, metafields {words[told.wants.metafields]}")
    typer.echo(f"{told.written} customers written, {told.waiting} waiting")
    if told.lacks_scope:
        typer.echo(f"nothing can be written: the merchant has not granted {SCOPE}; what waits is not lost")


async def _show(connections: Connections, shop: ShopDomain) -> None:
    known = webhook_of((await known_shop(connections, shop)).settings)
    typer.echo(
        "no webhook" if known is None else f"{known.url} since {known.since.isoformat('T', 'seconds')}"
    )
    parked = await parked_deliveries(connections, shop)
    for each in parked:
        made = each.made_at.isoformat(timespec="seconds")
        typer.echo(f"{each.event_id}  {made}  {each.attempts} attempts  {each.error}")
    typer.echo(f"{await count_waiting(connections, shop)} messages waiting, {len(parked)} given up")


def _or(given: bool | None, otherwise: bool) -> bool:
    return otherwise if given is None else given
