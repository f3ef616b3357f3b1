"""How good the recipe is on orders it has not seen: chosen on later orders, tested on the last ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import InputError
from app.recommend import rivals
from app.recommend.assemble import Recipe, assemble, default_recipe, recipe_of
from app.recommend.baselines import Scorer, by_embeddings, by_popularity, by_repeats, by_similarity, tops_of
from app.recommend.blend import choose_cosine, weigh
from app.recommend.card import OURS
from app.recommend.cases import Case, make_cases
from app.recommend.dataset import Baskets, Dataset, Split
from app.recommend.duel import Champion, Duel, duel
from app.recommend.fit import Embeddings, FitParameters, fit, fit_customers, no_embeddings
from app.recommend.judge import (
    K,
    RankingMetrics,
    Recommendations,
    TestSet,
    ranked,
    recommendations_of,
    served_recommendations,
    test_set_of,
)
from app.recommend.model import Model
from app.recommend.neighbours import CosineParameters, cosine, with_cold_items
from app.recommend.progress import OnProgress, Step, quiet
from app.recommend.report import Report, report_on
from app.recommend.store import read_files
from app.wording import wording

MOST_TEST_CASES = 3_000
MOST_CHOOSING_CASES = 6_000
FEWEST_CASES = 20
COLD_SHARE = 0.05
FEWEST_ITEMS_FOR_COLD = 100
BEST_SELLERS = 0.01  # never taken out: nothing new sells like them, and every cart would miss them

Named = tuple[str, Callable[[], Scorer | None], bool]


@dataclass(frozen=True, slots=True, eq=False)
class TestSetup:
    """What a test is made from. before: the orders of train and validation, without the cold items."""

    dataset: Dataset
    train: Baskets
    before: Baskets
    recipe: Recipe
    model: Model
    parameters: FitParameters


def evaluate_files(
    orders: Path,
    products: Path | None = None,
    *,
    progress: OnProgress = quiet,
    seed: int = 0,
    parameters: FitParameters | None = None,
) -> Report:
    """Return the evaluation of the recipe on a merchant's own files (CSV or Parquet), beside every rival.

    Raises InputError when a file can't be used or holds too few orders to hold any out.
    """
    progress(Step("reading", 0, 1))
    dataset = read_files(orders, products)
    chosen = replace(parameters or FitParameters(), seed=seed)
    report = hold_out(dataset, chosen, progress, beside_rivals=True)
    if report is None:
        raise InputError(
            f"{orders}: {len(dataset.baskets)} orders leave fewer than {FEWEST_CASES} later ones "
            "of two products or more to test on",
            "orders",
        )
    return report


def hold_out(
    dataset: Dataset,
    parameters: FitParameters,
    progress: OnProgress = quiet,
    *,
    beside_rivals: bool = False,
    champion: Champion | None = None,
    plain: Recipe | None = None,
) -> Report | None:
    """Return the report on the last tenth of the orders, None when that holds fewer than 20 cases.

    beside_rivals: run the stronger models of others too, which takes longer than all the rest.
    champion: what serves now; the report then says how the challenger does beside it.
    plain: what to test; None: what the orders before choose.
    """
    split, gone = _without_some(dataset.split(), len(dataset.items), parameters.seed)
    before = split.train.and_then(split.validation.without(gone))
    cases = make_cases(dataset, before, split.test, most=MOST_TEST_CASES, seed=parameters.seed)
    if len(cases) < FEWEST_CASES or not len(split.train):
        return None
    if plain is None:
        recipe, embeddings = _chosen(dataset, split, gone, parameters, progress)
    else:
        recipe, embeddings = plain, no_embeddings(len(dataset.items))
    # What serves has fresh neighbours and best sellers, and so has what is tested.
    tested = assemble(dataset, before, recipe, embeddings)
    setup = TestSetup(dataset, split.train, before, recipe, tested, parameters)
    test_set = test_set_of(dataset.items.product_ids, tested.kinds, tested.orders, cases)
    answers = _answers(setup, test_set, progress, beside_rivals=beside_rivals)
    report = report_on(tested, recipe, test_set, answers, parameters.seed, dict(dataset.counts))
    up_to_date = before.and_then(split.test.without(gone))
    live = make_cases(dataset, up_to_date, split.test, most=MOST_TEST_CASES, seed=parameters.seed)
    return replace(
        report,
        live=_live(tested, replace(test_set, cases=tuple(live))),
        duel=_duel(setup, champion, split.test, progress) if champion else None,
    )


def _duel(setup: TestSetup, champion: Champion, test: Baskets, progress: OnProgress) -> Duel | None:
    """Return how the recipe compares with the champion on later orders of the test.

    It is trained as it would serve: the champion has learnt nearly all orders too.
    """

    def learnt_until(baskets: Baskets) -> Model:
        stage, recipe = "learning to test", setup.recipe
        learnt = embeddings_for(setup.dataset, baskets, recipe, setup.parameters, stage, progress)
        return assemble(setup.dataset, baskets, recipe, learnt)

    return duel(champion, setup.dataset, test, learnt_until, setup.parameters.seed)


def _live(model: Model, test_set: TestSet) -> dict[str, RankingMetrics]:
    """Return ours and the shopper's repeats when each cart knows all that the shopper bought before it."""
    repeats = tops_of(
        by_repeats(test_set.product_ids, model.popularity), test_set.product_ids, test_set.cases, K
    )
    ours = [ranked(model, case) for case in test_set.cases]
    return {
        name: test_set.of(test_set.cases, tops) for name, tops in ((OURS, ours), ("own repeats", repeats))
    }


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
        lambda done: progress(Step(stage, done, parameters.epochs)),
    )


