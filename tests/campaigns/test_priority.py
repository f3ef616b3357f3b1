from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.priority import Ranked, placed
from app.errors import InputError, NotFound

SHOP = [Ranked("a", 20), Ranked("b", 10), Ranked("c", 10), Ranked("d", 0)]


@pytest.mark.parametrize(
    ("name", "before", "changed"),
    [
        ("b", "a", {"b": 21}),
        ("c", "b", {"c": 11}),  # equal priorities go by their ids, and c comes after b
        ("a", "c", {"b": 21}),
        ("d", "c", {"d": 10 + 1, "b": 11}),  # d above c, and b above d, by its id
        ("d", "a", {"d": 21}),
        ("b", None, {"d": 11, "c": 11}),
        ("a", "b", {}),
        ("a", "a", {}),
        ("d", None, {}),
    ],
)
def test_as_few_priorities_as_can_be_are_raised(
    name: str, before: str | None, changed: dict[str, int]
) -> None:
    assert placed(SHOP, name, before) == changed


@pytest.mark.parametrize(("name", "before"), [("e", "a"), ("a", "e"), ("e", None)])
def test_a_campaign_that_is_not_there_is_told(name: str, before: str | None) -> None:
    with pytest.raises(NotFound):
        placed(SHOP, name, before)


def test_nothing_goes_above_the_highest_priority() -> None:
    with pytest.raises(InputError, match="as high as can be"):
        placed([Ranked("a", 1000), Ranked("b", 0)], "b", "a")


priorities = st.lists(st.integers(-20, 20), min_size=2, max_size=8)


@given(priorities, st.data())
def test_one_campaign_takes_its_place_and_the_others_stay_in_their_order(
    heights: list[int], data: st.DataObject
) -> None:
    ranked = sorted((Ranked(f"c{at}", each) for at, each in enumerate(heights)), key=_place)
    names = [each.campaign_id for each in ranked]
    name = data.draw(st.sampled_from(names))
    before = data.draw(st.sampled_from([None, *(each for each in names if each != name)]))
    after = placed(ranked, name, before)
    wanted = [each for each in names if each != name]
    wanted.insert(len(wanted) if before is None else wanted.index(before), name)
    made = [Ranked(each.campaign_id, after.get(each.campaign_id, each.priority)) for each in ranked]
    assert [each.campaign_id for each in sorted(made, key=_place)] == wanted


def _place(each: Ranked) -> tuple[int, str]:
    return (-each.priority, each.campaign_id)
