"""Who left a basket, what they are written, alerts; and messages to a webhook that are about nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _time(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, app.columns.UtcTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "abandonments",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("abandonment_id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("checkout_token", AutoString(), nullable=True),
        sa.Column("client_id", AutoString(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", AutoString(), nullable=False),
        sa.Column("subtotal_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("left", sa.Boolean(), nullable=False),
        _time("began_at"),
        _time("last_at"),
        _time("silent_since"),
        _time("abandoned_at"),
        _time("resolved_at", nullable=True),
        sa.Column("resolution", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "abandonment_id"),
    )
    op.create_index("ix_abandonments_time", "abandonments", ["shop", "abandoned_at"])
    op.create_index("ix_abandonments_customer", "abandonments", ["shop", "customer_id"])
    op.create_index("ix_abandonments_checkout", "abandonments", ["shop", "checkout_token"])
    op.create_index("ix_abandonments_client", "abandonments", ["shop", "client_id"])
    op.create_table(
        "reach_messages",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("abandonment_id", AutoString(), nullable=False),
        sa.Column("way", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", AutoString(), nullable=True),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _time("due_at"),
        _time("ends_at"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("shop", "abandonment_id", "way"),
    )
    op.create_index("ix_reach_messages_due", "reach_messages", ["shop", "status", "due_at"])
    op.create_index("ix_reach_messages_customer", "reach_messages", ["shop", "customer_id"])
    op.create_table(
        "suppressions",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("email_digest", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        _time("suppressed_at"),
        sa.PrimaryKeyConstraint("shop", "email_digest"),
    )
    op.create_table(
        "alerts",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("alert_id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("about", AutoString(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        _time("opened_at"),
        _time("seen_at"),
        _time("resolved_at", nullable=True),
        sa.Column("mail", AutoString(), nullable=False),
        sa.Column("mail_attempts", sa.Integer(), nullable=False),
        _time("mail_due_at"),
        sa.PrimaryKeyConstraint("shop", "alert_id"),
    )
    op.create_index(
        "ix_alerts_open",
        "alerts",
        ["shop", "kind", "about"],
        unique=True,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index("ix_alerts_mail", "alerts", ["mail", "mail_due_at"])
    op.create_index("ix_events_recorded", "events", ["shop", "recorded_at"])
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.alter_column("customer_id", existing_type=sa.BigInteger(), nullable=True)
