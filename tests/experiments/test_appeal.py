from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.experiments.appeal import Appeal, appeal
from app.experiments.refusal import Cause, Refusal
from app.experiments.showings import Showing, Showings, showings_of

PRODUCTS = 60
PLACES = np.array([0.12, 0.08, 0.05])


def shown(
    seed: int, spread: float = 0.0, dislike: float = 0.0, size: int = 60_000, sent_away: float = 0.03
) -> tuple[Showings, np.ndarray]:
    """Return showings and the products' true appeal in log odds.

    spread: its deviation. dislike: how much a product's own log odds of being sent away count against it.
    """
    rng = np.random.default_rng(seed)
    away = rng.normal(0, 0.8, PRODUCTS)
    true = rng.normal(0, spread, PRODUCTS) - dislike * away
    product, spot = rng.integers(0, PRODUCTS, size), rng.integers(0, 3, size)
    chance = 1 / (1 + (1 / PLACES[spot] - 1) * np.exp(-true[product]))
    taken = rng.random(size) < chance
    refused = ~taken & (rng.random(size) < np.minimum(sent_away * np.exp(away[product]), 1))
    return Showings(product + 1_000, spot, rng.integers(0, size // 3, size), taken, refused), true


def used(found: Appeal | Refusal) -> Appeal:
    assert isinstance(found, Appeal), found
    return found


def test_products_that_are_taken_oftener_are_found() -> None:
    showings, true = shown(0, spread=0.5)
    found = used(appeal(showings))
    learnt = np.array([found.log_odds[1_000 + n] for n in range(PRODUCTS)])
    assert np.corrcoef(learnt, true)[0, 1] > 0.9
    assert np.abs(learnt - true).mean() < 0.2
    assert 0 < found.gain.low < found.gain.value
    assert (found.showings, found.taken) == (60_000, showings.taken.sum())


def test_what_shoppers_send_away_speaks_against_it() -> None:
    found = used(appeal(shown(1, dislike=0.5)[0]))
    assert found.of_sent_away < 0 <= found.of_taken


def test_dismissals_that_have_nothing_to_do_with_it_count_for_little() -> None:
    found = used(appeal(shown(2, spread=0.5)[0]))
    assert abs(found.of_sent_away) < 0.2 < found.of_taken


def test_where_products_are_alike_none_is_used() -> None:
    # At most one in forty by chance: the interval is of 95 %, and only its upper side lets one pass.
    passed = [isinstance(appeal(shown(seed, size=20_000)[0]), Appeal) for seed in range(60)]
    assert sum(passed) <= 4


def test_a_bad_place_is_no_fault_of_the_product() -> None:
    # The first ten products stand in the last place only, and are taken there as often as any.
    rng = np.random.default_rng(3)
    product = rng.integers(0, PRODUCTS, 60_000)
    spot = np.where(product < 10, 2, rng.integers(0, 3, 60_000))
    true = np.where(np.arange(PRODUCTS) % 2, 0.5, -0.5)
    chance = 1 / (1 + (1 / PLACES[spot] - 1) * np.exp(-true[product]))
    taken = rng.random(60_000) < chance
    none = np.zeros(60_000, dtype=bool)
    found = used(appeal(Showings(product, spot, np.arange(60_000), taken, none)))
    learnt = np.array([found.log_odds[n] for n in range(PRODUCTS)])
    assert abs(learnt[:10].mean() - learnt[10:].mean()) < 0.15


def test_too_few_answers_say_nothing() -> None:
    found = appeal(shown(0, spread=1.0, size=600)[0])
    assert isinstance(found, Refusal)
    assert found.cause is Cause.TOO_EARLY


@pytest.mark.parametrize("size", [0, 1])
def test_no_showings_are_too_few(size: int) -> None:
    assert isinstance(appeal(shown(0, size=60)[0].these(slice(size))), Refusal)


def test_a_product_that_was_not_shown_before_has_no_appeal_yet() -> None:
    showings, _ = shown(0, spread=0.5)
    late = showings.product_id.copy()
    late[-2_000:] = 7  # first shown when it is judged
    new = Showings(late, showings.spot, showings.shopper, showings.taken, showings.sent_away)
    assert 999 not in used(appeal(new)).log_odds


def test_showings_stand_by_time_and_their_places_and_shoppers_are_numbered() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    told = [
        Showing(now, "b", "checkout", 0, 20, taken=True),
        Showing(now - timedelta(days=1), "a", "checkout", 0, 10),
        Showing(now, "b", "thank_you", 0, 30, sent_away=True),
        Showing(now, "b", "checkout", 1, 10),
    ]
    found = showings_of(told)
    assert found.product_id.tolist() == [10, 20, 30, 10]
    assert (found.spot.tolist(), found.shopper.tolist()) == ([0, 0, 1, 2], [0, 1, 1, 1])
    assert (found.taken.tolist(), found.sent_away.tolist()) == (
        [False, True, False, False],
        [False, False, True, False],
    )
