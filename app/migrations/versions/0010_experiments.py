"""Experiments: a row a version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _time(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, app.columns.UtcTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "experiments",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("experiment_id", AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("ramp", sa.Float(), nullable=False),
        sa.Column("ramps", sa.JSON(), nullable=False),
        _time("drafted_at"),
        _time("started_at", nullable=True),
        _time("stopped_at", nullable=True),
        sa.PrimaryKeyConstraint("shop", "experiment_id", "version"),
    )
