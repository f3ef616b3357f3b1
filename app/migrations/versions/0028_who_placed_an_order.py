"""Which orders nobody placed, which lines came in a bundle, and what customers spent before we came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.columns import UtcTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("renewal", sa.Boolean(), nullable=True))
    with op.batch_alter_table("order_lines", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bundle_id", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("bundle_product_id", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("spent_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("last_order_at", UtcTime(), nullable=True))
