"""What somebody told of consent, in a merchant's words and language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.admin.history_view import history_row
from app.admin.language import speaking
from app.consent.entries import RECORDED, Entry

RECORD = "The customer's record in Shopify"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def an_entry(source: str = "customer_record", region: str | None = None, **told: Any) -> Entry:
    return Entry("s", "customer", "e", NOON, source, told=told, region=region, answers=told)


@pytest.mark.parametrize(
    ("entry", "where", "said"),
    [
        (an_entry(email_marketing="subscribed"), RECORD, "E-mail marketing: subscribed"),
        (an_entry(sms_marketing="pending", analytics=None), RECORD, "Text messages: to be confirmed"),
        (an_entry("checkout", "US-CA", marketing=False, gpc=True), "Checkout, United States (CA)",
         "Marketing: no, Global Privacy Control: yes"),
        (an_entry("merchant"), "You", "nothing yet"),
    ],
)  # fmt: skip
def test_an_entry_is_told_in_words(entry: Entry, where: str, said: str) -> None:
    assert history_row(entry) == ["Nov 24, 2026, 12:00\N{NO-BREAK SPACE}PM UTC", where, said, said]


def test_all_that_a_record_says_has_words_in_the_merchants_language() -> None:
    with speaking("de"):
        told = history_row(an_entry(**dict.fromkeys(RECORDED, True)))[2]
    assert "_" not in told
    assert "E-Mail-Marketing: ja" in told
