"""What goes out: marks in Shopify, messages to other systems, keys; and which moves were handed on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _time(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, app.columns.UtcTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "shopify_marks",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=True),
        _time("seen_at", nullable=True),
        sa.PrimaryKeyConstraint("shop", "customer_id"),
    )
    op.create_table(
        "deliveries",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("event_id", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _time("made_at"),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("next_attempt_at"),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "event_id"),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["status", "next_attempt_at"])
    op.create_index("ix_deliveries_customer", "deliveries", ["shop", "customer_id"])
    op.create_table(
        "api_keys",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("key_id", AutoString(), nullable=False),
        sa.Column("label", AutoString(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        _time("made_at"),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("shop", "key_id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("segment_moves", schema=None) as batch_op:
        batch_op.add_column(_time("handed_on_at", nullable=True))
        batch_op.create_index("ix_segment_moves_to_hand_on", ["shop", "handed_on_at"], unique=False)
    with op.batch_alter_table("customer_segments", schema=None) as batch_op:
        batch_op.drop_column("sent")
