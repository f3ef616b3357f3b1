"""What came of the campaigns that decisions weighed."""

import msgspec
import pytest

from app.campaigns.choice import HEARD_S
from app.campaigns.outcomes import (
    CampaignDecision,
    Drawn,
    Feedback,
    LoggedCampaigns,
    LoggedInputs,
    Ordered,
    bought_anyway,
    draws_of,
    exposures,
    read_logged_campaigns,
)
from app.campaigns.weighed import Chosen, Inputs, Weighed
from app.intent.features import FEATURES

DAY_S = 86_400
NOW = 10 * DAY_S
ROW = (0.0,) * len(FEATURES)
KNOWN = LoggedInputs(ROW)
CHOICES = {"five": "coupons", "ten": "coupons", "help": "banners", "tea": "banners"}


def decided(
    who: str, at: float = 0, shown: dict[str, float] | None = None, **left_out: str
) -> CampaignDecision:
    chosen = tuple(Drawn(name, share) for name, share in (shown or {}).items())
    return CampaignDecision(f"{who} {at}", at, who, LoggedCampaigns(chosen, left_out, KNOWN))


def test_a_shopper_counts_once_by_the_first_decision() -> None:
    log = [
        decided("anna", 50, {"ten": 1.0}),
        decided("anna", 5, ten="withheld"),
        decided("anna", 90, ten="withheld"),
    ]
    given = exposures(log, {}, "ten", NOW)
    assert given.shown.tolist() == [False]


def test_who_matched_and_was_neither_shown_nor_held_back_is_no_exposure() -> None:
    log = [decided("anna", ten="margin"), decided("bert", ten="not_drawn"), decided("carl")]
    assert len(exposures(log, {}, "ten", NOW)) == 0


def test_an_order_in_time_is_a_purchase_and_a_later_one_is_not() -> None:
    log = [decided(who, 100, {"ten": 1.0}) for who in ("anna", "bert", "carl")]
    orders = {
        "anna": [Ordered(100 + DAY_S, 500)],
        "bert": [Ordered(101 + DAY_S, 500)],
        "carl": [Ordered(99, 500)],  # before the decision
    }
    assert exposures(log, orders, "ten", NOW).bought.tolist() == [True, False, False]


def test_whose_time_is_not_over_is_left_out_whatever_came_of_it() -> None:
    late = NOW - DAY_S / 2
    log = [decided("anna", late, {"ten": 1.0}), decided("bert", late, ten="withheld")]
    orders = {"anna": [Ordered(late + 1, 500)], "bert": [Ordered(late + 1, 500)]}
    assert len(exposures(log, orders, "ten", NOW)) == 0
    assert bought_anyway(log, orders, "ten", NOW).of == 0


def test_the_propensity_is_that_of_the_weeks_log() -> None:
    log = [
        *(decided(f"anna {number}", number, {"ten": 0.5}) for number in range(6)),
        *(decided(f"bert {number}", number, ten="withheld") for number in range(2)),
        *(decided(f"carl {number}", 8 * DAY_S, ten="withheld") for number in range(2)),
    ]
    assert exposures(log, {}, "ten", NOW).propensity.tolist() == [0.75] * 8 + [0.0] * 2


def asked(unit: str, checkout: str, at: float, shown: bool, why: str = "") -> CampaignDecision:
    told = LoggedCampaigns((Drawn("ten", 1.0),) if shown else (), {"ten": why} if why else {}, KNOWN, unit)
    return CampaignDecision(f"{checkout} {at}", at, checkout, told)


def test_a_shopper_of_many_checkouts_counts_once_shown_or_held_back() -> None:
    # Whom a cap keeps from it the second time would count once, who is held back each time.
    log = [
        asked("anna", "a", 0, shown=True), asked("anna", "b", 5, shown=False, why="capped"),
        asked("bert", "c", 0, shown=False, why="withheld"),
        asked("bert", "d", 5, shown=False, why="withheld"),
    ]  # fmt: skip
    given = exposures(log, {"d": [Ordered(6, 500)]}, "ten", NOW)
    assert (given.shown.tolist(), given.bought.tolist()) == ([True, False], [False, False])
    assert bought_anyway(log, {"d": [Ordered(6, 500)]}, "ten", NOW).of == 1


@pytest.mark.parametrize("why", ["capped", "over", "dismissed"])
def test_whom_it_is_kept_from_since_they_saw_it_has_met_it_before(why: str) -> None:
    log = [asked("anna", "a", 0, shown=False, why=why), asked("anna", "b", 9, shown=True)]
    assert len(exposures(log, {}, "ten", NOW)) == 0


def test_who_met_it_before_the_time_that_is_asked_for_is_left_out() -> None:
    log = [asked("anna", "a", 0, shown=False, why="withheld"), asked("anna", "b", 9, shown=True)]
    assert len(exposures(log, {}, "ten", NOW, since=5)) == 0
    assert exposures([*log, asked("bert", "c", 5, shown=True)], {}, "ten", NOW, since=5).shown.tolist() == [
        True
    ]


