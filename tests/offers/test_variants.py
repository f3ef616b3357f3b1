from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import msgspec
import pytest

from app.campaigns.arms import Changes, campaigns_under, combinations_of
from app.campaigns.campaign import Running
from app.consent.policy import Consent, permissions
from app.errors import InputError
from app.experiments.assign import Arm, Experiment, pseudonym
from app.offers.answer import answer_to
from app.offers.replay import entry_of
from app.offers.situation import Occasion, in_arms, situation_of, unit_of
from app.offers.snapshot import ShopSnapshot
from app.offers.variants import model_under, settings_under, with_variants
from app.offers.wire import read_question
from app.profiles.recall import Shopper
from tests.campaigns.factories import a_campaign
from tests.offers.factories import NOW, a_body, a_shop, as_json

ALL = Consent(analytics=True, marketing=True, preferences=True, sale_of_data=True)


def a_test(name: str, ramp: float = 1.0, **changes: Any) -> Experiment:
    """Return an experiment with a second arm that changes something."""
    return Experiment(f"shop {name} 1", (Arm("as_is", 0.5), Arm("other", 0.5, changes)), ramp, name, "1")


def with_experiments(*experiments: Experiment, **settings: Any) -> ShopSnapshot:
    def take(changes: Changes) -> ShopSnapshot:
        return a_shop(settings=settings_under(settings, changes))

    return with_variants(take(()), experiments, take)


def asked(shop: ShopSnapshot, client: str = "c", consent: Consent = ALL) -> Occasion:
    question = read_question(as_json(a_body(client_id=client, checkout_token=f"t{client}")))
    return in_arms(Occasion("d", NOW, shop, question, consent, permissions(consent), Shopper()))


def first_offer(occasion: Occasion) -> str:
    product = answer_to(occasion, situation_of(occasion)).offers[0].product
    assert product is not None
    return product.title


def test_an_arm_is_served_by_what_it_changes_and_the_other_by_the_shop_as_it_is() -> None:
    shop = with_experiments(a_test("pin", pinned=[30]), pinned=[20])
    served = Counter((o.assignments[1].arm, first_offer(o)) for o in (asked(shop, str(n)) for n in range(60)))
    assert set(served) == {("as_is", "Product 20"), ("other", "Product 30")}
    assert min(served.values()) > 15


def test_two_experiments_at_once_make_each_of_their_combinations() -> None:
    shop = with_experiments(a_test("pin", pinned=[30]), a_test("dear", dear_ratio=9.0))
    assert len(combinations_of(shop.experiments)) == 3
    one = shop.variants[frozenset({("pin", "other")})]
    assert shop.variants[frozenset({("pin", "other"), ("dear", "as_is")})] is one
    assert frozenset({("pin", "as_is"), ("dear", "as_is")}) not in shop.variants
    both = shop.variants[frozenset({("pin", "other"), ("dear", "other")})]
    assert (both.terms.pinned, both.terms.dear_ratio) == (frozenset({30}), 9.0)
    assert len({shop.version, *(each.version for each in shop.variants.values())}) == 4


def test_what_the_ramp_has_not_reached_is_served_by_the_shop_as_it_is() -> None:
    shop = with_experiments(a_test("pin", ramp=0.0, pinned=[30]), pinned=[20])
    occasion = asked(shop)
    assert (len(occasion.assignments), first_offer(occasion)) == (1, "Product 20")


def test_the_log_tells_each_experiments_version_arm_and_chance_and_the_unit_by_another_name() -> None:
    occasion = asked(with_experiments(a_test("pin", pinned=[30])))
    situation = situation_of(occasion)
    entry = entry_of(occasion, situation, answer_to(occasion, situation), 1)
    assert entry.inputs["experiments"] == {
        "standing": ["personalised=1", "personalised", 1.0],
        "pin": ["1", occasion.assignments[1].arm, 0.5],
    }
    assert entry.inputs["unit"] == pseudonym(occasion.shop.shop, unit_of(occasion))
    assert "client:c" not in msgspec.json.encode(entry.inputs).decode()


def test_who_does_not_allow_it_is_in_an_arm_and_named_nowhere() -> None:
    occasion = asked(with_experiments(a_test("pin", pinned=[30])), consent=Consent())
    situation = situation_of(occasion)
    entry = entry_of(occasion, situation, answer_to(occasion, situation), 1)
    assert entry.inputs["unit"] is None
    assert set(entry.inputs["experiments"]) == {"standing", "pin"}


