"""Every call that changes or asks something in the admin: what is right to send it, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

CALLS = "/admin/api"
ROW = {"field": "cart.subtotal", "compare": ">", "value": "80"}
FORM: dict[str, Any] = {
    "name": "Ten percent",
    "groups": [{"match": "all", "conditions": [ROW]}],
    "kind": "coupon",
    "off": "10",
    "messages": [{"locale": "en", "text": "{percentage} off"}],
}
SEGMENT: dict[str, Any] = {
    "name": "spenders",
    "conditions": [{"measure": "orders", "compare": "more_than", "value": 3}],
}
# What the shop of `keep_campaigns` and an experiment can be asked for, by call.
RIGHT: dict[str, Any] = {
    "onboarding": {"step": "holdout"},
    "onboarding/preview": {},
    "decisions/replay": {"id": "d501"},
    "products/wish": {"product_id": 1, "wish": "pinned"},
    "campaigns/status": {"id": "winter", "status": "paused"},
    "campaigns/place": {"id": "winter"},
    "campaigns/remove": {"id": "winter"},
    "campaigns/check": {"form": FORM},
    "campaigns/keep": {"form": FORM},
    "campaigns/dry-run": {"form": FORM},
    "experiments/plan": {"form": {}},
    "experiments/keep": {"form": {"name": "Dearer", "tries": "dear_ratio", "ratio": "3"}},
    "experiments/start": {"id": "dear", "share": 100},
    "experiments/stop": {"id": "dear"},
    "experiments/conclude": {"id": "dear", "version": 1, "arm": "changed"},
    "experiments/export": {"id": "dear"},
    "experiments/credited": {"month": f"{datetime.now(UTC) - timedelta(days=40):%Y-%m}", "model": "linear"},
    "model/train": {},
    "model/serve": {"version": "v1"},
    "privacy/limits": {"limits": {"events_days": 90}},
    "privacy/person": {"who": "someone@example.com"},
    "privacy/export": {"who": "someone@example.com", "format": "json"},
    "privacy/answer": {"request_id": "r1"},
    "privacy/receipt": {"request_id": "r1"},
    "settings/language": {"locale": "de"},
    "settings/way": {"way": "flow", "on": True},
    "settings/export": {"days": 1},
    "segments/run": {},
    "segments/check": {"segment": SEGMENT},
    "segments/keep": {"segment": SEGMENT},
    "segments/remove": {"name": "regulars"},
    "segments/approach/check": {"policy": {}},
    "segments/approach": {"policy": {}},
    "segments/decide": {"customer_id": "5", "verdict": "excluded"},
    "elsewhere/write-back": {"tags": True, "metafields": False},
    "elsewhere/webhook": {"url": "https://hooks.example.com/tillwise"},
    "elsewhere/webhook/off": {},
    "elsewhere/webhook/test": {},
    "elsewhere/webhook/again": {},
    "elsewhere/keys": {"label": "CRM"},
    "elsewhere/keys/revoke": {"key_id": "k1"},
    "import": {},
    "pause": {},
    "go-on": {},
    "exclusions": {"product_id": 1, "excluded": True},
}
# Those that are asked for without a body, so that none can be wrong.
BARE = frozenset(name for name, body in RIGHT.items() if body == {})


def _form(**changes: Any) -> dict[str, Any]:
    return {"form": FORM | changes}


def _experiment(**changes: Any) -> dict[str, Any]:
    return {"form": {"name": "Dearer", "tries": "dear_ratio", "ratio": "3", **changes}}


def _segment(**changes: Any) -> dict[str, Any]:
    return {"segment": SEGMENT | changes}


def _condition(**changes: Any) -> dict[str, Any]:
    return _segment(conditions=[{"measure": "spent", "compare": "at_least", "value": "10.00", **changes}])


# Each with what a merchant may get wrong; a body of no such shape is tried with every call.
WRONG: dict[str, list[Any]] = {
    "onboarding": [{"step": "nothing"}],
    "decisions/replay": [{"id": "nothing"}],
    "products/wish": [
        {"product_id": 9, "wish": "usual"},
        {"product_id": 1, "wish": "adored"},
        {"product_id": 0, "wish": "usual"},
        {"product_id": 1, "wish": "x" * 11},
    ],
    "campaigns/status": [{"id": "nothing", "status": "paused"}, {"id": "winter", "status": "on"}],
    "campaigns/remove": [{"id": "nothing"}, {"id": "loyal-thanked"}],
    "campaigns/place": [{"id": "nothing"}, {"id": "winter", "before": "nothing"}],
    "campaigns/keep": [
        _form(name=""),
        _form(off="much"),
        _form(off="0"),
        _form(kind="progress", off=""),
        _form(starts_at="soon"),
        _form(ends_at="2026-01-02 00:00", starts_at="2026-01-03 00:00"),
        _form(hour_from="9"),
        _form(hour_from="9", hour_until="9"),
        _form(messages=[{"locale": "english", "text": "Hello {there}"}]),
        _form(messages=[{"locale": "en", "text": "Hello {there}"}]),
        _form(messages=[{"locale": "en", "text": "Hello {percentage"}]),
        _form(messages=[{"locale": "en", "text": "one: a\nfew: b"}]),
        _form(trigger="abandonment", with_code=False),
        _form(groups=[{"match": "all", "conditions": [ROW | {"field": ""}]}]),
        _form(groups=[{"match": "all", "conditions": [ROW | {"value": "many"}]}]),
        _form(groups=[{"conditions": [{"field": "market.country", "compare": "==", "value": "Germany"}]}]),
        _form(groups=[{"conditions": [{"field": "time.weekday", "compare": "==", "value": "frday"}]}]),
        _form(rule="{"),
        _form(rule="{}"),
        _form(rule='{">": [{"var": "cart.total"}, 1]}'),
        _form(rule='{">": [{"var": "cart.subtotal"}, "much"]}'),
        _form(rule='{"greater": [{"var": "cart.subtotal"}, 1]}'),
        _form(rule='{"and": []}'),
        _form(id="nothing"),
    ],
    "campaigns/check": [{"form": {"kind": "gift"}}],
    "campaigns/dry-run": [_form(off=""), {"form": FORM, "last": 0}],
    "experiments/plan": [_experiment(lift="much"), _experiment(metric="fame")],
    "experiments/keep": [_experiment(name=""), _experiment(ratio="1e9"), _experiment(tries="two_campaigns")],
    "experiments/start": [
        {"id": "nothing", "share": 100},
        {"id": "dear", "share": 0},
        {"id": "dear", "share": 1},
    ],
    "experiments/stop": [{"id": "nothing"}],
    "experiments/conclude": [
        {"id": "dear", "version": 9, "arm": "x"},
        {"id": "dear", "version": 1, "arm": "x"},
    ],
    "experiments/export": [{"id": "nothing"}],
    "experiments/credited": [{"month": "1999-12", "model": "linear"}, {"month": "2026-11", "model": "mine"}],
    "model/serve": [{"version": "nothing"}],
    "privacy/limits": [
        {"limits": {"events_days": 0}},
        {"limits": {"events_days": "long"}},
        {"limits": {"memory_days": 5}},
    ],
    "privacy/person": [{"who": ""}, {"who": "gid://shopify/Order/1"}, {"who": "gid://shopify/Customer/x"}],
    "privacy/export": [{"who": "a b", "format": "json"}, {"who": "5", "format": "xml"}],
    "privacy/answer": [{"request_id": "nothing"}],
    "privacy/receipt": [{"request_id": "nothing"}],
    "settings/language": [{"locale": "tlh"}],
    "settings/way": [{"way": "mail", "on": True}, {"way": "pigeon", "on": True}],
    "settings/export": [{"days": 0}, {"days": 731}],
    "segments/check": [
        _segment(name="Two, words"),
        _segment(name="champions"),
        _segment(conditions=[]),
        _segment(match="some"),
        _condition(value="-1"),
        _condition(value="much"),
        _condition(value=5),
        _condition(within_days=0),
        _condition(measure="orders", value="3.5"),
        _condition(measure="fame"),
        {"segment": SEGMENT, "replaces": "nothing"},
    ],
    "segments/keep": [_segment(name="")],
    "segments/remove": [{"name": "nothing"}],
    "segments/approach/check": [
        {"policy": {"warm_from_orders": 0}},
        {"policy": {"warm_from_views": -1}},
        {"policy": {"cold": []}},
        {"policy": {"cold": [{"approach": "history"}]}},
        {"policy": {"warm": [{"approach": "loyalty", "most_percent": 95}]}},
        {"policy": {"warm": [{"approach": "loyalty", "segments": ["nothing"]}]}},
        {"policy": {"warm": [{"approach": "flattery"}]}},
    ],
    "segments/approach": [{"policy": {"warm_from_orders": "many"}}],
    "segments/decide": [
        {"customer_id": "x", "verdict": "excluded"},
        {"customer_id": "9", "verdict": "excluded"},
        {"customer_id": "9", "verdict": "open"},
        {"customer_id": "9", "verdict": "pinned", "segment": "nothing"},
    ],
    "elsewhere/write-back": [{"tags": "yes", "metafields": False}],
    "elsewhere/webhook": [
        {"url": ""},
        {"url": "http://hooks.example.com"},
        {"url": "https://user@hooks.example.com"},
        {"url": "https://localhost"},
        {"url": "https://hooks.example.com/" + "x" * 2_000},
        {"url": "https://hooks.example.com:1x"},
    ],
    "elsewhere/webhook/test": [{}],
    "elsewhere/keys": [{"label": ""}],
    "elsewhere/keys/revoke": [{"key_id": "nothing"}],
    "exclusions": [{"product_id": 9, "excluded": True}, {"product_id": "x", "excluded": True}],
}
