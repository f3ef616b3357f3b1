"""The tables of segments: what they are worked out with, who is in which, and what the merchant said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from app.columns import nothing
from app.columns import shopify_number as _id
from app.columns import utc_time as _time

BY_MERCHANT = "merchant"  # the reason of who is in the queue by the merchant's word alone


class SegmentationRow(SQLModel, table=True):
    """A shop's segmentation with its training report. The latest one serves."""

    __tablename__ = "segmentations"
    shop: str = Field(primary_key=True)
    trained_at: datetime = _time(primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class CustomerSegmentRow(SQLModel, table=True):
    """Which segments a customer is in and why, the most telling first; empty sentences of a pin.

    recency, frequency, monetary: scores of 1 to 5, None before the first purchase. spend_ahead_minor:
    what they are expected to spend in the next 90 days, None where nothing tells. rfm_group: Shopify's own,
    as it spells it.
    """

    __tablename__ = "customer_segments"
    __table_args__ = (Index("ix_customer_segments_name", "shop", "segment"),)
    shop: str = Field(primary_key=True)
    customer_id: int = _id(primary_key=True)
    segment: str
    memberships: list[dict[str, Any]] = Field(default_factory=nothing, sa_type=JSON)
    recency: int | None = None
    frequency: int | None = None
    monetary: int | None = None
    orders: int = 0
    spent_minor: int = _id(default=0)
    spend_ahead_minor: int | None = _id(default=None, nullable=True)
    foreseen: dict[str, float] = Field(default_factory=dict, sa_type=JSON)
    rfm_group: str | None = None
    changed_at: datetime = _time()


class SegmentMoveRow(SQLModel, table=True):
    """A customer's way from one segment into another. handed_on_at: when other systems' turn came."""

    __tablename__ = "segment_moves"
    __table_args__ = (
        Index("ix_segment_moves_customer", "shop", "customer_id", "id"),
        Index("ix_segment_moves_to_hand_on", "shop", "handed_on_at"),
        Index("ix_segment_moves_by_time", "shop", "moved_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    shop: str
    customer_id: int = _id()
    moved_at: datetime = _time()
    before: str | None = None
    after: str
    why: str = Field(default="", sa_type=Text)
    handed_on_at: datetime | None = _time(default=None, nullable=True)


class SegmentSizeRow(SQLModel, table=True):
    """How many customers a segment had at the end of a day (UTC, `2026-11-25`)."""

    __tablename__ = "segment_sizes"
    shop: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    segment: str = Field(primary_key=True)
    customers: int


class ReviewRow(SQLModel, table=True):
    """A customer to look at, why, and what the merchant decided.

    verdict: None while it is open; pinned (to `segment`), excluded, confirmed. It outlives every training.
    """

    __tablename__ = "segment_reviews"
    shop: str = Field(primary_key=True)
    customer_id: int = _id(primary_key=True)
    reason: str
    detail: str = Field(default="", sa_type=Text)
    found_at: datetime = _time()
    verdict: str | None = None
    segment: str | None = None
    decided_at: datetime | None = _time(default=None, nullable=True)
    decided_by: str = ""
