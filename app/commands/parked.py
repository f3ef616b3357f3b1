"""What could not be processed, and putting it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from app.commands.run import AnyShop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError, NotFound
from app.events.log import DEAD, Entry, EventLog
from app.values import ShopDomain, shop_domain
from webhooks import inbox

_ID = re.compile(r"\d{1,18}(-\d{1,18})?", re.ASCII)  # of a webhook, of an event


def parked(
    shop: AnyShop = None,
    replay: Annotated[bool, typer.Option("--replay", help="Put them back to be processed again")] = False,
    discard: Annotated[
        list[str] | None,
        typer.Option("--discard", metavar="ID", help="Give this one up for good; may be repeated"),
    ] = None,
) -> None:
    """List the webhooks that were put aside, and the events (dead letters), with their reasons."""
    domain = None if shop is None else shop_domain(shop)
    if discard and (replay or shop):
        raise InputError("--discard stands alone: the ids that the list begins with name what is given up")
    if wrong := [each for each in discard or () if not _ID.fullmatch(each)]:
        raise InputError(f"{wrong[0]} is no id: each line of `tillwise parked` begins with one")

    async def run(connections: Connections) -> None:
        if discard:
            await _give_up(connections, discard)
        else:
            await (_put_back if replay else _show)(connections, domain)

    with_connections(run)


async def _show(connections: Connections, shop: ShopDomain | None) -> None:
    rows = await inbox.parked(connections, shop)
    for row in rows:
        received = row.received_at.isoformat(timespec="seconds")
        typer.echo(f"{row.id}  {row.shop}  {row.topic}  {received}  {row.reason}")
    dead = 0
    async for entry in EventLog(connections.redis).entries(DEAD):
        if shop is None or entry.is_of(shop):
            dead += 1
            _tell(entry)
    if shop and not rows and not dead:
        await known_shop(connections, shop)
    typer.echo(f"{len(rows)} parked webhooks, {dead} dead letters")


def _tell(letter: Entry) -> None:
    event, (at, reason) = letter.event(), letter.put_aside()
    what = f"{event.shop}  {type(event).__name__}" if event else "of an unknown shop  not an event"
    typer.echo(f"{letter.entry_id}  {what}  {at.isoformat(timespec='seconds')}  {reason}")


async def _put_back(connections: Connections, shop: ShopDomain | None) -> None:
    webhooks = await inbox.requeue_parked(connections, shop, datetime.now(UTC))
    log, letters = EventLog(connections.redis), 0
    for _ in range(await log.count_dead(shop) // 1_000 + 1):
        letters += await log.revive(shop=shop)
    if shop and not webhooks and not letters:
        await known_shop(connections, shop)
    typer.echo(f"put back: {webhooks} parked webhooks, {letters} dead letters; the worker takes them up")


async def _give_up(connections: Connections, ids: Sequence[str]) -> None:
    log = EventLog(connections.redis)
    for each in ids:
        known = await (log.give_up(each) if "-" in each else inbox.give_up(connections, int(each)))
        if not known:
            raise NotFound(f"nothing that was put aside has the id {each}")
        typer.echo(f"given up: {each}")
