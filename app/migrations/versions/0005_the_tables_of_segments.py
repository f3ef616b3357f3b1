"""The tables of segments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_segments",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("segment", AutoString(), nullable=False),
        sa.Column("memberships", sa.JSON(), nullable=False),
        sa.Column("recency", sa.Integer(), nullable=True),
        sa.Column("frequency", sa.Integer(), nullable=True),
        sa.Column("monetary", sa.Integer(), nullable=True),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("spend_ahead_minor", sa.BigInteger(), nullable=False),
        sa.Column("foreseen", sa.JSON(), nullable=False),
        sa.Column("rfm_group", AutoString(), nullable=True),
        sa.Column("changed_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("sent", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("shop", "customer_id"),
    )
    with op.batch_alter_table("customer_segments", schema=None) as batch_op:
        batch_op.create_index("ix_customer_segments_name", ["shop", "segment"], unique=False)

    op.create_table(
        "segment_moves",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("before", AutoString(), nullable=True),
        sa.Column("after", AutoString(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("segment_moves", schema=None) as batch_op:
        batch_op.create_index("ix_segment_moves_customer", ["shop", "customer_id", "id"], unique=False)

    op.create_table(
        "segment_reviews",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("found_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("verdict", AutoString(), nullable=True),
        sa.Column("segment", AutoString(), nullable=True),
        sa.Column("decided_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("decided_by", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "customer_id"),
    )
    op.create_table(
        "segment_sizes",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("day", AutoString(), nullable=False),
        sa.Column("segment", AutoString(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "day", "segment"),
    )
    op.create_table(
        "segmentations",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("trained_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "trained_at"),
    )
