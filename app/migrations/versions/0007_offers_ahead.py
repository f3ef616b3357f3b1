"""Offers written ahead: which of them Shopify holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "offers_ahead",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "kind", "owner_id", "key"),
    )
    op.create_table(
        "customer_offers_ahead",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "customer_id"),
    )
