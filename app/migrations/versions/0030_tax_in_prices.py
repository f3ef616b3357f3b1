"""How much tax a shop's prices hold: what a product costs is told without."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tax_rate", sa.Float(), nullable=False, server_default="0"))
