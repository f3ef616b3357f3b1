"""The publication gate: a challenger must hold its own against baselines and the champion."""

from __future__ import annotations

from app.recommend.card import OURS, Card, Decision
from app.recommend.model import Basis
from app.recommend.report import Report
from app.wording import wording


def decide(report: Report | None, basis: Basis, champion: Card | None = None) -> Decision:
    """Return whether a model may serve, with the sentence that says why.

    Not when popularity does better on the held-out orders, not when another plain model is better beyond
    chance, and not when the champion is; nor untested in the place of a champion that was tested.
    """
    if report is None and champion is not None and champion.figures:
        says = wording(
            f"too few later orders to test on; the champion {champion.version} was tested and stays"
        )
        return Decision(False, says)
    if report is None:
        return Decision(True, wording(f"too few later orders to test on; {basis} with default weights"))
    ours, plain = report.figures[OURS].ndcg_at_10, report.figures["popularity"].ndcg_at_10
    figures = wording(f"NDCG@10 {ours:.4f} against popularity's {plain:.4f} on {report.cases} later carts")
    if ours < plain:
        return Decision(False, figures)
    for name, interval in report.differences.items():
        if interval.high < 0:
            better = -interval.mean
            says = wording(f"{name} is better by {better:.4f} NDCG@10 on {report.cases} carts")
            return Decision(False, says)
    duel = report.duel
    if duel is not None and duel.difference.high < 0:
        better = -duel.difference.mean
        says = wording(
            f"the champion {duel.champion} is better by {better:.4f} NDCG@10 on {duel.cases} carts that "
            "neither has seen"
        )
        return Decision(False, says)
    return Decision(True, figures)
