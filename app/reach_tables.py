"""The tables of what happens outside checkout: who left a basket, what they are written, alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text, text
from sqlmodel import Field, SQLModel

from app.columns import nothing
from app.columns import shopify_number as _id
from app.columns import utc_time as _time


class AbandonmentRow(SQLModel, table=True):
    """A checkout that went silent, one row however often it does.

    abandonment_id: a keyed hash of its name. lines: variant and quantity. last_at: the sender's clock,
    never ahead of ours; silent_since: ours. customer_id: as Shopify told it, and only of who may be
    written to. resolution: ordered, returned, gone; empty while it is open.
    """

    __tablename__ = "abandonments"
    __table_args__ = (
        Index("ix_abandonments_time", "shop", "abandoned_at"),
        Index("ix_abandonments_customer", "shop", "customer_id"),
        Index("ix_abandonments_checkout", "shop", "checkout_token"),
        Index("ix_abandonments_client", "shop", "client_id"),
    )
    shop: str = Field(primary_key=True)
    abandonment_id: str = Field(primary_key=True)
    kind: str = "checkout"  # carts were kept as well
    checkout_token: str | None = None
    client_id: str | None = None
    customer_id: int | None = _id(default=None, nullable=True)
    currency: str = ""
    subtotal_minor: int = _id(default=0)
    lines: list[list[int]] = Field(default_factory=nothing, sa_type=JSON)
    left: bool = False
    began_at: datetime = _time()
    last_at: datetime = _time()
    silent_since: datetime = _time()
    abandoned_at: datetime = _time()
    resolved_at: datetime | None = _time(default=None, nullable=True)
    resolution: str = ""


class ReachMessageRow(SQLModel, table=True):
    """A message about an abandonment, at most one a way: flow, mail. It holds no address and no words.

    status: waiting, sending, sent, dropped, failed. What is sending was written down before it left, so
    that it leaves once at most. campaign_id: whose code it carries, None for a plain reminder.
    """

    __tablename__ = "reach_messages"
    __table_args__ = (
        Index("ix_reach_messages_due", "shop", "status", "due_at"),
        Index("ix_reach_messages_customer", "shop", "customer_id"),
    )
    shop: str = Field(primary_key=True)
    abandonment_id: str = Field(primary_key=True)
    way: str = Field(primary_key=True)
    customer_id: int = _id()
    campaign_id: str | None = None
    status: str = "waiting"
    reason: str = Field(default="", sa_type=Text)
    attempts: int = 0
    due_at: datetime = _time()
    ends_at: datetime = _time()
    changed_at: datetime = _time()


class SuppressionRow(SQLModel, table=True):
    """An address that is not written to any more, as a keyed hash. reason: unsubscribed, bounced."""

    __tablename__ = "suppressions"
    shop: str = Field(primary_key=True)
    email_digest: str = Field(primary_key=True)
    reason: str
    suppressed_at: datetime = _time()


class AlertRow(SQLModel, table=True):
    """Something the merchant has to know; at most one open a kind and what it is about.

    about: a campaign's id, or empty for the whole shop. mail: waiting, sending, sent, failed, off.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "ix_alerts_open",
            "shop",
            "kind",
            "about",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_alerts_mail", "mail", "mail_due_at"),
    )
    shop: str = Field(primary_key=True)
    alert_id: str = Field(primary_key=True)
    kind: str
    about: str = ""
    says: str = Field(default="", sa_type=Text)
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    opened_at: datetime = _time()
    seen_at: datetime = _time()
    resolved_at: datetime | None = _time(default=None, nullable=True)
    mail: str = "waiting"
    mail_attempts: int = 0
    mail_due_at: datetime = _time()
