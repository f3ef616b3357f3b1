from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from typing import Any

import msgspec
import pytest

from app.experiments.analysis import Comparison
from app.experiments.design import read_design
from app.experiments.export import reading_csv
from app.experiments.outcomes import DataQuality, Observations
from app.experiments.refusal import Cause, Refusal
from app.experiments.store import Readout, readout_of
from app.experiments.units import Units
from tests.experiments.factories import drawn, these

DESIGN: dict[str, Any] = {
    "id": "pin", "arms": [{"name": "control"}, {"name": "treated"}], "control": "control",
}  # fmt: skip


def a_readout(units: Units | None = None, **changes: Any) -> Readout:
    units = drawn(lift=0.6, size=20_000) if units is None else units
    design, counts = read_design(DESIGN), units.counts(2)
    observed = Observations(units, (counts[0], counts[1]), DataQuality())
    found = readout_of(observed, design, "2", "EUR", {"treated": 3})
    return msgspec.structs.replace(found, **changes)


def rows(found: Readout) -> list[dict[str, str]]:
    """Return the lines by their columns; no line has more or fewer."""
    columns, *lines = csv.reader(StringIO(reading_csv(found), newline=""))
    return [dict(zip(columns, line, strict=True)) for line in lines]


def told(found: Readout, metric: str) -> Comparison:
    each = found.reading.metrics[metric]
    assert not isinstance(each, Refusal)
    return each[0]


def test_the_control_has_a_line_and_each_metric_of_the_other_arms_one() -> None:
    found = a_readout()
    control, *others = rows(found)
    units = str(found.counts[0])
    assert (control["arm"], control["metric"], control["units"]) == ("control", "", units)
    assert [each["metric"] for each in others] == list(found.reading.metrics)
    assert {each["arm"] for each in others} == {"treated"}
    assert [each["metric"] for each in others if each["decides"] == "True"] == ["revenue"]
    assert (control["nameless_decisions"], others[0]["nameless_decisions"]) == ("0", "3")


def test_of_each_arm_it_says_how_many_shopify_vouches_for_where_that_is_known() -> None:
    control, *others = rows(a_readout(vouched=(7, 5)))
    assert [control["vouched"], *(each["vouched"] for each in others)] == ["7", *("5" for _ in others)]
    assert {each["vouched"] for each in rows(a_readout(vouched=()))} == {""}


@pytest.mark.parametrize(("currency", "unit"), [("EUR", 100), ("JPY", 1), ("KWD", 1000)])
def test_money_is_in_the_unit_that_the_currency_names(currency: str, unit: int) -> None:
    found = a_readout(currency=currency)
    by_metric = {each["metric"]: each for each in rows(found)}
    assert float(by_metric["revenue"]["difference_low"]) * unit == pytest.approx(
        told(found, "revenue").difference.low
    )
    assert float(by_metric["conversion"]["figure"]) == told(found, "conversion").figure


def test_figures_are_those_of_the_reading_to_the_last_digit() -> None:
    found = a_readout()
    revenue = next(each for each in rows(found) if each["metric"] == "revenue")
    expected = told(found, "revenue")
    assert float(revenue["difference_low"]) == expected.difference.low / 100
    assert float(revenue["p_value"]) == expected.p_value
    assert float(revenue["level"]) == expected.level
    assert expected.lift is not None
    assert float(revenue["lift_high"]) == expected.lift.high
    assert (revenue["verdict"], revenue["reason"]) == ("better", "")
    assert float(revenue["winsorising_took"]) == found.reading.cut[1]


def test_what_is_refused_has_its_reason_and_no_figure() -> None:
    for each in rows(a_readout(these(drawn(), slice(50))))[1:]:
        assert each["reason"].startswith("an arm has ")
        assert {each[name] for name in ("figure", "difference", "lift", "p_value", "verdict")} == {""}


def test_nobody_at_all_has_no_split_to_tell() -> None:
    control, *others = rows(a_readout(these(drawn(), slice(0))))
    assert control["split_p_value"] == control["winsorising_took"] == ""
    assert {each["reason"] for each in others} == {"nobody has been exposed to it yet"}


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_no_words_are_taken_for_a_formula(begins: str) -> None:
    found = a_readout()
    evil = Refusal(Cause.TOO_EARLY, f"{begins}cmd|' /C calc'!A0")
    reading = replace(found.reading, metrics=dict.fromkeys(found.reading.metrics, evil))
    read = rows(msgspec.structs.replace(found, reading=reading, version=f"{begins}1+1"))
    assert all(each["version"].startswith("'") for each in read)
    assert all(each["reason"].startswith("'") for each in read[1:])


def test_a_negative_number_stays_a_number() -> None:
    found = a_readout(drawn(lift=-0.6, size=20_000))
    revenue = next(each for each in rows(found) if each["metric"] == "revenue")
    assert float(revenue["difference"]) < 0
