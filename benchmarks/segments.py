"""Segments on the two real order histories: what docs/segments.md states, measured again.

python -m benchmarks.segments            prints the figures
python -m benchmarks.segments --write    puts them into docs/segments.md
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from app.profiles import classifier_training, clusters, lifetime, lifetime_training, trees
from app.profiles.purchases import DAY_S, Orders, Purchases, clean, history_of
from app.profiles.rfm import RfmMeasures, Scores, cuts, measure, score
from app.profiles.rfm_segments import SEGMENTS, segment
from app.profiles.snapshots import FEATURES, features_of, snapshot, window_days
from benchmarks.clusters import cluster_figures
from benchmarks.histories import cdnow, cdnow_sample, complete_journey, last_moment

DOCS = Path(__file__).parents[1] / "docs" / "segments.md"
BEGIN, END = "<!-- figures: python -m benchmarks.segments --write -->", "<!-- end of figures -->"
HISTORIES: dict[str, Callable[[], Orders]] = {"Complete Journey": complete_journey, "CDNOW": cdnow}
TIMED = 400


def main() -> None:
    """Measure everything; print it or write it into the document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.segments", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace the figures in {DOCS.name}")
    asked = parser.parse_args()
    figures = "\n".join(_figures())
    if not asked.write:
        print(figures)
        return
    before, rest = DOCS.read_text("utf-8").split(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n{figures}\n{END}{rest.split(END)[1]}", "utf-8")


def _figures() -> Iterator[str]:
    loaded = {name: load() for name, load in HISTORIES.items()}
    shops = {name: (orders, last_moment(orders)) for name, orders in loaded.items()}
    cleaned = {name: (clean(orders, now), now) for name, (orders, now) in shops.items()}
    yield from _scores(shops)
    for name, (purchases, now) in cleaned.items():
        yield from _named_segments(name, purchases, now)
    yield from _classifiers(cleaned)
    yield from _lifetime(cleaned)
    yield "\n### Clusters\n"
    yield from cluster_figures(cleaned)
    yield from _times(*cleaned["Complete Journey"])


def independent_scores(orders: Orders, now: int) -> pl.DataFrame:
    """Return customer and three scores by polars' own grouping and ranks: nothing of ours."""
    net = orders.amount_minor - orders.refunded_minor
    table = pl.DataFrame({"customer": orders.customer_ids, "at": orders.placed_at, "net": net})
    bought = (net > 0) | ((orders.amount_minor == 0) & (orders.refunded_minor == 0))
    by_customer = (
        table.with_columns(bought=bought)
        .group_by("customer")
        .agg(
            last=pl.col("at").filter("bought").max(),
            orders=pl.col("bought").sum(),
            spent=pl.col("net").sum().clip(0),
        )
        .filter(pl.col("orders") > 0)
        .sort("customer")
        .with_columns(recency=-((now - pl.col("last")) // DAY_S))
    )
    fifth = [
        ((pl.col(name).rank("average") - 0.5) * 5 / pl.len()).floor().cast(pl.Int64) + 1
        for name in ("recency", "orders", "spent")
    ]
    once = pl.col("orders") == 1
    frequency = pl.when(once).then(1).otherwise(fifth[1]).alias("orders")
    return by_customer.select("customer", fifth[0], frequency, fifth[2])


def _scores(shops: dict[str, tuple[Orders, int]]) -> Iterator[str]:
    yield "\n### Scores against an independent implementation\n"
    yield "| history | orders | customers | ordered once | scores that agree | equals NTILE sets apart |"
    yield "|---|---|---|---|---|---|"
    for name, (orders, now) in shops.items():
        measures = measure(clean(orders, now), now)
        ours = np.array(_scored(measures))
        theirs = independent_scores(orders, now)
        assert theirs["customer"].to_list() == measures.customer_ids.tolist()
        same = int((ours == theirs.drop("customer").to_numpy()).sum())
        yield (
            f"| {name} | {len(orders):,} | {len(measures):,} | {np.mean(measures.orders == 1):.1%} "
            f"| {same:,} of {ours.size:,} | {_set_apart(measures):.1%} |"
        )


def _scored(measures: RfmMeasures) -> list[Scores]:
    shop, columns = cuts(measures), (measures.recency_days, measures.orders, measures.spent_minor)
    return [score(shop, *each) for each in zip(*(column.tolist() for column in columns), strict=True)]


def _set_apart(measures: RfmMeasures) -> float:
    """Return the share of customers whom NTILE scores unlike another with as many orders."""
    ntile = np.empty(len(measures), dtype=np.int64)
    ntile[np.argsort(measures.orders, kind="stable")] = np.arange(len(measures)) * 5 // len(measures)
    values, rows = np.unique(measures.orders, return_inverse=True)
    split = [len(np.unique(ntile[rows == at])) > 1 for at in range(len(values))]
    return float(np.mean(np.array(split)[rows]))


def _named_segments(name: str, purchases: Purchases, now: int) -> Iterator[str]:
    """Yield each segment as it stood a window before the end, and what its customers did then."""
    days = window_days(purchases)
    moment = now - days * DAY_S
    measures = measure(purchases.before(moment), moment)
    names = np.array([segment(each) for each in _scored(measures)])
    seen = snapshot(purchases, moment, days)
    assert seen.customer_ids.tolist() == measures.customer_ids.tolist()
    yield f"\n### Named segments of {name}, and what they did in the {days} days after\n"
    yield "| segment | customers | bought again | orders each | spent each |"
    yield "|---|---|---|---|---|"
    for each in SEGMENTS[:-1]:
        of = names == each
        if of.any():
            orders, spent = seen.orders[of], seen.spent_minor[of]
            yield (
                f"| {each} | {of.sum():,} | {np.mean(orders > 0):.1%} | {orders.mean():.2f} "
                f"| {spent.mean() / 100:.2f} |"
            )


def _classifiers(shops: dict[str, tuple[Purchases, int]]) -> Iterator[str]:
    yield "\n### Classifiers on the last window, which neither they nor the rule saw\n"
    yield (
        "| history | label | window | trained on | tested on | with the label | | ROC AUC | PR AUC | Brier "
        "| calibration error |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    verdicts = []
    for name, (purchases, now) in shops.items():
        for label in (classifier_training.AT_RISK, classifier_training.LOYAL):
            report = classifier_training.evaluate(purchases, label, now)
            assert report is not None
            head = (
                f"| {name} | `{label}` | {report.window_days} days | {report.trained:,} | {report.tested:,} "
                f"| {report.share:.1%} "
            )
            yield f"{head}| trees | {_row(report.ours)} |"
            yield f"| | | | | | | {classifier_training.RULES[label]} | {_row(report.rule)} |"
            verdict = "published" if report.publish else "not published"
            many = f" ({report.many_orders} orders or more)" if label == classifier_training.LOYAL else ""
            verdicts.append(f"- {name}, `{label}`{many}: {verdict}. {report.reason}")
    yield "\n" + "\n".join(verdicts)


def _row(figures: classifier_training.ClassifierMetrics) -> str:
    return f"{figures.auc:.3f} | {figures.pr_auc:.3f} | {figures.brier:.4f} | {figures.ece:.3f}"


def _lifetime(shops: dict[str, tuple[Purchases, int]]) -> Iterator[str]:
    yield "\n### Spend in the next 90 days\n"
    repeats, last, known, mean = np.array(cdnow_sample()).T
    pace = lifetime_training.fit_pace(repeats, last, known)
    likelihood = lifetime_training.pace_likelihood(pace, repeats, last, known).sum()
    worth = lifetime_training.fit_worth(repeats[repeats > 0], mean[repeats > 0])
    yield (
        f"On the papers' sample: r {pace.r:.3f}, alpha {pace.alpha:.3f}, a {pace.a:.3f}, b {pace.b:.3f},"
        f" log-likelihood {likelihood:.1f} (printed: .243, 4.414, .793, 2.426, -9582.4); p {worth.p:.2f}, "
        f"q {worth.q:.2f}, gamma {worth.v:.2f} (printed: 6.25, 3.74, 15.44).\n"
    )
    yield "| history | way | RMSE | MAE | rank correlation | total off by | our squared error is lower by |"
    yield "|---|---|---|---|---|---|---|"
    for name, (purchases, now) in shops.items():
        report = lifetime_training.evaluate(purchases, now)
        assert report is not None
        yield f"| {name} | {lifetime_training.MODEL} | {_spend_row(report.ours)} | |"
        for way, said in report.plain.items():
            low, high = report.gains[way]
            yield f"| | {way} | {_spend_row(said)} | {low:+.1%} to {high:+.1%} |"
        yield f"| | serves: **{report.serves}** | | | | | |"


def _spend_row(figures: lifetime_training.SpendFigures) -> str:
    return f"{figures.rmse / 100:.2f} | {figures.mae / 100:.2f} | {figures.rank:.3f} | {figures.bias:+.1%}"


def _times(purchases: Purchases, now: int) -> Iterator[str]:
    """Yield what serving one customer costs after an order, from plain numbers."""
    measures = measure(purchases, now)
    shop = cuts(measures)
    history = history_of(purchases, int(measures.customer_ids[len(measures) // 2]))
    days = window_days(purchases)
    classifier = classifier_training.train(purchases, classifier_training.AT_RISK, now)
    fitted = lifetime_training.fit(lifetime_training.summarise(purchases, now))
    assert classifier is not None
    assert fitted is not None
    row = features_of(history, now, days)
    assert row is not None
    kinds = clusters.Clusters(
        features=FEATURES, means=(1.0,) * 11, scales=(1.0,) * 11, sizes=(1,) * 6, silhouette=0.5,
        centroids=tuple((float(k),) * 11 for k in range(6)),
    )  # fmt: skip
    values = dict(zip(FEATURES, row, strict=True))
    calls: dict[str, Callable[[], object]] = {
        "RFM scores and segment": lambda: segment(score(shop, 3, 12, 120_000)),
        f"features of a history of {len(history)} purchases": lambda: features_of(history, now, days),
        "probability from the trees": lambda: trees.probability(classifier, row),
        "nearest of six clusters": lambda: clusters.assign(kinds, values),
        "expected spend": lambda: lifetime.expected_spend(fitted, history, now, 90),
    }
    yield "\n### Serving one customer (this machine, one core)\n"
    yield "| what | median µs |"
    yield "|---|---|"
    for what, call in calls.items():
        yield f"| {what} | {_microseconds(call):.0f} |"


def _microseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMED):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1_000)
    return float(np.median(times))


if __name__ == "__main__":
    main()
