"""The whole main job, once, as a newcomer runs it: make demo ONCE=1."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = ROOT / "var" / "demo"
STEPS = (
    "The merchant opens Tillwise",
    "A shopper allows what the shop asks",
    "The cart goes to checkout",
    "The checkout shows an offer",
    "The shopper accepts",
    "The shopper pays",
    "The order's webhook arrives",
)


@pytest.fixture(scope="module")
def walked() -> str:
    """The walk from install to attributed revenue; what it printed."""
    command = [sys.executable, "-m", "devstore.demo", "--once"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{_logs()}"
    return done.stdout


def test_every_step_of_the_journey_is_done_in_turn(walked: str) -> None:
    places = [walked.find(f"✓ {step}") for step in STEPS]
    assert -1 not in places
    assert places == sorted(places)


def test_the_summary_says_what_was_imported_learnt_and_earned(walked: str) -> None:
    summary = json.loads((HOME / "summary.json").read_text())
    assert summary["orders_imported"] > 1_000
    assert summary["products"] == 1_000
    figures = summary["model"]["figures"]
    assert figures["tillwise"]["ndcg_at_10"] > figures["popularity"]["ndcg_at_10"]
    decisions = summary["decisions"]
    assert decisions["with_offers"] + decisions["held_out"] == decisions["answers"]
    assert summary["attributed_revenue"].startswith("$")


@pytest.mark.parametrize("name", ["storefront", "checkout", "accepted", "thank-you", "admin"])
def test_a_picture_of_each_stage_is_kept(walked: str, name: str) -> None:
    assert (HOME / "screenshots" / f"{name}.png").stat().st_size > 10_000


def test_nothing_personal_reaches_the_logs(walked: str) -> None:
    assert "shopper@example.com" not in _logs()


def _logs() -> str:
    return "\n".join(log.read_text(errors="replace") for log in HOME.glob("*.log"))
