"""Progress bars for long work that runs in the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from sqlmodel import col, select

from app.connections import Connections
from app.errors import NotFound, TillwiseError
from app.jobs import is_under_way, read_progress, request_job
from app.recommend.progress import OnProgress, Step
from app.shops.store import installed_shop
from app.tables import BackfillRow
from app.values import ShopDomain

KINDS = ("products", "customers", "orders")
_EVERY_S = 0.25
_NO_WORKER_S = 15.0
_QUIET_S = 60.0  # what Shopify is not done with is looked at again every half minute
_NO_WORKER = "Nothing goes on: does `tillwise serve` or `tillwise worker` run?"


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


async def ask_for_backfill(connections: Connections, shop: ShopDomain, console: Console) -> None:
    """Ask for the import, or for it to go on, and follow it."""
    await _installed(connections, shop)
    before = [row for row in await _backfills(connections, shop) if row.status == "failed"]
    await request_job(connections, "backfill", shop)
    await follow_backfill(connections, shop, console, before)


async def follow_backfill(
    connections: Connections, shop: ShopDomain, console: Console, before: Sequence[BackfillRow] = ()
) -> None:
    """Show how far each kind is until all are done. Raises TillwiseError when one failed.

    before: what had failed already, and will be tried again.
    """
    await _installed(connections, shop)
    known = {(row.kind, row.updated_at) for row in before}
    with bars(console) as shown:
        tasks = {kind: shown.add_task(f"Importing {kind}", total=None) for kind in KINDS}
        hint = _Hint(shown)
        while True:
            rows = await _backfills(connections, shop)
            told = sorted((row.kind, row.updated_at) for row in rows)
            hint.give_unless(await is_under_way(connections, "backfill", shop), told)
            for row in rows:
                shown.update(tasks[row.kind], completed=row.loaded, total=row.total)
            failed = [row for row in rows if row.status == "failed"]
            if failed := [row for row in failed if (row.kind, row.updated_at) not in known]:
                raise TillwiseError(f"importing {failed[0].kind} failed: {failed[0].error}")
            if len(rows) == len(KINDS) and all(row.status == "done" for row in rows):
                return
            await asyncio.sleep(_EVERY_S)


async def follow_training(connections: Connections, shop: ShopDomain, console: Console) -> None:
    """Show how far the training is until it ends. Raises TillwiseError when it failed."""
    await _installed(connections, shop)
    with bars(console) as shown:
        task = shown.add_task("Training", total=None)
        hint = _Hint(shown)
        while True:
            progress = await read_progress(connections, "train", shop)
            hint.give_unless(await is_under_way(connections, "train", shop), progress)
            if progress:
                total = progress.total or None
                stage = f"Training: {progress.stage}"
                shown.update(task, description=stage, completed=progress.done, total=total)
                if progress.stage in ("published", "rejected", "failed"):
                    break
            await asyncio.sleep(_EVERY_S)
    if progress.stage == "failed":
        raise TillwiseError("training failed: the worker's log says why")


class _Hint:
    """Says what may be missing, once each time that nothing goes on for a while."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._due: float | None = monotonic() + _NO_WORKER_S
        self._told: object = None

    def give_unless(self, under_way: bool, told: object) -> None:
        """Give the hint when it is due: nobody is at work, and of it no more is told than before."""
        if under_way or (told and told != self._told):
            self._due, self._told = monotonic() + _QUIET_S, told
        elif self._due is not None and monotonic() > self._due:
            self._shown.console.print(_NO_WORKER)
            self._due = None


async def _installed(connections: Connections, shop: ShopDomain) -> None:
    """Return when the shop has the app. Raises NotFound: nothing would ever begin."""
    if await installed_shop(connections, shop) is None:
        raise NotFound(f"{shop} does not have the app: open it in the shop's admin first")


async def _backfills(connections: Connections, shop: ShopDomain) -> Sequence[BackfillRow]:
    async with connections.read() as db:
        return (await db.exec(select(BackfillRow).where(col(BackfillRow.shop) == shop))).all()
