from __future__ import annotations

from itertools import permutations

import msgspec

from app.campaigns.shopper_history import (
    KEPT_S,
    MOST_KEPT,
    MOST_PLACES,
    NOTHING,
    CampaignHistory,
    HistoryUpdate,
    ShopperHistory,
    Showing,
    after,
    dismissed,
    in_this_session,
    is_new_session,
    is_standing,
    newly_shown,
    pack,
    place_of,
    unpack,
)
from app.profiles.visit import PAUSE_S, Visit
from tests.campaigns.factories import AT

HERE, THERE = place_of("checkout", "token"), place_of("thank_you", "token")


def a_nudging(showing: Showing, read: bytes | None = None, **codes: tuple[str, int, str]) -> HistoryUpdate:
    return HistoryUpdate("shop", "unit", read, None, codes, showing, ())


def saw(*showings: Showing) -> ShopperHistory:
    value: bytes | None = None
    for showing in showings:
        value = a_nudging(showing).onto(value)
    return unpack(value)


def test_a_repeat_from_the_same_place_is_not_one_more() -> None:
    first = Showing(AT, HERE, ("help",))
    again = Showing(AT + 40, HERE, ("help",))
    assert saw(first, again, again).fired["help"] == CampaignHistory(1, 1, AT, AT + 40, AT, HERE)


def test_another_place_is_one_more_and_so_is_another_session() -> None:
    fired = saw(
        Showing(AT, HERE, ("help",)), Showing(AT + 60, THERE, ("help",)),
        Showing(AT + 61 + PAUSE_S, THERE, ("help",)),
    ).fired["help"]  # fmt: skip
    assert (fired.times, fired.in_session, fired.first_at) == (3, 1, AT)


def test_two_blocks_that_ask_in_turns_are_two_showings_however_often_they_ask() -> None:
    turns = [Showing(AT + n, HERE if n % 2 else THERE, ("help",)) for n in range(6)]
    fired = saw(*turns).fired["help"]
    assert (fired.times, fired.in_session) == (2, 2)
    assert is_standing(fired, HERE)
    assert is_standing(fired, THERE)
    assert newly_shown({"help": fired}, Showing(AT + 9, THERE, ("help",))) == ()


def test_of_ever_more_places_the_latest_are_remembered() -> None:
    places = [place_of("checkout", str(n)) for n in range(2 * MOST_PLACES)]
    fired = saw(*(Showing(AT, place, ("help",)) for place in places)).fired["help"]
    assert fired.place.split() == places[: -MOST_PLACES - 1 : -1]


def test_questions_that_overtake_each_other_count_the_same() -> None:
    showings = [Showing(AT, HERE, ("a",)), Showing(AT + 1, HERE, ("a", "b")), Showing(AT + 2, HERE, ("b",))]
    kept = [saw(*order) for order in permutations(showings)]
    assert {(each.fired["a"].times, each.fired["b"].times) for each in kept} == {(1, 1)}
    assert {each.seen_at for each in kept} == {AT + 2}


def test_a_clock_that_is_behind_begins_no_session() -> None:
    history = ShopperHistory(AT)
    assert not is_new_session(history, None, AT - 10 * PAUSE_S)
    assert not is_new_session(history, None, AT + PAUSE_S)
    assert is_new_session(history, None, AT + PAUSE_S + 1)


def test_what_the_visit_did_bridges_the_pause() -> None:
    later = AT + 2 * PAUSE_S
    went_on = Visit(visits=1, began_at=AT - 60, last_at=later - 10)
    came_back = Visit(visits=2, began_at=later - 30, last_at=later - 10)
    assert not is_new_session(ShopperHistory(AT), went_on, later)
    assert is_new_session(ShopperHistory(AT), came_back, later)
    assert is_new_session(ShopperHistory(AT), Visit(visits=1, began_at=AT - 60, last_at=AT), later)


def test_a_new_session_keeps_how_often_at_all_and_forgets_how_often_in_it() -> None:
    history = ShopperHistory(
        AT, {"help": CampaignHistory(3, 2, 1, 2, 3, HERE, "CODE", AT + 9), "old": CampaignHistory(1)}
    )
    known = in_this_session(history, True, {"help"})
    assert known == {"help": CampaignHistory(3, 0, 1, 2, 0, "", "CODE", AT + 9)}
    assert not is_standing(known["help"], HERE)


def test_waiting_is_remembered_from_its_beginning() -> None:
    waits = saw(Showing(AT, HERE, (), ("help",)), Showing(AT + 30, HERE, (), ("help",)))
    assert waits.fired["help"] == CampaignHistory(matched_at=AT)


def test_only_what_was_not_standing_is_newly_shown() -> None:
    known = {"a": CampaignHistory(1, 1, AT, AT, AT, HERE)}
    assert newly_shown(known, Showing(AT, HERE, ("a", "b"))) == ("b",)
    assert newly_shown(known, Showing(AT, THERE, ("a",))) == ("a",)


def test_a_code_given_out_is_kept_whatever_was_written_meanwhile() -> None:
    other = pack(saw(Showing(AT, THERE, ("other",))))
    kept = unpack(a_nudging(Showing(AT, HERE, ("ten",)), None, ten=("TEN", AT + 60, "ten.1")).onto(other))
    held = kept.fired["ten"]
    assert (held.code, held.expires_at, held.pool) == ("TEN", AT + 60, "ten.1")
    assert kept.fired["other"].times == 1


def test_what_was_sent_away_is_remembered_so() -> None:
    assert dismissed(saw(Showing(AT, HERE, ("help",))), "help", AT + 5).fired["help"].dismissed
    assert dismissed(NOTHING, "help", AT).fired["help"].dismissed


def test_what_is_old_is_forgotten_and_never_more_is_kept_than_the_latest() -> None:
    many = {f"c{n:03}": CampaignHistory(1, 1, AT, AT + n) for n in range(MOST_KEPT + 20)}
    old = {"old": CampaignHistory(1, 1, 1, AT - KEPT_S)}
    kept = after(ShopperHistory(AT, many | old), {}, Showing(AT, HERE, ())).fired
    assert len(kept) == MOST_KEPT
    assert "old" not in kept
    assert "c000" not in kept
    assert f"c{MOST_KEPT + 19:03}" in kept


def test_what_another_layout_packed_is_nothing() -> None:
    assert unpack(b"\xc1") == unpack(msgspec.msgpack.encode({"a": 1})) == unpack(None) == NOTHING
    history = saw(Showing(AT, HERE, ("help",)))
    assert unpack(pack(history)) == history
