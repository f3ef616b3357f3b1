"""Which of a shop's locations do not sell online: what is in stock there alone is added to no checkout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shops", schema=None) as batch_op:
        batch_op.add_column(sa.Column("offline_locations", sa.JSON(), nullable=True))
