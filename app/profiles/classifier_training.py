"""Trains the churn (`at_risk`) and loyalty (`loyal`) classifiers. Training only.

Customers are those who bought in the last two windows; who is further gone needs no foreseeing. The
label is what they did in the window after: nothing (`at_risk`), or as many orders as the busiest
quarter of them make in one window, at least two (`loyal`).

Time runs one way: trees learn from windows that were over before the calibration window began, that
one was over before the test window began. What is published was trained by the same procedure one
window later, which the test cannot see: the figures are the procedure's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from threadpoolctl import threadpool_limits

from app.profiles.purchases import DAY_S, Purchases
from app.profiles.snapshots import FEATURES, LONGEST_WINDOW_DAYS, Snapshot, snapshot, window_days
from app.profiles.trees import LEAF, Classifier, Sigmoid, Trees, probability
from app.wording import wording

AT_RISK, LOYAL = "at_risk", "loyal"
RULES = {AT_RISK: "recency_days", LOYAL: "orders_last_window"}
_RULES_SAID = {AT_RISK: wording("days since the last order"), LOYAL: wording("orders in the last window")}
FEWEST_CUSTOMERS = 200
FEWEST_OF_A_KIND = 30
MOST_WINDOWS = 12
BINS = 10
RESAMPLES = 1_000

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ClassifierMetrics:
    """How good probabilities are on the test window.

    auc: area under the ROC curve. pr_auc: average precision. brier: mean squared error. ece:
    expected calibration error over ten bins of equal size.
    """

    auc: float
    pr_auc: float
    brier: float
    ece: float


@dataclass(frozen=True, slots=True)
class ClassifierReport:
    """A classifier beside the plain rule, on a window that neither saw.

    share: of the tested with the label. gain_low, gain_high: 95 % interval of how much lower the
    classifier's Brier score is. publish: whether the classifier is the better one, by `reason`.
    """

    label: str
    window_days: int
    many_orders: int
    trained: int
    tested: int
    share: float
    ours: ClassifierMetrics
    rule: ClassifierMetrics
    gain_low: float
    gain_high: float
    publish: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Window:
    features: Floats
    labels: Flags


def evaluate(
    purchases: Purchases, label: str, now: int, *, days: int | None = None, seed: int = 0
) -> ClassifierReport | None:
    """Return how well a label of the last window could have been foreseen, None with too few customers.

    days: of a window; the shop's own when not given. now: epoch seconds.
    """
    # The window tested on must not choose its own length.
    days = days or window_days(purchases.before(now - LONGEST_WINDOW_DAYS * DAY_S))
    test_moment = now - days * DAY_S
    classifier, trained = _trained(purchases, label, test_moment, days, seed)
    if classifier is None:
        return None
    test = _window(purchases, label, test_moment, days, classifier.many_orders)
    if not _enough(test):
        return None
    rule = _rule(purchases, label, test_moment, days, classifier.many_orders)
    ours = np.array([probability(classifier, row) for row in test.features.tolist()])
    return _report(classifier, trained, test, ours, rule(test.features), seed)


def train(
    purchases: Purchases, label: str, now: int, *, days: int | None = None, seed: int = 0
) -> Classifier | None:
    """Return the classifier that learnt from all windows up to now, None with too few customers.

    The same purchases and seed give the same classifier.
    """
    return _trained(purchases, label, now, days or window_days(purchases), seed)[0]


def figures(labels: Flags, probabilities: Floats) -> ClassifierMetrics:
    """Return how good the probabilities are. Needs both kinds of label."""
    return ClassifierMetrics(
        auc=float(roc_auc_score(labels, probabilities)),
        pr_auc=float(average_precision_score(labels, probabilities)),
        brier=float(np.mean((probabilities - labels) ** 2)),
        ece=calibration_error(labels, probabilities),
    )


def calibration_error(labels: Flags, probabilities: Floats) -> float:
    """Return the mean gap between what was promised and what came, over bins of equal size.

    Naeini, Cooper and Hauskrecht, AAAI 2015, with bins by rank.
    """
    by_probability = np.argsort(probabilities, kind="stable")
    bins = np.array_split(by_probability, BINS)
    gaps = [abs(probabilities[each].mean() - labels[each].mean()) * len(each) for each in bins if len(each)]
    return float(sum(gaps) / len(labels))


def as_trees(fitted: HistGradientBoostingClassifier) -> Trees:
    """Return the fitted trees as plain numbers: the same sums, to the last bit."""
    nodes = [predictor.nodes for (predictor,) in fitted._predictors]
    starts = np.cumsum([0, *(len(each) for each in nodes)])[:-1].tolist()
    every = np.concatenate(nodes)
    shift = np.repeat(starts, [len(each) for each in nodes])
    leaf = every["is_leaf"].astype(bool)
    return Trees(
        baseline=float(fitted._baseline_prediction[0, 0]),
        roots=tuple(starts),
        feature=tuple(np.where(leaf, LEAF, every["feature_idx"]).tolist()),
        threshold=tuple(np.where(leaf, 0.0, every["num_threshold"]).tolist()),
        left=tuple(np.where(leaf, 0, every["left"] + shift).tolist()),
        right=tuple(np.where(leaf, 0, every["right"] + shift).tolist()),
        value=tuple(every["value"].tolist()),
    )


def _trained(
    purchases: Purchases, label: str, now: int, days: int, seed: int
) -> tuple[Classifier | None, int]:
    """Return what was learnt from the windows up to now, and from how many rows."""
    many = _many_orders(purchases, now - 2 * days * DAY_S, days)
    calibration = _window(purchases, label, now - days * DAY_S, days, many)
    windows = _training_windows(purchases, label, now - 2 * days * DAY_S, days, many)
    if not windows or not _enough(calibration):
        return None, 0
    rows = np.concatenate([each.features for each in windows])
    labels = np.concatenate([each.labels for each in windows])
    if not _enough(_Window(rows, labels)):
        return None, 0
    with threadpool_limits(limits=1):
        fitted = HistGradientBoostingClassifier(
            max_iter=100, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=40,
            l2_regularization=1.0, early_stopping=False, random_state=seed,
        ).fit(rows, labels)  # fmt: skip
    sigmoid, threshold = _calibrated(fitted.decision_function(calibration.features), calibration.labels)
    classifier = Classifier(label, FEATURES, days, many, as_trees(fitted), sigmoid, threshold)
    return classifier, len(labels)


def _training_windows(purchases: Purchases, label: str, latest: int, days: int, many: int) -> list[_Window]:
    """Return the windows that began at `latest` and before it, but for the shop's first ones."""
    first = int(purchases.placed_at.min(initial=latest)) + days * DAY_S
    earliest = max(first, latest - (MOST_WINDOWS - 1) * days * DAY_S)
    moments = range(latest, earliest - 1, -days * DAY_S)
    return [_window(purchases, label, moment, days, many) for moment in moments]


