"""Making a shop's segmentation from its purchases: at night, outside of any request. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.profiles import classifier_training, lifetime_training
from app.profiles.behaviour import FEATURES
from app.profiles.classifier_training import AT_RISK, LOYAL, ClassifierReport
from app.profiles.cluster_training import ClusteringResult, find_clusters
from app.profiles.lifetime_training import EVERYONE, MODEL, OWN_PACE, SAME_AGAIN, SpendReport
from app.profiles.purchases import DAY_S, Purchases
from app.profiles.rfm import cuts, measure
from app.profiles.segmentation import HORIZON_DAYS, Segmentation, Serves, SpendAhead
from app.profiles.snapshots import snapshot
from app.profiles.thresholds import Rules
from app.profiles.trees import Classifier

_SERVES: dict[str, Serves] = {
    MODEL: "model", SAME_AGAIN: "last_window", OWN_PACE: "own_pace", EVERYONE: "average",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Training:
    """A segmentation and what speaks for it, for the merchant to see.

    reports: by label, of the classifiers that had enough customers to be tested. spend: None with
    too few customers.
    """

    segmentation: Segmentation
    clusters: ClusteringResult
    reports: dict[str, ClassifierReport]
    spend: SpendReport | None


def train_shop(
    purchases: Purchases,
    behaviours: NDArray[np.float64],
    rules: Rules,
    now: int,
    previous: Segmentation | None = None,
    seed: int = 0,
) -> Training:
    """Return the shop's segmentation as of now (epoch seconds), with names that outlive the previous one.

    behaviours: float64 of shape (shoppers, behaviour.FEATURES), of those whose visits may be used. A
    shop with few customers gets what can be had: scores for one, the rest when there are enough.
    """
    found = find_clusters(FEATURES, behaviours, previous.clusters if previous else None, seed)
    reports = {
        label: report
        for label in (AT_RISK, LOYAL)
        if (report := classifier_training.evaluate(purchases, label, now, seed=seed))
    }
    spend = lifetime_training.evaluate(purchases, now, seed=seed)
    segmentation = Segmentation(
        currency=rules.currency,
        trained_at=now,
        cuts=cuts(measure(purchases, now)),
        rules=rules,
        clusters=found.clusters,
        foreseen=_published(purchases, reports, now, seed),
        ahead=_ahead(purchases, spend, now),
    )
    return Training(segmentation, found, reports, spend)


def _published(
    purchases: Purchases, reports: dict[str, ClassifierReport], now: int, seed: int
) -> tuple[Classifier, ...]:
    """Return the classifiers that proved better than their rule, trained up to now."""
    trained = (
        classifier_training.train(purchases, label, now, days=report.window_days, seed=seed)
        for label, report in reports.items()
        if report.publish
    )
    return tuple(each for each in trained if each is not None)


def _ahead(purchases: Purchases, spend: SpendReport | None, now: int) -> SpendAhead:
    """Return how spend to come is told: as what did best, by what is known now."""
    if spend is None:
        return SpendAhead()
    model = lifetime_training.fit(lifetime_training.summarise(purchases, now))
    spent = snapshot(purchases, now - HORIZON_DAYS * DAY_S, HORIZON_DAYS).spent_minor
    return SpendAhead(_SERVES[spend.serves], model, round(float(spent.mean())) if len(spent) else 0)
