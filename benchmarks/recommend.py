"""How long one ranking of 50 takes, beside the plain product of the embeddings with a taste.

Processor time, which does not depend on what else the machine does. The shopper has bought 50 or 150
products; as when serving, the first three of the 50 are explained.

python benchmarks/recommend.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.recommend.assemble import MOST_KINDS
from app.recommend.boosting import TREES
from app.recommend.model import Model, Weights
from app.recommend.ranking import TREE_FEATURES
from app.recommend.terms import TERMS, Past
from app.recommend.trees import DEPTH

DIMENSIONS, NEIGHBOURS, CALLS = 64, 200, 300
A_KIND = 30  # products


def a_model(items: int) -> Model:
    """Return a model of random numbers in the shapes of a real one."""
    random = np.random.default_rng(0)

    def vectors() -> np.ndarray:
        return random.normal(size=(items, DIMENSIONS)).astype(np.float32)

    kinds = max(1, items // A_KIND)
    linked = kinds if kinds <= MOST_KINDS else 0
    asks = random.integers(0, TREE_FEATURES, (TREES, DEPTH)).astype(np.int32)
    edges = random.normal(size=(TREES, DEPTH)).astype(np.float32)
    leaves = random.normal(0, 0.05, (TREES, 1 << DEPTH)).astype(np.float32)
    return Model(
        version="bench",
        basis="blend",
        weights=Weights(together=1, learned=0.5, repeats=0.5, popular=0.1),
        product_ids=np.arange(1, items + 1, dtype=np.int64),
        orders=np.ones(items, dtype=np.int32),
        popularity=random.random(items).astype(np.float32),
        freshness=np.zeros(items, dtype=np.float32),
        neighbours=random.integers(0, items, (items, NEIGHBOURS)).astype(np.int32),
        neighbour_weights=random.random((items, NEIGHBOURS)).astype(np.float32),
        item_embeddings=vectors(),
        item_biases=np.zeros(items, dtype=np.float32),
        cart_embeddings=vectors(),
        customer_ids=np.array([7], dtype=np.int64),
        customer_embeddings=vectors()[:1],
        recent=random.random(items).astype(np.float32),
        kinds=random.integers(0, kinds, items).astype(np.int32),
        shifts=random.normal(0, 0.05, (3, len(TERMS))),
        rebought=random.random(items).astype(np.float32),
        kind_links=random.random((linked, linked)).astype(np.float32),
        tree_asks=asks,
        tree_edges=edges,
        tree_leaves=leaves,
        stranger_asks=asks,
        stranger_edges=edges,
        stranger_leaves=leaves,
        variety=np.array([0.2, 0.1]),
        appeal=random.normal(0, 0.1, items).astype(np.float32),
    )


def microseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the 99th percentile of a call's time."""
    times = []
    for _ in range(CALLS):
        start = time.thread_time_ns()
        call()
        times.append((time.thread_time_ns() - start) / 1_000)
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def main() -> None:
    """Print one line a catalogue size and length of history."""
    for items in (1_000, 10_000, 100_000):
        model = a_model(items)
        for bought in (0, 50, 150):
            print(f"{items:>7,} items, {bought:>3} bought: {line(model, bought)}")


def line(model: Model, bought: int) -> str:
    """Return what one ranking for a shopper with so many past products costs."""
    allowed = np.ones(len(model.product_ids), dtype=np.bool_)
    history = {product_id: Past(2, product_id % 90) for product_id in range(100, 100 + bought)}
    known = {"customer_id": 7, "history": history, "orders": 40} if bought else {}

    def rank() -> object:
        return model.rank([1, 2, 3], k=50, allowed=allowed, keep=first_three, **known)  # type: ignore[arg-type]

    def dot() -> object:
        return model.item_embeddings @ model.customer_embeddings[0]

    rank()  # derives what is kept between calls
    (p50, p99), (plain, _) = microseconds(rank), microseconds(dot)
    size = f"{megabytes(model):.0f} MB"
    return f"rank p50 {p50:.0f} µs, p99 {p99:.0f} µs; plain product p50 {plain:.0f} µs; {size}"


def first_three(product_ids: list[int], _: list[float]) -> list[int]:
    """Return which of the ranked are shown."""
    return list(range(min(3, len(product_ids))))


def megabytes(model: Model) -> float:
    """Return what the model's arrays take."""
    return sum(value.nbytes for value in vars(model).values() if isinstance(value, np.ndarray)) / 1e6


if __name__ == "__main__":
    main()
