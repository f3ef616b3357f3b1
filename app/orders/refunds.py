"""What of a refund was for goods, as queries ask for it: neither shipping nor tax."""

from __future__ import annotations

from typing import Any

from sqlalchemy import case

from app.tables import OF_NO_LINE, RefundRow
from app.upsert import table_of

_REFUNDS = table_of(RefundRow)

OF_GOODS = _REFUNDS.c.line_id >= OF_NO_LINE
GOODS_BACK: Any = case((OF_GOODS, _REFUNDS.c.amount_minor), else_=0)
