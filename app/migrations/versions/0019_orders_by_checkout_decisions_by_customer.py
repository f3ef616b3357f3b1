"""An order is looked for by its checkout, and a decision by its customer whenever one takes back consent."""

from __future__ import annotations

from app.migrations.indexes import build_index

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("ix_orders_checkout", "orders", ["shop", "checkout_token"])
    build_index("ix_decisions_customer", "decisions", ["shop", "customer_id"])
