"""Whom a campaign met first, and what came of it: by columns as one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.guardrails import COMPLETES_WITHIN_S, REFUNDED_WITHIN_S, Units, harms
from app.campaigns.meetings import joined, meetings_in, placed_in, units_met
from app.campaigns.outcomes import Drawn, LoggedCampaigns, first_meetings
from app.campaigns.reasons import CAPPED, NOT_DRAWN, WITHHELD

BEGUN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHYS = (None, WITHHELD, CAPPED, NOT_DRAWN)


class Decision(NamedTuple):
    """A decision as it is logged. token: of its checkout, if any. why: left out, None where it was shown."""

    decision_id: str
    at: datetime
    token: str | None
    unit: str | None
    why: str | None
    failed: bool = False
    after_order: bool = False

    @property
    def who(self) -> str:
        """Return the checkout, else the unit."""
        return self.token or self.unit or self.decision_id

    @property
    def told(self) -> LoggedCampaigns:
        """Return what the log says of the campaign."""
        shown = (Drawn("ten", 1.0),) if self.why is None else ()
        return LoggedCampaigns(shown, {"ten": self.why} if self.why else {}, unit=self.unit)

    @property
    def row(self) -> tuple[Any, ...]:
        """Return it as it is read."""
        chosen = [{"campaign_id": "ten", "propensity": 1.0}] if self.why is None else []
        left_out = {"ten": self.why} if self.why else {}
        surface = "thank_you" if self.after_order else "checkout"
        return (self.at, self.token, self.unit, None, 5_000, self.failed, surface, chosen, left_out)


Placed = tuple[str, datetime, datetime | None]


def units_of(decisions: Iterable[Decision], placed: Iterable[Placed], begin: datetime = BEGUN) -> Units:
    """Return the campaign's shoppers by columns, the decisions read in parts."""
    rows = [each.row for each in decisions]
    parts = [meetings_in(rows[place : place + 7], ["ten", "other"]) for place in range(0, len(rows) + 1, 7)]
    return units_met(joined(parts), placed_in(placed), "ten", begin, datetime(2000, 1, 1, tzinfo=UTC))


def one_by_one(decisions: Iterable[Decision], placed: Iterable[Placed], begin: datetime) -> list[Any]:
    """Return a line for each shopper, worked out as slowly and plainly as can be."""
    lines = []
    for each, shown in first_meetings(decisions, "ten"):
        until = each.at + timedelta(seconds=COMPLETES_WITHIN_S)
        orders = sorted(
            (at, back)
            for who, at, back in placed
            if who == each.token and each.at <= at <= until and not each.after_order
        )  # fmt: skip
        at, back = orders[0] if orders else (None, None)
        in_time = at and back and back <= at + timedelta(seconds=REFUNDED_WITHIN_S)
        if each.at >= begin and each.token:
            lines.append((shown, each.at.timestamp(), each.failed, at is not None, bool(in_time)))
    return sorted(lines)


hours = st.integers(0, 12).map(lambda each: BEGUN + each * HOUR)
decisions = st.lists(
    st.builds(
        lambda at, who, unit, why, outside, *is_so: (
            at, None if outside and unit else f"token-{who}", unit and f"unit-{unit}", why, *is_so,
        ),
        hours, st.integers(0, 8), st.none() | st.integers(1, 6), st.sampled_from(WHYS), st.booleans(),
        st.booleans(), st.booleans(),
    ),
    max_size=30,
).map(lambda found: [Decision(f"{number:02}", *each) for number, each in enumerate(found)])  # fmt: skip
orders = st.lists(
    st.builds(
        lambda who, at, back: (f"token-{who}", at, back and at + timedelta(days=back)),
        st.integers(0, 8), hours, st.none() | st.integers(6, 8),
    ),
    max_size=12, unique_by=lambda each: each[:2],
)  # fmt: skip


@given(decisions, orders, hours)
def test_by_columns_each_shopper_is_met_as_one_by_one(
    made: list[Decision], placed: list[Placed], begin: datetime
) -> None:
    in_turn = [each._replace(decision_id=f"{n:02}") for n, each in enumerate(sorted(made, key=_by_time))]
    found = units_of(in_turn, placed, begin)
    columns = (found.shown, found.at, found.failed, found.ordered, found.given_back)
    assert sorted(zip(*(each.tolist() for each in columns), strict=True)) == one_by_one(
        in_turn, placed, begin
    )
    assert set(found.duration_us) <= {5_000.0}


def _by_time(each: Decision) -> tuple[datetime, str]:
    return each.at, each.decision_id


def test_a_capped_campaign_is_not_stopped_because_who_is_held_back_from_it_comes_again() -> None:
    # One shopper in four comes four times and buys oftener. The campaign changes nothing and is shown once.
    random = np.random.default_rng(1)
    made, placed = [], []
    for number in range(2_500):
        keen, held_back = random.random() < 0.25, random.random() < 0.1
        for visit in range(4 if keen else 1):
            checkout, at = f"{number}-{visit}", BEGUN + timedelta(days=visit, seconds=number)
            why = WITHHELD if held_back else CAPPED if visit else None
            made.append(Decision(checkout, at, checkout, str(number), why))
            if random.random() < (0.75 if keen else 0.4):
                placed.append((checkout, at + timedelta(minutes=5), None))
    made.sort(key=_by_time)
    begun_again = BEGUN + timedelta(hours=12)  # whom it had met by then is not counted any more
    assert len(units_of(made, placed, begun_again)) == 0
    units = units_of(made, placed)
    assert len(units) == 2_500
    assert harms(units, (BEGUN + timedelta(days=30)).timestamp()) == []


def test_a_capped_campaign_is_not_stopped_because_who_is_held_back_from_it_was_in_the_storefront() -> None:
    # Two in five see it in the storefront first, and buy oftener. The campaign changes nothing.
    random = np.random.default_rng(2)
    made, placed = [], []
    for number in range(3_000):
        keen, held_back = random.random() < 0.4, random.random() < 0.1
        at, unit, token = BEGUN + timedelta(minutes=number), f"customer-{number}", f"token-{number}"
        if keen:
            made.append(Decision(f"a{number}", at, None, unit, WITHHELD if held_back else None))
        why = WITHHELD if held_back else CAPPED if keen else None
        made.append(Decision(f"b{number}", at + timedelta(seconds=30), token, unit, why))
        if random.random() < (0.8 if keen else 0.4):
            placed.append((token, at + timedelta(minutes=5), None))
    units = units_of(made, placed)
    assert 1_700 < len(units) < 1_900
    later = (BEGUN + timedelta(days=30)).timestamp()
    (harm,) = harms(units_of([each for each in made if each.token], placed), later)  # were it not known
    assert harm.metric == "completion"
    assert harms(units, later) == []


def test_what_was_logged_in_another_layout_is_nothing_of_the_campaign() -> None:
    row = (BEGUN, "token", None, None, 5_000, False, "checkout", [{"name": "ten"}], "all")
    assert len(meetings_in([row], ["ten"]).decided) == 0
