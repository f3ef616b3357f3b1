"""Progress bars for long work that runs in the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlmodel import col, select

from app.connections import Connections
from app.errors import TillwiseError
from app.jobs import read_progress
from app.recommend.progress import OnProgress
from app.recommend.progress import Progress as Step
from app.tables import BackfillRow
from app.values import ShopDomain

KINDS = ("products", "customers", "orders")
_EVERY_S = 0.25


def bars(console: Console) -> Progress:
    """Return the bars every long command shows."""
    return Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


@contextmanager
def step_bars(console: Console) -> Iterator[OnProgress]:
    """Yield a listener that draws one bar a stage."""
    with bars(console) as shown:
        tasks: dict[str, TaskID] = {}

        def draw(step: Step) -> None:
            if step.stage not in tasks:
                _finish(shown, tasks.values())  # a new stage says that the ones before are done
                tasks[step.stage] = shown.add_task(step.stage.capitalize(), total=None)
            shown.update(tasks[step.stage], completed=step.done, total=step.total or None)

        yield draw


def _finish(shown: Progress, tasks: Iterable[TaskID]) -> None:
    for task in tasks:
        shown.update(task, completed=shown.tasks[task].total or 1, total=shown.tasks[task].total or 1)


async def follow_backfill(connections: Connections, shop: ShopDomain, console: Console) -> None:
    """Show how far each kind is until all are done. Raises TillwiseError when one failed."""
    with bars(console) as shown:
        tasks = {kind: shown.add_task(f"Importing {kind}", total=None) for kind in KINDS}
        while True:
            rows = await _backfills(connections, shop)
            for row in rows:
                shown.update(tasks[row.kind], completed=row.loaded, total=row.total)
            if failed := [row for row in rows if row.status == "failed"]:
                raise TillwiseError(f"importing {failed[0].kind} failed: {failed[0].error}")
            if len(rows) == len(KINDS) and all(row.status == "done" for row in rows):
                return
            await asyncio.sleep(_EVERY_S)


async def follow_training(connections: Connections, shop: ShopDomain, console: Console) -> None:
    """Show how far the training is until it ends."""
    with bars(console) as shown:
        task = shown.add_task("Training", total=None)
        while True:
            progress = await read_progress(connections, "train", shop)
            if progress:
                total = progress.total or None
                stage = f"Training: {progress.stage}"
                shown.update(task, description=stage, completed=progress.done, total=total)
                if progress.stage in ("published", "rejected", "failed"):
                    break
            await asyncio.sleep(_EVERY_S)
    if progress.stage == "failed":
        raise TillwiseError("training failed: the worker's log says why")


async def _backfills(connections: Connections, shop: ShopDomain) -> Sequence[BackfillRow]:
    async with connections.read() as db:
        return (await db.exec(select(BackfillRow).where(col(BackfillRow.shop) == shop))).all()
