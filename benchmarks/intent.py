"""How well a purchase is predicted, whom a coupon changes, and what both cost: what docs/intent.md states.

python -m benchmarks.intent                                 prints the figures
python -m benchmarks.intent --clickstream WHEEL             with the public clickstream's, see clickstream.py
python -m benchmarks.intent --clickstream WHEEL --write     puts them into docs/intent.md
python -m benchmarks.intent --clickstream WHEEL --prior     makes app/intent/prior.json anew
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from app.intent import uplift_training
from app.intent.features import InCart, PageSignals, features_of
from app.intent.fitting import log_losses
from app.intent.judging import HeadReport, judged
from app.intent.model import Head, IntentModel
from app.intent.moments import BrowserHistory, moments_of
from app.intent.prior import FILE, PRIOR, PriorFile
from app.intent.rates import rate
from app.intent.table import Table, halves, table_of
from app.intent.training import chances, fit, fit_prior, head_of, uninformed_model
from app.intent.uplift import UpliftModel
from app.intent.worth import bought_anyway_said, threshold, worth
from app.offers.wire import read_question
from app.profiles.classifier_training import ClassifierMetrics, figures
from app.profiles.visit import Visit
from benchmarks.clickstream import clickstream, last_moment
from benchmarks.shop_with_truth import OVER, browsing, checkouts_and_truth, deciders, features, shoppers
from benchmarks.simulated_shop import figures as policy_figures
from benchmarks.simulated_shop import random_exposures

DOCS = Path(__file__).parents[1] / "docs" / "intent.md"
BEGIN, END = "<!-- figures: python -m benchmarks.intent --write -->", "<!-- end of figures -->"
# The clickstream has one kind of checkout, few products a cart and no prices: of these it says nothing.
UNREAD = (
    "units", "value", "removed", "searches_empty", "coupon_failures", "steps_back", "exit_intents",
)  # fmt: skip
VISITS, GROWING = 4_000, (300, 1_000, 4_000)
LATER = 3_000
EXPOSURES = (1_500, 4_000, 12_000, 30_000)
TIMED = 2_000


def main() -> None:
    """Measure everything; print it, or write it into the document, or make the prior."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intent", description=__doc__)
    parser.add_argument("--clickstream", type=Path, help="retentioneering's wheel")
    parser.add_argument("--write", action="store_true", help=f"replace the figures in {DOCS.name}")
    parser.add_argument("--prior", action="store_true", help=f"make {FILE.name} anew")
    asked = parser.parse_args()
    if asked.prior:
        make_prior(asked.clickstream)
        return
    lines = []
    for line in _figures(asked.clickstream):
        print(line, flush=True)
        lines.append(line)
    if asked.write:
        before, rest = DOCS.read_text("utf-8").split(BEGIN)
        figures_now = "\n".join(lines)
        DOCS.write_text(f"{before}{BEGIN}\n{figures_now}\n{END}{rest.split(END)[1]}", "utf-8")


def make_prior(wheel: Path) -> None:
    """Write the shared model and its card."""
    table = _public(wheel)
    card = {
        "made_from": "retentioneering 5.2.4, datasets/ecom.csv.gz: a made-up clickstream (Apache-2.0); "
        "events renamed as benchmarks/clickstream.py says, nothing of it is kept here but these weights",
        "made_by": "python -m benchmarks.intent --clickstream WHEEL --prior",
        "visits": table.visits,
        "purchases": table.purchases,
        "moments": len(table),
        "unread": UNREAD,
        "figures": {name: msgspec.to_builtins(each) for name, each in _prior_figures(table).items()},
        "figures_of": "the same procedure from the first 70 % of visits, on the latest 30 %",
    }
    shared = PriorFile(card, _rounded(fit_prior(table, UNREAD)))
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(shared)) + b"\n")


def _figures(wheel: Path | None) -> Iterator[str]:
    shop = _shop(VISITS, seed=0)
    yield from _predicted({"made-up shop": shop} | ({"public clickstream": _public(wheel)} if wheel else {}))
    yield from _growing()
    yield from _against_truth()
    yield from _changed()
    yield from _thresholds()
    yield "\n### What the policy earns\n"
    yield from policy_figures()
    yield from _times()


