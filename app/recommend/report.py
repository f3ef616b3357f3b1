"""What an evaluation found: figures of every model on the same later carts, for people and machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.recommend.assemble import Recipe
from app.recommend.baselines import by_popularity, tops_of
from app.recommend.card import OURS
from app.recommend.cases import Case
from app.recommend.duel import Duel
from app.recommend.judge import K, RankingMetrics, Recommendations, TestSet, anonymous, by_case, ranked
from app.recommend.metrics import Interval, ndcg_at_k, paired_interval
from app.recommend.model import Model

REGULAR = 4  # orders that make a shopper a regular one


@dataclass(frozen=True, slots=True)
class Report:
    """A shop's evaluation.

    figures: of each model by name; discovery: the same without repeat purchases, neither wanted nor
    recommended. differences, discovery_differences: NDCG@10 of ours minus each baseline's. interval: of our
    own NDCG@10. rungs: ours as consent allows it, on the carts of known shoppers: personal, contextual
    (the cart alone) and static (best sellers). segments: ours by how many orders the shopper had placed.
    same_kind_really: share of what was really bought beside a cart that is of a cart product's type.
    live: ours and the shopper's repeats with histories up to the moment of each cart, as when serving; in
    all other figures they end where the test begins. duel: against the champion, when there is one.
    """

    cases: int
    discoveries: int
    cold_cases: int
    seed: int
    counts: dict[str, int]
    figures: dict[str, RankingMetrics]
    interval: Interval
    differences: dict[str, Interval]
    discovery: dict[str, RankingMetrics]
    discovery_differences: dict[str, Interval]
    rungs: dict[str, RankingMetrics]
    rung_losses: dict[str, Interval]
    segments: dict[str, RankingMetrics]
    same_kind_really: float
    recipe: Recipe
    live: dict[str, RankingMetrics] = field(default_factory=dict)
    duel: Duel | None = None

    @property
    def best_baseline(self) -> str:
        """Return the name of the single baseline with the highest NDCG@10."""
        return max(
            (name for name in self.figures if name != OURS), key=lambda name: self.figures[name].ndcg_at_10
        )

    @property
    def lead(self) -> float:
        """Return how far ours is above the best single baseline, as a share of it."""
        return self.figures[OURS].ndcg_at_10 / max(self.figures[self.best_baseline].ndcg_at_10, 1e-9) - 1

    def to_json(self) -> str:
        """Return the report as a JSON object."""
        content = msgspec.to_builtins(self, enc_hook=lambda array: array.tolist())
        content |= {"best_baseline": self.best_baseline, "lead": self.lead}
        return msgspec.json.format(msgspec.json.encode(content)).decode()

    def tables(self) -> list[Table]:
        """Return the report for a terminal."""
        about = f"{self.counts['products']:,} products, basis: {self.recipe.basis}"
        return [
            _models(f"{self.cases:,} later carts, {about}", self.figures),
            _models(f"{self.discoveries:,} of them without repeat purchases", self.discovery),
            _behind(self.differences, self.discovery_differences),
            _parts(
                "Ours by what the shopper allows (known shoppers) and by their orders",
                self.rungs | self.segments,
            ),
        ]


def report_on(
    model: Model,
    recipe: Recipe,
    test_set: TestSet,
    answers: Mapping[str, Recommendations],
    seed: int,
    counts: dict[str, int],
) -> Report:
    """Return the report on what each model answered."""
    ndcg = {name: by_case(ndcg_at_k, test_set.cases, one.all, K) for name, one in answers.items()}
    found = {
        name: by_case(ndcg_at_k, test_set.discoveries, one.discovery, K) for name, one in answers.items()
    }
    rungs, losses = _rungs(model, test_set, answers[OURS], seed)
    return Report(
        cases=len(test_set.cases),
        discoveries=len(test_set.discoveries),
        cold_cases=len(test_set.cold_cases),
        seed=seed,
        counts=counts,
        figures={name: test_set.figures(one) for name, one in answers.items()},
        interval=paired_interval(ndcg[OURS], np.zeros(len(test_set.cases)), seed),
        differences=_differences(ndcg, seed),
        discovery={name: test_set.of(test_set.discoveries, one.discovery) for name, one in answers.items()}
        if test_set.discoveries
        else {},
        discovery_differences=_differences(found, seed) if test_set.discoveries else {},
        rungs=rungs,
        rung_losses=losses,
        segments=_segments(test_set, answers[OURS]),
        same_kind_really=test_set.same_kind_really(),
        recipe=recipe,
    )


def _differences(scores: Mapping[str, np.ndarray], seed: int) -> dict[str, Interval]:
    return {
        name: paired_interval(scores[OURS], theirs, seed) for name, theirs in scores.items() if name != OURS
    }


def _rungs(
    model: Model, test_set: TestSet, ours: Recommendations, seed: int
) -> tuple[dict[str, RankingMetrics], dict[str, Interval]]:
    """Return ours on each rung of consent, for shoppers who are known, and what each loses of NDCG@10."""
    at = [at for at, case in enumerate(test_set.cases) if case.customer_id is not None]
    if not at:
        return {}, {}
    cases = [test_set.cases[each] for each in at]
    tops = {
        "personal": [ours.all[each] for each in at],
        "contextual": [ranked(model, case) for case in anonymous(cases)],
        "static": tops_of(by_popularity(model.popularity), test_set.product_ids, cases, K),
    }
    ndcg = {name: by_case(ndcg_at_k, cases, one, K) for name, one in tops.items()}
    losses = {name: paired_interval(ndcg[name], ndcg["personal"], seed) for name in ("contextual", "static")}
    return {name: test_set.of(cases, one) for name, one in tops.items()}, losses


def _segments(test_set: TestSet, ours: Recommendations) -> dict[str, RankingMetrics]:
    """Return ours by how many orders the shopper had placed before."""
    named = [_segment(case) for case in test_set.cases]
    return {
        name: test_set.of(*_of(test_set.cases, ours.all, [at for at, one in enumerate(named) if one == name]))
        for name in sorted(set(named))
    }


def _segment(case: Case) -> str:
    if case.customer_id is None:
        return "nobody known"
    if not case.orders:
        return "first order"
    return "regular" if case.orders >= REGULAR else "returning"


def _of(cases: Sequence[Case], tops: list[list[int]], at: list[int]) -> tuple[list[Case], list[list[int]]]:
    return [cases[each] for each in at], [tops[each] for each in at]


def _models(title: str, figures: Mapping[str, RankingMetrics]) -> Table:
    table = _table(title, "model", *_COLUMNS, "cold\nrecall\n@10")
    for name, one in figures.items():
        cold = "" if one.cold_recall_at_10 is None else f"{one.cold_recall_at_10:.3f}"
        table.add_row(name, *_numbers(one), cold)
    return table


def _behind(all_carts: Mapping[str, Interval], without_repeats: Mapping[str, Interval]) -> Table:
    table = _table("NDCG@10 of ours minus theirs, 95 % interval", "model", "all carts", "without repeats")
    for name, interval in all_carts.items():
        table.add_row(name, _difference(interval), _difference(without_repeats.get(name)))
    return table


def _parts(title: str, figures: Mapping[str, RankingMetrics]) -> Table:
    table = _table(title, "part", *_COLUMNS)
    for name, one in figures.items():
        table.add_row(name, *_numbers(one))
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    """Return an empty table that fits a terminal of 80 columns."""
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


_COLUMNS = ("recall\n@10", "NDCG\n@10", "hit\n@4", "coverage", "novelty", "same\nkind")


def _numbers(one: RankingMetrics) -> tuple[str, ...]:
    numbers = (one.recall_at_10, one.ndcg_at_10, one.hit_at_4, one.coverage)
    return *(f"{number:.3f}" for number in numbers), f"{one.novelty:.1f}", f"{one.same_kind:.2f}"


def _difference(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
