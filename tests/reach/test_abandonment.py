from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.reach.abandonment import MOST_LINES, CheckoutActivity, SilenceThresholds, checkout_silence
from tests.reach.places import ADA, LINES, NOW, happened, minutes, told

WAIT = SilenceThresholds(minutes(30), minutes(10))


def over(events: list[CheckoutActivity], at: float) -> bool:
    silence = checkout_silence(events)
    return silence is not None and silence.is_over(WAIT, NOW + minutes(at))


def test_a_checkout_is_abandoned_after_its_silence_and_not_before() -> None:
    events = [told(0, customer=ADA), told(5, customer=ADA)]
    assert not over(events, 34.9)
    assert over(events, 35)
    silence = checkout_silence(events)
    assert silence is not None
    assert (silence.customer_id, silence.subtotal_minor, silence.lines) == (ADA, 4000, ((11, 2),))
    assert (silence.began_at, silence.last_at) == (NOW, NOW + minutes(5))


def test_leaving_the_page_shortens_the_wait_unless_something_came_after() -> None:
    left = [told(0), happened("tillwise:page_left", 1, client="c")]
    assert over(left, 11)
    stayed = [*left, happened("payment_info_submitted", 2, client="c")]
    assert not over(stayed, 13)
    assert over(stayed, 32)


def test_a_browser_whose_clock_is_ahead_puts_nothing_off() -> None:
    events = [told(0), happened("checkout_started", 60 * 24 * 365, recorded=1, client="c")]
    silence = checkout_silence(events)
    assert silence is not None
    assert silence.last_at == NOW + minutes(1)
    assert over(events, 31)


def test_a_browser_whose_clock_is_behind_hastens_nothing() -> None:
    events = [told(0), happened("payment_info_submitted", -600, recorded=20, client="c")]
    assert not over(events, 49)
    assert over(events, 50)


def test_a_word_that_comes_late_puts_the_silence_off_by_our_clock_alone() -> None:
    assert not over([told(0), told(-120, recorded=25)], 50)


def test_what_was_completed_or_dropped_is_not_abandoned() -> None:
    assert checkout_silence([told(0), happened("checkout_completed", 1, client="c")]) is None
    assert checkout_silence([told(0, completed=True)]) is None
    assert checkout_silence([told(0), happened("CheckoutDeleted", 1)]) is None


def test_a_checkout_with_nothing_in_it_is_not_abandoned() -> None:
    assert checkout_silence([told(0, subtotal_minor=0, lines=[])]) is None


def test_of_a_basket_that_no_link_brings_back_whole_no_lines_are_kept() -> None:
    many = [{"variant_id": 11 + number, "quantity": 1} for number in range(MOST_LINES + 1)]
    for lines, kept in ((many, 0), (many[1:], MOST_LINES)):
        silence = checkout_silence([told(0, lines=lines)])
        assert silence is not None
        assert (len(silence.lines), silence.subtotal_minor) == (kept, 4000)
    assert checkout_silence([happened("alert_displayed", 0, client="c")]) is None
    assert checkout_silence([]) is None


def test_a_checkout_that_only_the_browser_told_of_is_nobodys() -> None:
    events = [happened("checkout_started", 0, client="c", customer=ADA, subtotal="40.00", currency="USD")]
    silence = checkout_silence(events)
    assert silence is not None
    assert (silence.customer_id, silence.subtotal_minor, silence.lines) == (None, 4000, ())


@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_of_arrival_and_repeats_change_nothing(chance: random.Random, repeats: int) -> None:
    events = [
        told(0, customer=ADA), told(2, customer=ADA, lines=LINES),
        happened("checkout_started", 1, client="c"),
        happened("tillwise:page_left", 3, client="c"), happened("page_viewed", 2.5, client="c"),
    ]  # fmt: skip
    shuffled = events + [chance.choice(events) for _ in range(repeats)]
    chance.shuffle(shuffled)
    assert checkout_silence(shuffled) == checkout_silence(events)


def test_who_left_the_page_is_waited_for_the_shortest() -> None:
    assert SilenceThresholds().shortest == timedelta(minutes=10)
