"""What training costs and what one ranking costs: ours beside plain LightFM, implicit and EASE, in one run.

Each model is made in a process of its own, so that its memory is its own; time is processor time. One
ranking is the 50 best of the whole catalogue for one cart; ours has no shopper and explains nothing here.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time, thread_time_ns

import numpy as np

from app.recommend import rivals
from app.recommend.baselines import Scorer, tops_of
from app.recommend.cases import Case, make_cases
from app.recommend.dataset import Dataset
from app.recommend.fit import FitParameters, fit_customers
from app.recommend.train import train
from benchmarks.growing_shop import households
from benchmarks.journey import complete_journey

ORDERS, RANKED, CALLS = 10_000, 50, 200
Rank = Callable[[Case], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds to train, the megabytes it took beyond the data, milliseconds of one ranking."""

    model: str
    train_s: float
    peak_mb: float
    rank_ms: float


def main(orders: int = ORDERS) -> list[Cost]:
    """Return what each model costs, printed as well. Raises ImportError without the demo's data."""
    costs = []
    context = multiprocessing.get_context("spawn")
    for name in MODELS:
        if name.startswith("implicit") and not rivals.implicit_installed():
            continue
        with context.Pool(1) as pool:
            costs.append(pool.apply(measured, (name, orders)))
        cost = costs[-1]
        print(
            f"{cost.model:<16} {cost.train_s:7.1f} s to train, {cost.peak_mb:6.0f} MB, "
            f"{cost.rank_ms:6.2f} ms a ranking"
        )
    return costs


def measured(name: str, orders: int) -> Cost:
    """Return what one model costs; in a process that did nothing before."""
    shop = households(complete_journey(), orders)
    split = shop.split()
    cases = make_cases(shop, split.train, split.test, most=CALLS, seed=0)
    before_mb, began = held_mb(), process_time()
    rank = MODELS[name](shop)
    train_s, took_mb = process_time() - began, peak_mb() - before_mb
    rank(cases[0])  # what is derived once
    times = []
    for case in cases:
        start = thread_time_ns()
        rank(case)
        times.append((thread_time_ns() - start) / 1e6)
    return Cost(name, train_s, took_mb, float(np.median(times)))


def held_mb() -> float:
    """Return the memory this process holds, in megabytes; the peak is counted from here on.

    Reading the data takes more than it leaves behind: without this, the training would seem to take nothing.
    """
    with suppress(OSError):  # elsewhere than on Linux the peak stays that of the whole process
        Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def peak_mb() -> float:
    """Return the most memory this process has held, in megabytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _ours(shop: Dataset) -> Rank:
    """Return the ranking of ours: chosen, tested on later orders, then learnt from all."""
    model = train(shop, FitParameters(), datetime.fromtimestamp(shop.now, UTC)).model
    return lambda case: model.rank(case.cart, k=RANKED, keep=lambda _ids, _scores: [])


def _plain_lightfm(shop: Dataset) -> Rank:
    embeddings = fit_customers(shop.items, len(shop.customer_ids), shop.baskets, FitParameters())
    return _whole(shop, rivals.plain_lightfm(shop.customer_ids, embeddings))


def _ease(shop: Dataset) -> Rank:
    scorer = rivals.ease(shop.items, shop.baskets)
    if scorer is None:
        raise ValueError("too many products for EASE")
    return _whole(shop, scorer)


def _whole(shop: Dataset, scorer: Scorer) -> Rank:
    ids = shop.items.product_ids
    return lambda case: tops_of(scorer, ids, [case], RANKED)


MODELS: dict[str, Callable[[Dataset], Rank]] = {
    "tillwise": _ours,
    "plain LightFM": _plain_lightfm,
    "EASE": _ease,
    "implicit TF-IDF": lambda shop: _whole(shop, rivals.implicit_tfidf(shop.items, shop.baskets)),
    "implicit ALS": lambda shop: _whole(shop, rivals.implicit_als(shop.items, shop.baskets, 0)),
}


if __name__ == "__main__":
    main()
