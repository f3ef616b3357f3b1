"""Importance weights: how likely another policy is to do what the logged one did. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from app.campaigns.dry_run import PastDecision, facts_of_past
from app.campaigns.facts import evidence_of
from app.campaigns.plan import PLACES_OF, Plan
from app.campaigns.weighed import Inputs
from app.experiments.refusal import Cause, Refusal
from app.experiments.units import winsorise
from app.intent.features import FEATURES
from app.offers.choose import choose
from app.offers.situation import Situation
from app.offers.snapshot import ShopSnapshot
from app.offpolicy.chances import Shown, action_probabilities
from app.offpolicy.estimate import LEAST_DECISIONS, PolicyEstimate, WeightedDecisions, estimate
from app.offpolicy.outcome_training import Floats, cross_fitted
from app.rules.expression import read_rule, reads

WINSOR = 0.99
_UNTOLD = -1.0


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """The policy to evaluate. ranks_alike: whether it ranks products as the logged one did."""

    shop: ShopSnapshot
    ranks_alike: bool = True


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision and what came of it. plan: the campaigns then. ranked: products that none of them offers."""

    past: PastDecision
    plan: Plan | None
    ranked: tuple[str, ...]
    shown: Shown
    reward_minor: int


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A decision with the chance of what was done, and of each that the target policy would do."""

    logged: LoggedDecision
    situation: Situation
    was: float
    chances: dict[Shown, float]
    ranked_alike: bool


def policy_value(
    logged: Sequence[LoggedDecision], target: TargetPolicy
) -> tuple[PolicyEstimate | Refusal, int]:
    """Return the estimate of what the target policy would have earned per decision, and its sample size."""
    found = [each for one in logged if (each := _weighed(one, target)) is not None]
    if len(found) < LEAST_DECISIONS:
        says = f"{len(found)} decisions can be judged; estimates begin at {LEAST_DECISIONS}"
        return Refusal(Cause.TOO_EARLY, says), len(found)
    return estimate(_aligned(found)), len(found)


def _weighed(logged: LoggedDecision, target: TargetPolicy) -> _Weighed | None:
    """Return the decision weighed, None for one that does not tell all that either policy depends on."""
    situation = msgspec.convert(logged.past.situation, Situation)
    plan, inputs = target.shop.plan, _inputs(logged.past, situation)
    facts = facts_of_past(logged.past, target.shop.catalog, plan.zone) if plan else {}
    if plan and not _reads(plan) <= facts.keys():
        return None
    theirs = msgspec.structs.replace(inputs, facts=facts, evidence=evidence_of(facts)) if plan else inputs
    was = action_probabilities(logged.plan, inputs).get(logged.shown, 0.0)
    if not was:
        return None
    chance_of = action_probabilities(plan, theirs)
    chances = {_told_apart(shown, plan, logged.plan): chance for shown, chance in chance_of.items()}
    alike = target.ranks_alike or _ranks_alike(target.shop, situation, logged)
    return _Weighed(logged, situation, was, chances, alike)


def _told_apart(shown: Shown, plan: Plan | None, logged: Plan | None) -> Shown:
    """Return the campaigns under other names where they offer something else now; words don't count."""
    return frozenset(
        name if _offer(plan, name) == _offer(logged, name) else f"{name}, changed" for name in shown
    )


def _offer(plan: Plan | None, name: str) -> object:
    if plan is None or name not in plan.by_id:
        return None
    offer = plan.by_id[name].campaign.offer
    return offer.kind, offer.discount, offer.product_ids, offer.target


def _reads(plan: Plan) -> frozenset[str]:
    return frozenset[str]().union(*(reads(read_rule(each.campaign.rule)) for each in plan.planned))


def _inputs(past: PastDecision, situation: Situation) -> Inputs:
    if situation.campaigns is not None:
        return situation.campaigns.inputs
    return Inputs(
        at=int(past.at.timestamp()), cart=situation.cart, subtotal_minor=situation.subtotal_minor,
        remembers=past.who is not None, place=past.decision_id, places=PLACES_OF[situation.wants],
    )  # fmt: skip


def _ranks_alike(shop: ShopSnapshot, situation: Situation, logged: LoggedDecision) -> bool:
    """Return whether the same chance leads it to the same products."""
    alone = choose(shop, msgspec.structs.replace(situation, campaigns=None))
    products = [offer.product.product_id for offer in alone if offer.product]
    return tuple(products[: len(logged.ranked)]) == logged.ranked


def _aligned(found: Sequence[_Weighed]) -> WeightedDecisions:
    every = sorted({name for each in found for shown in (each.logged.shown, *each.chances) for name in shown})
    at = {name: place for place, name in enumerate(every)}
    rows = [_situation_row(each) for each in found]
    seen = np.array([[*row, *_action(each.logged.shown, at)] for row, each in zip(rows, found, strict=True)])
    pairs = [(n, shown, chance) for n, each in enumerate(found) for shown, chance in each.chances.items()]
    of = np.array([n for n, _, _ in pairs], dtype=np.int64)
    elsewhere = np.array([[*rows[n], *_action(shown, at)] for n, shown, _ in pairs])
    reward, _ = winsorise(np.array([float(each.logged.reward_minor) for each in found]), WINSOR)
    predicted, of_targets = cross_fitted(seen, reward, elsewhere, of)
    by_target = np.zeros(len(found))
    np.add.at(by_target, of, np.array([chance for _, _, chance in pairs]) * of_targets)
    weight = np.array(
        [each.ranked_alike * each.chances.get(each.logged.shown, 0.0) / each.was for each in found]
    )
    return WeightedDecisions(weight, reward, predicted, by_target)


def _situation_row(each: _Weighed) -> list[float]:
    situation = each.situation
    features = situation.campaigns.inputs.features if situation.campaigns else ()
    subtotal = _UNTOLD if situation.subtotal_minor is None else float(situation.subtotal_minor)
    counts = len(situation.cart), situation.orders, len(situation.viewed), len(situation.segments)
    told = features if len(features) == len(FEATURES) else [_UNTOLD] * len(FEATURES)
    return [subtotal, *map(float, counts), *map(float, told)]


def _action(shown: Shown, at: dict[str, int]) -> Floats:
    row = np.zeros(len(at))
    for name in shown:
        row[at[name]] = 1.0
    return row
