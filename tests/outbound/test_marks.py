from datetime import UTC, datetime

import pytest

from app.outbound.marks import NONE, Due, Mark, change_of, mark_of
from app.outbound.settings import WriteBack

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BOTH = WriteBack(tags=True, metafields=True)
OLD = Mark(frozenset({"tillwise:a", "tillwise:b"}), ("a", "b"))


def due(before: Mark = NONE, *, unsure: bool = False) -> Due:
    return Due(7, ("b", "c"), NOW, before, unsure)


@pytest.mark.parametrize(
    ("wants", "mark"),
    [
        (WriteBack(), NONE),
        (WriteBack(tags=True), Mark(frozenset({"tillwise:b", "tillwise:c"}))),
        (WriteBack(metafields=True), Mark(segments=("b", "c"))),
        (BOTH, Mark(frozenset({"tillwise:b", "tillwise:c"}), ("b", "c"))),
    ],
)
def test_a_customer_carries_what_the_switches_say(wants: WriteBack, mark: Mark) -> None:
    assert mark_of(("b", "c"), wants) == mark


def test_only_what_differs_is_written() -> None:
    change = change_of(due(OLD), mark_of(("b", "c"), BOTH))
    assert (change.add, change.remove) == (("tillwise:c",), ("tillwise:a",))
    assert change.sets_metafield
    assert not change.deletes_metafield


def test_nothing_is_written_where_nothing_differs() -> None:
    assert not change_of(due(OLD), OLD).writes


def test_what_an_attempt_may_have_left_half_done_is_written_again_whole() -> None:
    change = change_of(due(OLD, unsure=True), mark_of(("a", "b"), BOTH))
    assert change.add == ("tillwise:a", "tillwise:b")
    assert change.sets_metafield


def test_all_of_it_is_taken_back() -> None:
    change = change_of(due(OLD), NONE)
    assert (change.add, change.remove) == ((), ("tillwise:a", "tillwise:b"))
    assert change.deletes_metafield


def test_while_it_is_written_all_that_may_be_there_is_known() -> None:
    change = change_of(due(OLD), Mark(frozenset({"tillwise:c"})))
    assert change.meanwhile == Mark(frozenset({"tillwise:a", "tillwise:b", "tillwise:c"}), ("a", "b"))
