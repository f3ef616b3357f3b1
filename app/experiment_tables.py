"""The tables of experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.columns import nothing
from app.columns import utc_time as _time


class ExperimentRow(SQLModel, table=True):
    """One version of an experiment; a change is a new version. status: draft, running, stopped.

    design: what is tried, on whom and how it is judged; never changed. ramps: when which share of units was
    let in, each more than the one before.
    """

    __tablename__ = "experiments"
    shop: str = Field(primary_key=True)
    experiment_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    status: str = "draft"
    design: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    ramp: float = 0.0
    ramps: list[dict[str, Any]] = Field(default_factory=nothing, sa_type=JSON)
    drafted_at: datetime = _time()
    started_at: datetime | None = _time(default=None, nullable=True)
    stopped_at: datetime | None = _time(default=None, nullable=True)
