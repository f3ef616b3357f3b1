from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiment_tables import ExperimentRow
from app.tables import DecisionRow, OrderRow, ShopRow
from tests.commands.conftest import Terminal
from tests.experiments.test_design import a_design

SHOP = "a.myshopify.com"
WHEN = datetime.now(UTC) - timedelta(days=20)
STANDING = "holdout=0.05 personalised=0.9 static=0.05"


async def a_shop(connections: Connections) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", currency="EUR", installed_at=datetime.now(UTC)))


async def a_busy_shop(connections: Connections) -> None:
    """1,500 visitors of twenty days ago, half in each arm of `pin`; the second sells twice as often.

    And one who did not allow to be remembered.
    """
    await a_shop(connections)
    rng = np.random.default_rng(0)
    async with connections.write() as db:
        for n in range(1_500):
            pinned = bool(n % 2)
            db.add(a_decision(n, ("as_is", "pinned")[pinned]))
            if rng.random() < (0.4 if pinned else 0.2):
                db.add(an_order(n, int(rng.lognormal(8, 0.5))))
        db.add(a_decision(1_500, "pinned", unit=None))


def a_decision(n: int, arm: str, **inputs: None) -> DecisionRow:
    arms = {"standing": [STANDING, "personalised", 0.9], "pin": ["1", arm, 0.5]}
    return DecisionRow(
        shop=SHOP, decision_id=str(n), decided_at=WHEN, surface="checkout", rung="session",
        arm="personalised", checkout_token=f"t{n}",
        inputs={"unit": f"client:{n}", "experiments": arms} | inputs,
    )  # fmt: skip


def an_order(n: int, minor: int) -> OrderRow:
    return OrderRow(
        shop=SHOP, order_id=n + 1, checkout_token=f"t{n}", currency="EUR", subtotal_minor=minor,
        created_at=WHEN + timedelta(hours=1), updated_at=WHEN,
    )  # fmt: skip


@pytest.fixture
def design(tmp_path: Path) -> Path:
    file = tmp_path / "pin.json"
    arms = [{"name": "as_is"}, {"name": "pinned", "changes": {"pinned": [10]}}]
    file.write_text(json.dumps(a_design(arms=arms, metric="conversion", planned_units=1_500)))
    return file


def of_twenty_days(terminal: Terminal, design: Path) -> None:
    """Start the experiment as when its first visitor came."""

    async def begun(connections: Connections) -> None:
        async with connections.write() as db:
            await (await db.connection()).execute(update(ExperimentRow).values(started_at=WHEN))

    terminal.prepare(a_busy_shop)
    terminal.run("experiment", "draft", "--shop", SHOP, str(design))
    terminal.run("experiment", "start", "--shop", SHOP, "pin")
    terminal.prepare(begun)


def test_an_experiment_is_drafted_started_let_grow_and_stopped(terminal: Terminal, design: Path) -> None:
    terminal.prepare(a_shop)
    shop = ("--shop", SHOP)
    assert (
        "pin  version 1  draft  0% of units" in terminal.run("experiment", "draft", *shop, str(design)).output
    )
    assert "running since" in terminal.run("experiment", "start", *shop, "pin", "--ramp", "0.1").output
    assert "100% of units  as_is 50%, pinned 50%" in terminal.run("experiment", "start", *shop, "pin").output
    assert "stopped since" in terminal.run("experiment", "stop", *shop, "pin").output
    listed = terminal.run("experiment", "list", *shop).output
    assert "pin  version 1  stopped" in listed
    assert "standing  always runs" in listed


def test_what_an_experiment_shows_is_printed_with_its_intervals(terminal: Terminal, design: Path) -> None:
    of_twenty_days(terminal, design)
    output = terminal.run("experiment", "read", "--shop", SHOP, "pin").output
    assert "pin, version 1; decided by conversion, beside as_is" in output
    assert "split as planned: p = 1" in output
    (conversion,) = [line for line in output.splitlines() if line.startswith(" conversion")]
    assert "better, p = " in conversion
    assert "EUR" in output
    assert "Shopify vouches for 1,500 units (as_is 100.0%, pinned 100.0%)" in output
    assert "none so far" in output  # of acceptances
    assert "1 decisions (pinned 1) are of visitors who did not allow to be remembered" in output


