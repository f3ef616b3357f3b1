"""What an experiment shows, as a table for spreadsheets. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from app.experiments.analysis import Comparison
from app.experiments.metrics import METRICS
from app.experiments.mismatch import Mismatch
from app.experiments.refusal import Refusal
from app.experiments.store import Readout
from app.spreadsheet import cell
from app.values import exponent

_ARM = ("experiment", "version", "currency", "arm", "control", "planned_share", "units", "vouched",
        "completed", "nameless_decisions", "winsorising_took", "split_p_value")  # fmt: skip
_METRIC = ("metric", "decides", "figure", "control_figure", "difference", "difference_low", "difference_high")
_SURE = ("lift", "lift_low", "lift_high", "p_value", "level", "verdict", "reason")
_UNTOLD = ("",) * (len(_METRIC) + len(_SURE))


def reading_csv(found: Readout) -> str:
    """Return a line for the control, then for each metric of each arm beside it; for a spreadsheet.

    An empty figure has its reason. Money is in whole units of `currency`, shares are parts of 1. Intervals
    and p-values hold at any look, `level` is the intervals'. `vouched` is of the units, see `Observations`,
    and empty where that was not kept. No cell is read as a formula.
    """
    text = StringIO(newline="")
    writer = csv.writer(text)  # lines end as RFC 4180 has it, and breaks within a cell are quoted
    writer.writerow((*_ARM, *_METRIC, *_SURE))
    writer.writerows(tuple(map(cell, line)) for line in _lines(found))
    return text.getvalue()


def _lines(found: Readout) -> Iterator[tuple[object, ...]]:
    for place, arm in enumerate(found.design.shares):
        of_arm = _of_arm(found, arm, place)
        if arm == found.design.control:
            yield (*of_arm, *_UNTOLD)
            continue
        for name, told in found.reading.metrics.items():
            yield (
                *of_arm,
                name,
                name == found.design.metric,
                *_figures(told, arm, _unit(name, found.currency)),
            )


def _of_arm(found: Readout, arm: str, place: int) -> tuple[object, ...]:
    design, reading = found.design, found.reading
    cut = reading.cut[place] if reading.cut else None
    split = reading.mismatch.always_valid_p if isinstance(reading.mismatch, Mismatch) else ""
    return (
        design.id, found.version, found.currency, arm, design.control, design.shares[arm],
        found.counts[place], found.vouched[place] if found.vouched else "", found.completed[place],
        found.nameless_by_arm.get(arm, 0), "" if cut is None else cut, split,
    )  # fmt: skip


def _unit(name: str, currency: str) -> int:
    """Return what the metric's figures are divided by: money is counted in cents, and read in euros."""
    return 10 ** exponent(currency) if METRICS[name].money else 1


def _figures(told: tuple[Comparison, ...] | Refusal, arm: str, unit: int) -> tuple[object, ...]:
    if isinstance(told, Refusal):
        return (*_UNTOLD[3:], told.says)
    each = next(one for one in told if one.arm == arm)
    difference, lift = each.difference, each.lift
    relative = ("", "", "") if lift is None else (lift.value, lift.low, lift.high)
    return (
        each.figure / unit, each.control_figure / unit,
        difference.value / unit, difference.low / unit, difference.high / unit,
        *relative, each.p_value, each.level, each.verdict.value, "",
    )  # fmt: skip
