from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from app.outbound.messages import MOST_ATTEMPTS, Move, event_id_of, message_of, pause_after

MOVE = Move(
    3, "a.myshopify.com", 7, None, "champions", "Bought often.", datetime(2026, 11, 20, 12, tzinfo=UTC)
)


def test_a_move_is_told_as_documented() -> None:
    assert msgspec.to_builtins(message_of(MOVE)) == {
        "event_id": event_id_of(MOVE), "shop": "a.myshopify.com", "customer_id": 7, "before": None,
        "after": "champions", "why": "Bought often.", "moved_at": "2026-11-20T12:00:00.000Z",
    }  # fmt: skip


def test_a_move_keeps_its_id_and_shares_it_with_no_other() -> None:
    others = [replace(MOVE, number=4), replace(MOVE, shop="b.myshopify.com")]
    assert event_id_of(replace(MOVE, why="Else.")) == event_id_of(MOVE)
    assert len({event_id_of(each) for each in (MOVE, *others)}) == 3


def test_pauses_double_from_seconds_to_an_hour_and_end_after_hours() -> None:
    first, longest = pause_after(1).total_seconds(), pause_after(MOST_ATTEMPTS).total_seconds()
    assert 4 <= first <= 6  # 5 s, a fifth more or less
    assert 2880 <= longest <= 4320  # an hour, a fifth more or less
    pauses = [pause_after(attempt).total_seconds() for attempt in range(1, MOST_ATTEMPTS)]
    # 5 + 10 + … + 2560 = 5115 s in ten pauses, then five of an hour: 23115 s, about six and a half hours
    assert 0.8 * 23115 <= sum(pauses) <= 1.2 * 23115
