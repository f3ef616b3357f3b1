"""What an experiment says of what goes wrong, from the database to its figures: an answer or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np

from app.connections import Connections
from app.experiments.analysis import Comparison, Verdict
from app.experiments.design import read_design
from app.experiments.metrics import METRICS
from app.experiments.mismatch import Mismatch
from app.experiments.refusal import Cause, Refusal
from app.experiments.store import Readout
from app.experiments.versions import draft, start, stop
from app.tables import DecisionRow, OrderRow, RefundRow
from tests.attribution.test_store import SHOP
from tests.experiments.factories import NOW
from tests.experiments.test_design import a_design
from tests.experiments.test_store import WHEN, a_decision, a_line, an_order, read, units_of
from tests.experiments.test_store import running as runs

ARMS = ("as_is", "pinned")
EVEN = a_design(arms=[{"name": name} for name in ARMS])
DAY = timedelta(days=1)


async def running(connections: Connections, *rows: Any) -> None:
    await runs(connections, *rows, design=EVEN)


def visitors(many: int = 1_200, arms: tuple[str, ...] = ARMS) -> list[DecisionRow]:
    return [a_decision(f"{n}", arms[n % len(arms)]) for n in range(many)]


def orders(share: float = 0.25, of: tuple[int, ...] = (0, 1), many: int = 1_200) -> Iterator[OrderRow]:
    """Yield orders of that share of each of these arms' visitors, of sizes as they come."""
    rng = np.random.default_rng(0)
    for n in range(many):
        if n % 2 in of and rng.random() < share:
            yield an_order(n, f"token-{n}", subtotal_minor=int(rng.lognormal(8, 0.5)))


def told(found: Readout, metric: str) -> Comparison:
    each = found.reading.metrics[metric]
    assert not isinstance(each, Refusal), each
    return each[0]


def causes(found: Readout) -> set[Cause | None]:
    each = found.reading.metrics.values()
    return {one.cause if isinstance(one, Refusal) else None for one in each}


async def test_without_an_exposure_all_is_refused(on_both_databases: Connections) -> None:
    await running(on_both_databases, an_order(1, "of nobody"))
    found = await read(on_both_databases)
    assert causes(found) == {Cause.NOBODY}
    assert isinstance(found.reading.mismatch, Refusal)
    assert found.counts == (0, 0)


async def test_an_arm_that_nobody_came_into_is_a_mismatch_and_a_few_are_too_early(
    connections: Connections,
) -> None:
    await running(connections, *visitors(arms=("as_is",)), *orders())
    found = await read(connections)
    assert isinstance(found.reading.mismatch, Mismatch)
    assert causes(found) == {Cause.MISMATCH}


async def test_an_arm_whose_windows_are_all_open_is_empty_still(connections: Connections) -> None:
    late = [a_decision(f"b{n}", "pinned", decided_at=NOW - 3 * DAY) for n in range(600)]
    await running(connections, *visitors(600, arms=("as_is",)), *late, *orders(many=600))
    found = await read(connections)
    assert (found.counts, found.aside.open) == ((600, 600), 600)
    assert causes(found) == {Cause.EMPTY_ARM}


async def test_all_orders_in_one_arm_are_a_difference_and_no_multiple(connections: Connections) -> None:
    await running(connections, *visitors(), *orders(of=(1,)))
    found = await read(connections)
    conversion = told(found, "conversion")
    assert (conversion.verdict, conversion.lift, conversion.control_figure) == (Verdict.BETTER, None, 0)
    assert isinstance(found.reading.metrics["aov"], Refusal)


async def test_one_order_of_a_million_makes_no_winner(connections: Connections) -> None:
    million = an_order(5_000, "token-1", subtotal_minor=100_000_000)
    await running(connections, *visitors(), *orders(), million)
    revenue = told(await read(connections), "revenue")
    assert revenue.verdict is Verdict.UNDECIDED
    assert revenue.figure < 3_000  # 100,000,000 / 600 visitors were 166,667


