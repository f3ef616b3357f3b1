"""How good the recipe is on orders it has not seen: chosen on later orders, tested on the last ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.recommend.assemble import Recipe, assemble, default_recipe
from app.recommend.baselines import Tops, cosine_tops, learned_tops, popularity_tops, repeats_tops
from app.recommend.blend import choose_cosine, choose_weights
from app.recommend.cases import Case, make_cases
from app.recommend.dataset import Baskets, Dataset, Split
from app.recommend.fit import Embeddings, FitParameters, fit, no_embeddings
from app.recommend.metrics import hit_at_k, ndcg_at_k, paired_interval, recall_at_k
from app.recommend.model import Model
from app.recommend.neighbours import cosine
from app.recommend.progress import OnProgress, Progress, quiet
from app.recommend.report import OURS, Figures, Report
from app.recommend.store import read_files

MOST_TEST_CASES = 3_000
MOST_CHOOSING_CASES = 1_000
FEWEST_CASES = 20
K = 10

Metric = Callable[[Sequence[int], Collection[int], int], float]


def evaluate_files(
    orders: Path,
    products: Path | None = None,
    *,
    progress: OnProgress = quiet,
    seed: int = 0,
    parameters: FitParameters | None = None,
) -> Report:
    """Return the evaluation of the recipe on a merchant's own files (CSV or Parquet).

    Raises InputError when a file can't be used or holds too few orders to hold any out.
    """
    progress(Progress("reading", 0, 1))
    dataset = read_files(orders, products)
    report = hold_out(dataset, replace(parameters or FitParameters(), seed=seed), progress)
    if report is None:
        raise InputError(
            f"{orders}: {len(dataset.baskets)} orders leave fewer than {FEWEST_CASES} later ones "
            "of two products or more to test on",
            "orders",
        )
    return report


def hold_out(dataset: Dataset, parameters: FitParameters, progress: OnProgress = quiet) -> Report | None:
    """Return the report on the last tenth of the orders, None when that holds fewer than 20 cases."""
    split = dataset.split()
    before = dataset.baskets.between(0, len(split.train) + len(split.validation))
    cases = make_cases(dataset, before, split.test, most=MOST_TEST_CASES, seed=parameters.seed)
    if len(cases) < FEWEST_CASES:
        return None
    model, recipe = _chosen(dataset, split, parameters, progress)
    progress(Progress("testing", 0, 1))
    tops = rankings(dataset, split.train, model, recipe, cases)
    progress(Progress("testing", 1, 1))
    return _report(dataset, recipe, cases, tops, parameters.seed)


def embeddings_for(
    dataset: Dataset,
    baskets: Baskets,
    recipe: Recipe,
    parameters: FitParameters,
    stage: str,
    progress: OnProgress,
) -> Embeddings:
    """Return what LightFM learns when the recipe wants it, else embeddings of no dimension."""
    if recipe.basis != "blend":
        return no_embeddings(len(dataset.items))
    return fit(
        dataset.items,
        len(dataset.customer_ids),
        baskets,
        parameters,
        lambda done: progress(Progress(stage, done, parameters.epochs)),
    )


def rankings(
    dataset: Dataset, train: Baskets, model: Model, recipe: Recipe, cases: Sequence[Case]
) -> dict[str, Tops]:
    """Return each model's ten best for every case; ours through the very call that serves."""
    ids, popularity = dataset.items.product_ids, model.popularity
    similar = cosine(train, len(ids), int(train.times[-1]), recipe.cosine)
    tops = {OURS: [_served(model, case) for case in cases]}
    if model.item_embeddings.shape[1]:
        tops["lightfm"] = learned_tops(model, cases, K)
    tops["cosine"] = cosine_tops(ids, similar, cases, K)
    tops["popularity"] = popularity_tops(ids, popularity, cases, K)
    if len(dataset.customer_ids):
        tops["repeats"] = repeats_tops(ids, popularity, cases, K)
    return tops


def _chosen(
    dataset: Dataset, split: Split, parameters: FitParameters, progress: OnProgress
) -> tuple[Model, Recipe]:
    """Return the model of the training orders, with what the validation orders chose."""
    recipe = default_recipe(split.train)
    seed = parameters.seed + 1
    cases = make_cases(dataset, split.train, split.validation, most=MOST_CHOOSING_CASES, seed=seed)
    if recipe.basis in ("popularity", "content") or len(cases) < FEWEST_CASES:
        embeddings = embeddings_for(dataset, split.train, recipe, parameters, "learning to test", progress)
        return assemble(dataset, split.train, recipe, embeddings), recipe
    progress(Progress("choosing", 0, 2))
    recipe = replace(recipe, cosine=choose_cosine(dataset.items, split.train, cases))
    embeddings = embeddings_for(dataset, split.train, recipe, parameters, "learning to test", progress)
    progress(Progress("choosing", 1, 2))
    model = assemble(dataset, split.train, recipe, embeddings)
    weights = choose_weights(model, cases)
    progress(Progress("choosing", 2, 2))
    basis = recipe.basis if weights.learned else "neighbours"
    return replace(model, weights=weights, basis=basis), replace(recipe, weights=weights, basis=basis)


def _served(model: Model, case: Case) -> list[int]:
    ranked = model.rank(case.cart, k=K, customer_id=case.customer_id, history=case.history)
    return [scored.product_id for scored in ranked]


def _report(
    dataset: Dataset, recipe: Recipe, cases: Sequence[Case], tops: dict[str, Tops], seed: int
) -> Report:
    ndcg = {name: _by_case(ndcg_at_k, cases, ranked, 10) for name, ranked in tops.items()}
    return Report(
        basis=recipe.basis,
        weights=recipe.weights,
        cosine=recipe.cosine,
        cases=len(cases),
        seed=seed,
        counts=dict(dataset.counts),
        figures={name: _figures(cases, ranked, len(dataset.items)) for name, ranked in tops.items()},
        differences={
            name: paired_interval(ndcg[OURS], theirs, seed) for name, theirs in ndcg.items() if name != OURS
        },
    )


def _figures(cases: Sequence[Case], tops: Tops, items: int) -> Figures:
    return Figures(
        recall_at_10=float(_by_case(recall_at_k, cases, tops, 10).mean()),
        ndcg_at_10=float(_by_case(ndcg_at_k, cases, tops, 10).mean()),
        hit_at_4=float(_by_case(hit_at_k, cases, tops, 4).mean()),
        coverage=len({product_id for ranked in tops for product_id in ranked}) / items,
    )


def _by_case(metric: Metric, cases: Sequence[Case], tops: Tops, k: int) -> NDArray[np.float64]:
    return np.array([metric(ranked, case.wanted, k) for case, ranked in zip(cases, tops, strict=True)])
