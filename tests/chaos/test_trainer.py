"""A training killed half-way, with its worker and without: nothing half is served, and it is done again."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from app.connections import Connections
from app.jobs import read_progress, request_job
from app.recommend.publish import current_version, latest
from tests.chaos.stage import Stage, staged, until
from tests.chaos.test_faults import in_full_only, surviving
from tests.recommend.test_retrain import OTHER, sell
from tests.test_live import install


async def asked_to_train(stage: Stage) -> None:
    """Return once the training learns."""
    await request_job(stage.connections, "train", OTHER)

    async def learns() -> bool:
        return await stage_of(stage.connections) not in ("", "reading", "failed") and bool(children(stage))

    await until(learns)


def children(stage: Stage) -> list[int]:
    """Return the worker's children that make models: by training, or of one that serves."""
    assert stage.worker.running is not None
    worker = Path(f"/proc/{stage.worker.running.pid}")
    found = [int(each) for file in worker.glob("task/*/children") for each in file.read_text().split()]
    return [each for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


async def stage_of(connections: Connections) -> str:
    told = await read_progress(connections, "train", OTHER)
    return told.stage if told else ""


def has_model(stage: Stage) -> bool:
    """Return whether a whole model serves. Raises ModelUnusable for half of one."""
    data_dir = stage.connections.settings.data_dir
    return current_version(data_dir, OTHER) is not None and latest(data_dir, OTHER) is not None


@in_full_only
@pytest.mark.skipif(sys.platform != "linux", reason="who trains is looked up in /proc")
async def test_a_training_killed_is_no_model_and_is_done_when_it_is_asked_for_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await install(stage.connections, OTHER)
        await sell(stage.connections, OTHER, 3_000)
        async with surviving(stage, "trainer killed") as traffic:
            await asked_to_train(stage)
            for child in children(stage):
                os.kill(child, signal.SIGKILL)

            async def failed() -> bool:
                return await stage_of(stage.connections) == "failed"

            await until(failed)
            assert not has_model(stage)
        assert "unreachable" not in traffic.answers
        await asked_to_train(stage)
        await stage.worker.kill()
        await stage.worker.start()

        async def trained() -> bool:
            return await stage_of(stage.connections) == "published" and has_model(stage)

        await until(trained)