async def test_an_experiment_that_changed_halfway_is_read_apart_and_its_cut_windows_are_told(
    connections: Connections,
) -> None:
    await running(connections, *visitors(600), *orders(many=600))
    changed = WHEN + 4 * DAY
    await draft(connections, SHOP, read_design(EVEN), changed)
    await start(connections, SHOP, "pin", changed)
    later = [
        a_decision(f"b{n}", ARMS[n // 2 % 2], version="2", decided_at=changed, inputs={"unit": f"client:{n}"})
        for n in range(600)
    ]
    async with connections.write() as db:
        db.add_all(later)
    first, second = await read(connections, version="1"), await read(connections)
    assert second.version == "2"
    assert first.counts == second.counts == (300, 300)
    # All of the first version's people were followed for 14 days, and it ended after four.
    assert (first.aside.cut_short, second.aside.cut_short) == (600, 0)
    assert first.aside.crossed == 0  # of one version's arms; the other's are no arms of it


async def test_a_stopped_experiment_can_be_read_and_says_whose_window_it_cut(
    connections: Connections,
) -> None:
    await running(connections, *visitors(600), *orders(many=600))
    await stop(connections, SHOP, "pin", WHEN + 15 * DAY)
    found = await read(connections)
    assert (sum(found.completed), found.aside.cut_short) == (600, 0)
    assert told(found, "conversion").verdict is Verdict.UNDECIDED


async def test_wrong_clocks_lose_nothing_near_and_count_nothing_far(connections: Connections) -> None:
    near = an_order(5_000, "token-0", created_at=WHEN - timedelta(minutes=1))
    far = an_order(5_001, "token-1", created_at=NOW + 300 * DAY)
    ahead = a_decision("ahead", decided_at=NOW + DAY)
    await running(connections, *visitors(4), near, far, ahead)
    found, units = await read(connections), await units_of(connections)
    assert units.orders.tolist() == [1, 0, 0, 0]
    assert (found.counts, found.aside.from_ahead) == ((2, 2), 2)


async def test_a_refund_after_the_window_is_told_beside_and_changes_no_figure(
    connections: Connections,
) -> None:
    def back(refund_id: int, order_id: int, days: int) -> RefundRow:
        at = WHEN + days * DAY
        return RefundRow(
            shop=SHOP, refund_id=refund_id, line_id=0, order_id=order_id, amount_minor=400, created_at=at
        )

    placed = [an_order(n, f"token-{n}") for n in range(2)]
    await running(connections, *visitors(4), *placed, back(1, 0, 13), back(2, 1, 15))
    found, units = await read(connections), await units_of(connections)
    assert units.revenue.tolist() == [600, 1_000, 0, 0]
    assert found.aside.late_minor == 400


async def test_a_person_in_two_arms_counts_once_in_the_first(connections: Connections) -> None:
    fields: dict[str, Any] = {"checkout_token": "t", "customer_id": 7}
    again = a_decision("b", "pinned", decided_at=WHEN + timedelta(hours=1), **fields)
    await running(connections, again, a_decision("a", checkout_token="t"), an_order(1, "t"))
    found, units = await read(connections), await units_of(connections)
    assert (found.counts, found.aside.crossed) == ((1, 0), 1)
    assert units.orders.tolist() == [1]


async def test_every_metric_has_an_answer_whatever_happened(connections: Connections) -> None:
    await running(connections, *visitors(), *orders(share=1.0))
    found = await read(connections)
    assert set(found.reading.metrics) == set(METRICS)
    assert causes(found) >= {None, Cause.NOTHING_VARIES}  # everybody ordered


async def test_gift_cards_alone_convert_cost_nothing_and_are_no_order_to_average_over(
    on_both_databases: Connections,
) -> None:
    card, given_away = (an_order(n, f"token-{n}", subtotal_minor=0) for n in (1, 2))
    met = [a_decision("1"), a_decision("2")]
    await runs(on_both_databases, *met, card, given_away, a_line(2), design=EVEN, costs={"10": 150})
    units = await units_of(on_both_databases)
    assert sorted(units.bought) == [1, 1]
    assert sorted(zip(units.orders, units.profit, strict=True)) == [(0, 0), (1, -300)]
