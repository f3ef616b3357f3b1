"""The table of shops' trained predictors: intent, what coupons change, which arm is best."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.columns import utc_time as _time


class ForesightRow(SQLModel, table=True):
    """What a training found. kind: intent, uplift, choice. The latest one of a kind serves.

    content: what serves, empty where the shared one or the rule alone serves. report: what speaks for it.
    """

    __tablename__ = "foresights"
    shop: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    trained_at: datetime = _time(primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
