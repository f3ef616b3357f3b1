"""What a customer is expected to spend may be unknown: a young shop has nothing to tell it by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("customer_segments", schema=None) as batch_op:
        batch_op.alter_column("spend_ahead_minor", existing_type=sa.BigInteger(), nullable=True)
