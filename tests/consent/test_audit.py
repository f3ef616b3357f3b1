from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.connections import Connections
from app.consent.audit import LEAST, AuditCell, Figure, Finding, audit, compared, mean, share
from app.consent.outcomes import allowed, served
from app.consent.weeks import Allowed, week_starts, weeks, whole
from app.tables import DecisionRow, FeedbackRow, OrderLineRow

SHOP, OTHER = "a.myshopify.com", "b.myshopify.com"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(st.integers(1, 5_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_share_and_its_interval_are_scipys(drawn: tuple[int, int]) -> None:
    hits, of = drawn
    expected = stats.binomtest(hits, of).proportion_ci(0.95, method="wilson")
    figure = share(hits, of)
    assert figure.value == hits / of
    assert (figure.low, figure.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=60))
def test_mean_and_its_interval_are_those_of_the_values(values: list[float]) -> None:
    figure = mean(sum(values), sum(value * value for value in values), len(values))
    middle = statistics.mean(values)
    half = stats.norm.ppf(0.975) * statistics.stdev(values) / len(values) ** 0.5
    assert figure.value == pytest.approx(middle)
    assert figure.high == pytest.approx(middle + half, abs=1e-4)
    assert figure.low == pytest.approx(max(0.0, middle - half), abs=1e-4)


def test_out_of_nothing_there_is_no_figure() -> None:
    assert share(0, 0) == mean(0, 0, 0) == Figure(0, None, None, None)


def group(segment: str | None, decisions: int, offered: int, accepted: int = 0, **more: Any) -> AuditCell:
    return AuditCell(segment, more.pop("region", "US"), decisions, offered, accepted, **more)


def test_a_group_under_four_fifths_of_the_best_is_lower() -> None:
    found = audit([group("loyal", 1_000, 900), group("new", 1_000, 600), group("lost", 1_000, 800)])
    by_name = {each.name: each.exposure for each in found.by_segment}
    assert by_name["loyal"].finding is Finding.BEST
    assert by_name["new"].finding is Finding.LOWER
    assert by_name["new"].to_best == pytest.approx(600 / 900)
    assert by_name["new"].to_all == pytest.approx(0.6 / (2_300 / 3_000))
    assert by_name["lost"].finding is Finding.EVEN  # 800 / 900 = 0.89


def test_a_difference_that_chance_may_have_made_is_unclear() -> None:
    found = audit([group("loyal", 40, 20), group("new", 40, 14)])  # 0.35 / 0.50 = 0.7, intervals touch
    assert {each.name: each.exposure.finding for each in found.by_segment} == {
        "loyal": Finding.BEST, "new": Finding.UNCLEAR,
    }  # fmt: skip


def test_of_too_few_nothing_is_told_and_they_are_nobodys_measure() -> None:
    few = group("few", LEAST - 1, LEAST - 1)
    found = audit([group("loyal", 100, 50), group("new", 100, 50), few])
    told = {each.name: each.exposure for each in found.by_segment}
    assert told["few"].finding is Finding.TOO_FEW
    assert told["few"].to_best is None
    assert told["few"].to_all is None
    assert told["new"].to_best == 1.0  # and not 0.5 of the few


def test_acceptance_is_out_of_what_was_offered_and_has_its_own_least() -> None:
    found = audit([group("loyal", 1_000, 200, 50), group("new", 1_000, LEAST - 1, 9)])
    loyal, new = found.by_segment
    assert loyal.acceptance.value == 50 / 200
    assert new.exposure.finding is Finding.LOWER
    assert new.acceptance.finding is Finding.TOO_FEW


def test_discount_depth_is_the_mean_over_what_was_offered() -> None:
    deep = group("lost", 100, 100, discount=1_000.0, discount_squares=10_000.0)  # 10 % each
    half = group("new", 100, 100, discount=500.0, discount_squares=5_000.0)  # 10 % for every other
    found = {each.name: each.discount for each in audit([deep, half]).by_segment}
    assert found["lost"].value == 10.0
    assert (found["lost"].low, found["lost"].high) == (10.0, 10.0)
    assert found["new"].to_best == 0.5
    assert found["new"].finding is Finding.LOWER


def test_where_nobody_had_any_all_are_even_and_no_ratio_is_made_up() -> None:
    found = audit([group("loyal", 100, 50), group("new", 100, 50)])
    assert [each.discount.finding for each in found.by_segment] == [Finding.EVEN, Finding.EVEN]
    assert [each.discount.to_best for each in found.by_segment] == [None, None]


def test_a_single_group_has_nothing_to_be_compared_with() -> None:
    (only,) = audit([group(None, 100, 50)]).by_segment
    assert (only.name, only.exposure.finding) == (None, Finding.ALONE)
    assert audit([]).everybody.exposure.value is None


def test_rows_of_a_segment_are_added_up_over_regions_and_the_other_way_round() -> None:
    rows = [group("new", 60, 30, 3, region="US-CA"), group("new", 40, 10, 1, region="DE"), group(None, 5, 0)]
    found = audit(rows)
    assert [(each.name, each.decisions) for each in found.by_segment] == [("new", 100), (None, 5)]
    assert found.by_segment[0].acceptance.value == 4 / 40
    assert [each.name for each in found.by_region] == ["US-CA", "DE", "US"]
    assert found.everybody.decisions == 105


@given(
    st.lists(st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))), max_size=6)
)
def test_no_group_is_above_the_best_and_only_too_few_have_no_say(groups: list[tuple[int, int]]) -> None:
    figures = [share(hits, of) for hits, of in groups]
    everybody = share(sum(hits for hits, _ in groups), sum(of for _, of in groups))
    for figure in compared(figures, everybody):
        assert (figure.finding is Finding.TOO_FEW) == (figure.of < LEAST)
        assert figure.to_best is None or 0 <= figure.to_best <= 1


