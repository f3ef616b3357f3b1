"""The receipts that were issued."""

from __future__ import annotations

from sqlmodel import col, select

from app.connections import Connections
from app.consent.receipts import Signed, owner_of, read_receipt
from app.privacy_tables import ReceiptRow


async def receipts_of(connections: Connections, shop: str) -> list[Signed]:
    """Return the shop's receipts, newest first; those of its own erasure too."""
    owner = await owner_of(connections, shop)
    query = select(ReceiptRow.receipt_id).where(ReceiptRow.owner == owner)
    async with connections.read() as db:
        ids = (await db.exec(query.order_by(col(ReceiptRow.done_at).desc()))).all()
    found = [await read_receipt(connections, each) for each in ids]
    return [each for each in found if each is not None]
