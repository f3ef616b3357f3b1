"""A logged decision, read back and made again, to see that what it says is what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from app.archive.store import restore
from app.connections import Connections
from app.errors import NotFound
from app.offers.replay import replay
from app.offers.snapshot import ShopSnapshot
from app.snapshots import load_snapshot
from app.tables import DecisionRow
from app.upsert import table_of
from app.values import ShopDomain

_DECISIONS = table_of(DecisionRow)


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision as it was logged. inputs: what it was made from, empty where its customer was erased."""

    decision_id: str
    decided_at: datetime
    surface: str
    rung: str
    arm: str
    fallback: str | None
    model_version: str | None
    permitted: tuple[str, ...]
    duration_us: int
    inputs: Mapping[str, Any]
    answer: Mapping[str, Any]

    @property
    def snapshot(self) -> str:
        """Return the version of the shop that it was made on."""
        return str(self.inputs["snapshot"])

    @property
    def offers(self) -> list[dict[str, Any]]:
        """Return the offers that it made."""
        found: list[dict[str, Any]] = self.answer.get("offers") or []
        return found


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision made again: on which shop, and the offers that it comes to now."""

    logged: LoggedDecision
    shop: ShopSnapshot
    offers: list[dict[str, Any]]

    @property
    def is_same(self) -> bool:
        """Return whether the same offers were chosen, bit for bit."""
        return self.offers == self.logged.offers


async def logged_decision(connections: Connections, shop: str, decision_id: str) -> LoggedDecision | None:
    """Return the decision, None for one that the shop does not have."""
    columns = _DECISIONS.c
    query = select(
        columns.decision_id, columns.decided_at, columns.surface, columns.rung, columns.arm,
        columns.fallback, columns.model_version, columns.permitted, columns.duration_us, columns.inputs,
        columns.answer,
    ).where(columns.shop == shop, columns.decision_id == decision_id)  # fmt: skip
    row = await connections.row(query)
    return None if row is None else LoggedDecision(**{**row._mapping, "permitted": tuple(row.permitted)})


async def replay_decision(connections: Connections, shop: ShopDomain, decision_id: str) -> Replay:
    """Return the decision made again. Raises NotFound saying what is no longer there."""
    logged = await logged_decision(connections, shop, decision_id)
    if logged is None:
        raise NotFound(f"{shop} has no decision {decision_id!r}; the worker writes them down, does it run?")
    if not logged.inputs:
        raise NotFound(f"{decision_id} can't be made again: its inputs were erased with its customer")
    snapshot = await snapshot_of(connections, shop, logged)
    offers = msgspec.json.encode(replay(logged.inputs, {snapshot.version: snapshot}))
    return Replay(logged, snapshot, msgspec.json.decode(offers))


async def snapshot_of(connections: Connections, shop: ShopDomain, logged: LoggedDecision) -> ShopSnapshot:
    """Return the shop as the decision saw it: as it was kept, else as it serves still. Raises NotFound."""
    try:
        return await restore(connections, shop, logged.snapshot)
    except NotFound as error:
        now = await load_snapshot(connections, shop)
        serving = () if now is None else (now, *now.variants.values())
        found = next((each for each in serving if each.version == logged.snapshot), None)
        if found is not None:
            return found
        raise NotFound(
            f"{logged.decision_id} was made on snapshot {logged.snapshot} (model "
            f"{logged.model_version or 'none'}), which is no longer there: {error}"
        ) from None
