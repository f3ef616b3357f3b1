from __future__ import annotations

from typing import Any

import pytest

from app.errors import InputError
from app.experiments.design import experiment_of, read_design, standing_design


def a_design(**changes: Any) -> dict[str, Any]:
    arms = [{"name": "as_is", "weight": 3}, {"name": "pinned", "weight": 1, "changes": {"pinned": [10]}}]
    return {"id": "pin", "arms": arms, "control": "as_is"} | changes


def test_a_design_is_read_with_what_is_usual() -> None:
    design = read_design(a_design())
    assert design.shares == {"as_is": 0.75, "pinned": 0.25}
    assert (design.metric, design.window_days, design.alpha, design.winsor) == ("revenue", 14, 0.05, 0.99)
    assert design.plan.arms == ("as_is", "pinned")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "Standing!"}, "id"), ({"id": "standing"}, "id"), ({"id": ""}, "id"),
        ({"control": "nobody"}, "control"),
        ({"arms": [{"name": "as_is"}]}, "arms"),
        ({"arms": [{"name": "as_is"}, {"name": "as_is"}]}, "arms"),
        ({"arms": [{"name": "as_is"}, {"name": "b c"}]}, "arms[1].name"),
        ({"arms": [{"name": "as_is"}, {"name": "b", "weight": 0}]}, "arms[1].weight"),
        ({"arms": [{"name": "as_is"}, {"name": "b", "weight": "many"}]}, "arms[1].weight"),
        ({"arms": [{"name": "as_is"}, {"name": "b", "changes": {"arms": {}}}]}, "arms[1].changes"),
        ({"metric": "happiness"}, "metric"),
        ({"window_days": 0}, "window_days"), ({"alpha": 1}, "alpha"), ({"winsor": 0.5}, "winsor"),
        ({"planned_units": 3}, "planned_units"), ({"before_days": -1}, "before_days"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        read_design(a_design(**changes))
    assert refused.value.field == field


@pytest.mark.parametrize("given", [None, [], "a", {"id": 1}])
def test_what_is_no_design_is_refused(given: object) -> None:
    with pytest.raises(InputError):
        read_design(given)


def test_a_new_version_shuffles_all_units_anew_and_a_larger_ramp_none() -> None:
    design = read_design(a_design())
    one, more, two = (experiment_of("shop", design, *each) for each in ((1, 0.1), (1, 0.5), (2, 0.1)))
    assert one.salt == more.salt != two.salt
    assert (two.id, two.version, two.share("pinned")) == ("pin", "2", 0.25)


def test_the_standing_experiment_is_judged_beside_those_who_get_nothing() -> None:
    design = standing_design("holdout=0.05 personalised=0.9 static=0.05")
    assert design.control == "holdout"
    assert design.shares == pytest.approx({"holdout": 0.05, "personalised": 0.9, "static": 0.05})
    assert standing_design("personalised=0.9 static=0.1").control == "static"


@pytest.mark.parametrize("version", ["personalised=1", "", "holdout", "holdout=x personalised=1"])
def test_shares_that_leave_nobody_to_compare_with_are_refused(version: str) -> None:
    with pytest.raises(InputError):
        standing_design(version)
