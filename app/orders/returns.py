"""What share of a shop's sold units came back, by product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import and_, func, select

from app.connections import Connections
from app.tables import OrderLineRow, OrderRow, RefundRow
from app.ttl_cache import TtlCache
from app.upsert import table_of

# A product's own share counts as much as the shop's once so many units were sold.
EVIDENCE = 20
FEWEST_SOLD = 100
READ_AGAIN_S = 3_600.0
_ORDERS, _LINES, _REFUNDS = table_of(OrderRow), table_of(OrderLineRow), table_of(RefundRow)


@dataclass(frozen=True, slots=True)
class ReturnRates:
    """Shares of sold units that came back. usual: the shop's, for products nothing is known of.

    None: unknown. A product that sold little is taken to be like the others.
    """

    usual: float | None = None
    by_product: Mapping[int, float] = field(default_factory=dict)

    def of(self, product_id: int) -> float | None:
        """Return the product's share, None where the shop has sold too little to tell."""
        return self.by_product.get(product_id, self.usual)


UNKNOWN = ReturnRates()


def return_rates(sold: Mapping[int, int], returned: Mapping[int, int]) -> ReturnRates:
    """Return the shares, rounded to hundredths, so that one more order seldom changes any. Pure."""
    total = sum(sold.values())
    if total < FEWEST_SOLD or not any(returned.values()):
        return UNKNOWN
    usual = min(1.0, sum(returned.values()) / total)
    return ReturnRates(
        round(usual, 2),
        {
            product_id: round(
                (min(returned.get(product_id, 0), units) + usual * EVIDENCE) / (units + EVIDENCE), 2
            )
            for product_id, units in sold.items()
        },
    )


async def _read(connections: Connections, shop: str) -> ReturnRates:
    """Return the shop's shares. What was given back of a cancelled order was never sold."""
    kept = and_(
        _LINES.c.shop == shop, _ORDERS.c.shop == shop, _ORDERS.c.order_id == _LINES.c.order_id,
        _ORDERS.c.cancelled_at.is_(None), _LINES.c.product_id.is_not(None),
    )  # fmt: skip
    given_back = and_(_REFUNDS.c.shop == shop, _REFUNDS.c.line_id == _LINES.c.line_id)
    product = _LINES.c.product_id
    sold = select(product, func.sum(_LINES.c.quantity)).where(kept).group_by(product)
    returned = select(product, func.sum(_REFUNDS.c.quantity)).where(kept, given_back).group_by(product)
    async with connections.read() as db:
        connection = await db.connection()
        units = {row[0]: int(row[1]) for row in await connection.execute(sold)}
        back = {row[0]: int(row[1]) for row in await connection.execute(returned)}
    return return_rates(units, back)


_rates = TtlCache(_read, READ_AGAIN_S)


async def rates_of(connections: Connections, shop: str) -> ReturnRates:
    """Return the shop's shares as they were at most an hour ago."""
    return await _rates.of(connections, shop)
