"""Marks other domains' texts for translation; the admin looks them up with `told`. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.campaigns.templates import TEMPLATES
from app.consent.holdings import HOLDINGS
from app.consent.retention import KEPT


def borrowed() -> Iterator[tuple[str, str]]:
    """Yield each text, as a format, with the file that it is of."""
    for file, text in _plain():
        yield file, text.replace("%", "%%")


def _plain() -> Iterator[tuple[str, str]]:
    for template in TEMPLATES.values():
        yield "../campaigns/templates.py", template.says
        yield "../campaigns/templates.py", template.campaign.name
    for held in HOLDINGS:
        for text in (held.says, held.purpose, held.ground.value):
            yield "../consent/holdings.py", text
    for kept in KEPT:
        yield "../consent/retention.py", kept.label
        yield "../consent/retention.py", kept.says