def test_an_arm_that_can_not_be_served_leaves_the_shop_as_it_is_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def take(changes: Changes) -> ShopSnapshot:
        if changes:
            raise InputError("no such thing")
        return a_shop()

    with caplog.at_level(logging.ERROR):
        shop = with_variants(a_shop(), (a_test("pin", pinned=[30]),), take)
    assert shop.variants == {}
    occasions = [asked(shop, str(n)) for n in range(20)]
    assert {each.shop for each in occasions} == {shop}
    assert {(each.assignments[1].arm, each.unserved) for each in occasions} == {
        ("as_is", False),
        ("other", True),
    }
    assert "an arm can't be served" in caplog.text


def test_a_decision_says_whether_one_of_its_arms_could_not_be_served() -> None:
    def take(changes: Changes) -> ShopSnapshot:
        settings = settings_under({}, changes)
        if "broken" in settings:
            raise InputError("no such thing")
        return a_shop(settings=settings)

    tests = (a_test("pin", pinned=[30]), a_test("bad", broken=True))
    shop = with_variants(take(()), tests, take)
    logged = {}
    for occasion in (asked(shop, str(n)) for n in range(60)):
        situation = situation_of(occasion)
        entry = entry_of(occasion, situation, answer_to(occasion, situation), 1)
        if occasion.assignments[1:]:
            arms = tuple(entry.inputs["experiments"][name][1] for name in ("pin", "bad"))
            logged[arms] = entry.inputs["unserved"]
    assert logged == {
        ("as_is", "as_is"): False, ("other", "as_is"): False,
        ("as_is", "other"): True, ("other", "other"): True,
    }  # fmt: skip


def test_an_arm_whose_campaign_was_stopped_meanwhile_is_not_served() -> None:
    running = [Running(a_campaign("help"), 0)]

    def shop(campaigns: list[Running]) -> ShopSnapshot:
        def take(changes: Changes) -> ShopSnapshot:
            under = campaigns_under(campaigns, changes)
            return a_shop(settings=settings_under({}, changes), campaigns=under)

        tests = a_test("off", campaigns={"help": None}), a_test("pin", pinned=[30])
        return with_variants(take(()), tests, take)

    for campaigns, not_served in ((running, False), ([], True)):
        found = {
            (each.assignments[1].arm, each.assignments[2].arm): each.unserved
            for each in (asked(shop(campaigns), str(n)) for n in range(60))
            if each.assignments[1:]
        }
        both = ("as_is", "other")
        assert found == {(off, pin): not_served and off == "other" for off in both for pin in both}


def test_arms_that_change_nothing_need_no_shop_of_their_own() -> None:
    same = Experiment("s", (Arm("a", 0.5), Arm("b", 0.5)), id="same", version="1")
    assert combinations_of([same]) == {}


def test_settings_are_merged_one_experiment_after_the_other() -> None:
    changes = ({"boosts": {"1": 2.0}, "model": "v2"}, {"boosts": {"2": None}, "campaigns": {"a": None}})
    assert settings_under({"boosts": {"2": 3.0}, "pinned": [1]}, changes) == {
        "boosts": {"1": 2.0},
        "pinned": [1],
    }


@pytest.mark.parametrize(
    ("changes", "version"),
    [((), "v1"), (({"model": "v2"},), "v2"), (({"model": None},), None), (({},), "v1")],
)
def test_an_arm_may_rank_by_another_model_or_by_none(changes: Changes, version: str | None) -> None:
    assert model_under("v1", changes) == version


def test_an_arm_may_change_a_campaign_or_go_without_it() -> None:
    running = [Running(a_campaign("a"), 1), Running(a_campaign("b"), 2)]
    changed = campaigns_under(running, ({"campaigns": {"a": {"priority": 7, "id": "z"}, "b": None}},))
    assert [(each.campaign.id, each.campaign.priority, each.number) for each in changed] == [("a", 7, 1)]
    assert campaigns_under(running, ()) == running
    with pytest.raises(InputError):
        campaigns_under(running, ({"campaigns": {"a": {"priority": "high"}}},))
