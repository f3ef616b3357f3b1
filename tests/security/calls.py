"""Every call that changes or asks something of a shop, as the staff of a shop may make it: paths with bodies.

The bodies name what another shop has: its products, customers, campaigns, versions, keys and requests.
"""

from __future__ import annotations

from typing import Any

from tests.admin.campaign_factories import written
from tests.admin.segment_factories import REGULARS
from tests.privacy.planted import ROSA

ADDRESS = "https://hooks.example.com/tillwise"


def staff_calls(theirs: dict[str, str]) -> dict[str, list[Any]]:
    """Return bodies by path. theirs: ids of the other shop that are made by chance (`version`, `key`)."""
    api = "/admin/api"
    form = {"form": written()}
    return {
        f"{api}/onboarding": [{"step": "holdout"}],
        f"{api}/onboarding/preview": [{}],
        f"{api}/decisions/replay": [{"id": "d0"}],
        f"{api}/products/wish": [{"product_id": 2, "wish": "pinned"}, {"product_id": 77, "wish": "pinned"}],
        f"{api}/campaigns/status": [{"id": "loyal-thanked", "status": "stopped"}],
        f"{api}/campaigns/place": [{"id": "winter", "before": "loyal-thanked"}],
        f"{api}/campaigns/check": [form, {"form": written(id="loyal-thanked")}],
        f"{api}/campaigns/keep": [form, {"form": written(id="loyal-thanked")}],
        f"{api}/campaigns/dry-run": [form],
        f"{api}/experiments/plan": [{"form": {"campaign": "loyal-thanked"}}],
        f"{api}/experiments/keep": [
            {"form": {"name": "Dearer", "tries": "dear_ratio", "ratio": "3"}},
            {"form": {"name": "Old model", "tries": "model", "version": theirs["version"]}},
            {"form": {"name": "No thanks", "tries": "without_campaign", "campaign": "loyal-thanked"}},
        ],
        f"{api}/experiments/start": [{"id": "dear", "share": 100}],
        f"{api}/experiments/stop": [{"id": "dear"}],
        f"{api}/experiments/conclude": [{"id": "dear", "version": 1, "arm": "changed"}],
        f"{api}/experiments/export": [{"id": "dear"}],
        f"{api}/model/train": [{}],
        f"{api}/model/serve": [{"version": theirs["version"]}],
        f"{api}/privacy/limits": [{"limits": {"events_days": 30}}],
        f"{api}/privacy/person": [{"who": str(ROSA.customer)}, {"who": ROSA.email}],
        f"{api}/privacy/export": [{"who": str(ROSA.customer), "format": each} for each in ("json", "csv")],
        f"{api}/privacy/answer": [{"request_id": "open"}, {"request_id": "late"}],
        f"{api}/privacy/receipt": [{"request_id": "done"}],
        f"{api}/settings/language": [{"locale": "de"}],
        f"{api}/settings/way": [{"way": "flow", "on": True}],
        f"{api}/settings/export": [{"days": 730}],
        f"{api}/segments/run": [{}],
        f"{api}/segments/check": [{"segment": REGULARS}],
        f"{api}/segments/keep": [{"segment": REGULARS, "replaces": "regulars"}, {"segment": REGULARS}],
        f"{api}/segments/remove": [{"name": "regulars"}],
        f"{api}/segments/approach/check": [{"policy": {}}],
        f"{api}/segments/approach": [{"policy": {}}],
        f"{api}/segments/decide": [
            {"customer_id": who, "verdict": "pinned", "segment": "loyal"}
            for who in ("11", str(ROSA.customer))
        ],
        f"{api}/elsewhere/write-back": [{"tags": True, "metafields": False}],
        f"{api}/elsewhere/webhook": [{"url": ADDRESS}],
        f"{api}/elsewhere/webhook/off": [{}],
        f"{api}/elsewhere/webhook/test": [{}],
        f"{api}/elsewhere/webhook/again": [{}],
        f"{api}/elsewhere/keys": [{"label": "CRM"}],
        f"{api}/elsewhere/keys/revoke": [{"key_id": theirs["key"]}],
        f"{api}/import": [{}],
        f"{api}/exclusions": [{"product_id": 2, "excluded": True}, {"product_id": 77, "excluded": True}],
    }
