"""A bad campaign stops soon; one that does nothing no oftener than agreed, however often one looks."""

from __future__ import annotations

import numpy as np
import pytest

from app.campaigns.guardrails import ALPHA, LEAST_UNITS, WATCHED, Exposure, Harm, Units, harms, units_of

LONG_AFTER = 1e12
SHOPPERS = 6_000
LOOKS = range(250, SHOPPERS + 1, 250)


def shop(
    seed: int, shoppers: int = SHOPPERS, *, held_back: float = 0.1,
    completed: tuple[float, float] = (0.3, 0.3),
    failed: float = 0.0, given_back: tuple[float, float] = (0.1, 0.1), took_ms: tuple[float, float] = (8, 8),
) -> Units:  # fmt: skip
    """Return shoppers whose truth is known: the first figure is of those shown the campaign."""
    random = np.random.default_rng(seed)
    shown = random.random(shoppers) >= held_back

    def happens(figures: tuple[float, float]) -> np.ndarray:
        return random.random(shoppers) < np.where(shown, *figures)

    ordered = happens(completed)
    duration = random.lognormal(np.log(1000 * np.where(shown, *took_ms)), 0.6)
    columns = (np.arange(shoppers), duration, happens((failed, 0.0)), ordered, ordered & happens(given_back))
    return Units(shown, *(each.astype(np.float64) for each in columns))


def first_harm(units: Units) -> tuple[Harm, int] | None:
    """Return what a look every 250 shoppers finds first, and after how many; None when none ever does."""
    for until in LOOKS:
        if found := harms(units.where(np.arange(len(units)) < until), LONG_AFTER):
            return found[0], until
    return None


@pytest.mark.parametrize(
    "null",
    [
        {"completed": (0.03, 0.03)},
        {"completed": (0.4, 0.4), "given_back": (0.3, 0.3)},
        {"held_back": 0.5, "completed": (0.1, 0.1), "failed": 0.01},
        {"held_back": 0.05, "given_back": (0.05, 0.05)},
        {"held_back": 0.9, "completed": (0.05, 0.05)},
    ],
    ids=["rare orders", "many orders", "half", "small holdout", "large holdout"],
)
def test_a_campaign_that_changes_nothing_is_stopped_no_oftener_than_agreed(null: dict[str, float]) -> None:
    shops = 100
    stopped = sum(first_harm(shop(seed, **null)) is not None for seed in range(shops))  # type: ignore[arg-type]
    # 100 shops, each looked at 24 times; 11 and more of them at a true 5 % have a chance of 1 %.
    assert stopped <= 10, f"{stopped} of {shops} at {ALPHA}"


@pytest.mark.parametrize(
    ("bad", "metric"),
    [
        ({"completed": (0.2, 0.4)}, "completion"),
        ({"failed": 0.1}, "errors"),
        ({"took_ms": (60, 8)}, "latency"),
        ({"held_back": 0.3, "completed": (0.5, 0.5), "given_back": (0.4, 0.1)}, "refunds"),
    ],
)  # fmt: skip
def test_a_planted_bad_campaign_is_found_in_time_and_for_what_it_is(
    bad: dict[str, float], metric: str
) -> None:
    found = [first_harm(shop(seed, **bad)) for seed in range(20)]  # type: ignore[arg-type]
    assert [each[0].metric for each in found if each is not None] == [metric] * 20


def test_what_is_better_is_never_stopped() -> None:
    good = [shop(seed, completed=(0.4, 0.2), given_back=(0.02, 0.2), took_ms=(2, 20)) for seed in range(20)]
    assert [first_harm(each) for each in good] == [None] * 20


def test_nothing_is_said_before_enough_of_both_were_seen() -> None:
    bad = shop(1, 2 * LEAST_UNITS, held_back=0.3, completed=(0.0, 1.0))
    assert int((~bad.shown).sum()) < LEAST_UNITS
    assert harms(bad, LONG_AFTER) == []


def test_what_is_not_settled_yet_is_not_counted_against_it() -> None:
    bad = shop(1, 2_000, held_back=0.5, completed=(0.1, 0.5))
    assert harms(bad, LONG_AFTER)[0].metric == "completion"
    just_now = Units(bad.shown, np.full(len(bad), 5_000.0), *(
        getattr(bad, name) for name in ("duration_us", "failed", "ordered", "given_back")
    ))  # fmt: skip
    assert harms(just_now, 5_000.0 + 60) == []


def test_a_shopper_counts_by_the_first_meeting_alone() -> None:
    met = [("b", Exposure(False, 3.0)), ("a", Exposure(True, 2.0, failed=True)), ("a", Exposure(False, 1.0))]
    units = units_of(met)
    assert sorted(zip(units.at.tolist(), units.shown.tolist(), strict=True)) == [(1.0, False), (3.0, False)]
    assert units.failed.sum() == 0


def test_the_sentence_names_both_figures() -> None:
    said = Harm("completion", WATCHED[0].says, 0.2, 0.4, 1e-9, 2_000).sentence()
    assert "20.0% where it is shown, 40.0% where it is held back (2000 shoppers" in said
    assert "8.5 ms" in Harm("latency", "slow", 8_500, 1, 0.01, 9).sentence()
