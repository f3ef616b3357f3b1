"""What an experiment shows, as a table for spreadsheets. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from app.experiments.analysis import Comparison
from app.experiments.refusal import Refusal
from app.experiments.store import Readout
from app.spreadsheet import cell

_ARM = ("experiment", "version", "currency", "arm", "control", "planned_share", "units", "completed")
_METRIC = ("metric", "decides", "figure", "control_figure", "difference", "difference_low", "difference_high")
_SURE = ("lift", "lift_low", "lift_high", "p_value", "level", "verdict", "reason")


def reading_csv(found: Readout) -> str:
    """Return a line for each metric of each arm beside the control; an empty figure has its reason.

    Money is in minor units of `currency`, shares are parts of 1. No cell is read as a formula.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_ARM, *_METRIC, *_SURE))
    writer.writerows(tuple(map(cell, line)) for line in _lines(found))
    return text.getvalue()


def _lines(found: Readout) -> Iterator[tuple[object, ...]]:
    design = found.design
    completed = found.observed.units.counts(len(design.arms))
    for (arm, share), units, done in zip(
        design.shares.items(), found.observed.counts, completed, strict=True
    ):
        of_arm = (design.id, found.version, found.currency, arm, design.control, share, units, done)
        if arm == design.control:
            yield of_arm
            continue
        for name, told in found.reading.metrics.items():
            yield (*of_arm, name, name == design.metric, *_figures(told, arm))


def _figures(told: tuple[Comparison, ...] | Refusal, arm: str) -> tuple[object, ...]:
    if isinstance(told, Refusal):
        return (*("",) * (len(_METRIC) + len(_SURE) - 3), told.says)
    each = next(one for one in told if one.arm == arm)
    difference, lift = each.difference, each.lift
    relative = ("", "", "") if lift is None else (lift.value, lift.low, lift.high)
    return (
        each.figure, each.control_figure, difference.value, difference.low, difference.high,
        *relative, each.p_value, each.level, each.verdict.value, "",
    )  # fmt: skip
