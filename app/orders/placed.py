"""Which orders somebody placed. What a subscription charges by itself is money, and nobody's choice."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from app.tables import OrderRow
from app.upsert import table_of

# As what charges a subscription again names itself; the order that began it came from a checkout.
RENEWAL = "subscription_contract"

# An order of before this was asked counts as placed.
BY_SOMEBODY: ColumnElement[bool] = table_of(OrderRow).c.renewal.is_not(True)


def is_renewal(source: str | None) -> bool | None:
    """Return whether a subscription charged itself, by the order's source; None where that is not told."""
    return None if source is None else source.startswith(RENEWAL)
