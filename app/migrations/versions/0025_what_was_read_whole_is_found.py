"""A browser's decisions, a cart's events, bodies that stay and who was erased are found by an index."""

from __future__ import annotations

import sqlalchemy as sa

from app.columns import named_text
from app.migrations.indexes import build_index

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEPT = "status = 'done' AND length(body) > 0"


def upgrade() -> None:
    unit, cart = named_text(sa.column("inputs"), "unit"), named_text(sa.column("data"), "cart_token")
    build_index("ix_decisions_browser", "decisions", ["shop", unit])
    build_index("ix_events_cart", "events", ["shop", cart], "name = 'CartUpdated'")
    build_index("ix_inbox_kept", "inbox", ["status", "next_attempt_at"], KEPT)
    build_index("ix_erased_time", "erased", ["shop", "erased_at"])
