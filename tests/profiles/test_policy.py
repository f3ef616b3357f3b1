from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputError
from app.profiles.policy import DEFAULT, KINDS, Policy, Step, read_policy, steps, temperature


def approaches(policy: Policy, orders: int, views: int = 0, segments: tuple[str, ...] = ()) -> list[str]:
    return [step.approach for step in steps(policy, orders, views, segments)]


def test_a_stranger_is_introduced_and_a_customer_is_known() -> None:
    assert approaches(DEFAULT, 0) == ["introduction", "generic_offer", "education"]
    assert approaches(DEFAULT, 3) == ["complements", "history"]
    assert approaches(DEFAULT, 3, segments=("loyal",)) == ["loyalty", "complements", "history"]


def test_who_looked_a_lot_is_warm_but_has_no_past() -> None:
    assert temperature(DEFAULT, 0, 10) == "warm"
    assert temperature(DEFAULT, 0, 9) == "cold"
    assert approaches(DEFAULT, 0, views=10, segments=("loyal",)) == ["complements"]


def test_views_alone_warm_nobody_when_the_merchant_says_so() -> None:
    assert temperature(read_policy({"warm_from_views": 0}), 0, 1_000) == "cold"


def test_what_the_merchant_writes_is_what_is_read() -> None:
    policy = read_policy({"cold": [{"approach": "generic_offer", "most_percent": 15}], "warm_from_orders": 2})
    assert policy.cold == (Step("generic_offer", most_percent=15),)
    assert policy.warm == DEFAULT.warm
    assert approaches(policy, 1) == ["generic_offer"]
    assert read_policy(msgspec.to_builtins(policy)) == policy


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], ""),
        ({"hot": []}, "hot"),
        ({"cold": []}, "cold"),
        ({"warm": [{"approach": "history"}] * 11}, "warm"),
        ({"warm": [{}]}, "warm[0].approach"),
        ({"warm": [{"approach": "flattery"}]}, "warm[0].approach"),
        ({"cold": [{"approach": "introduction"}, {"approach": "loyalty"}]}, "cold[1].approach"),
        ({"warm": [{"approach": "loyalty", "most_percent": 100}]}, "warm[0].most_percent"),
        ({"warm": [{"approach": "loyalty", "segments": [1]}]}, "warm[0].segments[0]"),
        ({"warm_from_orders": 0}, "warm_from_orders"),
        ({"warm_from_views": -1}, "warm_from_views"),
        ({"warm_from_views": "many"}, "warm_from_views"),
    ],
)
def test_a_mistake_is_told_with_its_field(data: Any, field: str) -> None:
    with pytest.raises(InputError) as told:
        read_policy(data)
    assert told.value.field == field


@given(st.integers(0, 50), st.integers(0, 50), st.lists(st.sampled_from(["loyal", "champions", "new"])))
def test_everyone_is_met_in_some_way_by_the_default(orders: int, views: int, segments: list[str]) -> None:
    chosen = steps(DEFAULT, orders, views, segments)
    assert chosen
    assert all(KINDS[step.approach] for step in chosen)
