"""What items cost the shop, as Shopify has it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.columns import UtcTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "item_costs",
        sa.Column("shop", sa.String(), nullable=False),
        sa.Column("inventory_item_id", sa.BigInteger(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "inventory_item_id"),
    )
