"""Coupons, and the codes that orders used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coupon_pools",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("pool_id", AutoString(), nullable=False),
        sa.Column("campaign_id", AutoString(), nullable=False),
        sa.Column("discount_id", AutoString(), nullable=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("lapses_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("ended_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "pool_id"),
    )
    op.create_table(
        "coupons",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("code", AutoString(), nullable=False),
        sa.Column("pool_id", AutoString(), nullable=False),
        sa.Column("status", AutoString(), nullable=False),
        sa.Column("redeem_id", sa.BigInteger(), nullable=True),
        sa.Column("decision_id", AutoString(), nullable=True),
        sa.Column("granted_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("expires_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shop", "code"),
    )
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.create_index("ix_coupons_expiry", ["status", "expires_at"], unique=False)
        batch_op.create_index("ix_coupons_pool", ["shop", "pool_id", "status"], unique=False)

    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("discount_codes", sa.JSON(), nullable=False, server_default="[]"))
