"""The tables that privacy needs: policies, consents, requests, receipts, retention.

They name people by keyed hashes wherever they outlive them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.columns import nothing
from app.columns import shopify_number as _id
from app.columns import utc_time as _time


class PrivacyPolicyRow(SQLModel, table=True):
    """A shop's privacy settings as they stood from `read_at` until the next row's."""

    __tablename__ = "privacy_policies"
    __table_args__ = (Index("ix_privacy_policies_shop", "shop", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    shop: str
    version: str
    read_at: datetime = _time()
    checked_at: datetime = _time()
    settings: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    regions: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class ConsentRow(SQLModel, table=True):
    """One change of one person's consent: appended, never edited.

    subject: keyed hash of a browser's, a checkout's or a customer's id. told: what was said, yes, no or
    null by purpose. answers: what stands after it, so that a subject's last row tells all.
    source: checkout, pixel, storefront, customer_record, merchant.
    """

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("shop", "subject", "event_id"),
        Index("ix_consents_subject", "shop", "subject", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    shop: str
    subject: str
    subject_kind: str
    event_id: str
    told_at: datetime = _time()
    source: str
    region: str | None = None
    policy_version: str = ""
    told: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    answers: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    permitted: list[str] = Field(default_factory=nothing, sa_type=JSON)


class PrivacyRequestRow(SQLModel, table=True):
    """A request that privacy law gives a deadline. status: open, running, done.

    customer_id, order_ids, email_digest: whom it is about, and names: all they were found under, until
    it is done. found: what was there before anything was erased, by store.
    """

    __tablename__ = "privacy_requests"
    shop: str = Field(primary_key=True)
    request_id: str = Field(primary_key=True)
    kind: str
    status: str = "open"
    subject: str | None = None
    customer_id: int | None = _id(default=None, nullable=True)
    email_digest: str | None = None
    order_ids: list[int] = Field(default_factory=nothing, sa_type=JSON)
    received_at: datetime = _time()
    due_at: datetime = _time()
    done_at: datetime | None = _time(default=None, nullable=True)
    names: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    found: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    receipt_id: str | None = None


class ReceiptRow(SQLModel, table=True):
    """A signed receipt of an erasure. It names no person and, after a shop's erasure, no shop.

    owner: keyed hash of the shop. document: the JSON that was signed, byte for byte.
    """

    __tablename__ = "receipts"
    receipt_id: str = Field(primary_key=True)
    owner: str = Field(index=True)
    done_at: datetime = _time()
    document: str = Field(sa_type=Text)
    signature: str


class ErasedRow(SQLModel, table=True):
    """Whom not to write down again from what happened before: keyed hash, and until when."""

    __tablename__ = "erased"
    __table_args__ = (Index("ix_erased_time", "shop", "erased_at"),)
    shop: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    erased_at: datetime = _time()


class RetentionRow(SQLModel, table=True):
    """What the last clearing of one store did for one shop, and what it left."""

    __tablename__ = "retention"
    shop: str = Field(primary_key=True)
    store: str = Field(primary_key=True)
    ran_at: datetime = _time()
    limit_days: int
    deleted: int = 0
    remaining: int = 0
    oldest_at: datetime | None = _time(default=None, nullable=True)
