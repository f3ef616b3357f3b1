import pytest

from app.offers.approach import approach_of, in_order
from app.offers.static import Pick
from app.offers.wire import Why
from app.profiles.policy import DEFAULT, Policy, Step


def a_pick(product_id: int, reason: str) -> Pick:
    return Pick(product_id, (Why(reason=reason, weight=1.0),))


PICKS = [
    a_pick(1, "popular"),
    a_pick(2, "bought_together"),
    a_pick(3, "goes_with_history"),
    a_pick(4, "popular"),
]


def order(policy: Policy | None, orders: int, *segments: str) -> list[int]:
    return [pick.product_id for pick in in_order(policy, PICKS, orders, 0, segments)]


def test_without_approaches_the_ranking_stands() -> None:
    assert order(None, 5) == [1, 2, 3, 4]


def test_the_leading_approach_speaks_first_and_equals_stay_as_ranked() -> None:
    assert order(DEFAULT, 0) == [1, 4, 2, 3]  # cold: an introduction by what is popular
    assert order(DEFAULT, 5) == [2, 3, 1, 4]  # warm: complements, then history


def test_an_approach_for_a_segment_leads_for_that_segment_only() -> None:
    assert order(DEFAULT, 5, "champions") == [3, 2, 1, 4]
    assert order(DEFAULT, 5, "dormant") == [2, 3, 1, 4]


def test_nothing_is_added_or_lost() -> None:
    policy = Policy(warm=(Step("loyalty", segments=("nobody",)),))
    assert sorted(order(policy, 5)) == [1, 2, 3, 4]


@pytest.mark.parametrize("setting", ["warm", {"warm": []}, {"cold": [{"approach": "history"}]}])
def test_an_unusable_setting_is_none(setting: object) -> None:
    assert approach_of({"approach": setting}) is None
    assert approach_of({}) is None
