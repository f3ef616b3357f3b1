from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.entries import RECORDED, Entry, standing, taken_in
from app.consent.policy import PURPOSES, Answers

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
YES = dict.fromkeys(PURPOSES, True)
NO = dict.fromkeys(PURPOSES, False)

words = st.fixed_dictionaries(dict.fromkeys((*PURPOSES, "gpc"), st.sampled_from([None, True, False])))
moments = st.lists(words, min_size=1, max_size=5)


def word(minute: float, **told: Any) -> Entry:
    """Return what was told so many minutes after noon."""
    at = NOON + timedelta(minutes=minute)
    return Entry("subject", "client", f"e{minute}", at, "pixel", told)


def ledger(*entries: Entry, now: datetime = LATER) -> list[Entry]:
    """Return what is written down of the entries as they arrive."""
    known: list[Entry] = []
    for entry in entries:
        if taken := taken_in(known, entry, now):
            known.append(taken)
    return known


def stands(*entries: Entry) -> Answers:
    answers = standing(ledger(*entries))
    assert answers is not None
    return answers


def test_the_newest_word_stands_and_no_answer_takes_none_back() -> None:
    first, second = word(0, analytics=True, marketing=True), word(1, analytics=False, marketing=None)
    assert stands(first, second) == Answers(analytics=False, marketing=True)


def test_a_word_that_comes_late_is_history_and_overrides_nothing_newer() -> None:
    no, yes = word(5, **NO), word(1, **YES)
    known = ledger(no, yes)
    assert [entry.told["analytics"] for entry in known] == [False, True]
    assert standing(known) == Answers(False, False, False, False)


def test_a_refusal_counts_after_a_consent_that_a_clock_which_was_put_back_told_of() -> None:
    ahead, now = word(24 * 60, **YES), NOON + timedelta(minutes=2)
    assert standing(ledger(ahead, word(1, **NO), now=now)) == Answers(False, False, False, False)


def test_a_consent_does_not_count_after_a_refusal_that_lies_ahead() -> None:
    ahead, now = word(24 * 60, **NO), NOON + timedelta(minutes=2)
    assert standing(ledger(ahead, word(1, **YES), now=now)) == Answers(False, False, False, False)


def test_a_late_word_counts_where_nobody_said_anything_later() -> None:
    late = word(1, analytics=False, marketing=True)
    assert stands(word(5, analytics=True), late) == Answers(analytics=True, marketing=True)


def test_a_late_refusal_counts_against_an_older_consent_that_was_not_repeated() -> None:
    yes, silent, no = word(0, analytics=True), word(2, marketing=True), word(1, analytics=False)
    assert stands(yes, silent, no) == Answers(analytics=False, marketing=True)


def test_a_repeat_adds_nothing() -> None:
    yes, no = word(0, **YES), word(1, **NO)
    assert ledger(yes, yes, no, yes, no) == ledger(yes, no)
    assert taken_in(ledger(yes), word(2, **YES), LATER) is None
    assert taken_in(ledger(no, yes), yes, LATER) is None


def test_somebody_for_whom_the_policy_speaks_is_written_down_once() -> None:
    silent = dict.fromkeys(PURPOSES)
    assert len(ledger(word(0, **silent), word(1, **silent))) == 1
    assert stands(word(0, **silent)) == Answers()


def test_gpc_once_seen_stays() -> None:
    for order in permutations([word(0, gpc=True), word(1, gpc=False)]):
        assert stands(*order).gpc is True


def test_what_a_record_says_is_no_answer_of_a_visit() -> None:
    known = ledger(word(0, email_marketing="subscribed"), word(1, data_sale_opt_out=True))
    assert standing(known) is None
    assert known[-1].answers == {"email_marketing": "subscribed", "data_sale_opt_out": True}
    assert stands(word(0, email_marketing="unsubscribed"), word(1, marketing=True)).marketing is True


@given(moments)
def test_in_order_the_last_row_says_what_the_rules_say_of_all(told: list[dict[str, Any]]) -> None:
    answers = stands(*(word(at, **each) for at, each in enumerate(told)))
    for purpose in PURPOSES:
        said = [each[purpose] for each in told if each[purpose] is not None]
        assert getattr(answers, purpose) == (said[-1] if said else None)
    assert answers.gpc == any(each["gpc"] for each in told)


@given(st.data(), moments)
def test_out_of_order_and_doubled_never_more_stands_than_in_order(
    data: st.DataObject, told: list[dict[str, Any]]
) -> None:
    complete = [{name: bool(answer) for name, answer in each.items()} for each in told]
    entries: list[Entry] = []
    for at, each in enumerate(complete):  # as decide and collect mark them: refused now and not before
        before = complete[at - 1] if at else each
        withdraws = any(before[purpose] and not each[purpose] for purpose in PURPOSES)
        entries.append(replace(word(at, **each), withdraws=withdraws))
    shuffled = data.draw(st.permutations(entries))
    repeated = data.draw(st.lists(st.sampled_from(entries), max_size=3))
    in_order, as_it_came = stands(*entries), stands(*shuffled, *repeated)
    for purpose in PURPOSES:
        assert bool(getattr(as_it_came, purpose)) <= bool(getattr(in_order, purpose))
    assert as_it_came.gpc == in_order.gpc


def test_a_withdrawal_that_overtakes_the_consent_it_takes_back_stands() -> None:
    no, yes = word(0, **NO), word(1, **YES)
    again = replace(word(2, **NO), withdraws=True)
    known = ledger(no, again, yes)
    assert [entry.event_id for entry in known] == ["e0", "e2", "e1"]
    assert standing(known) == Answers(False, False, False, False)


@given(moments, words)
def test_one_more_refusal_never_leaves_more_allowed(
    told: list[dict[str, Any]], refused: dict[str, Any]
) -> None:
    entries = [word(at, **each) for at, each in enumerate(told)]
    no = {name: False if answer is False else None for name, answer in refused.items()}
    for at in (-1, len(told)):
        before, after = stands(*entries), stands(*entries, word(at, **no))
        for purpose in PURPOSES:
            assert bool(getattr(after, purpose)) <= bool(getattr(before, purpose))


@pytest.mark.parametrize("name", RECORDED)
def test_the_words_of_a_record_are_not_those_of_a_visit(name: str) -> None:
    assert name not in PURPOSES
