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
    """A code of our own. redeem_id: Shopify's id of it. decision_id: the latest that told it, or the one it
    was seen by; None where no browser may say what was seen.

    status: asked (Shopify may or may not have it), pooled, granted, redeemed, deleted, or withdrawn: its
    discount was deleted or deactivated in Shopify. expires_at: when it ends for the shopper it was granted
    to.
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


class AutomaticDiscountRow(SQLModel, table=True):
    """What a campaign gives without a code, under its present terms.

    discount_id: the discount in Shopify, None before it is made and after it is deleted. epoch: which of the
    terms' keys its grants are sealed with, and since when. lasts_s: the longest that a grant of it ever held.
    error: what Shopify last refused, in its words. title, label: what an order may call it, as Shopify has it
    and as shoppers read it; applies_to: see `CouponTerms`. Empty of terms that were written down before.
    """

    __tablename__ = "automatic_discounts"
    shop: str = Field(primary_key=True)
    terms_id: str = Field(primary_key=True)
    campaign_id: str
    discount_id: str | None = None
    epoch: int = 0
    epoch_at: datetime | None = _time(default=None, nullable=True)
    lasts_s: int = 0
    error: str = Field(default="", sa_type=Text)
    title: str = Field(default="", sa_type=Text)
    label: str = Field(default="", sa_type=Text)
    applies_to: str = ""
    updated_at: datetime = _time()


class GrantUseRow(SQLModel, table=True):
    """A grant that an order used, by its number: none of the same number is honoured after that.

    used_at: when we heard of it, which is never before the order.
    """

    __tablename__ = "grant_uses"
    shop: str = Field(primary_key=True)
    terms_id: str = Field(primary_key=True)
    number: str = Field(primary_key=True)
    order_id: int = _id()
    used_at: datetime = _time()
