"""Discounts without a code, and which grants of them were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "automatic_discounts",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("terms_id", AutoString(), nullable=False),
        sa.Column("campaign_id", AutoString(), nullable=False),
        sa.Column("discount_id", AutoString(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("epoch_at", app.columns.UtcTime(timezone=True), nullable=True),
        sa.Column("lasts_s", sa.Integer(), nullable=False),
        sa.Column("updated_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "terms_id"),
    )
    op.create_table(
        "grant_uses",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("terms_id", AutoString(), nullable=False),
        sa.Column("number", AutoString(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("used_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "terms_id", "number"),
    )
