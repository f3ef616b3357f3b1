"""How long one ranking takes, beside the plain product of the embeddings with a taste.

python benchmarks/recommend.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from app.recommend.model import Model, Weights
from app.recommend.terms import Past

DIMENSIONS, NEIGHBOURS, CALLS = 64, 200, 300


def a_model(items: int) -> Model:
    """Return a model of random numbers in the shapes of a real one."""
    random = np.random.default_rng(0)

    def vectors() -> np.ndarray:
        return random.normal(size=(items, DIMENSIONS)).astype(np.float32)

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
    )


def microseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the 99th percentile of a call's time."""
    times = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - start) / 1_000)
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def main() -> None:
    """Print one line a catalogue size."""
    history = {product_id: Past(2, product_id - 100) for product_id in range(100, 150)}
    for items in (1_000, 10_000, 100_000):
        model = a_model(items)
        allowed = np.ones(items, dtype=np.bool_)
        model.rank([1], history=history)  # derives what is kept between calls

        def rank(model: Model = model, allowed: np.ndarray = allowed) -> object:
            return model.rank([1, 2, 3], customer_id=7, history=history, allowed=allowed)

        def dot(model: Model = model) -> object:
            return model.item_embeddings @ model.customer_embeddings[0]

        (p50, p99), (plain, _) = microseconds(rank), microseconds(dot)
        print(f"{items:>7,} items: rank p50 {p50:.0f} µs, p99 {p99:.0f} µs; plain product p50 {plain:.0f} µs")


if __name__ == "__main__":
    main()
