"""The probability of each action under a plan in a logged situation, over all its draws. Pure."""

from __future__ import annotations

import msgspec

from app.campaigns.plan import Plan
from app.campaigns.reasons import NOT_DRAWN, WITHHELD
from app.campaigns.weigh import weigh
from app.campaigns.weighed import Inputs, Weighed
from app.experiments.assign import bucket

Shown = frozenset[str]

_SEEDS = 512
_ALL = 1 - 1e-6


def action_probabilities(plan: Plan | None, inputs: Inputs) -> dict[Shown, float]:
    """Return the chance of each set of campaigns, over draws and holdouts; they sum to 1.

    Draws are made anew until all that can come of them has come. What 512 of them never came to is left
    out: it was less likely than one in a hundred.
    """
    if plan is None:
        return {frozenset(): 1.0}
    inputs, found = msgspec.structs.replace(inputs, draw_by=""), dict[Shown, float]()
    seen: set[tuple[Shown, tuple[tuple[str, str], ...]]] = set()
    total = 0.0
    for seed in map(str, range(_SEEDS)):
        weighed = weigh(plan, inputs, seed, lambda name, share, seed=seed: bucket(seed, name) < share)  # type: ignore[misc]
        shown = frozenset(each.campaign_id for each in weighed.chosen)
        way = shown, tuple(sorted(weighed.left_out.items()))
        if way not in seen:
            seen.add(way)
            chance = _chance(plan, weighed)
            found[shown] = found.get(shown, 0.0) + chance
            total += chance
        if total >= _ALL:
            break
    return found


def _chance(plan: Plan, weighed: Weighed) -> float:
    """Return how likely this very way of weighing was."""
    chance, drawn = 1.0, {each.campaign_id for each in weighed.chosen}
    for each in weighed.chosen:
        chance *= each.propensity
    for name in weighed.matched:
        why, share = weighed.left_out.get(name), plan.by_id[name].campaign.holdout
        if why == WITHHELD:
            chance *= share
        elif name in drawn or why == NOT_DRAWN:
            chance *= 1 - share
    return chance
