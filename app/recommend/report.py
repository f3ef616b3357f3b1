"""What an evaluation found: figures of every model on the same later carts, for people and machines."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from rich.table import Table

from app.recommend.metrics import Interval
from app.recommend.model import Basis, Weights
from app.recommend.neighbours import CosineParameters

OURS = "tillwise"


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the cases; coverage is the share of the catalogue that is ever recommended."""

    recall_at_10: float
    ndcg_at_10: float
    hit_at_4: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Report:
    """A shop's evaluation. differences: NDCG@10 of ours minus each baseline's, by its name."""

    basis: Basis
    weights: Weights
    cosine: CosineParameters
    cases: int
    seed: int
    counts: dict[str, int]
    figures: dict[str, Figures]
    differences: dict[str, Interval]

    def to_json(self) -> str:
        """Return the report as a JSON object."""
        return msgspec.json.format(msgspec.json.encode(self)).decode()

    def table(self) -> Table:
        """Return the report for a terminal."""
        title = f"{self.cases:,} later carts, {self.counts['products']:,} products, basis: {self.basis}"
        table = Table(title=title)
        for column in ("model", "recall@10", "NDCG@10", "hit@4", "coverage", "NDCG@10 of ours minus its"):
            table.add_column(column, justify="left" if column == "model" else "right")
        for name, one in self.figures.items():
            numbers = (one.recall_at_10, one.ndcg_at_10, one.hit_at_4, one.coverage)
            table.add_row(name, *(f"{number:.3f}" for number in numbers), self._difference(name))
        return table

    def _difference(self, name: str) -> str:
        if (interval := self.differences.get(name)) is None:
            return ""
        return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"
