"""What the tests of campaigns ask for."""

from __future__ import annotations

import pytest


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that runs tests may pause for longer than a checkout should wait."""
    for limit in ("LOG_MS", "GRANT_MS"):
        monkeypatch.setattr(f"app.decide.{limit}", 10_000)
