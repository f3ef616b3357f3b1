"""The tables of what goes out: what Shopify holds of ours, messages to other systems, and their keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from app.columns import nothing
from app.columns import shopify_number as _id
from app.columns import utc_time as _time


class MarkRow(SQLModel, table=True):
    """What a customer in Shopify may carry of ours: written before it is sent, and again once it is.

    It outlives the customer's segments, so that what was written can be taken back. segments: the
    metafield's, None without one. seen_at: `changed_at` of the segments it tells, None while unsure.
    """

    __tablename__ = "shopify_marks"
    shop: str = Field(primary_key=True)
    customer_id: int = _id(primary_key=True)
    tags: list[str] = Field(default_factory=nothing, sa_type=JSON)
    segments: list[str] | None = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    seen_at: datetime | None = _time(default=None, nullable=True)


class AheadRow(SQLModel, table=True):
    """A metafield of offers that a shop or a product of its holds. kind: shop, product.

    digest: of its value; empty while it is being written, so that after a crash it is written again.
    """

    __tablename__ = "offers_ahead"
    shop: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    owner_id: int = _id(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str = ""


class CustomerAheadRow(SQLModel, table=True):
    """A customer in Shopify who holds a metafield of offers. digest: as above."""

    __tablename__ = "customer_offers_ahead"
    shop: str = Field(primary_key=True)
    customer_id: int = _id(primary_key=True)
    digest: str = ""


class DeliveryRow(SQLModel, table=True):
    """A message that waits for the shop's webhook, gone once it is taken. status: pending, parked.

    customer_id: whom it is about, None for one about nobody. body: the JSON that is sent, the same with
    every attempt.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_due", "status", "next_attempt_at"),
        Index("ix_deliveries_customer", "shop", "customer_id"),
    )
    shop: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    customer_id: int | None = _id(default=None, nullable=True)
    body: str = Field(sa_type=Text)
    made_at: datetime = _time()
    status: str = "pending"
    attempts: int = 0
    next_attempt_at: datetime = _time()
    error: str = Field(default="", sa_type=Text)


class ApiKeyRow(SQLModel, table=True):
    """A key to a shop's segments. digest: SHA-256 of the key, which is kept nowhere."""

    __tablename__ = "api_keys"
    shop: str = Field(primary_key=True)
    key_id: str = Field(primary_key=True)
    label: str = ""
    digest: str = Field(unique=True)
    made_at: datetime = _time()
    revoked_at: datetime | None = _time(default=None, nullable=True)
