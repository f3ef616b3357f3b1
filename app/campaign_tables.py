"""The tables of campaigns: what the merchant wants shown to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Text
from sqlmodel import Field, SQLModel

from app.columns import utc_time as _time


class CampaignRow(SQLModel, table=True):
    """A campaign as the merchant wrote it. status: draft, running, paused, stopped.

    number: the shop's own, never given twice: its showings are counted under it. reason: why it has the
    status, where it was not the merchant's word.
    """

    __tablename__ = "campaigns"
    __table_args__ = (Index("ix_campaigns_status", "shop", "status"),)
    shop: str = Field(primary_key=True)
    campaign_id: str = Field(primary_key=True)
    number: int
    status: str = "draft"
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    reason: str = Field(default="", sa_type=Text)
    created_at: datetime = _time()
    updated_at: datetime = _time()
