"""docs/privacy.md tells what the code does: its tables are held to the registers they speak of."""

from __future__ import annotations

from pathlib import Path

from app.consent.audit import LEAST
from app.consent.holdings import HOLDINGS
from app.consent.policy import Consent, Rung, permissions
from app.consent.requests import DUE_AFTER
from app.consent.retention import KEPT, RELIED_ON, TOLD_DAYS
from app.profiles.store import VISIT_TTL_S
from app.reach.jobs import KEPT_DAYS

PAGE = (Path(__file__).parents[2] / "docs/privacy.md").read_text()


def table(first_column: str, second_column: str) -> list[list[str]]:
    """Return the cells of the table whose heading begins so, row by row."""
    heading = f"| {first_column} | {second_column} |"
    rows = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_every_store_stands_there_as_in_the_register() -> None:
    assert table("store", "kind") == [
        [each.name, each.medium.value, each.says, each.purpose, each.ground.value, each.outcome]
        for each in HOLDINGS
    ]


def test_every_limit_stands_there_as_it_holds() -> None:
    assert table("store", "setting") == [
        [each.store, f"`{each.setting}`", str(each.days), f"1 to {each.most_days}", each.says]
        for each in KEPT
    ]


def test_every_rung_stands_there_with_what_it_needs() -> None:
    rungs = {row[0]: row[1] for row in table("rung", "needs")}
    assert list(rungs) == list(Rung)
    given = {"preferences and marketing": Consent(preferences=True, marketing=True)}
    given |= {"analytics": Consent(analytics=True), "nothing": Consent()}
    for rung, needs in rungs.items():
        if rung != Rung.STATIC:  # the merchant's defaults are not a matter of consent
            assert permissions(given[needs]).rung == rung


def test_figures_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(PAGE.split())
    assert f"deadline: {DUE_AFTER.days} days after it came" in text
    assert f"a remembered answer about consent after {RELIED_ON.days} days" in text
    assert f"told of the last {TOLD_DAYS} days" in text
    assert f"of fewer than {LEAST} nothing is told" in text
    assert f"are deleted after {KEPT_DAYS} days, or with the events" in text
    assert VISIT_TTL_S == 24 * 3600
    assert "A visit in Redis is forgotten a day after its last event" in text


def test_there_is_one_place_for_the_measured_quality_of_each_rung() -> None:
    assert PAGE.count("<!-- quality by rung: begin -->") == PAGE.count("<!-- quality by rung: end -->") == 1
