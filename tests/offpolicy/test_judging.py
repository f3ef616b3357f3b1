from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from app.campaigns.campaign import Campaign
from app.campaigns.dry_run import PastDecision
from app.campaigns.plan import Plan
from app.campaigns.weigh import weigh
from app.campaigns.weighed import Inputs
from app.experiments.assign import bucket
from app.experiments.refusal import Cause, Refusal
from app.offers.situation import Situation
from app.offers.wire import Wants
from app.offpolicy import judging
from app.offpolicy.chances import Shown, action_probabilities
from app.offpolicy.estimate import PolicyEstimate
from app.offpolicy.judging import LoggedDecision, TargetPolicy, policy_value
from tests.campaigns.factories import NOW, TEN_PERCENT, a_campaign, a_plan, inputs
from tests.offers.factories import a_shop

PAYS = {frozenset[str](): 1_000, frozenset({"left"}): 1_400, frozenset({"right"}): 2_000}
SERVED = a_plan(*(a_campaign(name, choice="best", holdout=0.2) for name in ("left", "right")))
SERVED_EARNS = 0.04 * 1_000 + 0.48 * 1_400 + 0.48 * 2_000  # none for who is held back from both


@pytest.fixture(autouse=True)
def chances_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work out the chances of a plan in a situation once: thousands of decisions are made in this one."""
    known: dict[tuple[int, bytes], tuple[Plan | None, dict[Shown, float]]] = {}

    def told(plan: Plan | None, inputs: Inputs) -> dict[Shown, float]:
        key = id(plan), msgspec.msgpack.encode(inputs)
        if key not in known:
            known[key] = plan, action_probabilities(plan, inputs)
        return known[key][1]

    monkeypatch.setattr(judging, "action_probabilities", told)


@cache
def served(decisions: int, seed: int = 0) -> Sequence[LoggedDecision]:
    """Return decisions of two campaigns that compete, each with a holdout; what each pays is known."""
    rng, found = np.random.default_rng(seed), list[LoggedDecision]()
    for n in range(decisions):
        weighed = weigh(SERVED, inputs(), f"d{n}", lambda name, share, n=n: bucket(name, str(n)) < share)
        shown = frozenset(each.campaign_id for each in weighed.chosen)
        situation = Situation(decision_id=f"d{n}", arm="personalised", cart=(10,), campaigns=weighed)
        past = PastDecision(f"d{n}", NOW, "checkout", f"t{n}", None, (), msgspec.to_builtins(situation), None)
        reward = int(rng.integers(0, 2) * 2 * PAYS[shown])
        found.append(LoggedDecision(past, SERVED, (), shown, reward))
    return tuple(found)


def other(campaigns: Sequence[Campaign]) -> TargetPolicy:
    shop = a_shop()
    return TargetPolicy(replace(shop, plan=a_plan(*campaigns) if campaigns else None))


def test_chances_of_draws_and_holdouts_add_up() -> None:
    found = action_probabilities(SERVED, inputs())
    # both held back: .2 * .2; one of them: .2 * .8; neither: .8 * .8 by an even draw
    assert {tuple(shown): round(chance, 6) for shown, chance in found.items()} == {
        (): 0.04, ("left",): 0.48, ("right",): 0.48,
    }  # fmt: skip
    assert action_probabilities(None, inputs()) == {frozenset(): 1.0}


@pytest.mark.parametrize(
    ("campaigns", "earns"),
    [
        ([a_campaign("left")], 1_400),
        ([a_campaign("right")], 2_000),
        ([], 1_000),
        ([a_campaign("left", holdout=0.5)], 1_200),
    ],
)
def test_another_set_of_rules_is_worth_what_it_pays(campaigns: list[Campaign], earns: int) -> None:
    found, used = policy_value(served(4_000), other(campaigns))
    assert used == 4_000
    assert isinstance(found, PolicyEstimate)
    for each in (found.self_normalised, found.doubly_robust):
        assert each.low < earns < each.high
        assert each.high - each.low < 400  # what the others earn is 200 off and more
    assert found.logged.low < SERVED_EARNS < found.logged.high


def test_a_rule_that_was_never_run_is_refused() -> None:
    found, _ = policy_value(served(400), other([a_campaign("new")]))
    assert isinstance(found, Refusal)
    assert found.cause == Cause.NO_SUPPORT


def test_a_campaign_that_offers_something_else_is_another_one() -> None:
    found, _ = policy_value(served(400), other([a_campaign("left", offer=TEN_PERCENT)]))
    assert isinstance(found, Refusal)
    assert found.cause == Cause.NO_SUPPORT


@pytest.mark.parametrize("wants", ["products", "messages"])
def test_without_a_place_for_it_a_campaign_changes_nothing(wants: Wants) -> None:
    rng, logged = np.random.default_rng(0), list[LoggedDecision]()
    for n in range(400):
        situation = Situation(decision_id=f"d{n}", arm="personalised", cart=(10,), wants=wants)
        past = PastDecision(f"d{n}", NOW, "checkout", f"t{n}", None, (), msgspec.to_builtins(situation), None)
        logged.append(LoggedDecision(past, None, (), frozenset(), int(rng.integers(0, 2_000))))
    offers = {"products": a_campaign().offer, "messages": {"kind": "upsell", "product_ids": [30]}}
    found, used = policy_value(logged, other([a_campaign(offer=offers[wants])]))
    assert isinstance(found, PolicyEstimate)
    assert (used, found.support, found.gain.value) == (400, 1.0, pytest.approx(0.0))


def test_decisions_that_do_not_tell_what_a_rule_reads_are_not_judged() -> None:
    rule = {"==": [{"var": "market.country"}, "DE"]}
    found, used = policy_value(served(300), other([a_campaign("left", rule=rule)]))
    assert isinstance(found, Refusal)
    assert (used, found.cause) == (0, Cause.TOO_EARLY)
