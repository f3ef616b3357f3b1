"""Whether a shop's own model may serve: judged on visits later than all it was made from. Training only.

What is published was made by the same procedure from all visits: the figures are the procedure's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.intent.features import FEATURES
from app.intent.fitting import Floats, log_losses
from app.intent.model import IntentModel
from app.intent.table import FEWEST_PURCHASES, FEWEST_VISITS, Ints, Table, halves
from app.intent.training import LABELS, chances, fit, head_of, made_head
from app.profiles.classifier_training import ClassifierMetrics, figures

TESTED = 0.3  # the latest share of visits
RESAMPLES = 500
ALL_ALIKE = "In a part of the visits all bought, or none: how good a model is can't be told."

_STARTED, _CONTACT, _ADDRESS, _SHIPPING, _IN_CART = (
    FEATURES.index(name) for name in ("started", "contact", "address", "shipping", "in_cart")
)


@dataclass(frozen=True, slots=True)
class HeadReport:
    """How good one probability is on visits later than all it was trained on, compared with alternatives.

    share: of the moments an order followed. leaky: the same procedure with numbers that only the end of
    a visit tells. rule: the rate of the checkout's step and of a cart with something in it. cart_alone:
    where the visit may not be used; None without enough of them. gain_low, gain_high: 95 % interval of
    how much less a moment costs than with the prior, in nats.
    """

    moments: int
    share: float
    ours: ClassifierMetrics
    leaky: ClassifierMetrics
    rule: ClassifierMetrics
    prior: ClassifierMetrics
    cart_alone: ClassifierMetrics | None
    kind: str
    gain_low: float
    gain_high: float


@dataclass(frozen=True, slots=True)
class IntentReport:
    """The evaluation of a shop's own model. publish: whether it may serve; reason: why, or why not."""

    visits: int
    purchases: int
    tested: int
    publish: bool
    reason: str
    heads: dict[str, HeadReport]


def train(table: Table, prior: IntentModel, seed: int = 0) -> tuple[IntentModel | None, IntentReport]:
    """Return the shop's own model, None where the prior is to serve, and its evaluation."""
    report = judged(table, prior, seed)
    return (fit(table, prior, seed) if report.publish else None), report


def judged(table: Table, prior: IntentModel, seed: int = 0) -> IntentReport:
    """Return how good a shop's own model is on its latest visits, and whether it may serve."""
    if table.visits < FEWEST_VISITS or table.purchases < FEWEST_PURCHASES:
        return _too_few(table)
    before, test = _by_time(table, TESTED)
    if min(test.purchases, int(test.now.sum())) < FEWEST_PURCHASES or before.purchases < FEWEST_PURCHASES:
        return _too_few(table)
    if not all(_tells_apart(part, name) for part in (before, test) for name in LABELS):
        return _unserved(table, ALL_ALIKE)
    heads = {name: _report(before, test, prior, name, seed) for name in LABELS}
    publish, reason = _verdict(heads)
    return IntentReport(table.visits, table.purchases, test.visits, publish, reason, heads)


def _tells_apart(part: Table, name: str) -> bool:
    """Return whether an order followed some of the moments, and others not."""
    labels = part.label(name)[~part.cart_alone]
    return bool(labels.any()) and not labels.all()


def _report(before: Table, test: Table, prior: IntentModel, name: str, seed: int) -> HeadReport:
    labels = test.label(name)
    made = made_head(before, before.features, prior, name, seed)
    ours = chances(made.head, test.features)
    theirs = chances(head_of(prior, name), test.features)
    with_leaks = made_head(before, np.hstack([before.features, before.leaky]), prior, name, seed).head
    leaking = chances(with_leaks, np.hstack([test.features, test.leaky]))
    known = ~test.cart_alone  # the twins would count a checkout's moments double
    alone = test.cart_alone
    enough = alone.any() and 0 < labels[alone].sum() < alone.sum()
    low, high = _interval(log_losses(labels, theirs) - log_losses(labels, ours), test.visit, seed)
    return HeadReport(
        moments=int(known.sum()),
        share=float(labels[known].mean()),
        ours=figures(labels[known], ours[known]),
        leaky=figures(labels[known], leaking[known]),
        rule=figures(labels[known], _rule(before, test, name)[known]),
        prior=figures(labels[known], theirs[known]),
        cart_alone=figures(labels[alone], ours[alone]) if enough else None,
        kind=made.kind,
        gain_low=low,
        gain_high=high,
    )


def _verdict(heads: dict[str, HeadReport]) -> tuple[bool, str]:
    """Return whether a model may serve: surely better than the prior, no worse than the rule in rank."""
    for name, head in heads.items():
        if head.gain_low <= 0:
            interval = f"{head.gain_low:+.4f} to {head.gain_high:+.4f} nats a moment"
            return False, f"Not surely better than the shared model for `{name}`: {interval}."
        if head.ours.auc < head.rule.auc:
            return False, f"The checkout's step alone ranks `{name}` better: AUC {head.rule.auc:.3f}."
    now = heads["now"]
    gained = f"{now.gain_low:.4f} to {now.gain_high:.4f} nats a moment"
    return True, f"Better than the shared model on later visits: a purchase soon is foretold by {gained}."


def _rule(before: Table, test: Table, name: str) -> Floats:
    """Return the rate of each cell of step and cart, as it was before."""
    cells, labels, overall = _cells(before), before.label(name), float(before.label(name).mean())
    rates = np.full(10, overall)
    for cell in range(10):
        inside = cells == cell
        rates[cell] = (labels[inside].sum() + overall) / (inside.sum() + 1)
    rated: Floats = rates[_cells(test)]
    return rated


def _cells(table: Table) -> Ints:
    step = table.features[:, [_STARTED, _CONTACT, _ADDRESS, _SHIPPING]].sum(axis=1)
    cells: Ints = (2 * step + table.features[:, _IN_CART]).astype(np.int64)
    return cells


def _by_time(table: Table, share: float) -> tuple[Table, Table]:
    first, later = halves(table, share)
    return table.where(first), table.where(later)


def _too_few(table: Table) -> IntentReport:
    needed = f"{FEWEST_VISITS} visits and {FEWEST_PURCHASES} purchases in the latest third of them"
    reason = (
        f"Too few to learn from: {table.visits} visits with {table.purchases} purchases; {needed} are needed."
    )
    return _unserved(table, reason)


def _unserved(table: Table, reason: str) -> IntentReport:
    return IntentReport(table.visits, table.purchases, 0, False, reason, {})


def _interval(gained: Floats, visits: Ints, seed: int) -> tuple[float, float]:
    """Return the bootstrap's 95 % interval of the mean; whole visits are resampled."""
    places = visits - visits.min()
    sums, sizes = np.bincount(places, weights=gained), np.bincount(places).astype(np.float64)
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
