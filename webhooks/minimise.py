"""A delivery's body with nothing but what is used, before anything is written down. Pure.

Decoding skips what is not kept: most of an order costs nothing but the reading past it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from app.coupons.signed import ATTRIBUTE, unusable
from app.errors import InputError
from app.values import finite
from webhooks.kept import BODIES, Mailed, Order
from webhooks.payload import Payload
from webhooks.read_orders import AUTOMATIC, DECISION_PROPERTY, OFFER_PROPERTY, reference

Digest = Callable[[str], str]

_DECODERS = {topic: msgspec.json.Decoder(kind, float_hook=finite) for topic, kind in BODIES.items()}
_encoder = msgspec.json.Encoder()


def minimised(body: bytes, topic: str, digest: Digest) -> bytes:
    """Return the body as it is stored; `{}` for a topic that is not handled.

    digest: of an e-mail address. Raises InputError for a body that is not of its topic's shape.
    """
    decoder = _DECODERS.get(topic)
    if decoder is None:
        return b"{}"
    try:
        kept = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError("the body is not of its topic's shape") from None
    for person in (kept, getattr(kept, "customer", None)):
        if isinstance(person, Mailed):
            _hide(person, digest)
    for line in getattr(kept, "line_items", None) or ():
        line.properties = _ours(line)
    if isinstance(kept, Order):
        kept.note_attributes = _grant(kept)
        for each in kept.discount_applications or ():
            if kept.note_attributes is None or each.type != AUTOMATIC:
                each.title = None  # what staff call a discount of one order is their own words
    return _encoder.encode(kept)


def _hide(person: Mailed, digest: Digest) -> None:
    """Leave the digest of the address in its place; what the sender calls a digest is none."""
    address, person.email = person.email, None
    person.email_digest = digest(address) if isinstance(address, str) and address.strip() else None


def _ours(line: Any) -> dict[str, str] | None:
    """Return the line's properties that name an offer of ours: the rest is the shopper's own words."""
    if not line.properties:
        return None
    pairs = Payload({"properties": line.properties}).pairs("properties")
    names = (DECISION_PROPERTY, OFFER_PROPERTY)
    return {name: found for name in names if (found := reference(pairs, name))} or None


def _grant(order: Order) -> dict[str, str] | None:
    """Return the order's attribute that names a grant of ours: the rest is the shopper's own words."""
    if not order.note_attributes:
        return None
    pairs = Payload({"attributes": order.note_attributes}).pairs("attributes")
    named = unusable(pairs.get(ATTRIBUTE))
    return None if named is None else {ATTRIBUTE: named}
