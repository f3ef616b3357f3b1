from hypothesis import given
from hypothesis import strategies as st

from app.consent.policy import PURPOSES, Answers
from app.consent.told import all_withdrawn, consent_change, merged, pack, told_key, unpack, withdrawn

tristate = st.sampled_from([None, True, False])
answers = st.builds(Answers, tristate, tristate, tristate, tristate, st.booleans())


def test_the_first_word_of_somebody_is_news_even_without_an_answer() -> None:
    found = consent_change(None, Answers())
    assert found is not None
    assert (found.answers, found.withdrawn) == (Answers(), ())


@given(answers)
def test_a_repeat_is_no_news(told: Answers) -> None:
    assert consent_change(told, told) is None
    assert consent_change(told, Answers()) is None


@given(answers, answers)
def test_news_are_what_changes_what_stands(before: Answers, now: Answers) -> None:
    found = consent_change(before, now)
    assert (found is None) == (merged(before, now) == before)
    if found:
        assert found.answers == merged(before, now)
        assert consent_change(found.answers, now) is None


@given(answers, answers)
def test_withdrawn_is_what_is_refused_now_and_was_not_before(before: Answers, now: Answers) -> None:
    for purpose in PURPOSES:
        taken_back = getattr(before, purpose) is not False and getattr(now, purpose) is False
        assert (purpose in withdrawn(before, now)) == taken_back


def test_what_the_policy_allowed_unanswered_is_taken_back_by_a_no() -> None:
    found = consent_change(Answers(), Answers(analytics=False))
    assert found is not None
    assert found.withdrawn == ("analytics",)


@given(answers, answers, answers)
def test_merging_keeps_the_last_answer_to_each(a: Answers, b: Answers, c: Answers) -> None:
    assert merged(merged(a, b), c) == merged(a, merged(b, c))
    assert merged(a, a) == a


def test_several_names_withdraw_what_any_of_them_does() -> None:
    first, second = (
        consent_change(Answers(), Answers(marketing=False)),
        consent_change(Answers(), Answers(analytics=False)),
    )
    assert all_withdrawn(one for one in (first, second) if one) == ("analytics", "marketing")


@given(answers)
def test_answers_come_back_from_redis_as_they_went(told: Answers) -> None:
    assert unpack(pack(told)) == told


@given(st.binary(max_size=20))
def test_what_is_torn_or_absent_was_never_told(value: bytes) -> None:
    found = unpack(value)
    assert found is None or isinstance(found, Answers)
    assert unpack(None) is None


def test_a_key_names_the_shop_and_the_digest_alone() -> None:
    assert told_key("a.myshopify.com", "0f") == "tw:{a.myshopify.com}:told:0f"
