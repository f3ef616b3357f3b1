"""Training: hold out, choose, test, then learn from every order what will serve."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version

from app.errors import InputError
from app.recommend.assemble import Recipe, assemble, default_recipe
from app.recommend.card import OURS, Card, Difference
from app.recommend.dataset import Dataset
from app.recommend.duel import Champion
from app.recommend.evaluate import embeddings_for, hold_out
from app.recommend.fit import FitParameters
from app.recommend.gate import decide
from app.recommend.metrics import Interval
from app.recommend.model import Model
from app.recommend.progress import OnProgress, quiet
from app.recommend.report import Report
from app.recommend.terms import Weights
from app.wording import wording

# What a plain way weighs that is a model of its own; of equally good ones the first.
ALONE = {
    wording("popularity"): Weights(together=0.0, popular=1.0),
    wording("weighted cosine"): Weights(together=1.0),
    wording("own repeats"): Weights(together=0.0, times=4.0, bought=2.0, popular=0.5),
}
LIBRARIES = ("lightfm-next", "numpy", "polars", "scipy")


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """A model and its card, ready for `publish`."""

    model: Model
    card: Card


def train(
    dataset: Dataset,
    parameters: FitParameters,
    trained_at: datetime,
    progress: OnProgress = quiet,
    champion: Champion | None = None,
) -> TrainedModel:
    """Return the model of all orders, with the figures the same recipe reached on held-out ones.

    champion: what serves now; its card's decision says whether the new model may take its place. Where it may
    not, a plain way serves that is surely better than the champion, or where there is none: a shop without a
    model shows what is newest.

    Raises InputError when there is neither an order nor a product.
    """
    if not len(dataset.items):
        raise InputError("nothing to learn from: no orders and no products")
    report = hold_out(dataset, parameters, progress, champion=champion)
    if report is not None and not decide(report, report.recipe.basis).publish:
        plain = hold_out(dataset, parameters, progress, champion=champion, plain=_best_plain(report))
        report = plain if champion is None or _is_surely_better(plain) else report
    recipe = _recipe(dataset, report)
    embeddings = embeddings_for(dataset, dataset.baskets, recipe, parameters, "learning to serve", progress)
    model = assemble(dataset, dataset.baskets, recipe, embeddings)
    return TrainedModel(model, _card(dataset, parameters, recipe, report, trained_at, champion))


def _is_surely_better(report: Report | None) -> bool:
    """Return whether what was tested is better than the champion beyond chance."""
    return report is not None and report.duel is not None and report.duel.difference.low > 0


def _best_plain(report: Report) -> Recipe:
    """Return the plain way that did best on the held-out orders, as a recipe."""
    tried = [name for name in ALONE if name in report.figures]
    best = max(tried, key=lambda name: report.figures[name].ndcg_at_10)
    recipe = report.recipe
    return Recipe("neighbours", ALONE[best], recipe.cosine, new_weights=recipe.new_weights)


def _recipe(dataset: Dataset, report: Report | None) -> Recipe:
    if report is None:
        return default_recipe(dataset.baskets)
    return report.recipe


def _card(
    dataset: Dataset, parameters: FitParameters, recipe: Recipe, report: Report | None, trained_at: datetime,
    champion: Champion | None,
) -> Card:  # fmt: skip
    figures = {} if report is None else _figures(report)
    duel = None if report is None else report.duel
    return Card(
        trained_at=trained_at,
        basis=recipe.basis,
        weights=recipe.weights,
        counts=dict(dataset.counts),
        parameters=asdict(parameters) | asdict(recipe.cosine),
        figures=figures,
        decision=decide(report, recipe.basis, None if champion is None else champion.card),
        libraries={name: version(name) for name in LIBRARIES},
        differences=_differences(report),
        champion="" if duel is None else duel.champion,
        champion_difference=None if duel is None else _difference(duel.difference, duel.cases),
    )


def _differences(report: Report | None) -> dict[str, Difference]:
    if report is None:
        return {}
    return {name: _difference(one, report.cases) for name, one in report.differences.items()}


def _difference(interval: Interval, cases: int) -> Difference:
    return Difference(interval.mean, interval.low, interval.high, cases)


def _figures(report: Report) -> dict[str, dict[str, float]]:
    """Return the report's figures for the card: of each model, and of ours on each rung and segment."""
    parts = {f"{OURS}, {name}": one for name, one in (report.rungs | report.segments).items()}
    intervals = {OURS: {"ndcg_low": report.interval.low, "ndcg_high": report.interval.high}}
    return {
        name: {key: value for key, value in asdict(one).items() if value is not None}
        | intervals.get(name, {})
        for name, one in (report.figures | parts).items()
    }
