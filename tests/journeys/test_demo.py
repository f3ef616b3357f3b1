"""The whole main job, once, as a newcomer runs it: make demo ONCE=1."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import free_ports

ROOT = Path(__file__).parents[2]
STEPS = (
    "The merchant opens Tillwise",
    "A shopper allows what the shop asks",
    "The cart goes to checkout",
    "The checkout shows an offer",
    "The shopper accepts",
    "The shopper pays",
    "The order's webhook arrives",
)


@dataclass(frozen=True, slots=True)
class Walked:
    """The walk from install to attributed revenue. home: what it left. said: what it printed."""

    home: Path
    said: str

    @property
    def logs(self) -> str:
        return "\n".join(log.read_text(errors="replace") for log in self.home.glob("*.log"))


@pytest.fixture(scope="module")
def walked() -> Iterator[Walked]:
    """On ports of its own: it is no matter whether a demo is open."""
    command = [sys.executable, "-m", "devstore.demo", "--once"]
    for port in free_ports(5):
        own = os.environ | {"DEMO_PORT": str(port)}
        done = subprocess.run(
            command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=1_200, check=False
        )
        if "is in use" not in done.stdout:
            break
    made = Walked(ROOT / "var" / f"demo-{port}", done.stdout)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{made.logs}"
    yield made
    shutil.rmtree(made.home)


def test_every_step_of_the_journey_is_done_in_turn(walked: Walked) -> None:
    places = [walked.said.find(f"✓ {step}") for step in STEPS]
    assert -1 not in places
    assert places == sorted(places)


def test_the_summary_says_what_was_imported_learnt_and_earned(walked: Walked) -> None:
    summary = json.loads((walked.home / "summary.json").read_text())
    assert summary["orders_imported"] > 1_000
    assert summary["products"] == 1_000
    figures = summary["model"]["figures"]
    assert figures["tillwise"]["ndcg_at_10"] > figures["popularity"]["ndcg_at_10"]
    decisions = summary["decisions"]
    assert decisions["with_offers"] + decisions["held_out"] == decisions["answers"]
    assert summary["attributed_revenue"].startswith("$")


@pytest.mark.parametrize("name", ["storefront", "checkout", "accepted", "thank-you", "admin"])
def test_a_picture_of_each_stage_is_kept(walked: Walked, name: str) -> None:
    assert (walked.home / "screenshots" / f"{name}.png").stat().st_size > 10_000


def test_nothing_personal_reaches_the_logs(walked: Walked) -> None:
    assert walked.logs
    assert "shopper@example.com" not in walked.logs