def test_who_signs_in_in_a_checkout_is_the_same_shopper_in_the_next() -> None:
    log = [
        asked("browser", "a", 0, shown=True), asked("account", "a", 1, shown=False, why="withheld"),
        asked("account", "b", 9, shown=False, why="withheld"),
    ]  # fmt: skip
    assert exposures(log, {}, "ten", NOW).shown.tolist() == [True]


def test_who_was_held_back_and_bought_is_a_false_positive() -> None:
    log = [
        *(decided(f"anna {number}", ten="withheld") for number in range(4)),
        decided("bert", 0, {"ten": 1.0}),
    ]
    measured = bought_anyway(log, {"anna 2": [Ordered(5, 500)], "bert": [Ordered(5, 500)]}, "ten", NOW)
    assert (measured.happened, measured.of) == (1, 4)


def test_the_page_after_an_order_teaches_nothing_of_who_buys_but_what_is_said_there_counts() -> None:
    # Shopify may make the order after it showed the page; the next order is of another checkout.
    log = [
        decided("anna", 0, {"ten": 0.5}, five="not_drawn")._replace(untold=True),
        decided("bert", 0, ten="withheld")._replace(untold=True),
        decided("carl", 0, ten="withheld"),
    ]
    orders = {who: [Ordered(5, 500)] for who in ("anna", "bert", "carl")}
    assert exposures(log, orders, "ten", NOW).shown.tolist() == [False]
    assert (measured := bought_anyway(log, orders, "ten", NOW)).of == measured.happened == 1
    (trial,) = draws_of(log, orders, {("anna", "ten"): [Feedback("accepted", 60)]}, CHOICES)
    assert (trial.bought, trial.gained, trial.word) == (False, 0, "accepted")


def test_a_trial_is_a_draw_among_rivals_of_one_choice() -> None:
    log = [
        decided("anna", 7, {"ten": 0.75, "help": 1.0}, five="not_drawn", tea="not_drawn", other="withheld")
    ]
    (found,) = draws_of(log, {"anna": [Ordered(9, 420)]}, {}, CHOICES)
    assert (found.choice, found.arms, found.drawn, found.propensity) == (
        "coupons",
        ("ten", "five"),
        "ten",
        0.75,
    )
    assert (found.at, found.bought, found.gained) == (7, True, 420)


def test_what_stands_already_is_not_a_draw() -> None:
    log = [decided("anna", 7, {"ten": 1.0}, five="not_drawn"), decided("bert", 7, {"ten": 0.5})]
    assert draws_of(log, {}, {}, CHOICES) == []


def test_of_one_shopper_the_first_draw_counts() -> None:
    log = [
        decided("anna", at, {name: 0.5}, **{other: "not_drawn"})
        for at, name, other in ((9, "ten", "five"), (3, "five", "ten"))
    ]
    assert [each.drawn for each in draws_of(log, {}, {}, CHOICES)] == ["five"]


def test_what_a_shopper_said_within_half_an_hour_goes_with_the_draw() -> None:
    log = [decided(who, 0, {"ten": 0.5}, five="not_drawn") for who in ("anna", "bert", "carl", "dora")]
    words = {
        ("anna", "ten"): [Feedback("dismissed", 60), Feedback("accepted", 90)],
        ("bert", "ten"): [Feedback("dismissed", HEARD_S)],
        ("carl", "ten"): [Feedback("dismissed", HEARD_S + 1)],
        ("dora", "five"): [Feedback("accepted", 5)],  # of what was shown to them another day
    }
    assert [each.word for each in draws_of(log, {}, words, CHOICES)] == ["accepted", "dismissed", "", ""]


def test_a_log_entry_is_read_as_decide_writes_it() -> None:
    made = Weighed(Inputs(at=5, features=ROW), (Chosen("ten", 0.9),), ("ten", "help"), {"help": "capped"})
    situation = {"campaigns": msgspec.to_builtins(made), "orders": 3}
    read = read_logged_campaigns({"situation": situation, "snapshot": "s", "unit": "u"})
    assert read == LoggedCampaigns((Drawn("ten", 0.9),), {"help": "capped"}, KNOWN, "u")


@pytest.mark.parametrize(
    "inputs", [{}, {"situation": {}}, {"situation": {"campaigns": None}}, {"situation": {"campaigns": "x"}}]
)
def test_an_entry_without_campaigns_or_of_another_layout_is_none(inputs: dict[str, object]) -> None:
    assert read_logged_campaigns(inputs) is None


def test_features_of_another_layout_teach_nothing() -> None:
    told = LoggedCampaigns((Drawn("ten", 1.0),), inputs=LoggedInputs((1.0, 2.0)))
    assert len(exposures([CampaignDecision("d", 0, "anna", told)], {}, "ten", NOW)) == 0
