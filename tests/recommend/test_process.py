"""Training in a child process: it reports, publishes, and dies without leaving a half version."""

from __future__ import annotations

import json
import multiprocessing
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.recommend.fit import FitParameters
from app.recommend.model import Model
from app.recommend.process import Job, TrainingFailed, TrainingStopped, _champion, run_training
from app.recommend.progress import Step
from app.recommend.publish import current_version, latest, load, publish, set_current
from app.recommend.retired import retire_version
from app.values import ShopDomain
from tests.conftest import SPAWN
from tests.recommend.factories import a_model
from tests.recommend.shops import a_shop
from tests.recommend.test_publish import a_card

SHOP = ShopDomain("harvest-lane.myshopify.com")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def children_are_spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the app runs; elsewhere in the tests they are forked."""
    monkeypatch.setattr(multiprocessing, "get_context", lambda _method: SPAWN)


def a_job(data_dir: Path, orders: int, epochs: int = 1) -> Job:
    return Job(data_dir, SHOP, a_shop(orders), FitParameters(dimensions=4, epochs=epochs), NOW)


@pytest.mark.usefixtures("children_are_spawned")
def test_a_child_trains_reports_and_publishes(tmp_path: Path) -> None:
    steps: list[Step] = []
    card = run_training(a_job(tmp_path, 900), steps.append)
    assert current_version(tmp_path, SHOP) == card.version
    model = latest(tmp_path, SHOP)
    assert model is not None
    assert model.version == card.version
    assert Step("learning to test", 1, 1) in steps


def test_a_stopped_training_publishes_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    with pytest.raises(TrainingStopped):
        run_training(a_job(tmp_path, 900, epochs=100_000), lambda _: stop.set(), stop)
    assert latest(tmp_path, SHOP) is None


@pytest.mark.usefixtures("children_are_spawned")
def test_a_killed_child_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    def kill(_: Step) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(TrainingFailed, match="exit code -9"):
        run_training(a_job(tmp_path, 900, epochs=100_000), kill)
    assert latest(tmp_path, SHOP) is None
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("children_are_spawned")
def test_why_a_child_failed_is_told_and_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models").touch()  # where a directory has to be
    with pytest.raises(TrainingFailed, match=f"{SHOP}: .*models"):
        run_training(a_job(tmp_path, 10))
    line = json.loads(capfd.readouterr().err)
    assert (line["message"], line["shop"]) == ("a training failed", SHOP)
    assert "in _train_and_publish" in line["error"]


def test_a_child_goes_on_from_what_serves_or_says_that_there_is_nothing(tmp_path: Path) -> None:
    again = replace(a_job(tmp_path, 1_200), resumes=True)
    with pytest.raises(TrainingFailed, match="nothing to go on with"):
        run_training(again)
    early = datetime.fromtimestamp(int(a_shop(900).now), UTC)
    first = run_training(replace(a_job(tmp_path, 900), trained_at=early))
    card = run_training(again)
    assert card.decision.publish == bool(card.version)
    assert current_version(tmp_path, SHOP) == (card.version or first.version)
    assert card.learnt_in_full_at == early


def test_a_champion_that_is_put_away_while_it_is_read_is_met_as_what_took_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (publish(tmp_path, SHOP, a_model(items), a_card(NOW)).version for items in (3, 4))
    set_current(tmp_path, SHOP, old)

    def meanwhile(path: Path) -> Model:
        if path.name == old:
            retire_version(tmp_path, SHOP, old, new)
        return load(path)

    monkeypatch.setattr("app.recommend.publish.load", meanwhile)
    champion = _champion(a_job(tmp_path, 10))
    assert champion is not None
    assert (champion.model.version, champion.card.version) == (new, new)