def test_a_machine_reads_the_same(terminal: Terminal, design: Path) -> None:
    of_twenty_days(terminal, design)
    found = json.loads(terminal.run("experiment", "read", "--shop", SHOP, "pin", "--json").output)
    assert found["units"] == found["completed"] == {"as_is": 750, "pinned": 750}
    assert found["vouched"] == found["units"]
    only = json.loads(terminal.run("experiment", "read", "--shop", SHOP, "pin", "--json", "--vouched").output)
    assert only == found
    assert (found["without_consent"], found["without_consent_by_arm"]) == (1, {"pinned": 1})
    (conversion,) = found["metrics"]["conversion"]
    assert conversion["verdict"] == "better"
    assert conversion["difference"]["low"] > 0
    assert 0 < found["winsorising_took"]["pinned"] < 0.1
    assert found["metrics"]["acceptance"]["cause"] == "nothing_varies"


def test_who_came_first_before_a_day_can_be_left_out(terminal: Terminal, design: Path) -> None:
    of_twenty_days(terminal, design)
    words = ("experiment", "read", "--shop", SHOP, "pin", "--json", "--since")
    tomorrow = f"{WHEN + timedelta(days=1):%Y-%m-%d}"
    assert json.loads(terminal.run(*words, tomorrow).output)["units"] == {"as_is": 0, "pinned": 0}
    assert json.loads(terminal.run(*words, f"{WHEN:%Y-%m-%d}").output)["units"]["pinned"] == 750
    assert isinstance(terminal.run(*words, "soon").exception, InputError)


def test_a_plan_says_how_many_units_and_days(terminal: Terminal) -> None:
    terminal.prepare(a_busy_shop)
    output = terminal.run(
        "experiment", "plan", "--shop", SHOP, "--metric", "conversion", "--lift", "0.2"
    ).output
    # Since the first one came, to the second.
    assert re.search(r"from 1,500 units of the last 6 days \((250\.0|24\d\.\d) a day\)", output)
    assert "units to find +20.0% in 80% of such experiments" in output
    assert output.rstrip().endswith("days")


@pytest.mark.parametrize("option", [("--lift", "0"), ("--metric", "luck"), ("--ramp", "0"), ("--power", "1")])
def test_a_plan_that_can_not_be_is_refused(terminal: Terminal, option: tuple[str, str]) -> None:
    terminal.prepare(a_busy_shop)
    result = terminal.run("experiment", "plan", "--shop", SHOP, *option)
    assert result.exit_code == 1
    assert isinstance(result.exception, InputError)


def test_a_plan_of_no_arm_or_no_day_is_refused_before_anything_is_looked_at(terminal: Terminal) -> None:
    for option in ("--arms", "--window-days"):
        assert terminal.run("experiment", "plan", "--shop", SHOP, option, "0").exit_code == 2


def test_a_file_that_is_no_design_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    terminal.prepare(a_shop)
    file = tmp_path / "broken.json"
    for content in (b"{", b"\xff", b"[]", b'{"id": "pin"}'):
        file.write_bytes(content)
        assert isinstance(
            terminal.run("experiment", "draft", "--shop", SHOP, str(file)).exception, InputError
        )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "change nothing"), ({"pinned": "tea"}, "change nothing"),
        ({"model": "v9"}, "can't be served"),
    ],
)  # fmt: skip
def test_an_arm_that_would_change_nothing_or_can_not_be_is_not_started(
    terminal: Terminal, tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    terminal.prepare(a_shop)
    file = tmp_path / "odd.json"
    file.write_text(json.dumps(a_design(arms=[{"name": "as_is"}, {"name": "odd", "changes": changes}])))
    terminal.run("experiment", "draft", "--shop", SHOP, str(file))
    refused = terminal.run("experiment", "start", "--shop", SHOP, "pin")
    assert isinstance(refused.exception, InputError)
    assert says in str(refused.exception)
    assert "draft" in terminal.run("experiment", "list", "--shop", SHOP).output


def test_a_shop_that_is_not_there_has_no_experiments(terminal: Terminal) -> None:
    assert isinstance(terminal.run("experiment", "list", "--shop", SHOP).exception, NotFound)


def test_what_is_not_there_can_not_be_read(terminal: Terminal) -> None:
    terminal.prepare(a_shop)
    for name in ("pin", "standing"):
        result = terminal.run("experiment", "read", "--shop", SHOP, name)
        assert isinstance(result.exception, NotFound)
