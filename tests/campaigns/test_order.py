from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.order import Ranked, moved
from app.errors import InputError, NotFound

SHOP = [Ranked("a", 20), Ranked("b", 10), Ranked("c", 10), Ranked("d", 0)]


@pytest.mark.parametrize(
    ("name", "up", "changed"),
    [
        ("b", True, {"b": 21}),
        ("c", True, {"c": 11}),  # equal priorities go by their ids, and c comes after b
        ("a", False, {"b": 21}),
        ("d", True, {"d": 10 + 1, "b": 11}),  # d above c, and b above d, by its id
        ("a", True, {}),
        ("d", False, {}),
    ],
)
def test_as_few_priorities_as_can_be_are_raised(name: str, up: bool, changed: dict[str, int]) -> None:
    assert moved(SHOP, name, up=up) == changed


def test_a_campaign_that_is_not_there_is_told() -> None:
    with pytest.raises(NotFound):
        moved(SHOP, "e", up=True)


def test_nothing_goes_above_the_highest_priority() -> None:
    with pytest.raises(InputError, match="as high as can be"):
        moved([Ranked("a", 1000), Ranked("b", 0)], "b", up=True)


priorities = st.lists(st.integers(-20, 20), min_size=2, max_size=8)


@given(priorities, st.data(), st.booleans())
def test_two_neighbours_change_places_and_nobody_else(
    heights: list[int], data: st.DataObject, up: bool
) -> None:
    ranked = sorted((Ranked(f"c{at}", each) for at, each in enumerate(heights)), key=_place)
    at = data.draw(st.integers(0, len(ranked) - 1))
    after = moved(ranked, ranked[at].campaign_id, up=up)
    names = [each.campaign_id for each in ranked]
    other = at - 1 if up else at + 1
    if 0 <= other < len(names):
        names[at], names[other] = names[other], names[at]
    made = [Ranked(each.campaign_id, after.get(each.campaign_id, each.priority)) for each in ranked]
    assert [each.campaign_id for each in sorted(made, key=_place)] == names


def _place(each: Ranked) -> tuple[int, str]:
    return (-each.priority, each.campaign_id)
