"""Train a shop's model from what the database knows now, and let every process serve it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Collection
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from app.connections import Connections, redis_key
from app.consent.barred import erased_since, shop_erased_since
from app.consent.standing import Use
from app.consent.standings import who_refuse
from app.experiments.appeal import Appeal, appeal
from app.experiments.showing_store import read_showings
from app.experiments.versions import models_tried
from app.jobs import Progress, alone, exclusive_job, report_progress
from app.profiles.reviews import excluded_customers
from app.recommend.card import Card
from app.recommend.fit import FitParameters
from app.recommend.forget import PUBLISHING
from app.recommend.process import Job, TrainingFailed, TrainingStopped, run_training
from app.recommend.progress import OnProgress, Step
from app.recommend.records import record_version, settle
from app.recommend.store import read_shop
from app.shops.changes import announce_change
from app.values import ShopDomain

RESUME_REST_S = 7_200
_REPORT_EVERY_S = 0.2
_log = logging.getLogger(__name__)


async def train_shop(
    connections: Connections, shop: ShopDomain, parameters: FitParameters | None = None
) -> Card:
    """Return the card of the version trained now; it serves when the card's decision says so.

    Raises TrainingFailed for a shop with neither an order nor a product, or when the child dies.
    """
    async with exclusive_job(connections, "train", shop):
        stage = "failed"
        try:
            card = await _train(connections, shop, parameters or FitParameters())
            stage = "published" if card.decision.publish else "rejected"
        finally:
            await report_progress(connections, "train", shop, Progress(stage, 1, 1))
    _log.info("trained", extra={"shop": shop, "version": card.version, "decision": card.decision.reason})
    return card


async def resume_shop(connections: Connections, shop: ShopDomain) -> Card | None:
    """Return the card of the version that went on with new orders, None when none serves instead.

    What serves stays where going on brings nothing; it is tried again after some hours.
    """
    async with exclusive_job(connections, "resume", shop, lock="train"):
        await connections.redis.set(redis_key(shop, "resting", "resume"), 1, ex=RESUME_REST_S)
        try:
            card = await _train(connections, shop, FitParameters(), resumes=True)
        except TrainingFailed as error:
            _log.info("not gone on", extra={"shop": shop, "reason": str(error)})
            return None
    _log.info("went on", extra={"shop": shop, "version": card.version, "decision": card.decision.reason})
    return card if card.version else None


async def _train(
    connections: Connections, shop: ShopDomain, parameters: FitParameters, *, resumes: bool = False
) -> Card:
    began = datetime.now(UTC)
    unnamed = await who_refuse(connections, shop, Use.TRAIN)
    left_out = await excluded_customers(connections, shop)
    async with connections.read() as db:
        dataset = await read_shop(db, shop, unnamed, left_out)
    liked = await asyncio.to_thread(appeal, await read_showings(connections, shop, began, left_out))
    found = liked if isinstance(liked, Appeal) else None
    tried = await models_tried(connections, shop)
    job = Job(connections.settings.data_dir, shop, dataset, parameters, began, resumes, found, tried)
    async with AsyncExitStack() as publishing:
        card = await _in_its_process(connections, job, publishing)
        if card.version:
            await record_version(connections, card)
    await announce_change(connections.redis, shop)
    return card


async def _in_its_process(connections: Connections, job: Job, publishing: AsyncExitStack) -> Card:
    latest = [Step("reading", 0, 1)]
    loop = asyncio.get_running_loop()

    async def tell() -> None:
        while True:
            step = latest[-1]
            progress = Progress(step.stage, step.done, step.total)
            await report_progress(connections, "train", job.shop, progress)
            await asyncio.sleep(_REPORT_EVERY_S)

    stop = threading.Event()

    def barred() -> Collection[int]:
        asking = _barred(connections, job, publishing, stop)
        return asyncio.run_coroutine_threadsafe(asking, loop).result()

    telling = asyncio.create_task(tell())
    try:
        return await asyncio.to_thread(run_training, job, _keeping(latest), stop, barred)
    finally:
        stop.set()  # a cancelled job takes its child with it
        telling.cancel()


async def _barred(
    connections: Connections, job: Job, publishing: AsyncExitStack, stop: threading.Event
) -> Collection[int]:
    """Return which customers may not be published: who was erased, refused or excluded since it was read.

    From here on nobody else publishes or erases in the shop's models, until this version is recorded.
    """
    await publishing.enter_async_context(alone(connections, PUBLISHING, job.shop))
    if stop.is_set():  # whoever would let the others in again has left meanwhile
        await publishing.aclose()
        raise TrainingStopped("training was stopped")
    await settle(connections, job.shop)
    if await shop_erased_since(connections, job.shop, job.trained_at):
        raise TrainingStopped(f"{job.shop} was erased meanwhile")
    customer_ids = job.dataset.customer_ids.tolist()
    erased = await erased_since(connections, job.shop, customer_ids, job.trained_at)
    refuse = await who_refuse(connections, job.shop, Use.TRAIN)
    return {*erased, *refuse, *await excluded_customers(connections, job.shop)}


def _keeping(latest: list[Step]) -> OnProgress:
    """Return a listener that leaves the last step in the list; the thread only ever writes it."""

    def keep(step: Step) -> None:
        latest[:] = [step]

    return keep
