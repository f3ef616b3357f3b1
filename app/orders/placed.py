"""Which orders somebody placed, and which of goods.

What a subscription charges by itself is money, and nobody's choice; a gift card is paid ahead and no goods.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, or_

from app.tables import OrderLineRow, OrderRow
from app.upsert import table_of

# As what charges a subscription again names itself; the order that began it came from a checkout.
RENEWAL = "subscription_contract"

_ORDERS, _LINES = table_of(OrderRow), table_of(OrderLineRow)

# An order of before this was asked counts as placed.
BY_SOMEBODY: ColumnElement[bool] = _ORDERS.c.renewal.is_not(True)

# Goods may be given away; of gift cards, and of tips, no line is kept.
HAS_GOODS: ColumnElement[bool] = or_(
    _ORDERS.c.subtotal_minor > 0,
    exists()
    .where(_LINES.c.shop == _ORDERS.c.shop, _LINES.c.order_id == _ORDERS.c.order_id)
    .correlate(_ORDERS),
)


def is_renewal(source: str | None) -> bool | None:
    """Return whether a subscription placed the order, by its source; None where that is not known."""
    return None if source is None else source.startswith(RENEWAL)
