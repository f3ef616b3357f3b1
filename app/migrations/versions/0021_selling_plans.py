"""Whether a product sells with a selling plan only: no offer can add it to a cart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("requires_selling_plan", sa.Boolean(), nullable=False, server_default=sa.false())
        )
