"""Campaigns that compete are drawn by what the log says of them, with its late answers."""

import random
from collections.abc import Sequence
from statistics import fmean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.choice import (
    FLOOR,
    HEARD_S,
    ArmEvidence,
    Draw,
    FeedbackShare,
    Word,
    best_shares,
    tallies,
    weights,
)
from app.experiments.assign import bucket

WINDOW_S = 86_400
NOW = 100 * WINDOW_S
ARMS = ("five", "ten", "twenty")


def drawn(
    arm: str, bought: bool, at: float = 0, arms: tuple[str, ...] = ARMS, propensity: float = 1 / 3
) -> Draw:
    return Draw("coupons", arms, arm, propensity, at, bought)


def some(arm: str, shown: int, bought: int, **changes: float) -> list[Draw]:
    return [drawn(arm, number < bought, **changes) for number in range(shown)]  # type: ignore[arg-type]


def shares(told: dict[str, float], among: Sequence[str] = ARMS) -> dict[str, float]:
    """Return how likely each arm is to be drawn among these, as a decision draws it."""
    total = sum(told.get(arm, 1.0) for arm in among)
    return {arm: told.get(arm, 1.0) / total for arm in among}


def test_the_best_arm_is_drawn_most_and_none_falls_below_the_floor() -> None:
    trials = some("five", 500, 20) + some("ten", 500, 90) + some("twenty", 500, 25)
    told = shares(weights(trials, NOW)["coupons"])
    assert told["ten"] == pytest.approx(1 - 2 * FLOOR, abs=0.001)
    assert told["five"] == pytest.approx(FLOOR, abs=0.001)


def test_equal_arms_are_drawn_about_as_often() -> None:
    told = shares(weights([*some("five", 400, 40), *some("ten", 400, 40)], NOW)["coupons"])
    assert told["five"] == pytest.approx(told["ten"], abs=0.05)


def test_an_arm_that_was_never_drawn_is_tried() -> None:
    told = shares(weights(some("five", 400, 40) + some("ten", 400, 44), NOW)["coupons"])
    assert told["twenty"] > 0.3  # nothing speaks against it yet


def test_a_new_campaign_competes_with_an_even_share() -> None:
    told = shares(weights(some("five", 400, 40), NOW)["coupons"], (*ARMS, "new"))
    assert told["new"] == pytest.approx(1 / 4, abs=0.001)


def test_the_same_log_gives_the_same_weights() -> None:
    trials = some("five", 50, 5) + some("ten", 50, 9)
    assert weights(trials, NOW) == weights(list(reversed(trials)), NOW)


def test_nothing_logged_gives_no_weights() -> None:
    assert weights([], NOW) == {}
    assert weights([drawn("five", True, arms=("five",))], NOW) == {}  # there was nothing to choose


def test_no_exposure_counts_before_its_time_is_over() -> None:
    late = NOW - WINDOW_S / 2
    old = some("five", 200, 20) + some("ten", 200, 20)
    # What the open ones brought so far, orders or none, would move the weights if it counted.
    assert weights(old + some("ten", 300, 300, at=late), NOW) == weights(old, NOW)
    assert weights(old + some("ten", 300, 0, at=late), NOW) == weights(old, NOW)


def test_late_orders_do_not_favour_the_arm_that_answers_fast() -> None:
    """Two equally good arms: one is ordered from within minutes, the other by the next morning."""
    dice, trials = random.Random(5), []
    for number in range(8_000):
        at, arm = NOW - number * 60, ("five", "ten")[number % 2]
        delay = 300 if arm == "five" else 80_000
        will, known = dice.random() < 0.1, at + delay <= NOW
        trials.append(drawn(arm, will and known, at=at, arms=("five", "ten"), propensity=0.5))
    told = tallies(("five", "ten"), trials, NOW - WINDOW_S)
    naive = tallies(("five", "ten"), trials, NOW)
    assert told["five"].rate == pytest.approx(told["ten"].rate, abs=0.012)
    assert naive["five"].rate > naive["ten"].rate + 0.012
    assert weights(trials, NOW)["coupons"]["ten"] > 2 * FLOOR


def test_an_arm_that_was_drawn_more_in_a_bad_season_is_not_judged_by_it() -> None:
    """Equal arms: 20 % buy in summer, when `ten` is drawn seldom, and 5 % in autumn, when often."""
    trials: list[Draw] = []
    for rate, often in ((0.2, 0.2), (0.05, 0.8)):
        for arm, share in (("ten", often), ("five", 1 - often)):
            shown = round(4_000 * share)
            trials += some(arm, shown, round(shown * rate), arms=("five", "ten"), propensity=share)  # type: ignore[arg-type]
    told = tallies(("five", "ten"), trials, NOW)
    assert told["five"].rate == pytest.approx(told["ten"].rate)
    assert told["ten"].exposures < 4_000  # the few of summer speak for many


