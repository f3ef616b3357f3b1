import pytest

from app.errors import InputError
from app.experiments.patch import check_changes, overlap, patched

# RFC 7396, appendix A, those of its cases that begin with an object.
RFC = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("before", "changes", "after"), RFC)
def test_a_patch_does_what_the_rfc_says(before: dict, changes: dict, after: dict) -> None:
    kept = dict(before)
    assert patched(before, changes) == after
    assert before == kept


@pytest.mark.parametrize("name", ["arms", "retention", "webhook"])
def test_what_holds_for_every_shopper_is_no_arms_to_change(name: str) -> None:
    with pytest.raises(InputError, match=name):
        check_changes({name: {}}, "arms[0].changes")


def test_a_bottomless_change_is_refused() -> None:
    deep: dict = {}
    for _ in range(20):
        deep = {"a": deep}
    with pytest.raises(InputError, match="deep"):
        check_changes(deep, "arms[0].changes")


def test_two_changes_of_one_setting_are_found_however_deep() -> None:
    assert overlap({"pinned": [1]}, {"boosts": {"1": 2.0}}) is None
    assert overlap({"boosts": {"1": 2.0}}, {"boosts": {"2": 2.0}}) is None
    assert overlap({"boosts": {"1": 2.0}}, {"boosts": {"1": 3.0}}) == "boosts.1"
    assert overlap({"boosts": None}, {"boosts": {"1": 3.0}}) == "boosts"