def decision(number: int, **changes: Any) -> DecisionRow:
    segment, offers = changes.pop("segment", None), changes.pop("offers", 1)
    discounts = changes.pop("discounts", [])
    made = [{"offer_id": str(n), "discount": None} for n in range(offers - len(discounts))]
    made += [
        {"offer_id": f"d{n}", "discount": {"code": "X", "percentage": p}} for n, p in enumerate(discounts)
    ]
    values: dict[str, Any] = {
        "shop": SHOP, "decided_at": NOW - timedelta(days=1), "surface": "checkout", "rung": "personal",
        "arm": "personalised", "answer": {"segment": segment, "offers": made},
    } | changes  # fmt: skip
    return DecisionRow(decision_id=f"d{number}", **values)


def feedback(number: int, kind: str) -> FeedbackRow:
    return FeedbackRow(
        shop=SHOP, event_id=f"{kind}{number}", decision_id=f"d{number}", offer_id="o", kind=kind,
        happened_at=NOW,
    )  # fmt: skip


def line(number: int, shop: str = SHOP) -> OrderLineRow:
    return OrderLineRow(
        shop=shop, line_id=number, order_id=number, quantity=1, price_minor=5, decision_id=f"d{number}"
    )


async def keep(connections: Connections, *rows: Any) -> None:
    async with connections.write() as db:
        db.add_all(rows)


async def read(connections: Connections, days: int = 90) -> dict[tuple[str | None, str | None], AuditCell]:
    rows = await served(connections, SHOP, NOW - timedelta(days=days), NOW)
    return {(row.segment, row.region): row for row in rows}


async def test_decisions_are_added_up_by_segment_and_region(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep(
        connections,
        decision(1, segment="loyal", region="DE"), feedback(1, "shown"), feedback(1, "accepted"),
        decision(2, segment="loyal", region="DE"), line(2), feedback(2, "accepted"), feedback(2, "failed"),
        decision(3, segment="loyal", region="DE", offers=0),
        decision(4, segment="loyal", region="US-CA"), feedback(4, "dismissed"), line(4, OTHER),
        decision(5),
    )  # fmt: skip
    assert await read(connections) == {
        ("loyal", "DE"): AuditCell("loyal", "DE", decisions=3, offered=2, accepted=2),
        ("loyal", "US-CA"): AuditCell("loyal", "US-CA", decisions=1, offered=1),
        (None, None): AuditCell(None, None, decisions=1, offered=1),
    }


async def test_what_says_nothing_of_whom_is_left_out(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep(
        connections,
        decision(1, arm="holdout", offers=0),
        decision(2, answer={}),  # erased with its customer
        decision(3, shop=OTHER),
        decision(4, decided_at=NOW - timedelta(days=91)),
    )
    assert await read(connections) == {}


async def test_a_decisions_discount_is_its_deepest(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep(
        connections,
        decision(1, offers=3, discounts=[10, 15.5]),
        decision(2, offers=2, discounts=[20]),
        decision(3, offers=1),
    )
    (row,) = (await read(connections)).values()
    assert (row.offered, row.discount) == (3, 35.5)  # 15.5 + 20 + 0
    assert row.discount_squares == pytest.approx(15.5**2 + 20**2)


async def test_only_the_newest_are_looked_at_where_there_are_too_many(on_both_databases: Connections) -> None:
    connections = on_both_databases
    await keep(
        connections,
        *(decision(n, segment=f"s{n}", decided_at=NOW - timedelta(hours=n)) for n in range(1, 6)),
    )
    rows = await served(connections, SHOP, NOW - timedelta(days=1), NOW, newest=2)
    assert sorted(row.segment or "" for row in rows) == ["s1", "s2"]


async def test_what_visitors_allowed_is_told_week_by_week(on_both_databases: Connections) -> None:
    connections = on_both_databases
    both, starts = ["marketing", "preferences"], week_starts(NOW, 2)
    await keep(
        connections,
        decision(1, permitted=both), decision(2, permitted=both),
        decision(3, permitted=["analytics"], rung="session"),
        decision(4, decided_at=NOW - timedelta(days=8), rung="contextual", arm="holdout"),
        decision(5, decided_at=NOW - timedelta(days=15)),  # before the first
        decision(6, shop=OTHER),
    )  # fmt: skip
    before, last = weeks(await allowed(connections, SHOP, starts, NOW), starts)
    assert (before.starts_at, before.decisions) == (NOW - timedelta(days=14), 1)
    assert before.rungs == {"personal": 0, "session": 0, "contextual": 1, "static": 0}
    assert last.decisions == 3
    assert last.rungs["personal"] == 2
    assert last.purposes == {"analytics": 1, "marketing": 2, "preferences": 2, "sale_of_data": 0}
    everything = whole([before, last])
    assert everything is not None
    assert (everything.decisions, everything.rungs["contextual"], everything.purposes["marketing"]) == (
        4,
        1,
        2,
    )


def test_a_week_without_a_decision_is_told_as_such() -> None:
    first, second = weeks([Allowed(1, "static", (), 4)], week_starts(NOW, 2))
    assert (first.decisions, second.decisions) == (0, 4)
    assert whole([]) is None
