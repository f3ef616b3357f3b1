"""What somebody told of consent, as the merchant reads it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.admin.figures import moment, region
from app.admin.language import Lazy, _, lazy
from app.admin.view import named
from app.consent.entries import Entry

_SOURCES: Mapping[str, Lazy] = {
    "checkout": lazy("Checkout"),
    "pixel": lazy("Web pixel"),
    "storefront": lazy("Online store"),
    "customer_record": lazy("The customer's record in Shopify"),
    "merchant": lazy("You"),
}
_WISHES: Mapping[str, Lazy] = {
    "analytics": lazy("Analytics"),
    "marketing": lazy("Marketing"),
    "preferences": lazy("Preferences"),
    "sale_of_data": lazy("Sale of data"),
    "gpc": lazy("Global Privacy Control"),
    "email_marketing": lazy("E-mail marketing"),
    "sms_marketing": lazy("Text messages"),
    "data_sale_opt_out": lazy("Sale of data refused"),
}
# As Shopify spells them.
_STATES: Mapping[str, Lazy] = {
    "subscribed": lazy("subscribed"),
    "not_subscribed": lazy("not subscribed"),
    "unsubscribed": lazy("unsubscribed"),
    "pending": lazy("to be confirmed"),
    "redacted": lazy("erased"),
    "invalid": lazy("no valid address"),
}


def history_row(entry: Entry) -> list[str]:
    """Return when it was told, where, what was said, and what stands after it."""
    where = [named(entry.source, _SOURCES), *([region(entry.region)] if entry.region else [])]
    return [moment(entry.told_at), ", ".join(where), _answers(entry.told), _answers(entry.answers)]


def _answers(answers: Mapping[str, Any]) -> str:
    """Return `Marketing: no`, several with commas between; no answer is left out."""
    said = (
        f"{named(wish, _WISHES)}: {_state(answer)}" for wish, answer in answers.items() if answer is not None
    )
    return ", ".join(said) or _("nothing yet")


def _state(answer: Any) -> str:
    if isinstance(answer, bool):
        return _("yes") if answer else _("no")
    return str(_STATES.get(str(answer), answer))