def _predicted(tables: dict[str, Table]) -> Iterator[str]:
    yield "\n### Purchases predicted on the latest 30 % of visits\n"
    yield "| visits | probability | moments | bought after | by | ROC AUC | PR AUC | calibration error |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, table in tables.items():
        # The shared model was made from the clickstream, and is no judge of it.
        report = judged(table, PRIOR if name == "made-up shop" else uninformed_model())
        for head, told in report.heads.items():
            for by, each in _rivals(told, name == "made-up shop"):
                yield (
                    f"| {name} | {head} | {told.moments:,} | {told.share:.1%} | {by} | {each.auc:.3f} "
                    f"| {each.pr_auc:.3f} | {each.ece:.4f} |"
                )
        yield f"| | | | | {report.reason} | | | |"


def _rivals(told: HeadReport, with_prior: bool) -> Iterator[tuple[str, ClassifierMetrics]]:
    yield f"ours ({told.kind})", told.ours
    if with_prior:
        yield "the shared model", told.prior
    yield "step and cart alone", told.rule
    if told.cart_alone is not None:
        yield "ours, nothing known of the visit, in a checkout", told.cart_alone
    yield "with what leaks the outcome", told.leaky


def _growing() -> Iterator[str]:
    yield f"\n### A shop that grows: cost of a moment on {LATER:,} later visits, in nats\n"
    yield "| visits | purchases | ours | shared model alone | without the shared model | ours served |"
    yield "|---|---|---|---|---|---|"
    later = _shop(LATER, seed=99)
    for visits in GROWING:
        table = _shop(visits, seed=visits)
        report = judged(table, PRIOR)
        own = {name: fit(table, prior) for name, prior in (("ours", PRIOR), ("bare", uninformed_model()))}
        costs = [_cost(model, later) for model in (own["ours"], PRIOR, own["bare"])]
        told = " | ".join(f"{each:.4f}" for each in costs)
        yield f"| {visits:,} | {table.purchases:,} | {told} | {'yes' if report.publish else 'no'} |"


def _against_truth() -> Iterator[str]:
    """Yield how far what is predicted right after an event in a checkout is from the true probability."""
    model, (rows, truth) = fit(_shop(VISITS, seed=1), PRIOR), checkouts_and_truth(VISITS, seed=2)
    yield f"\n### Against the truth of the made-up shop, {len(truth):,} moments in a checkout\n"
    yield "| by | predicted on average | the truth | of its variance told | mean distance |"
    yield "|---|---|---|---|---|"
    for by, head in (("ours", model.ever), ("the shared model", PRIOR.ever)):
        predicted = chances(head, rows)
        told, apart = np.corrcoef(predicted, truth)[0, 1] ** 2, np.abs(predicted - truth).mean()
        yield f"| {by} | {predicted.mean():.3f} | {truth.mean():.3f} | {told:.0%} | {apart:.3f} |"


def _changed() -> Iterator[str]:
    yield "\n### Whom the coupon changes, on the latest 30 % of exposures\n"
    yield "| exposures | average effect | Qini of ours | of ranking by intent | AUUC | at random | serves |"
    yield "|---|---|---|---|---|---|---|"
    for count in EXPOSURES:
        given, truth = random_exposures(count, seed=count)
        _, report = uplift_training.train("bench", given)
        if report.average is None or report.ours is None or report.response is None:
            yield f"| {count:,} | – | – | – | – | – | the rule: {report.reason} |"
            continue
        ours, other, mean = report.ours, report.response, report.average
        yield (
            f"| {count:,} | {mean.mean:+.3f} [{mean.low:+.3f}, {mean.high:+.3f}], truly {truth:+.3f} "
            f"| {ours.value:+.4f} [{ours.low:+.4f}, {ours.high:+.4f}] "
            f"| {other.value:+.4f} [{other.low:+.4f}, {other.high:+.4f}] "
            f"| {ours.auuc:.4f} [{ours.auuc_low:.4f}, {ours.auuc_high:.4f}] | {ours.auuc - ours.value:.4f} "
            f"| {report.basis} |"
        )


