"""LightFM goes on with new orders, between trainings in full: the same weights, newer embeddings. Pure.

The challenger is held to the newest of the new orders, which neither it nor the champion has learnt from.
Only if it does better there does it learn those as well, and serve.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec
import numpy as np

from app.recommend.card import Card, Decision, Difference
from app.recommend.cases import make_cases
from app.recommend.dataset import Baskets, Dataset
from app.recommend.duel import Champion
from app.recommend.fit import Embeddings, FitParameters, fit_on
from app.recommend.judge import ndcg_of
from app.recommend.metrics import paired_interval
from app.recommend.model import Model
from app.recommend.progress import OnProgress, Step, quiet
from app.recommend.recount import aligned, recounted
from app.recommend.train import TrainedModel
from app.wording import wording

FEWEST_NEW = 50
TEST_SHARE = 0.2
FEWEST_CASES, MOST_CASES = 20, 3_000
EPOCHS = 3
# Old orders that are learnt again beside each new one, so that what they taught is not forgotten.
AGAIN = 2


def resume(
    champion: Champion,
    dataset: Dataset,
    parameters: FitParameters,
    resumed_at: datetime,
    progress: OnProgress = quiet,
) -> TrainedModel | None:
    """Return the model that has learnt the new orders as well, None when too few are new to tell.

    Its card's decision says whether it may serve; the figures are those of the training in full.
    """
    old, new = _parted(dataset.baskets, int(champion.card.trained_at.timestamp()))
    if len(new) < FEWEST_NEW or not champion.model.item_embeddings.shape[1]:
        return None
    cut = len(new) - max(1, int(len(new) * TEST_SHARE))
    learnt, test = new.between(0, cut), new.between(cut, len(new))
    until = old.and_then(learnt)
    cases = make_cases(dataset, until, test, most=MOST_CASES, seed=parameters.seed)
    if len(cases) < FEWEST_CASES:
        return None
    progress(Step("going on", 0, 2))
    as_of = replace(dataset, baskets=until)
    theirs = recounted(champion.model, champion.card, as_of)
    ours = _went_on(theirs, as_of, old, learnt, parameters)
    progress(Step("going on", 1, 2))
    found = paired_interval(ndcg_of(ours, cases), ndcg_of(theirs, cases), parameters.seed)
    difference = Difference(found.mean, found.low, found.high, len(cases))
    card = _card(champion.card, dataset, difference, len(new), resumed_at)
    if not card.decision.publish:
        return TrainedModel(theirs, card)
    fresh = recounted(champion.model, champion.card, dataset)
    model = _went_on(fresh, dataset, old, new, parameters)
    progress(Step("going on", 2, 2))
    return TrainedModel(model, card)


def _went_on(fresh: Model, dataset: Dataset, old: Baskets, new: Baskets, parameters: FitParameters) -> Model:
    """Return the model with embeddings that have met the new baskets too."""
    before = np.bincount(old.items, minlength=len(dataset.items)).astype(np.int32)
    baskets = _sample(old, AGAIN * len(new), parameters.seed).and_then(new)
    went_on = fit_on(_start(fresh, dataset), before, baskets, replace(parameters, epochs=EPOCHS))
    sold = (np.bincount(dataset.baskets.items, minlength=len(dataset.items)) > 0)[:, None]
    seen = np.isin(np.arange(len(dataset.customer_ids)), dataset.baskets.customers)
    return replace(
        fresh,
        item_embeddings=went_on.items,
        item_biases=went_on.item_biases,
        cart_embeddings=np.where(sold, went_on.carts, 0).astype(np.float32),
        customer_ids=dataset.customer_ids[seen],
        customer_embeddings=went_on.customers[seen],
    )


def _start(fresh: Model, dataset: Dataset) -> Embeddings:
    """Return the embeddings of every product and customer there is; new customers begin at nought."""
    customers = np.zeros((len(dataset.customer_ids), fresh.item_embeddings.shape[1]), dtype=np.float32)
    if len(fresh.customer_ids):
        at, known = aligned(fresh.customer_ids, dataset.customer_ids)
        customers[known] = fresh.customer_embeddings[at[known]]
    return Embeddings(fresh.item_embeddings, fresh.item_biases, fresh.cart_embeddings, customers)


def _parted(baskets: Baskets, learnt_until: int) -> tuple[Baskets, Baskets]:
    first = int(np.searchsorted(baskets.times, learnt_until, side="right"))
    return baskets.between(0, first), baskets.between(first, len(baskets))


def _sample(baskets: Baskets, most: int, seed: int) -> Baskets:
    """Return so many of the baskets at random, in their order."""
    if len(baskets) <= most:
        return baskets
    chosen = np.sort(np.random.default_rng(seed).choice(len(baskets), most, replace=False))
    sizes = baskets.sizes[chosen]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    at = np.repeat(baskets.indptr[chosen] - indptr[:-1], sizes) + np.arange(indptr[-1])
    return Baskets(indptr, baskets.items[at], baskets.times[chosen], baskets.customers[chosen])


def _card(champion: Card, dataset: Dataset, found: Difference, new: int, resumed_at: datetime) -> Card:
    better = found.mean > 0
    says = wording(
        f"went on with {new} new orders: NDCG@10 {found.mean:+.4f} on {found.cases} of their carts"
    )
    return msgspec.structs.replace(
        champion,
        trained_at=resumed_at,
        counts=dict(dataset.counts),
        decision=Decision(better, says),
        champion=champion.version,
        champion_difference=found,
        learnt_in_full_at=champion.learnt_in_full_at or champion.trained_at,
    )
