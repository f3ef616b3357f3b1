"""Texts that other domains tell and the admin says in the merchant's language: `told` looks them up. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from app.campaigns.templates import TEMPLATES
from app.consent.holdings import HOLDINGS
from app.consent.retention import KEPT


def borrowed() -> Iterator[tuple[str, str]]:
    """Yield each text, as a format, with the file that shows it."""
    for file, text in _plain():
        yield file, text.replace("%", "%%")


def _plain() -> Iterator[tuple[str, str]]:
    for template in TEMPLATES.values():
        yield "templates/campaigns_new.html", template.says
        yield "templates/campaigns_new.html", template.campaign.name
    for held in HOLDINGS:
        for text in (held.says, held.purpose, held.ground.value):
            yield "templates/privacy_rules.html", text
    for kept in KEPT:
        yield "templates/privacy_rules.html", kept.label
        yield "templates/privacy_rules.html", kept.says
