"""Letters as they are sent: to who left, with a way back and a way out; to the merchant. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from app.errors import InputError
from app.reach.settings import LetterWords
from app.reach.words import Facts, Words, filled, lang_and_dir, own_words, plural, spoken_to, words_in


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes. address: the mail server's; reply_to: the shop's own; footer: its postal address."""

    name: str
    address: str
    reply_to: str | None = None
    footer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is written to. language: what the shop's letters are in for who has none of ours."""

    address: str
    locale: str | None
    country: str | None
    default: str = "en"


@dataclass(frozen=True, slots=True)
class Links:
    """Where the letter leads: back to the basket, and to no more letters."""

    back: str
    off: str


def way_back(shop: str, lines: Sequence[Sequence[int]], code: str | None) -> str:
    """Return the address that opens a checkout with these variants: Shopify's cart permalink.

    It holds no secret, and leads on from the shop's own domain. lines: of no more than a link may hold.
    """
    basket = ",".join(f"{variant}:{quantity}" for variant, quantity in lines)
    discount = f"?discount={quote(code, safe='')}" if code else ""
    return f"https://{shop}/cart/{basket}{discount}"


def letter_to(
    reader: Reader, sender: Sender, facts: Facts, links: Links, words: LetterWords, number: str, now: datetime
) -> EmailMessage:
    """Return the letter. number: of the message, the same however often it is made.

    Raises InputError for an address, or a name of a shop, that no letter can carry.
    """
    subject, body, told = _own(reader, words, facts)
    ours = words_in(told)
    subject = subject or filled(ours.subject_with_code if facts.code else ours.subject, facts, told)
    said = [body] if body else [filled(ours.hello if facts.whole else ours.hello_rest, facts, told)]
    said.append(filled(plural(ours.items, facts.count, told), facts, told))
    if facts.code and not body:
        said += [filled(each, facts, told) for each in _of_code(ours, facts)]
    why = filled(ours.why, facts, told)
    letter = _letter(reader.address, sender, subject, number, now)
    letter["List-Unsubscribe"] = f"<{links.off}>"
    letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    footer = "\n".join([why, *sender.footer, f"{ours.off}: {links.off}"])
    plain = "\n\n".join([*said, f"{ours.button}: {links.back}", f"-- \n{footer}"])
    letter.set_content(f"{plain}\n", cte="quoted-printable")
    letter.add_alternative(_html(told, said, why, links, sender), subtype="html", cte="quoted-printable")
    return letter


def alert_to(
    address: str, sender: Sender, subject: str, says: str, number: str, now: datetime
) -> EmailMessage:
    """Return the letter that tells a merchant of an alert. Raises InputError."""
    letter = _letter(address, sender, subject, number, now)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(f"{says}\n", cte="quoted-printable")
    return letter


def _own(reader: Reader, words: LetterWords, facts: Facts) -> tuple[str | None, str | None, str]:
    """Return the merchant's subject and body, None for what is ours to say, and the locale that ours is in.

    A letter speaks one language: that of the merchant's body, else of their subject, else the reader's.
    """
    where = (reader.locale, reader.country, reader.default)
    body = own_words(words.body, facts, *where)
    found = body or own_words(words.subject, facts, *where)
    if found is None:
        return None, None, spoken_to(reader.locale, reader.default)
    _, language = found
    subject = own_words(words.subject, facts, language, reader.country, language)
    told = spoken_to(language, reader.locale, reader.default)
    return subject and subject[0], body and body[0], told


def _of_code(ours: Words, facts: Facts) -> list[str]:
    if facts.percentage is not None:
        says = ours.offer_percentage
    else:
        says = ours.offer_shipping if facts.amount_minor is None else ours.offer_amount
    return [says, ours.ends] if facts.expires_at is not None else [says]


def _letter(address: str, sender: Sender, subject: str, number: str, now: datetime) -> EmailMessage:
    letter = EmailMessage()
    domain = sender.address.rpartition("@")[2]
    try:
        letter["From"] = Address(" ".join(sender.name.split()), addr_spec=sender.address)
        letter["To"] = Address(addr_spec=address)
        if sender.reply_to:
            letter["Reply-To"] = Address(addr_spec=sender.reply_to)
        letter["Subject"] = " ".join(subject.split())
    except (ValueError, IndexError, MessageError):  # what it says may quote the address
        raise InputError("an address that no letter can be sent to", "address") from None
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{number}@{domain}>"
    return letter


def _html(told: str, said: Sequence[str], why: str, links: Links, sender: Sender) -> str:
    """Return the letter as a page. told: the locale of our own words; the merchant's find their direction."""
    ours = words_in(told)
    back, off = (f'<a href="{escape(link)}">' for link in (links.back, links.off))
    paragraphs = "".join(f'<p dir="auto">{_lines(each)}</p>' for each in said)
    footer = "<br>".join(escape(each) for each in (why, *sender.footer))
    return (
        f'<!doctype html><html><head><meta charset="utf-8"></head><body><div {lang_and_dir(told)}>'
        f"{paragraphs}<p>{back}<strong>{escape(ours.button)}</strong></a></p>"
        f"<hr><p><small>{footer}<br>{off}{escape(ours.off)}</a></small></p></div></body></html>"
    )


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
