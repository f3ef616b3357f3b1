"""Whether a challenger may serve: it must hold its own against plain models and against the champion."""

from __future__ import annotations

from app.recommend.card import Decision
from app.recommend.model import Basis
from app.recommend.report import OURS, Report


def decide(report: Report | None, basis: Basis) -> Decision:
    """Return whether a model may serve, with the sentence that says why.

    Not when popularity does better on the held-out orders, not when another plain model is better beyond
    chance, and not when the champion is.
    """
    if report is None:
        return Decision(True, f"too few later orders to test on; {basis} with default weights")
    ours, plain = report.figures[OURS].ndcg_at_10, report.figures["popularity"].ndcg_at_10
    figures = f"NDCG@10 {ours:.4f} against popularity's {plain:.4f} on {report.cases} later carts"
    if ours < plain:
        return Decision(False, figures)
    for name, interval in report.differences.items():
        if interval.high < 0:
            return Decision(
                False, f"{name} is better by {-interval.mean:.4f} NDCG@10 on {report.cases} carts"
            )
    duel = report.duel
    if duel is not None and duel.difference.high < 0:
        worse = f"{-duel.difference.mean:.4f} NDCG@10 on {duel.cases} carts that neither has seen"
        return Decision(False, f"the champion {duel.champion} is better by {worse}")
    return Decision(True, figures)