def browsed(
    dice: random.Random, arm: str, number: int, often: float, rates: tuple[float, float], now: float = NOW
) -> Draw:
    """Return an exposure, one a minute back from now, as it is known by now.

    often: how often it is sent away, within minutes. rates: how many order of those who do, of the others;
    nobody orders within the hour.
    """
    at = now - number * 60
    sent_away = dice.random() < often
    orders = dice.random() < rates[not sent_away] and at + 3_600 <= now
    word: Word = "dismissed" if sent_away and at + 120 <= now else ""
    return Draw("coupons", ("five", "ten"), arm, 0.5, at, orders, 1.0, word)


def test_who_sends_an_offer_away_is_no_loss_before_their_time_is_over() -> None:
    """Equally good arms, at 10 %: of one that 40 % send away, 4 % of these order and 14 % of the others."""
    dice = random.Random(3)
    trials = [
        *(browsed(dice, "ten", number, 0.4, (0.04, 0.14)) for number in range(8_000)),
        *(browsed(dice, "five", number, 0.0, (0.0, 0.1)) for number in range(8_000)),
    ]
    told = tallies(("five", "ten"), trials, NOW - WINDOW_S)
    assert told["ten"].rate == pytest.approx(told["five"].rate, abs=0.012)
    assert told["ten"].heard[1].share == pytest.approx(0.4, abs=0.02)
    # A dismissal that ends an exposure as lost at once counts against who is sent away, orders or not.
    ended = [each for each in trials if each.at <= NOW - WINDOW_S or each.word == "dismissed"]
    lost = [each for each in ended if each.drawn == "ten"]
    naive = sum(each.bought and each.word != "dismissed" for each in lost) / len(lost)
    assert naive < told["ten"].rate - 0.012


def test_what_is_heard_of_open_exposures_makes_a_rate_surer_and_no_other() -> None:
    """A day and a half of an arm that half send away: with two days behind it, it would be known as well."""
    dice = random.Random(4)
    heard, unheard = list[float](), list[float]()
    for _ in range(300):
        trials = [browsed(dice, "ten", number, 0.5, (0.0, 0.4)) for number in range(2_000)]
        heard.append(tallies(("ten",), trials, NOW - WINDOW_S)["ten"].rate)
        deaf = [each._replace(word="") for each in trials]
        unheard.append(tallies(("ten",), deaf, NOW - WINDOW_S)["ten"].rate)
    assert fmean(heard) == pytest.approx(0.2, abs=0.004)  # half of 40 %
    assert fmean(unheard) == pytest.approx(0.2, abs=0.004)
    assert variance(heard) < 0.9 * variance(unheard)


def test_words_that_say_nothing_of_orders_change_nothing() -> None:
    dice = random.Random(6)
    trials = [
        *(browsed(dice, "ten", number, 0.5, (0.1, 0.1)) for number in range(6_000)),
        *(browsed(dice, "five", number, 0.0, (0.1, 0.1)) for number in range(6_000)),
    ]
    told = shares(weights(trials, NOW)["coupons"], ("five", "ten"))
    deaf = shares(weights([each._replace(word="") for each in trials], NOW)["coupons"], ("five", "ten"))
    assert told["ten"] == pytest.approx(deaf["ten"], abs=0.12)


def test_nothing_is_heard_of_who_was_shown_just_now() -> None:
    old = some("five", 200, 20) + some("ten", 200, 20)
    new = [drawn("ten", False, at=NOW - HEARD_S / 2)._replace(word="dismissed") for _ in range(300)]
    assert weights(old + new, NOW) == weights(old, NOW)


def test_an_arm_that_is_suddenly_sent_away_by_all_loses_before_a_day_is_over() -> None:
    """Who sent it away never ordered; since this morning all do, and nobody else's time is over yet."""
    before = [
        *some("five", 600, 60, arms=("five", "ten")),
        *(each._replace(word="accepted") for each in some("ten", 300, 120, arms=("five", "ten"))),
        *(each._replace(word="dismissed") for each in some("ten", 300, 0, arms=("five", "ten"))),
    ]  # type: ignore[arg-type]
    late = NOW - WINDOW_S / 2
    since = [each._replace(word="dismissed") for each in some("ten", 3_000, 0, at=late, arms=("five", "ten"))]  # type: ignore[arg-type]
    assert shares(weights(before, NOW)["coupons"], ("five", "ten"))["ten"] > 0.9
    assert shares(weights(before + since, NOW)["coupons"], ("five", "ten"))["ten"] < 0.1


@pytest.mark.parametrize("word", ["accepted", "dismissed"])
def test_a_word_that_was_never_heard_of_an_arm_is_no_praise(word: Word) -> None:
    """Nothing is known yet of who orders after it, so it can't be worth more than what is known."""
    before = [
        *some("five", 600, 72, arms=("five", "ten")),
        *some("ten", 600, 60, arms=("five", "ten")),
    ]  # type: ignore[arg-type]
    late = NOW - WINDOW_S / 2
    since = [each._replace(word=word) for each in some("ten", 3_000, 0, at=late, arms=("five", "ten"))]  # type: ignore[arg-type]
    told = shares(weights(before, NOW)["coupons"], ("five", "ten"))
    after = shares(weights(before + since, NOW)["coupons"], ("five", "ten"))
    assert FLOOR < after["ten"] < told["ten"] + 0.2


