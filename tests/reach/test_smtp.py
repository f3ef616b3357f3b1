from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage

import pytest

from app.reach.smtp import send
from tests.reach.post_office import PostOffice, post_office


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as opened:
        yield opened


def a_letter() -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "shop@example.com", "ada@example.com", "Grüße"
    letter.set_content("Hello.\n.\nStill there: ä\n")
    return letter


async def test_a_letter_arrives_whole(office: PostOffice) -> None:
    outcome = await send(office.smtp, a_letter(), "ada@example.com")
    assert (outcome.fate, office.envelopes) == ("sent", ["ada@example.com"])
    assert office.letters[0]["Subject"] == "Grüße"
    assert office.letters[0].get_content() == "Hello.\r\n.\r\nStill there: ä\r\n"


@pytest.mark.parametrize(
    ("command", "answer", "fate"),
    [
        ("RCPT", "550 5.1.1 no such user ada@example.com", "bounced"),
        ("RCPT", "550 no such user", "bounced"),
        ("RCPT", "550 5.7.1 your letters are not wanted here", "refused"),
        ("RCPT", "451 come back later", "later"),
        ("RCPT", None, "later"),
        ("MAIL", "421 busy", "later"),
        ("MAIL", "553 not your address", "refused"),
        ("DATA", "451 come back later", "later"),
        ("DATA", "554 no", "refused"),
        ("DATA", None, "unknown"),
        ("END", "554 5.7.0 it is spam", "refused"),
        ("END", "451 come back later", "later"),
        ("END", None, "unknown"),
        ("EHLO", None, "later"),
    ],
)
async def test_what_is_said_of_a_letter_is_what_is_sure(
    office: PostOffice, command: str, answer: str | None, fate: str
) -> None:
    office.says[command] = answer
    outcome = await send(office.smtp, a_letter(), "ada@example.com")
    assert outcome.fate == fate
    assert "ada" not in outcome.reason


async def test_a_server_that_is_not_there_is_tried_later() -> None:
    async with post_office() as office:
        smtp = office.smtp
    assert (await send(smtp, a_letter(), "ada@example.com")).fate == "later"


async def test_a_server_that_should_encrypt_and_does_not_gets_no_letter(office: PostOffice) -> None:
    outcome = await send(replace(office.smtp, security="starttls"), a_letter(), "ada@example.com")
    assert (outcome.fate, office.letters) == ("later", [])
