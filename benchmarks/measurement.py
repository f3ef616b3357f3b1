"""Whether measurement tells the truth, on shoppers whose answer is known: what docs/measurement.md states.

python -m benchmarks.measurement            prints the figures
python -m benchmarks.measurement --write    puts them into docs/measurement.md
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, ttest_ind

from app.experiments.analysis import AnalysisPlan, Comparison, Reading, Verdict, analyse
from app.experiments.assign import Experiment, assign, bucket, with_normalised_shares
from app.experiments.estimates import cuped_means, cuped_theta, difference, mean_of
from app.experiments.metrics import METRICS
from app.experiments.mismatch import Mismatch, check_srm, mismatch
from app.experiments.power import PowerPlan, units_needed
from app.experiments.refusal import Refusal
from app.experiments.units import Units
from benchmarks.known_uplift import World, first, truth, units, without

DOCS = Path(__file__).parents[1] / "docs" / "measurement.md"
BEGIN, END = "<!-- figures: python -m benchmarks.measurement --write -->", "<!-- end of figures -->"
SEEDS = 500
UNITS = 20_000
LOOKS = 30

EVEN = AnalysisPlan(("control", "treated"), (0.5, 0.5), "control")
STANDING = AnalysisPlan(("holdout", "personalised", "static"), (0.05, 0.9, 0.05), "holdout")
NOTHING = (
    World("two even arms", EVEN, (0.0, 0.0)),
    World("two even arms, few and very uneven orders", EVEN, (0.0, 0.0), rate=0.06, spread=1.2),
    World("holdout, personalised, static", STANDING, (0.0, 0.0, 0.0)),
)
SOMETHING = (
    World("two even arms, +10 %", EVEN, (0.0, 0.1)),
    World("holdout, personalised +15 %, static +5 %", STANDING, (0.0, 0.15, 0.05)),
)


@dataclass(slots=True)
class Tally:
    """What happened over the seeds. By metric: in how many runs at any look, and at the last one."""

    runs: int = 0
    decided: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    missed_last: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    plain: int = 0
    others: int = 0
    alarms: int = 0


def main() -> None:
    """Measure everything; print it or write it into the document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measurement", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace the figures in {DOCS.name}")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs of each simulation")
    asked = parser.parse_args()
    figures = "\n".join(_figures(asked.seeds))
    if not asked.write:
        print(figures)
        return
    before, rest = DOCS.read_text("utf-8").split(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n{figures}\n{END}{rest.split(END)[1]}", "utf-8")


def peek(world: World, seeds: int, size: int = UNITS, looks: int = LOOKS) -> Tally:
    """Return what is found by who looks all the time: that often while so many units come in."""
    tally, true = Tally(), truth(world)
    for seed in range(seeds):
        found = units(world, size, np.random.default_rng(seed))
        at = np.unique(np.geomspace(200, size, looks).astype(int))
        seen = [_look(first(found, slice(int(n))), world.plan) for n in at]
        _count(tally, [reading for reading, _ in seen], true, world.plan)
        tally.plain += any(p < world.plan.alpha for _, p in seen)
    return tally


def _look(found: Units, plan: AnalysisPlan) -> tuple[Reading, float]:
    """Return what is read, and the p-value of a plain t-test of revenue in the second arm."""
    control, other = plan.arms.index(plan.control), 1
    p = ttest_ind(
        found.revenue[found.arm == other], found.revenue[found.arm == control], equal_var=False
    ).pvalue
    return analyse(found, plan, found.counts(len(plan.arms))), float(p)


def _count(
    tally: Tally, readings: list[Reading], true: dict[str, tuple[float, ...]], plan: AnalysisPlan
) -> None:
    tally.runs += 1
    tally.alarms += any(isinstance(each.mismatch, Mismatch) and each.mismatch.found for each in readings)
    decided = set()
    for name in METRICS:
        told = [pairs for each in readings if not isinstance(pairs := each.metrics[name], Refusal)]
        if not told:
            continue
        tally.told[name] += 1
        decided |= {name for pairs in told for each in pairs if each.verdict is not Verdict.UNDECIDED}
        tally.missed[name] += any(_misses(pairs, true[name], plan) for pairs in told)
        tally.missed_last[name] += _misses(told[-1], true[name], plan)
    tally.decided.update(decided)
    tally.others += bool(decided - {plan.primary})


def _misses(pairs: tuple[Comparison, ...], true: tuple[float, ...], plan: AnalysisPlan) -> bool:
    return any(
        not each.difference.low <= true[plan.arms.index(each.arm)] <= each.difference.high for each in pairs
    )


def adjustment(seeds: int, size: int = 4_000) -> tuple[float, float, float, float]:
    """Return CUPED's mean shift in standard errors, its variance over the plain one, 1 - rho^2, and the mean
    of its estimated variances over the true one, all as they came out over the seeds.
    """
    world = World("", EVEN, (0.0, 0.1))
    plain, adjusted, estimated, rho2 = [], [], [], []
    for seed in range(seeds):
        found = units(world, size, np.random.default_rng(10_000 + seed))
        of = [found.arm == arm for arm in (0, 1)]
        values, past = [found.revenue[rows] for rows in of], [found.before[rows] for rows in of]
        arms = cuped_means(values, past, cuped_theta(values, past))
        plain.append(difference(mean_of(values[1]), mean_of(values[0])).value)
        effect = difference(arms[1], arms[0])
        adjusted.append(effect.value)
        estimated.append(effect.variance)
        rho2.append(np.corrcoef(found.revenue[of[0]], found.before[of[0]])[0, 1] ** 2)
    shift = np.array(adjusted) - np.array(plain)
    bias = float(shift.mean() / (shift.std(ddof=1) / np.sqrt(seeds)))
    ratio = float(np.var(adjusted, ddof=1) / np.var(plain, ddof=1))
    return bias, ratio, float(1 - np.mean(rho2)), float(np.mean(estimated) / np.var(adjusted, ddof=1))


def bugs(seeds: int, size: int = UNITS) -> dict[str, tuple[int, float]]:
    """Return for each planted bug how many runs it was caught in, and the median units until then."""
    world = NOTHING[0]
    planted = {
        "none": lambda _found: np.zeros(size, dtype=bool),
        "every tenth exposure of one arm is not written down": lambda found: (
            (found.arm == 1) & (np.arange(size) % 10 == 0)
        ),
        "every twentieth": lambda found: (found.arm == 1) & (np.arange(size) % 20 == 0),
        "an arm's slow answers lose those who would have ordered": lambda found: (
            (found.arm == 1) & (found.bought > 0) & (np.arange(size) % 4 == 0)
        ),
    }
    caught: dict[str, tuple[int, float]] = {}
    for name, lost in planted.items():
        at = []
        for seed in range(seeds):
            found = without(units(world, size, np.random.default_rng(20_000 + seed)), lost)
            looks = np.unique(np.geomspace(200, len(found), LOOKS).astype(int))
            splits = ((int(n), np.bincount(found.arm[:n], minlength=2)) for n in looks)
            at.append(next((n for n, counts in splits if mismatch(counts.tolist(), EVEN.shares).found), 0))
        stopped = [n for n in at if n]
        caught[name] = len(stopped), float(np.median(stopped)) if stopped else float("nan")
    return caught


def wrong_hash(size: int = UNITS) -> tuple[float, float]:
    """Return the mismatch p-value of a ramp of half the units drawn rightly, and by the arms' own hash."""
    of = Experiment("shop experiment 1", with_normalised_shares({"control": 1, "treated": 1}))
    named = [f"customer:{n}" for n in range(size)]
    right = [assign(of, unit) for unit in named if bucket(f"{of.salt} ramp", unit) < 0.5]
    wrong = [assign(of, unit) for unit in named if bucket(of.salt, unit) < 0.5]
    counts = [[arms.count(arm.name) for arm in of.arms] for arms in (right, wrong)]
    return check_srm(counts[0], (0.5, 0.5)), check_srm(counts[1], (0.5, 0.5))


def power(seeds: int) -> tuple[int, int, int, int]:
    """Return how many units were planned with and without looks, in how many runs an effect was found by
    then, and in how many at the last look.
    """
    world = World("", replace(EVEN, primary="conversion"), (0.0, 0.1))
    ahead = units(NOTHING[0], 400_000, np.random.default_rng(1)).bought
    needed = units_needed(PowerPlan(float(ahead.mean()), float(ahead.std()), lift=0.1))
    world = replace(world, plan=replace(world.plan, planned_units=needed.units))
    found, last = 0, 0
    for seed in range(seeds):
        drawn = units(world, needed.units, np.random.default_rng(30_000 + seed))
        at = np.unique(np.geomspace(200, needed.units, LOOKS).astype(int))
        better = [_better(_look(first(drawn, slice(int(n))), world.plan)[0]) for n in at]
        found, last = found + any(better), last + better[-1]
    return needed.units, needed.fixed_units, found, last


def _better(reading: Reading) -> bool:
    pairs = reading.metrics["conversion"]
    return not isinstance(pairs, Refusal) and pairs[0].verdict is Verdict.BETTER


def _figures(seeds: int) -> Iterator[str]:
    yield f"\n{seeds:,} runs of each, {UNITS:,} units a run, {LOOKS} looks a run, seeds 0 to {seeds - 1}."
    yield "\n### Nothing to find, looked at all the time\n"
    yield "| world | revenue decided | any other decided | plain t-test of revenue | mismatch alarms |"
    yield "|---|---|---|---|---|"
    nothing = {world: peek(world, seeds) for world in NOTHING}
    for world, tally in nothing.items():
        yield (
            f"| {world.name} | {_share(tally.decided['revenue'], seeds)} | {_share(tally.others, seeds)} "
            f"| {_share(tally.plain, seeds)} | {_share(tally.alarms, seeds)} |"
        )
    yield "\n### A known uplift: runs whose interval left out the truth at any look (at the last one)\n"
    yield f"| world | {' | '.join(METRICS)} |"
    yield f"|---|{'---|' * len(METRICS)}"
    for world in SOMETHING:
        tally = peek(world, seeds)
        cells = (
            f"{tally.missed[name] / seeds:.1%} ({tally.missed_last[name] / seeds:.1%})"
            if tally.told[name]
            else "too early"
            for name in METRICS
        )
        yield f"| {world.name} | {' | '.join(cells)} |"
    yield (
        "\nThe intervals of revenue, the metric that decides, hold at 95 % for all arms together; those "
        "of the five others at 95 % for all of them together."
    )
    yield from _of_adjustment(seeds)
    yield from _of_bugs(seeds)
    yield from _of_power(seeds)


def _of_adjustment(seeds: int) -> Iterator[str]:
    bias, ratio, expected, honest = adjustment(seeds)
    yield "\n### Adjustment for earlier spend\n"
    yield (
        f"Mean shift against the plain difference: {bias:+.2f} standard errors. Variance over the plain one: "
        f"{ratio:.3f}; 1 - rho² is {expected:.3f}. Mean estimated variance over the true one: {honest:.3f}."
    )


def _of_bugs(seeds: int) -> Iterator[str]:
    yield "\n### Planted bugs\n"
    yield "| bug | caught | median units until then |"
    yield "|---|---|---|"
    for name, (caught, at) in bugs(seeds).items():
        yield f"| {name} | {_share(caught, seeds)} | {'-' if np.isnan(at) else format(at, ',.0f')} |"
    right, wrong = wrong_hash()
    yield (
        f"\nA ramp of half the units by a hash of its own: p = {right:.2f}; by the arms' own hash, which "
        f"puts all of them into the first arm: p {_below(wrong)}."
    )


def _of_power(seeds: int) -> Iterator[str]:
    many, fixed, found, last = power(seeds)
    yield "\n### Planned and found\n"
    yield (
        f"A tenth more orders, at 80 % power: {many:,} units planned ({fixed:,} were one to look once). "
        f"Found by then in {_share(found, seeds)} of runs, at the last look alone in {_share(last, seeds)}."
    )


def _below(p: float) -> str:
    """Return the p-value, or below what it is where that is less than a float can hold."""
    return f"= {p:.1g}" if p > 0 else "< 1e-300"


def _share(hits: int, of: int) -> str:
    """Return the share with its 95 % interval (Clopper and Pearson)."""
    bounds = binomtest(hits, of).proportion_ci()
    return f"{hits / of:.1%} ({bounds.low:.1%} to {bounds.high:.1%})"


if __name__ == "__main__":
    main()
