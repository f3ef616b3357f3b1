"""Hands letters to a mail server, and says what is sure: the only file that speaks SMTP.

What was refused before the letter's end was told is sure not to have left. What broke off after it may
have: it is never sent again.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

from app.config import Smtp
from app.wording import wording

_TIMEOUT_S = 20.0
# Lines as long as they may be: a link that is folded is encoded, and then no mail program finds it.
_WIRE = SMTP.clone(max_line_length=998)
# Replies that say that an address takes no mail, whoever sends what (RFC 5321 and 3463).
_NO_SUCH_ADDRESS = frozenset({550, 551, 553})
_GONE = (b"5.1.", b"5.2.1")

Fate = Literal["sent", "bounced", "refused", "later", "unknown"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter. reason: without the server's words, which may quote the address.

    bounced: the address takes none. refused: this letter, for good. later: sure not to have left.
    """

    fate: Fate
    reason: str = ""


async def send(smtp: Smtp, letter: EmailMessage, address: str) -> Outcome:
    """Return what became of the letter. It is tried once."""
    return await asyncio.to_thread(_send, smtp, letter, address)


async def greet(smtp: Smtp) -> None:
    """Return when the mail server would take letters of the sender; none is sent. Raises OSError."""
    await asyncio.to_thread(_greet, smtp)


def _greet(smtp: Smtp) -> None:
    server = _open(smtp)
    try:
        code, says = server.mail(smtp.sender)
    finally:
        _close(server)
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, says, smtp.sender)


def _send(smtp: Smtp, letter: EmailMessage, address: str) -> Outcome:
    try:
        server = _open(smtp)
    except smtplib.SMTPAuthenticationError as error:
        return Outcome("later", wording(f"the mail server does not take our password ({error.smtp_code})"))
    except (smtplib.SMTPException, OSError) as error:
        return Outcome("later", wording(f"the mail server is not reached: {type(error).__name__}"))
    try:
        return _hand_over(server, smtp, letter, address)
    finally:
        _close(server)


def _open(smtp: Smtp) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if smtp.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=_TIMEOUT_S)
    try:
        if smtp.security == "starttls":
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if smtp.user:
            server.login(smtp.user, smtp.password)
    except BaseException:
        server.close()
        raise
    return server


def _hand_over(server: smtplib.SMTP, smtp: Smtp, letter: EmailMessage, address: str) -> Outcome:
    try:
        code, _ = server.mail(smtp.sender)
        if code != 250:
            return _refusal(wording("the sender"), code)
        code, says = server.rcpt(address)
        if code not in (250, 251):
            gone = code in _NO_SUCH_ADDRESS and (says.startswith(_GONE) or not says.startswith(b"5."))
            return (
                Outcome("bounced", wording(f"the address takes no mail ({code})"))
                if gone
                else _refusal(wording("the address"), code)
            )
        body = letter.as_bytes(policy=_WIRE)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Outcome("later", wording(f"the mail server broke off: {type(error).__name__}"))
    try:
        code, _ = server.data(body)
    except smtplib.SMTPDataError as error:  # not even asked for
        return _refusal(wording("the letter"), error.smtp_code)
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(
            "unknown", wording(f"the mail server broke off, and may have it: {type(error).__name__}")
        )
    return Outcome("sent") if code == 250 else _refusal(wording("the letter"), code)


def _refusal(what: str, code: int) -> Outcome:
    says = wording(f"the mail server refuses {what} ({code})")
    return Outcome("refused" if 500 <= code < 600 else "later", says)


def _close(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
