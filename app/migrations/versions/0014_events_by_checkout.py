"""What was done in a checkout is found by its token, which every browser's event asks for."""

from __future__ import annotations

from app.migrations.indexes import build_index

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("ix_events_checkout", "events", ["shop", "checkout_token", "happened_at"])
