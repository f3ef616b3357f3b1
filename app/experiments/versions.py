"""The versions of a shop's experiments: drafted, started, let grow, stopped, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from math import prod

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiment_tables import ExperimentRow
from app.experiments.assign import Experiment
from app.experiments.design import Design, experiment_of
from app.experiments.patch import MODEL, overlap
from app.shops.changes import announce_kept
from app.tables import ShopRow
from app.values import ShopDomain

_CLOCKS_DIFFER = timedelta(hours=1)  # by less
_LINGERS = timedelta(days=1)  # none serves for so long what has ended
# Every combination of arms is a shop of its own in memory, made ahead of any decision.
MOST_COMBINATIONS = 16


@dataclass(frozen=True, slots=True)
class Version:
    """One version and where it stands. status: draft, running, stopped."""

    shop: str
    design: Design
    version: int
    status: str
    ramp: float
    drafted_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None

    @property
    def ran(self) -> tuple[datetime | None, datetime | None]:
        """Return between when all of its decisions were made, None for no bound."""
        begin, end = self.started_at, self.stopped_at
        return begin and begin - _CLOCKS_DIFFER, end and end + _LINGERS

    @property
    def experiment(self) -> Experiment:
        """Return how it assigns."""
        return experiment_of(self.shop, self.design, self.version, self.ramp)


async def draft(connections: Connections, shop: ShopDomain, design: Design, now: datetime) -> Version:
    """Keep the design as the experiment's next version and return it. Raises NotFound without the shop."""
    async with connections.write() as db:
        await _installed(db, shop)
        numbers = [row.version for row in await _rows(db, shop) if row.experiment_id == design.id]
        row = ExperimentRow(
            shop=shop,
            experiment_id=design.id,
            version=max(numbers, default=0) + 1,
            design=msgspec.to_builtins(design),
            drafted_at=now,
        )
        db.add(row)
    return _version(row)


async def start(
    connections: Connections, shop: ShopDomain, experiment_id: str, now: datetime, ramp: float = 1.0
) -> Version:
    """Let units into the newest version, or more units into it when it runs; an older one is stopped.

    Raises NotFound without the experiment, InputError for what can't run beside the others, a smaller ramp,
    or a version that was stopped: its units have gone on since.
    """
    if not 0 < ramp <= 1:
        raise InputError("ramp is a share of units above 0, at most 1", "ramp")
    async with connections.write() as db:
        await _installed(db, shop)
        rows = await _rows(db, shop)
        newest = _newest(rows, shop, experiment_id)
        if newest.status == "stopped":
            raise InputError(f"{experiment_id} version {newest.version} was stopped; draft a new one", "id")
        if ramp < newest.ramp:
            raise InputError(
                f"{newest.ramp:.0%} of units are in it and stay; a smaller share would leave some out", "ramp"
            )
        others = [row for row in rows if row.status == "running" and row.experiment_id != experiment_id]
        _check_together([_version(row).design for row in (*others, newest)])
        for row in rows:
            if row.experiment_id == experiment_id and row.status == "running" and row is not newest:
                row.status, row.stopped_at = "stopped", now
        if ramp != newest.ramp:
            newest.ramps = [*newest.ramps, {"at": now.isoformat(), "ramp": ramp}]
        newest.status, newest.ramp = "running", ramp
        newest.started_at = newest.started_at or now
        db.add_all(rows)
    await announce_kept(connections.redis, shop)
    return _version(newest)


async def stop(connections: Connections, shop: ShopDomain, experiment_id: str, now: datetime) -> Version:
    """Let no unit into it any more and give everybody the shop as it is. Raises NotFound."""
    async with connections.write() as db:
        running = [
            row
            for row in await _rows(db, shop)
            if row.experiment_id == experiment_id and row.status == "running"
        ]
        if not running:
            raise NotFound(f"{shop} runs no experiment {experiment_id!r}")
        running[0].status, running[0].stopped_at = "stopped", now
        db.add(running[0])
    await announce_kept(connections.redis, shop)
    return _version(running[0])


async def versions(connections: Connections, shop: str) -> list[Version]:
    """Return every version of the shop's experiments, by name and number."""
    async with connections.read() as db:
        return [_version(row) for row in await _rows(db, shop)]


async def running_experiments(connections: Connections, shop: str) -> tuple[Experiment, ...]:
    """Return what assigns now, by name: the order in which changes are laid over the settings."""
    return tuple(each.experiment for each in await versions(connections, shop) if each.status == "running")


async def models_tried(connections: Connections, shop: str) -> frozenset[str]:
    """Return the versions of the model that arms of running experiments name."""
    arms = [arm for each in await running_experiments(connections, shop) for arm in each.arms]
    return frozenset(str(arm.changes[MODEL]) for arm in arms if arm.changes.get(MODEL))


async def get_version(
    connections: Connections, shop: str, experiment_id: str, version: int | None = None
) -> Version:
    """Return that version, else the newest that was started, else the newest. Raises NotFound."""
    found = [each for each in await versions(connections, shop) if each.design.id == experiment_id]
    if version is not None:
        found = [each for each in found if each.version == version]
    if not found:
        raise NotFound(f"{shop} has no such version of an experiment {experiment_id!r}")
    return max(found, key=lambda each: (each.started_at is not None, each.version))


def _check_together(designs: Sequence[Design]) -> None:
    for one, other in combinations(designs, 2):
        for mine in one.arms:
            for theirs in other.arms:
                if both := overlap(mine.changes, theirs.changes):
                    raise InputError(f"{one.id} and {other.id} both change `{both}`; run one after the other")
    if prod(len(design.arms) for design in designs) > MOST_COMBINATIONS:
        raise InputError(
            f"together they would make more than {MOST_COMBINATIONS} kinds of shop; stop one of them first"
        )


async def _installed(db: AsyncSession, shop: str) -> None:
    """Return when the shop is installed; holds its row, so that two changes come one after the other."""
    query = select(ShopRow).where(col(ShopRow.shop) == shop).with_for_update()
    if (await db.exec(query)).first() is None:
        raise NotFound(f"{shop} is not installed")


async def _rows(db: AsyncSession, shop: str) -> list[ExperimentRow]:
    query = (
        select(ExperimentRow)
        .where(ExperimentRow.shop == shop)
        .order_by(col(ExperimentRow.experiment_id), col(ExperimentRow.version))
    )
    return list(await db.exec(query))


def _newest(rows: Sequence[ExperimentRow], shop: str, experiment_id: str) -> ExperimentRow:
    found = [row for row in rows if row.experiment_id == experiment_id]
    if not found:
        raise NotFound(f"{shop} has no experiment {experiment_id!r}")
    return found[-1]


def _version(row: ExperimentRow) -> Version:
    return Version(
        shop=row.shop,
        design=msgspec.convert(row.design, Design),
        version=row.version,
        status=row.status,
        ramp=row.ramp,
        drafted_at=row.drafted_at,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
    )
