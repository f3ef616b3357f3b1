"""Whether a product is a gift card: no offer is made of it, and no code takes anything off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(sa.Column("gift_card", sa.Boolean(), nullable=False, server_default=sa.false()))
