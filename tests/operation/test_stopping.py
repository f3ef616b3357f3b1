"""A process that is asked to stop finishes what it holds, and ends well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import col, select

from app.tables import OrderRow
from tests.chaos.stage import Stage, staged, until
from tests.chaos.traffic import under_load
from tests.test_worker import finish_by_hand

# Somebody presses Ctrl-C while the command still imports what it needs.
STARTING = """
import os, signal, sys

class Interrupted:
    def find_spec(self, name, *_others):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests' parent ignores
sys.meta_path.insert(0, Interrupted())
import app.cli
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize(
    ("imported", "ends"), [("app.shop_doctor", (130, "", "")), ("nothing", (0, "True\n", ""))]
)
def test_a_command_that_is_stopped_before_it_began_shows_no_traceback(
    imported: str, ends: tuple[int, str, str]
) -> None:
    begun = [sys.executable, "-c", STARTING, imported]
    done = subprocess.run(begun, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == ends


async def test_processes_that_are_stopped_under_load_keep_what_they_acknowledged(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        async with under_load(stage.origin) as traffic:
            await until(lambda: _any_order(stage))  # the worker is at work
            assert await stage.worker.stop() == 0
            assert await stage.web.stop() == 0
        assert "error" not in traffic.answers
        await finish_by_hand(stage.connections)
        assert traffic.orders <= await _orders(stage)


async def _any_order(stage: Stage) -> bool:
    return bool(await _orders(stage))


async def _orders(stage: Stage) -> set[int]:
    async with stage.connections.read() as db:
        return set((await db.exec(select(col(OrderRow.order_id)))).all())
