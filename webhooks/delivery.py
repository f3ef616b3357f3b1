"""A webhook's metadata: its shop, topic, id and time, and the shop's currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict


class Envelope(TypedDict):
    """The fields that every event opens with."""

    shop: str
    event_id: str
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook's headers, checked.

    event_id: one for all topics that tell of the same change. currency: the shop's, for the
    payloads that don't name theirs. triggered_at: Shopify's clock.
    """

    shop: str
    topic: str
    event_id: str
    triggered_at: datetime
    currency: str

    @property
    def envelope(self) -> Envelope:
        """Return what the event opens with; its id tells the topics of one change apart."""
        return Envelope(
            shop=self.shop,
            event_id=f"{self.topic}:{self.event_id}",
            happened_at=self.triggered_at,
        )
