"""What decisions were made on, so that each can be made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

import app.columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("version", AutoString(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("served_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "version"),
    )
    op.create_table(
        "snapshot_parts",
        sa.Column("shop", AutoString(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", app.columns.UtcTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("shop", "digest"),
    )
