"""The tables of privacy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("subject", AutoString(), nullable=False),
        sa.Column("subject_kind", AutoString(), nullable=False),
        sa.Column("event_id", AutoString(), nullable=False),
        sa.Column("told_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("source", AutoString(), nullable=False),
        sa.Column("region", AutoString(), nullable=True),
        sa.Column("policy_version", AutoString(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("permitted", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shop", "subject", "event_id"),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index("ix_consents_subject", ["shop", "subject", "id"], unique=False)

    op.create_table(
        "erased",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("subject", AutoString(), nullable=False),
        sa.Column("erased_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "subject"),
    )
    op.create_table(
        "privacy_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("version", AutoString(), nullable=False),
        sa.Column("read_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("checked_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("privacy_policies", schema=None) as batch_op:
        batch_op.create_index("ix_privacy_policies_shop", ["shop", "id"], unique=False)

    op.create_table(
        "privacy_requests",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("subject", AutoString(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("email_digest", AutoString(), nullable=True),
        sa.Column("order_ids", sa.JSON(), nullable=False),
        sa.Column("received_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("due_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("done_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("receipt_id", AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("shop", "request_id"),
    )
    op.create_table(
        "receipts",
        sa.Column("receipt_id", AutoString(), nullable=False),
        sa.Column("owner", AutoString(), nullable=False),
        sa.Column("done_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("signature", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id"),
    )
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipts_owner"), ["owner"], unique=False)

    op.create_table(
        "retention",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("store", AutoString(), nullable=False),
        sa.Column("ran_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("limit_days", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("oldest_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shop", "store"),
    )
    op.create_table(
        "secrets",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_digest", AutoString(), nullable=True))
        batch_op.create_index("ix_customers_email", ["shop", "email_digest"], unique=False)

    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("permitted", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
        batch_op.add_column(sa.Column("region", AutoString(), nullable=True))