def _without_some(split: Split, items: int, seed: int) -> tuple[Split, NDArray[np.bool_]]:
    """Return the split with a twentieth of the sold items taken out of training, and which these are."""
    gone = np.zeros(items, dtype=np.bool_)
    orders = np.bincount(split.train.items, minlength=items)
    sold = np.argsort(-orders, kind="stable")[: int((orders > 0).sum())]
    if len(sold) >= FEWEST_ITEMS_FOR_COLD:
        ordinary = sold[int(len(sold) * BEST_SELLERS) :]
        gone[np.random.default_rng(seed).permutation(ordinary)[: int(len(sold) * COLD_SHARE)]] = True
    return Split(split.train.without(gone), split.validation, split.test), gone


def _chosen(
    dataset: Dataset,
    split: Split,
    gone: NDArray[np.bool_],
    parameters: FitParameters,
    progress: OnProgress,
) -> tuple[Recipe, Embeddings]:
    """Return what the validation orders chose, and what was learnt from the training orders."""
    recipe = default_recipe(split.train)
    seed = parameters.seed + 1
    earlier, later = _to_choose_with(split, recipe)
    cases = cases_to_choose_with(dataset, earlier, later, gone, seed)
    choosing = recipe.basis in ("blend", "neighbours") and len(cases) >= FEWEST_CASES
    if choosing:
        progress(Step("choosing", 0, 2))
        recipe = replace(recipe, cosine=choose_cosine(dataset.items, earlier, cases))
    embeddings = embeddings_for(dataset, earlier, recipe, parameters, "learning to test", progress)
    if choosing:
        progress(Step("choosing", 1, 2))
        model = weigh(assemble(dataset, earlier, recipe, embeddings), cases, seed)
        recipe = recipe_of(model, recipe.cosine)
        progress(Step("choosing", 2, 2))
    return recipe, embeddings


def cases_to_choose_with(
    dataset: Dataset, earlier: Baskets, later: Baskets, gone: NDArray[np.bool_], seed: int
) -> list[Case]:
    """Return the carts to choose with; each knows what its shopper bought until then, as when serving."""
    until_then = earlier.and_then(later.without(gone))
    return make_cases(dataset, until_then, later, most=MOST_CHOOSING_CASES, seed=seed)


def _to_choose_with(split: Split, recipe: Recipe) -> tuple[Baskets, Baskets]:
    """Return the orders to count and the later ones to choose with; halves where the split has few."""
    few = int((split.validation.sizes >= 2).sum()) < FEWEST_CASES
    if recipe.basis != "neighbours" or not few:
        return split.train, split.validation
    known = split.train.and_then(split.validation)
    half = len(known) // 2
    return known.between(0, half), known.between(half, len(known))


def _answers(
    setup: TestSetup, test_set: TestSet, progress: OnProgress, *, beside_rivals: bool
) -> dict[str, Recommendations]:
    """Return each model's answers; ours through the very call that serves."""
    scorers = [*_plain(setup), *(_rivals(setup, progress) if beside_rivals else ())]
    progress(Step("testing", 0, len(scorers) + 1))
    answers = {OURS: served_recommendations(setup.model, test_set)}
    for done, (name, scorer_of, knows_cold) in enumerate(scorers, start=1):
        progress(Step("testing", done, len(scorers) + 1))
        if (scorer := scorer_of()) is not None:
            answers[name] = recommendations_of(scorer, test_set, knows_cold=knows_cold)
    progress(Step("testing", len(scorers) + 1, len(scorers) + 1))
    return answers


def _plain(setup: TestSetup) -> Iterator[Named]:
    """Yield the baselines that cost next to nothing: name, scorer, whether it knows cold items."""
    items, model, ids = setup.dataset.items, setup.model, setup.dataset.items.product_ids
    now = int(setup.before.times[-1])
    weighted = cosine(setup.before, len(ids), now, setup.recipe.cosine)
    yield wording("popularity"), lambda: by_popularity(model.popularity), False
    yield (
        wording("weighted cosine"),
        lambda: by_similarity(ids, with_cold_items(weighted, items, model.orders > 0)),
        True,
    )
    if model.item_embeddings.shape[1]:
        yield wording("LightFM of carts"), lambda: by_embeddings(model), True
    if len(setup.dataset.customer_ids):
        yield wording("own repeats"), lambda: by_repeats(ids, model.popularity), False


def _rivals(setup: TestSetup, progress: OnProgress) -> Iterator[Named]:
    """Yield the models of others."""
    dataset, before, parameters = setup.dataset, setup.before, setup.parameters
    items, now = dataset.items, int(before.times[-1])
    plain = CosineParameters(size_power=0.0, popularity_power=0.5)
    yield "cosine", lambda: by_similarity(items.product_ids, cosine(before, len(items), now, plain)), False
    yield "EASE", lambda: rivals.ease(items, before), False
    if rivals.implicit_installed():
        yield "implicit TF-IDF", lambda: rivals.implicit_tfidf(items, before), False
        yield "implicit ALS", lambda: rivals.implicit_als(items, before, parameters.seed), False
    if len(dataset.customer_ids):
        yield wording("plain LightFM"), lambda: _plain_lightfm(setup, progress), True


def _plain_lightfm(setup: TestSetup, progress: OnProgress) -> Scorer:
    dataset, parameters = setup.dataset, setup.parameters
    embeddings = fit_customers(
        dataset.items, len(dataset.customer_ids), setup.train, parameters,
        lambda done: progress(Step("plain LightFM", done, parameters.epochs)),
    )  # fmt: skip
    return rivals.plain_lightfm(dataset.customer_ids, embeddings)