def _window(purchases: Purchases, label: str, moment: int, days: int, many: int) -> _Window:
    """Return the customers active at the moment, and whether they earned the label in the window after."""
    seen = _active(snapshot(purchases, moment, days), days)
    return _Window(seen.features, seen.orders == 0 if label == AT_RISK else seen.orders >= many)


def _active(seen: Snapshot, days: int) -> Snapshot:
    kept = seen.features[:, FEATURES.index("recency_days")] < 2 * days
    return Snapshot(seen.customer_ids[kept], seen.features[kept], seen.orders[kept], seen.spent_minor[kept])


def _many_orders(purchases: Purchases, moment: int, days: int) -> int:
    """Return the orders that the busiest quarter of the active make in the window after the moment."""
    orders = _active(snapshot(purchases, moment, days), days).orders
    return max(2, int(np.quantile(orders, 0.75))) if len(orders) else 2


def _enough(window: _Window) -> bool:
    kinds = (int(window.labels.sum()), int((~window.labels).sum()))
    return len(window.labels) >= FEWEST_CUSTOMERS and min(kinds) >= FEWEST_OF_A_KIND


def _calibrated(scores: Floats, labels: Flags) -> tuple[Sigmoid, float]:
    """Return the sigmoid that fits the scores, and the probability with the best F1 from there on."""
    fitted = LogisticRegression(C=1e6).fit(scores[:, None], labels)
    probabilities = fitted.predict_proba(scores[:, None])[:, 1]
    precision, recall, thresholds = precision_recall_curve(labels, probabilities)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = float(thresholds[int(np.argmax(f1[:-1]))])
    return Sigmoid(float(fitted.coef_[0, 0]), float(fitted.intercept_[0])), best


def _rule(purchases: Purchases, label: str, now: int, days: int, many: int) -> Callable[[Floats], Floats]:
    """Return the plain rule as probabilities: one feature, its rates taken from the calibration window.

    Isotonic, so that it is given every chance that a single monotone feature has.
    """
    column = FEATURES.index(RULES[label])
    window = _window(purchases, label, now - days * DAY_S, days, many)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(window.features[:, column], window.labels)

    def rates(features: Floats) -> Floats:
        predicted: Floats = fitted.predict(features[:, column])
        return predicted

    return rates


def _report(
    classifier: Classifier, trained: int, test: _Window, ours: Floats, rule: Floats, seed: int
) -> ClassifierReport:
    gained = (rule - test.labels) ** 2 - (ours - test.labels) ** 2
    low, high = _interval(gained, seed)
    our_figures, rule_figures = figures(test.labels, ours), figures(test.labels, rule)
    publish = low > 0 and our_figures.auc >= rule_figures.auc
    return ClassifierReport(
        label=classifier.label,
        window_days=classifier.window_days,
        many_orders=classifier.many_orders,
        trained=trained,
        tested=len(test.labels),
        share=float(test.labels.mean()),
        ours=our_figures,
        rule=rule_figures,
        gain_low=low,
        gain_high=high,
        publish=publish,
        reason=_reason(classifier.label, publish, low, high),
    )


def _reason(label: str, publish: bool, low: float, high: float) -> str:
    rule = _RULES_SAID[label]
    return (
        wording(f"Better than {rule} alone: the squared error falls by {low:.4f} to {high:.4f}.")
        if publish
        else wording(
            f"Not surely better than {rule} alone: the squared error falls by {low:.4f} to {high:.4f}."
        )
    )


def _interval(gained: Floats, seed: int) -> tuple[float, float]:
    """Return the bootstrap's 95 % interval of the mean (Efron 1979); customers are resampled."""
    random = np.random.default_rng(seed)
    means = [float(random.choice(gained, len(gained)).mean()) for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
