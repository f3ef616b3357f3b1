"""Parses what a merchant types to look somebody up: a customer id, an e-mail address or a browser id."""

from __future__ import annotations

from dataclasses import dataclass

from app.admin.language import _
from app.errors import InputError
from app.values import shopify_id

LONGEST = 320  # the longest e-mail address there is (RFC 5321)


@dataclass(frozen=True, slots=True)
class PersonName:
    """One name of somebody."""

    customer_id: int | None = None
    email: str | None = None
    client_id: str | None = None


def parse_person_name(text: str) -> PersonName:
    """Return the name that the text is. Raises InputError where it can be nobody's.

    An address has an @; digits and gid://shopify/Customer/… are a customer; anything else is the id
    that a browser goes under.
    """
    word = text.strip()
    if not word or len(word) > LONGEST or not word.isprintable() or " " in word:
        raise InputError(_("Write a customer's number, an e-mail address or the id of a browser."), "who")
    if word.startswith("gid://") and not word.startswith("gid://shopify/Customer/"):
        raise InputError(_("Of Shopify's ids, only a customer's names somebody."), "who")
    if word.startswith("gid://") or (word.isascii() and word.isdigit()):
        return PersonName(customer_id=shopify_id(word, "who"))
    return PersonName(email=word) if "@" in word else PersonName(client_id=word)
