"""What shopify.app.toml promises Shopify, beside what the code keeps."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from webhooks.translate import READERS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "shopify.app.toml").read_text()
APP: dict[str, Any] = tomllib.loads(TEXT)
COMPLIANCE = {"customers/data_request", "customers/redact", "shop/redact"}


def topics(kind: str) -> list[str]:
    return [each for one in APP["webhooks"]["subscriptions"] for each in one.get(kind, [])]


def test_every_topic_that_is_read_is_subscribed_to_and_no_other() -> None:
    subscribed = topics("topics") + topics("compliance_topics")
    assert sorted(subscribed) == sorted(READERS)


def test_the_compliance_topics_are_all_there() -> None:
    assert set(topics("compliance_topics")) == COMPLIANCE


def test_every_subscription_comes_to_the_one_receiving_route() -> None:
    assert {each["uri"] for each in APP["webhooks"]["subscriptions"]} == {"/webhooks"}


def test_every_subscription_says_which_file_handles_it() -> None:
    handlers = re.findall(r"# Handled by: (\S+).*\n\s*\[\[webhooks\.subscriptions\]\]", TEXT)
    assert len(handlers) == len(APP["webhooks"]["subscriptions"])
    assert [each for each in handlers if not (ROOT / each).is_file()] == []


def test_every_scope_says_what_it_is_for() -> None:
    scopes = APP["access_scopes"]["scopes"].split(",")
    explained = re.findall(r"^# ((?:read|write)_\w+) ", TEXT, re.MULTILINE)
    assert explained == scopes
    assert [each for each in scopes if each.startswith("write_")] == ["write_pixels"]


def test_extensions_and_app_speak_the_same_api_version() -> None:
    checkout = tomllib.loads((ROOT / "extensions/checkout-offers/shopify.extension.toml").read_text())
    assert checkout["api_version"] == APP["webhooks"]["api_version"]