def _thresholds() -> Iterator[str]:
    """Yield a threshold, and what came of it among those held back."""
    random = np.random.default_rng(5)
    given, _ = random_exposures(12_000, seed=5)
    model, _ = uplift_training.train("bench", given)
    assert model is not None
    best = max(model.effects, key=lambda each: each.mean)
    limit = threshold(2_000, 600, best.mean)
    yield "\n### A threshold\n"
    yield f"An order that leaves 20.00, a coupon of 6.00, an effect of {best.mean:+.3f}:"
    yield f"it pays while fewer than {limit:.1%} would buy anyway."
    of = deciders(40_000, random)
    bought = random.random(len(of)) < of.buys
    fires = np.array(
        [worth(2_000, 600, model.without(row), model.effect(row)).give for row in features(of).tolist()]
    )
    held = fires & (random.random(len(of)) < 0.1)
    measured = rate(int(bought[held].sum()), int(held.sum()))
    truth = f"The truth is {of.buys[fires].mean():.1%}; of all, {of.buys.mean():.1%} buy."
    yield f"\n{bought_anyway_said(measured)} {truth}"


def _times() -> Iterator[str]:
    visit = Visit(
        visits=2, began_at=1, last_at=900, dwell_s=800, pages=9, products=4, searches=1, added=2, step=2
    )
    table = _shop(3_000, seed=3)
    trees = fit(table, PRIOR)
    row = features_of(visit, InCart(2, 80.0), PageSignals(), 960.0)
    given, _ = random_exposures(12_000, seed=5)
    model, _ = uplift_training.train("bench", given)
    assert model is not None
    changes: UpliftModel = model
    body = _question()
    calls: dict[str, Callable[[], object]] = {
        "reading a question of 6 lines, to compare with": lambda: read_question(body),
        "features of a visit": lambda: features_of(visit, InCart(2, 80.0), PageSignals(), 960.0),
        "both probabilities, shared model": lambda: PRIOR.chances(row),
        f"both probabilities, {_kind(trees)}": lambda: trees.chances(row),
        "a coupon's worth": lambda: worth(2_000, 600, changes.without(row), changes.effect(row)),
    }
    taken = {what: _microseconds(call) for what, call in calls.items()}
    whole = sum(taken[what] for what in list(taken)[1:2] + list(taken)[3:])
    question = next(iter(taken.values()))
    yield "\n### What a decision costs (this machine, one core)\n"
    yield "| what | median µs | of a question's reading |"
    yield "|---|---|---|"
    for what, each in taken.items():
        yield f"| {what} | {each:.1f} | {each / question:.2f} |"
    yield f"| **features, both probabilities and a coupon's worth** | {whole:.1f} | {whole / question:.2f} |"


def _kind(model: IntentModel) -> str:
    return "the shop's trees" if model.soon.trees or model.ever.trees else "the shop's own weights"


def _shop(visits: int, seed: int) -> Table:
    random = np.random.default_rng(seed)
    told = [each for each, _ in browsing(shoppers(visits, random), random)]
    return _table(told, OVER)


def _public(wheel: Path) -> Table:
    told = clickstream(wheel)
    return _table(told, last_moment(told))


def _table(told: Sequence[BrowserHistory], now: int) -> Table:
    return table_of([(at, moment) for at, each in enumerate(told) for moment in moments_of(each, now)])


def _prior_figures(table: Table) -> dict[str, ClassifierMetrics]:
    first, later = halves(table, 0.3)
    model, test = fit_prior(table.where(first), UNREAD), table.where(later & ~table.cart_alone)
    return {
        name: figures(test.label(name), chances(head_of(model, name), test.features))
        for name in ("now", "visit")
    }


def _rounded(model: IntentModel) -> IntentModel:
    soon, ever = (
        Head(tuple(round(each, 4) for each in head.weights), round(head.bias, 4))
        for head in (model.soon, model.ever)
    )
    return msgspec.structs.replace(model, soon=soon, ever=ever)


def _cost(model: IntentModel, table: Table) -> float:
    costs: Iterable[float] = (
        float(log_losses(table.label(name), chances(head_of(model, name), table.features)).mean())
        for name in ("now", "visit")
    )
    return statistics.mean(costs)


def _microseconds(call: Callable[[], object]) -> float:
    times = []
    for _ in range(TIMED):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1_000)
    return statistics.median(times)


def _question() -> bytes:
    line = {"product_id": "gid://shopify/Product/1", "variant_id": "2", "quantity": 1, "price": "5.00"}
    cart = {"currency": "USD", "subtotal": "30.00", "lines": [line] * 6}
    return msgspec.json.encode(
        {"surface": "checkout", "checkout_token": "a" * 32, "client_id": "b" * 36, "locale": "en-US",
         "country": "US", "cart": cart, "consent": {"analytics": True, "marketing": True}}
    )  # fmt: skip


if __name__ == "__main__":
    main()
