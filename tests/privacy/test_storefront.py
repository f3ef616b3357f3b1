from datetime import UTC, datetime, timedelta

from app.privacy.storefront import spells

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_hours_around_what_was_done_are_joined_where_they_meet() -> None:
    assert spells([NOW + 5 * HOUR, NOW, NOW + 2 * HOUR]) == [
        (NOW - HOUR, NOW + 3 * HOUR),
        (NOW + 4 * HOUR, NOW + 6 * HOUR),
    ]
    assert spells([]) == []
