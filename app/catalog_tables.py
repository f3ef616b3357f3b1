"""The table of a shop's collections and what is in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.columns import nothing
from app.columns import shopify_number as _id
from app.columns import utc_time as _time


class CollectionRow(SQLModel, table=True):
    """A collection as it was last read. changed_at: when it was first read so.

    product_ids: all products that are in it, in ascending order.
    """

    __tablename__ = "collections"
    shop: str = Field(primary_key=True)
    collection_id: int = _id(primary_key=True)
    handle: str
    title: str
    product_ids: list[int] = Field(default_factory=nothing, sa_type=JSON)
    changed_at: datetime = _time()
