"""The tables of coupons: which discounts hold a shop's pools, and what became of every code."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from app.columns import shopify_number as _id
from app.columns import utc_time as _time


class CouponPoolRow(SQLModel, table=True):
    """A campaign's pool under its present terms; other terms begin another.

    discount_id: the discount in Shopify that holds its codes, None before it is made and after it is deleted.
    terms: what it takes off, as `CouponTerms`. size: codes to keep ready. lapses_at: when Shopify closes it
    unless it is renewed. error: what Shopify last refused, in its words. ended_at: since when no more of its
    codes are handed out.
    """

    __tablename__ = "coupon_pools"
    shop: str = Field(primary_key=True)
    pool_id: str = Field(primary_key=True)
    campaign_id: str
    discount_id: str | None = None
    terms: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    size: int = 0
    lapses_at: datetime | None = _time(default=None, nullable=True)
    error: str = Field(default="", sa_type=Text)
    ended_at: datetime | None = _time(default=None, nullable=True)
    updated_at: datetime = _time()


class CouponRow(SQLModel, table=True):
    """A code of our own. redeem_id: Shopify's id of it. decision_id: the latest that showed it.

    status: asked (Shopify may or may not have it), pooled, granted, redeemed, deleted. expires_at: when it
    ends for the shopper it was granted to.
    """

    __tablename__ = "coupons"
    __table_args__ = (
        Index("ix_coupons_pool", "shop", "pool_id", "status"),
        Index("ix_coupons_expiry", "status", "expires_at"),
    )
    shop: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    pool_id: str
    status: str = "asked"
    redeem_id: int | None = _id(default=None, nullable=True)
    decision_id: str | None = None
    granted_at: datetime | None = _time(default=None, nullable=True)
    expires_at: datetime | None = _time(default=None, nullable=True)
    order_id: int | None = _id(default=None, nullable=True)
