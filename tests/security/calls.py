"""Every call of the admin's, as the staff of a shop may make it: those that name something name another's."""

from __future__ import annotations

from typing import Any

from tests.admin.campaign_factories import written
from tests.admin.every_call import CALLS, RIGHT
from tests.admin.segment_factories import REGULARS
from tests.privacy.planted import ROSA


def staff_calls(theirs: dict[str, str]) -> dict[str, list[Any]]:
    """Return bodies by path. theirs: ids of the other shop that are made by chance (`version`, `key`)."""
    rosa = str(ROSA.customer)
    naming: dict[str, list[Any]] = {
        "decisions/replay": [{"id": "d0"}],
        "products/wish": [{"product_id": each, "wish": "pinned"} for each in (2, 77)],
        "campaigns/status": [{"id": "loyal-thanked", "status": "stopped"}],
        "campaigns/place": [{"id": "winter", "before": "loyal-thanked"}],
        "campaigns/remove": [{"id": "loyal-thanked"}, {"id": "winter"}],
        "campaigns/check": [{"form": written()}, {"form": written(id="loyal-thanked")}],
        "campaigns/keep": [{"form": written()}, {"form": written(id="loyal-thanked")}],
        "experiments/plan": [{"form": {"campaign": "loyal-thanked"}}],
        "experiments/keep": [
            RIGHT["experiments/keep"],
            {"form": {"name": "Old model", "tries": "model", "version": theirs["version"]}},
            {"form": {"name": "No thanks", "tries": "without_campaign", "campaign": "loyal-thanked"}},
        ],
        "model/serve": [{"version": theirs["version"]}],
        "privacy/person": [{"who": rosa}, {"who": ROSA.email}],
        "privacy/export": [{"who": rosa, "format": each} for each in ("json", "csv")],
        "privacy/answer": [{"request_id": each} for each in ("open", "late")],
        "privacy/receipt": [{"request_id": "done"}],
        "settings/export": [{"days": 730}],
        "segments/keep": [{"segment": REGULARS, "replaces": "regulars"}, {"segment": REGULARS}],
        "segments/decide": [
            {"customer_id": each, "verdict": "pinned", "segment": "loyal"} for each in ("11", rosa)
        ],
        "elsewhere/keys/revoke": [{"key_id": theirs["key"]}],
        "exclusions": [{"product_id": each, "excluded": True} for each in (2, 77)],
    }
    calls = {name: [body] for name, body in RIGHT.items()} | naming
    return {f"{CALLS}/{name}": bodies for name, bodies in calls.items()}
