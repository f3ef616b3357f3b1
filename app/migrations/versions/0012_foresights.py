"""What is foretold of shoppers: intent, what coupons change, which campaign is best."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "foresights",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("trained_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "kind", "trained_at"),
    )
