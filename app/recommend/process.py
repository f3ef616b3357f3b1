"""Training in a process of its own, so that no web or worker thread ever waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from app.child_process import POLL_S, ChildFailed, child_process
from app.errors import ModelUnusable, TillwiseError
from app.experiments.appeal import Appeal
from app.failures import reason_of
from app.logs import start_logging
from app.recommend.appeal import gain_of, with_appeal
from app.recommend.card import Card
from app.recommend.dataset import Dataset
from app.recommend.duel import Champion
from app.recommend.fit import FitParameters
from app.recommend.forget import without
from app.recommend.progress import OnProgress, Step, quiet
from app.recommend.publish import latest, publish, read_card
from app.recommend.resume import resume
from app.recommend.retired import find_version
from app.recommend.train import TrainedModel, train
from app.values import ShopDomain

_TRAINED = "trained"
_log = logging.getLogger(__name__)

# Asked once, just before publishing: which customers may not be in what is published.
Barred = Callable[[], Collection[int]]


class TrainingFailed(TillwiseError):
    """The training process ended without a model; the message says how."""


class TrainingStopped(TrainingFailed):
    """Training was asked to stop. Nothing was published."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """All that a training needs to know. resumes: it goes on from what serves, rather than from nothing.

    appeal: what shoppers make of the products they are shown, None where that foretells nothing. spared:
    older versions that stay, as experiments try them.
    """

    data_dir: Path
    shop: ShopDomain
    dataset: Dataset
    parameters: FitParameters
    trained_at: datetime
    resumes: bool = False
    appeal: Appeal | None = None
    spared: frozenset[str] = frozenset()


def nobody() -> Collection[int]:
    """Return that every customer may be in it."""
    return ()


def run_training(
    job: Job, progress: OnProgress = quiet, stop: threading.Event | None = None, barred: Barred = nobody
) -> Card:
    """Return the card of the version that a child process trained and published.

    A card without a version is of one that went on and came to nothing: it was not kept.

    Blocks: call it from a thread. Killing the child, or this process, leaves no half version behind.
    Raises TrainingStopped when `stop` is set, TrainingFailed when the child fails or dies.
    """
    try:
        with child_process(f"{job.shop}: training", _train_and_publish, job) as receiver:
            return _listen(receiver, progress, stop or threading.Event(), barred)
    except ChildFailed as error:
        raise TrainingFailed(str(error)) from None


def _listen(receiver: Connection, progress: OnProgress, stop: threading.Event, barred: Barred) -> Card:
    while not stop.is_set():
        if not receiver.poll(POLL_S):
            continue
        match receiver.recv():
            case Step() as step:
                progress(step)
            case Card() as card:
                return card
            case str() as word if word == _TRAINED:
                receiver.send(sorted(barred()))
            case str() as failure:
                raise TrainingFailed(failure)
    raise TrainingStopped("training was stopped")


def _train_and_publish(sender: Connection, job: Job) -> None:
    """Train in the child; what it sends last is the card or why there is none."""
    try:
        trained = _trained(job, sender.send)
        if not job.resumes or trained.card.decision.publish:
            sender.send(_TRAINED)
            model = with_appeal(without(trained.model, sender.recv()), job.appeal)
            card = msgspec.structs.replace(trained.card, appeal=gain_of(job.appeal))
            sender.send(publish(job.data_dir, job.shop, model, card, job.spared))
        else:
            sender.send(msgspec.structs.replace(trained.card, version=""))
    except TillwiseError as error:
        sender.send(f"{job.shop}: {error}")
    except Exception as error:
        start_logging()  # left to itself, the process would print the error with the values it quotes
        _log.exception("a training failed", extra={"shop": job.shop})
        sender.send(f"{job.shop}: {reason_of(error)}")


def _trained(job: Job, progress: OnProgress) -> TrainedModel:
    """Return what was trained. Raises TrainingFailed when there is nothing to go on from."""
    champion = _champion(job)
    if not job.resumes:
        return train(job.dataset, job.parameters, job.trained_at, progress, champion)
    resumed = None
    if champion is not None:
        resumed = resume(champion, job.dataset, job.parameters, job.trained_at, progress)
    if resumed is None:
        raise TrainingFailed("nothing to go on with: no model that learns, or too few new orders")
    return resumed


def _champion(job: Job) -> Champion | None:
    """Return what serves the shop now, None when nothing does or nobody can read it."""
    try:
        model = latest(job.data_dir, job.shop)
        # A refresh may have put it away by now.
        path = None if model is None else find_version(job.data_dir, job.shop, model.version)
        return None if model is None or path is None else Champion(read_card(path), model)
    except ModelUnusable as error:
        _log.warning("no champion to compare with", extra={"shop": job.shop, "reason": str(error)})
        return None
