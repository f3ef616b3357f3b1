"""Samples for drift detection from logged decisions: carts, scores and terms of offers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np

from app.recommend.drift import Doubles, ShownOffers
from app.recommend.model import Model
from app.recommend.terms import TERMS, Past

RANKED = 200  # so many stand for the whole ranking: beyond them shares are next to nothing


@dataclass(frozen=True, slots=True)
class LoggedRanking:
    """A decision as it was logged. situation: its inputs; offered: product ids, best first.

    shown, accepted: which of the offers were, aligned with offered.
    """

    situation: Mapping[str, Any]
    offered: tuple[int, ...]
    shown: tuple[bool, ...] = ()
    accepted: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class WindowSample:
    """What was met in a window: measures by name, one number a visit; and the offers that were shown."""

    measures: dict[str, Doubles]
    shown: ShownOffers


def window_sample(model: Model, decisions: Sequence[LoggedRanking]) -> WindowSample:
    """Return what the decisions amount to, as this model scores them."""
    measures: dict[str, list[float]] = defaultdict(list)
    offers: list[tuple[float, int, bool]] = []
    for each in decisions:
        shares = _shares(model, each.situation)
        for name, value in _measures(model, each, shares).items():
            measures[name].append(value)
        if each.shown:
            offers += [
                (log(shares[product_id]), place, accepted)
                for place, (product_id, was_shown, accepted) in enumerate(
                    zip(each.offered, each.shown, each.accepted, strict=True)
                )
                if was_shown and product_id in shares
            ]
    score, place, accepted = zip(*offers, strict=True) if offers else ((), (), ())
    return WindowSample(
        {name: np.array(values) for name, values in measures.items()},
        ShownOffers(
            np.array(score, dtype=float), np.array(place, dtype=float), np.array(accepted, dtype=np.bool_)
        ),
    )


def _shares(model: Model, situation: Mapping[str, Any]) -> dict[int, float]:
    """Return the best products with their shares of a softmax over the ranking."""
    found: dict[int, float] = {}

    def keep(product_ids: list[int], scores: list[float]) -> list[int]:
        best = max(scores, default=0.0)
        weights = [exp(score - best) for score in scores]
        total = sum(weights)
        shares = zip(product_ids, (weight / total for weight in weights), strict=True)
        found.update({product_id: share for product_id, share in shares if share})
        return []  # nothing needs to be explained

    model.rank(
        _cart(situation),
        k=RANKED,
        customer_id=situation.get("customer_id"),
        history=_history(situation),
        orders=int(situation.get("orders") or 0),
        keep=keep,
    )
    return found


def _measures(model: Model, decision: LoggedRanking, shares: Mapping[int, float]) -> dict[str, float]:
    """Return one number for each measure of the visit and of its first offer."""
    cart = _cart(decision.situation)
    sold = model.orders[model.positions(cart)] > 0
    measured = {
        "cart_size": float(len(cart)),
        "cart_unknown": 1 - float(sold.sum()) / len(cart) if cart else 0.0,
        "orders_before": float(decision.situation.get("orders") or 0),
    }
    first = next((each for each in decision.offered if each in shares), None)
    if first is None:
        return measured
    visit = model.visit(
        cart,
        decision.situation.get("customer_id"),
        _history(decision.situation),
        int(decision.situation.get("orders") or 0),
    )
    terms = model.features(visit, model.positions([first]))[:, 0].tolist()
    return measured | {"score": log(shares[first])} | dict(zip(TERMS, terms, strict=True))


def _cart(situation: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(situation.get("cart") or situation.get("viewed") or ())


def _history(situation: Mapping[str, Any]) -> dict[int, Past]:
    return {product_id: Past(times, days) for product_id, times, days in situation.get("history") or ()}