def test_arms_are_compared_among_those_who_could_have_had_either() -> None:
    """A coupon for the hesitant, of whom few buy, is better for them than the banner everyone may see."""
    both = [
        *some("coupon", 600, 60, arms=("banner", "coupon")),
        *some("banner", 600, 24, arms=("banner", "coupon")),
    ]  # type: ignore[arg-type]
    others = [
        *some("banner", 900, 270, arms=("banner", "help")),
        *some("help", 900, 90, arms=("banner", "help")),
    ]  # type: ignore[arg-type]
    told = weights(both + others, NOW)["coupons"]
    assert shares(told, ("banner", "coupon"))["coupon"] > 0.5


def test_profit_counts_where_it_is_known() -> None:
    dear = [Draw("coupons", ("five", "ten"), "five", 0.5, 0, number < 50, 20.0) for number in range(500)]
    cheap = [Draw("coupons", ("five", "ten"), "ten", 0.5, 0, number < 60, 8.0) for number in range(500)]
    assert shares(weights(dear + cheap, NOW)["coupons"], ("five", "ten"))["five"] > 0.9


def test_uneven_orders_make_no_arm_surer_than_it_is() -> None:
    """Two arms alike: one may look best beyond 95 % in one shop of ten, also where orders differ widely."""
    arms, sure = ("five", "ten"), 0
    for seed in range(100):
        dice = random.Random(seed)
        trials = [
            Draw("coupons", arms, dice.choice(arms), 0.5, 0, dice.random() < 0.3, dice.lognormvariate(8, 1.2))
            for _ in range(600)
        ]
        sure += max(best_shares(tallies(arms, trials, NOW), "seed").values()) > 0.95
    assert sure <= 16


def test_one_order_of_a_reseller_makes_no_arm_the_best() -> None:
    arms = ("five", "ten")
    alike = [Draw("coupons", arms, arm, 0.5, 0, n < 50, 30.0) for arm in arms for n in range(300)]
    alike[0] = alike[0]._replace(gained=6_000.0)
    told = best_shares(tallies(arms, alike, NOW), "seed")
    assert told["five"] == pytest.approx(0.5, abs=0.1)


@given(
    st.lists(st.tuples(st.sampled_from(ARMS), st.booleans(), st.floats(0.05, 1)), max_size=60),
    st.floats(0, 0.5),
)
def test_floors_hold_whatever_was_logged(log: list[tuple[str, bool, float]], floor: float) -> None:
    trials = [drawn(arm, bought, propensity=propensity) for arm, bought, propensity in log]
    for told in weights(trials, NOW, floor=floor).values():
        every = shares(told)
        assert min(every.values()) >= min(floor, 1 / 3) - 1e-5
        some_of_them = shares(told, ARMS[:2])
        assert min(some_of_them.values()) >= min(floor, 1 / 3) - 1e-5


def test_it_learns_which_arm_is_best() -> None:
    """Twenty days of 300 shoppers, each day drawn by the weights of the night before."""
    truth = {"five": 0.06, "ten": 0.12, "twenty": 0.08}
    dice, trials, told = random.Random(1), list[Draw](), dict[str, float]()
    taken: list[str] = []
    for day in range(20):
        now = day * WINDOW_S
        told = weights(trials, now).get("coupons", {})
        odds, taken = shares(told), []
        for number in range(300):
            arm = dice.choices(ARMS, [odds[each] for each in ARMS])[0]
            taken.append(arm)
            bought = dice.random() < truth[arm]
            trials.append(drawn(arm, bought, at=now + number, propensity=odds[arm]))
    assert taken.count("ten") > 0.75 * len(taken)
    assert min(map(taken.count, ARMS)) > 0


def test_a_chance_to_be_best_is_what_thompson_sampling_draws() -> None:
    known = {"a": (100, 0.1), "b": (100, 0.15), "c": (10, 0.1)}
    told = {
        arm: ArmEvidence(n, (FeedbackShare(), FeedbackShare(), FeedbackShare(1.0, n, rate)))
        for arm, (n, rate) in known.items()
    }
    found = best_shares(told, "seed")
    dice = random.Random(0)
    wins = dict.fromkeys(told, 0)
    for _ in range(20_000):
        draws = {arm: dice.betavariate(n * rate + 1, n * (1 - rate) + 1) for arm, (n, rate) in known.items()}
        wins[max(draws, key=draws.__getitem__)] += 1
    for arm, share in found.items():
        assert share == pytest.approx(wins[arm] / 20_000, abs=0.03)
    assert sum(found.values()) == pytest.approx(1)
    assert 0 <= bucket("seed", "draws") < 1
