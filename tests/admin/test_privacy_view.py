from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.admin.person_name import PersonName, parse_person_name
from app.admin.privacy_view import (
    bars,
    changes,
    due_tone,
    due_words,
    group_rows,
    limit_words,
    lower,
    parts,
    region_groups,
    region_name,
    segment_name,
    settings_words,
    told,
)
from app.consent.audit import AuditCell, Finding, audit, share
from app.consent.clearing import ClearingRun
from app.consent.policies import PolicyRead
from app.consent.policy import RegionPolicy, ShopPolicy
from app.consent.report import RequestStatus, StoreLimit
from app.consent.weeks import Allowed, week_starts, weeks

NOW = datetime(2026, 11, 24, 10, 5, tzinfo=UTC)


def request(left_days: int | None, done_at: datetime | None = None) -> RequestStatus:
    return RequestStatus("r", "redact", "open", NOW, NOW, done_at, left_days, {}, None)


@pytest.mark.parametrize(
    ("asked", "words", "tone"),
    [
        (request(12), "12 days left", "info"),
        (request(7), "7 days left", "info"),
        (request(6), "6 days left", "warning"),
        (request(1), "Due within two days", "warning"),
        (request(0), "Due within a day", "warning"),
        (request(-1), "Late since today", "critical"),  # less than a day ago
        (request(-2), "1 day late", "critical"),
        (request(-4), "3 days late", "critical"),
        (request(None, NOW), "Done on Nov 24, 2026", "success"),
    ],
)
def test_deadline_is_told_in_days_and_tones(asked: RequestStatus, words: str, tone: str) -> None:
    assert (due_words(asked), due_tone(asked)) == (words, tone)


def test_limit_tells_what_the_last_clearing_did() -> None:
    limit = StoreLimit("events", "events_days", "Events", "", 180, 3650, None)
    assert limit_words(limit).startswith("Not cleared yet")
    cleared = ClearingRun("events", NOW, 180, 1_200, 34_000, NOW - timedelta(days=179))
    limit = StoreLimit("events", "events_days", "Events", "", 180, 3650, cleared)
    said = limit_words(limit)  # with the time: what came later that day is not among it
    assert said.startswith("On Nov 24, 2026, ")
    assert said.endswith(" UTC: 1,200 deleted, 34,000 left, the oldest of May 29, 2026.")


def test_figure_is_told_with_its_interval_and_ratio() -> None:
    found = audit([AuditCell("loyal", "DE", 100, 90), AuditCell("new", "DE", 100, 45)])
    new = next(group for group in found.by_segment if group.name == "new").exposure
    shown = told(new)
    assert (shown.value, shown.ratio, shown.tone, shown.says) == ("45.0%", "0.50", "warning", "Lower")
    assert shown.interval == "35.6% to 54.8%"


@pytest.mark.parametrize("figure", [share(0, 0), share(1, 2)])
def test_figure_of_too_few_is_a_dash(figure: Any) -> None:
    shown = told(audit([AuditCell(None, None, figure.of, 0)]).by_region[0].exposure)
    assert (shown.value, shown.says) == ("–", "Too few to tell")


def test_groups_that_get_less_are_named_with_both_figures() -> None:
    found = audit([
        AuditCell("best_customers", "DE", 100, 100, discount=1_000, discount_squares=10_000),
        AuditCell(None, "DE", 100, 100, discount=100, discount_squares=1_000),
    ])  # fmt: skip
    assert lower(found.by_segment, segment_name) == [
        "Not known, discount depth: 1.0%, where Best customers has 10.0%."
    ]


def test_a_segment_that_is_called_as_a_region_is_stays_a_segment() -> None:
    found = audit([AuditCell("CH", "CH", 100, 90)])
    assert group_rows(found.by_segment, segment_name, found.everybody)[0]["name"] == "CH"
    assert group_rows(found.by_region, region_name, found.everybody)[0]["name"] == "Switzerland"


def test_everybody_comes_last_and_only_the_largest_groups_are_shown() -> None:
    found = audit(AuditCell(f"s{n}", "US-CA", 100 + n, 50) for n in range(40))
    rows = group_rows(found.by_segment, segment_name, found.everybody)
    assert len(rows) == 26
    assert (rows[0]["name"], rows[-1]["name"]) == ("S39", "Everybody")
    (region, _) = group_rows(found.by_region, region_name, found.everybody)
    assert region["name"] == "United States (CA)"
    assert found.by_region[0].exposure.finding is Finding.ALONE


def test_weeks_begin_with_the_first_that_had_a_decision() -> None:
    starts = week_starts(NOW, 3)
    shown = bars(weeks([Allowed(1, "session", (), 3), Allowed(1, "static", (), 1)], starts))
    assert [bar.decisions for bar in shown] == [4, 0]
    assert shown[0].says == "Week from Nov 10: Session 75%, Static 25%"
    assert shown[1].says == "Week from Nov 17: no decisions"


def test_parts_of_nothing_are_none_of_it() -> None:
    (only,) = parts({}, {"a": "A"}, 0)
    assert (only.count, only.percent) == (0, 0.0)


def read(regions: dict[str, RegionPolicy], **settings: Any) -> PolicyRead:
    return PolicyRead(NOW, NOW, settings, ShopPolicy("v", regions))


def test_regions_are_grouped_by_what_no_answer_means_there() -> None:
    policy = ShopPolicy(
        "v", {"DE": RegionPolicy(True, False), "US": RegionPolicy(False, True), "XX": RegionPolicy()}
    )
    assert {group.label: group.regions for group in region_groups(policy)} == {
        "Asks first": ("DE",),
        "Does not ask": ("US",),
        "Not said": ("XX",),
        "Sale of data can be refused": ("US",),
    }


def test_changes_of_a_policy_are_told_by_region_and_setting() -> None:
    old = read({"DE": RegionPolicy(True), "FR": RegionPolicy(True)}, banner={"enabled": True})
    new = read(
        {"DE": RegionPolicy(False, True), "CH": RegionPolicy(), "AT": RegionPolicy()},
        banner={"enabled": False},
    )
    assert changes(new, old) == (
        "Austria, Switzerland: not listed → not said",
        "Germany: asks first → does not ask, opt-out of sale",
        "France: asks first → not listed",
        "Shopify's consent banner: off",
    )


@pytest.mark.parametrize("settings", [{}, {"banner": None}, {"banner": {}}, {"banner": {"enabled": "yes"}}])
def test_settings_that_shopify_does_not_tell_are_left_out(settings: dict[str, Any]) -> None:
    assert settings_words(settings) == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("5", PersonName(customer_id=5)),
        ("gid://shopify/Customer/5", PersonName(customer_id=5)),
        (" ann@example.com ", PersonName(email="ann@example.com")),
        ("0a1b2c-browser", PersonName(client_id="0a1b2c-browser")),
    ],
)
def test_name_is_read_as_what_it_is(text: str, meant: PersonName) -> None:
    assert parse_person_name(text) == meant
