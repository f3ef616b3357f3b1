"""Notices when Shopify answers in another version of its API than the one we ask for.

Instead of a version that it has retired it answers in the oldest that it still has; only a header says so:
https://shopify.dev/docs/api/usage/versioning
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from typing import Literal

from app.config import API_VERSION
from app.metrics import OTHER_API_VERSION

_log = logging.getLogger(__name__)
_warned: dict[str, date] = {}


def note_version(of: Literal["answer", "delivery"], version: str | None, shop: str) -> None:
    """Count what came in another version, and warn of it once a day. version: None where none is named."""
    if version in (None, "", API_VERSION):
        return
    OTHER_API_VERSION.labels(of).inc()
    if _warned.get(of) != (today := datetime.now(UTC).date()):
        _warned[of] = today
        facts = {"shop": shop, "kind": of, "version": version, "asked_version": API_VERSION}
        _log.warning("Shopify speaks another version of its API than is asked for", extra=facts)
