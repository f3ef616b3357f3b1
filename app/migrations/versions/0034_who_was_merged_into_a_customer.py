"""Who was merged into a customer is found by an index."""

from __future__ import annotations

from app.migrations.indexes import build_index

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("ix_customers_heir", "customers", ["shop", "heir_id"], "heir_id IS NOT NULL")
