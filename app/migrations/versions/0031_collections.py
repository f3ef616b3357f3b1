"""Which products a shop's collections hold: conditions ask for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("collection_id", sa.BigInteger(), nullable=False),
        sa.Column("handle", AutoString(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("product_ids", sa.JSON(), nullable=False),
        sa.Column("changed_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "collection_id"),
    )
