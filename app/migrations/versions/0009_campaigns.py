"""Campaigns, and the shops' time zones, by which their schedules go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, app.columns.UtcTime(timezone=True), nullable=False)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("campaign_id", AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("shop", "campaign_id"),
    )
    op.create_index("ix_campaigns_status", "campaigns", ["shop", "status"])
    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.add_column(sa.Column("time_zone", AutoString(), nullable=False, server_default=""))
