"""A logged decision made again, to see that what it says is what was chosen."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer
from sqlmodel import select

from app.archive.store import restore
from app.commands.run import Shop, with_connections
from app.connections import Connections
from app.errors import NotFound, TillwiseError
from app.live import load_snapshot
from app.offers.replay import replay as made_again
from app.offers.snapshot import ShopSnapshot
from app.tables import DecisionRow
from app.values import ShopDomain, shop_domain


def replay(
    shop: Shop, decision: Annotated[str, typer.Argument(help="The decision's id, from the admin")]
) -> None:
    """Make a logged decision again and compare: the same offers, bit for bit, or why not."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        row = await _decision(connections, domain, decision)
        _compare(row, await _snapshot(connections, domain, row))
        typer.echo(f"{decision}: same, bit for bit (snapshot {row.inputs['snapshot']})")

    with_connections(run)


async def _decision(connections: Connections, shop: ShopDomain, decision_id: str) -> DecisionRow:
    """Return the decision, with what it was made from. Raises NotFound."""
    query = select(DecisionRow).where(DecisionRow.shop == shop, DecisionRow.decision_id == decision_id)
    async with connections.read() as db:
        row = (await db.exec(query)).first()
    if row is None:
        raise NotFound(f"{shop} has no decision {decision_id!r}; the worker writes them down, does it run?")
    if not row.inputs:
        raise NotFound(f"{decision_id} can't be made again: its inputs were erased with its customer")
    return row


async def _snapshot(connections: Connections, shop: ShopDomain, row: DecisionRow) -> ShopSnapshot:
    """Return what the decision was made on: as it was kept, else as it serves still. Raises NotFound."""
    needed = row.inputs["snapshot"]
    try:
        return await restore(connections, shop, needed)
    except NotFound as error:
        now = await load_snapshot(connections, shop)
        serving = () if now is None else (now, *now.variants.values())
        found = next((each for each in serving if each.version == needed), None)
        if found is not None:
            return found
        raise NotFound(
            f"{row.decision_id} was made on snapshot {needed} (model {row.model_version or 'none'}), "
            f"which is no longer there: {error}"
        ) from None


def _compare(row: DecisionRow, snapshot: ShopSnapshot) -> None:
    """Return when the same offers are chosen. Raises TillwiseError with what differs."""
    again = msgspec.json.encode(made_again(row.inputs, {snapshot.version: snapshot}))
    if json.loads(again) != row.answer["offers"]:
        raise TillwiseError(
            f"decision {row.decision_id} is NOT the same (its fallback: {row.fallback or 'none'})\n"
            f"  then: {json.dumps(row.answer['offers'])}\n  now:  {again.decode()}"
        )
