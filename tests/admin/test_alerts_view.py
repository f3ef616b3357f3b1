"""Alerts in the language of who reads, from what they are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.admin.alerts_view import alert_letter, alert_words
from app.admin.language import LANGUAGES, speaking
from app.admin.view import FALLBACKS
from app.campaigns.guardrails import WATCHED, WATCHED_LETTERS, Harm
from app.campaigns.store import StoredCampaign
from app.reach.alert_store import KeptAlert
from app.reach.alerts import Alert, PoolLevel, Share, coupons, errors, fallbacks, spike
from app.reach.monitoring import STOPPED, stops, unsent
from app.shops.store import Shop
from tests.admin.factories import SHOP
from tests.campaigns.factories import a_campaign

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def kept(alert: Alert) -> KeptAlert:
    return KeptAlert(
        "a", alert.kind, alert.about, alert.says, NOW, NOW, None, "off", 0, dict(alert.facts)
    )  # fmt: skip


def stopped(metric: str) -> list[Alert]:
    watched = next(each for each in (*WATCHED, *WATCHED_LETTERS) if each.name == metric)
    harm = Harm(metric, watched.says, 0.1, 0.2, 0.001, 900)
    return stops([StoredCampaign(a_campaign("help"), 0, "stopped", STOPPED + harm.sentence(), NOW)])


LEVEL = PoolLevel("help", "Help", 4, 100, "Title is too long")
EVERY = [
    *spike(Share(58, 60), Share(300, 1_000)),
    *errors(Share(3, 30)),
    *fallbacks(Share(9, 30), {"redis": 9}),
    *coupons([LEVEL]),
    *(alert for each in WATCHED for alert in stopped(each.name)),
    *unsent({"mail": {"down": 3, "odd": 1}, "flow": {"no Flow": 2}}, {}, False),
    *unsent({}, {}, True),
]


@pytest.mark.parametrize("alert", EVERY, ids=lambda alert: f"{alert.kind} {alert.facts.get('metric', '')}")
def test_every_alert_is_told_from_its_facts_as_it_was_written(alert: Alert) -> None:
    with speaking("en"):
        told = alert_words(kept(alert))
    named = [alert.facts[name] for name in ("name", "error", "reason") if name in alert.facts]
    named = [str(FALLBACKS.get(each, each)) for each in named]
    counted = [str(alert.facts[name]) for name in ("some", "all", "ready", "count") if name in alert.facts]
    assert all(each in told for each in (*named, *counted)), told
    assert "%(" not in told


def test_a_spike_says_how_much_more_it_is_than_usual() -> None:
    (alert,) = spike(Share(58, 60), Share(300, 1_000))
    with speaking("en"):
        assert alert_words(kept(alert)).startswith(
            "58 of 60 checkouts were left in the last hour (97%); usually it is 30%. Check"
        )


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        ("completion", "fewer shoppers ordered"),
        ("errors", "its offers failed"),
        ("latency", "answers took longer"),
        ("refunds", "more orders were given back"),
    ],
)
def test_a_guardrail_says_what_turned_bad(metric: str, says: str) -> None:
    (alert,) = stopped(metric)
    with speaking("en"):
        assert f"“{alert.facts['name']}” was stopped by its guardrail: {says}" in alert_words(kept(alert))


def test_an_alert_of_an_older_version_is_told_as_it_was_written() -> None:
    old: dict[str, Any] = {"share": 0.1}
    assert alert_words(kept(Alert("errors", "3 of 30 offers failed.", facts=old))) == "3 of 30 offers failed."
    assert alert_words(kept(Alert("something new", "Look."))) == "Look."


@pytest.mark.parametrize(
    ("settings", "subject", "begins"),
    [
        ({}, "Tillwise: Käse & Co needs a look", "3 of 30 offers failed"),
        ({"locale": "de"}, "Tillwise: Bitte sehen Sie bei Käse & Co nach", "3 von 30 Angeboten"),
        ({"admin_language": "ja"}, "Tillwise：Käse & Coの確認をお願いします", "直近"),
        (
            {"locale": "de-AT", "admin_language": "ja"},
            "Tillwise: Bitte sehen Sie bei Käse & Co nach",
            "3 von 30",
        ),
        ({"locale": "nl"}, "Tillwise: Käse & Co needs a look", "3 of 30 offers failed"),
    ],
)
def test_an_e_mail_is_in_the_shops_language_or_that_of_its_staff_else_in_english(
    settings: dict[str, Any], subject: str, begins: str
) -> None:
    shop = Shop(SHOP, "Käse & Co", "EUR", "pk", frozenset(), settings, NOW, None)
    (alert,) = errors(Share(3, 30))
    told, body = alert_letter(shop, kept(alert))
    assert told == subject
    assert body.startswith(begins)
    assert "Käse & Co" in body.splitlines()[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_own_words_for_an_e_mail(language: str) -> None:
    shop = Shop(SHOP, "Käse", "EUR", "pk", frozenset(), {"locale": language}, NOW, None)
    told = {alert_letter(shop, kept(each)) for each in EVERY}
    assert ("Open Tillwise" in str(told)) == (language == "en")
