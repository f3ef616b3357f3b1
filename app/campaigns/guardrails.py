"""Guardrails: whether a campaign does harm, by comparison with its own holdout. Pure.

Each shopper counts by the first time they met the campaign: shown it, or held back by chance. The
intervals hold however often one looks (see `app.experiments.sequential`), so that a campaign may be looked
at every few minutes for months and is stopped without cause in at most ALPHA of the cases, over all that
is watched together. What a shopper does later is asked once its time is over, whatever it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.experiments.estimates import Estimate, difference, mean_of, ratio_of, with_pooled_variance
from app.experiments.sequential import optimal_rho, p_value
from app.experiments.units import winsorise
from app.wording import wording

ALPHA = 0.05
LEAST_UNITS = 100  # in each arm, before anything is said
LEAST_EVENTS = 20  # in both together: what happens to a handful says nothing of chance
PLANNED_UNITS = 2_000  # where the intervals are narrowest: harm should be found early

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Exposure:
    """A shopper's first exposure to a campaign. shown: False in its holdout. at: epoch seconds.

    failed: whether the browser said that an offer of it failed. ordered: whether the checkout was completed
    in the time that is asked for. given_back: whether that order was refunded or cancelled in time.
    """

    shown: bool
    at: float
    duration_us: int = 0
    failed: bool = False
    ordered: bool = False
    given_back: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Shoppers' first meetings with a campaign as aligned arrays; for the columns see `Exposure`."""

    shown: Flags
    at: Floats
    duration_us: Floats
    failed: Floats
    ordered: Floats
    given_back: Floats

    def __len__(self) -> int:
        return len(self.shown)

    def where(self, kept: Flags) -> Units:
        """Return the shoppers that are kept."""
        return Units(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class GuardrailMetric:
    """A figure that must not get worse. worse: 1 where higher is worse, -1 where lower is.

    slack: how much worse it may get before it counts. settles_s: how long after the exposure a shopper's
    value is final. column: what is averaged, divided by `over` where that is set. events: whether it is a
    yes or no of each shopper.
    """

    name: str
    says: str
    worse: int
    slack: float
    settles_s: float
    column: str
    over: str | None = None
    events: bool = True


COMPLETES_WITHIN_S = 3 * 3_600
REFUNDED_WITHIN_S = 7 * 86_400
_REFUNDS_KNOWN_S = COMPLETES_WITHIN_S + REFUNDED_WITHIN_S
# An offer that one in fifty browsers can't show is bad enough; who is shown none has none that fails.
WATCHED: tuple[GuardrailMetric, ...] = (
    GuardrailMetric(
        "completion", wording("fewer checkouts are completed"), -1, 0.0, COMPLETES_WITHIN_S, "ordered"
    ),
    GuardrailMetric("errors", wording("its offers fail in shoppers' browsers"), 1, 0.02, 600.0, "failed"),
    GuardrailMetric("latency", wording("answers take longer"), 1, 10_000.0, 0.0, "duration_us", events=False),
    GuardrailMetric(
        "refunds", wording("more orders are given back"), 1, 0.0, _REFUNDS_KNOWN_S, "given_back", "ordered"
    ),
)

ORDERS_WITHIN_S = 3 * 86_400  # who is written to may take their time
_LETTERS_REFUNDS_KNOWN_S = ORDERS_WITHIN_S + REFUNDED_WITHIN_S
# Of who left a checkout and was written to. No offer of theirs fails on a page, and no answer waits for it.
WATCHED_LETTERS: tuple[GuardrailMetric, ...] = (
    GuardrailMetric(
        "completion", wording("fewer of those written to order"), -1, 0.0, ORDERS_WITHIN_S, "ordered"
    ),
    GuardrailMetric(
        "refunds",
        wording("more orders are given back"),
        1,
        0.0,
        _LETTERS_REFUNDS_KNOWN_S,
        "given_back",
        "ordered",
    ),
)


@dataclass(frozen=True, slots=True)
class Harm:
    """A metric that got worse beyond chance: its figure with the campaign shown, and with it held back."""

    metric: str
    says: str
    shown: float
    held_back: float
    p_value: float
    units: int

    def sentence(self) -> str:
        """Return the harm in a sentence for the merchant."""
        shown, held_back = (_figure(self.metric, each) for each in (self.shown, self.held_back))
        chance = wording("less than one in a million") if self.p_value < 1e-6 else f"{self.p_value:.2g}"
        return wording(
            f"{self.says}: {shown} where it is shown, {held_back} where it is held back "
            f"({self.units} shoppers; by chance alone: {chance})"
        )


def metric_of(sentence: str) -> str:
    """Return which figure the sentence of a harm is about, nothing for another sentence."""
    every = (*WATCHED, *WATCHED_LETTERS)
    return next((each.name for each in every if sentence.startswith(each.says)), "")


def units_of(met: Iterable[tuple[str, Exposure]]) -> Units:
    """Return each shopper's first meeting. met: with who it is, in any order."""
    first: dict[str, Exposure] = {}
    for who, each in met:
        if who not in first or each.at < first[who].at:
            first[who] = each
    columns = ("at", "duration_us", "failed", "ordered", "given_back")
    figures = [np.array([getattr(each, name) for each in first.values()], np.float64) for name in columns]
    return Units(np.array([each.shown for each in first.values()], np.bool_), *figures)


def harms(units: Units, now: float, watched: Sequence[GuardrailMetric] = WATCHED) -> list[Harm]:
    """Return what is bad beyond chance, the surest first; nothing while too few are known."""
    level = ALPHA / len(watched)
    found = [harm for each in watched if (harm := _harm(each, units, now, level)) is not None]
    return sorted(found, key=lambda harm: harm.p_value)


def _harm(watched: GuardrailMetric, units: Units, now: float, level: float) -> Harm | None:
    settled = units.where(units.at + watched.settles_s <= now)
    shown = int(settled.shown.sum())
    if min(shown, len(settled) - shown) < LEAST_UNITS:
        return None
    if watched.events and getattr(settled, watched.column).sum() < LEAST_EVENTS:
        return None
    figures = _figures(watched, settled)
    if figures is None:
        return None
    treated, held_back = with_pooled_variance(*figures)
    effect = difference(treated, held_back)
    if effect.variance <= 0 or effect.value * watched.worse <= watched.slack:
        return None
    p = p_value(effect, optimal_rho(PLANNED_UNITS, ALPHA), against=watched.slack * watched.worse)
    if p > level:
        return None
    return Harm(watched.name, watched.says, treated.value, held_back.value, p, len(settled))


def _figures(watched: GuardrailMetric, units: Units) -> tuple[Estimate, Estimate] | None:
    values = getattr(units, watched.column)
    if not watched.events:  # a few answers that took seconds are no reason to stop a campaign
        values, _ = winsorise(values, 0.99)
    arms = (units.shown, ~units.shown)
    if watched.over is None:
        shown, held_back = (mean_of(values[arm]) for arm in arms)
        return shown, held_back
    over = getattr(units, watched.over)
    treated, control = (ratio_of(values[arm], over[arm]) for arm in arms)
    return None if treated is None or control is None else (treated, control)


def _figure(metric: str, value: float) -> str:
    return f"{value / 1000:.1f} ms" if metric == "latency" else f"{value:.1%}"
