"""Moves are found by when they happened, which the admin asks for."""

from __future__ import annotations

from app.migrations.indexes import build_index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("ix_segment_moves_by_time", "segment_moves", ["shop", "moved_at"])
