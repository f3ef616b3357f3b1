import hmac
from hashlib import sha256

import pytest

from app.outbound.signature import WINDOW_S, signed, verified

SECRET, BODY, NOW = "whsec_of_the_test", b'{"event_id":"a"}', 1_800_000_000
HEADER = signed(SECRET, BODY, NOW)


def test_the_time_and_the_body_are_signed_as_documented() -> None:
    digest = hmac.new(SECRET.encode(), b"1800000000." + BODY, sha256).hexdigest()
    assert f"t=1800000000,v1={digest}" == HEADER
    assert verified(SECRET, HEADER, BODY, NOW)


@pytest.mark.parametrize(
    ("secret", "header", "body"),
    [
        ("another", HEADER, BODY),
        (SECRET, HEADER, BODY + b" "),
        (SECRET, HEADER.replace("t=1800000000", "t=1800000001"), BODY),
        (SECRET, HEADER[:-1] + ("0" if HEADER[-1] != "0" else "1"), BODY),
        (SECRET, "", BODY),
        (SECRET, f"{HEADER},v1=", BODY),
        (SECRET, HEADER.replace("t=", "t=-"), BODY),
    ],
)
def test_what_was_changed_is_noticed(secret: str, header: str, body: bytes) -> None:
    assert not verified(secret, header, body, NOW)


@pytest.mark.parametrize(
    ("later_s", "good"), [(WINDOW_S, True), (WINDOW_S + 1, False), (-WINDOW_S, True), (-WINDOW_S - 1, False)]
)
def test_a_message_that_is_sent_again_by_somebody_else_is_too_old(later_s: int, good: bool) -> None:
    assert verified(SECRET, HEADER, BODY, NOW + later_s) is good
