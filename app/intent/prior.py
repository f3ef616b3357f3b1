"""The shared model that every shop starts from; `prior.json` beside this file holds it and its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from app.intent.features import FEATURES
from app.intent.model import IntentModel

FILE = Path(__file__).with_name("prior.json")


class PriorFile(msgspec.Struct, frozen=True):
    """What the file holds. card: what the model was made from, how, and how good it was there."""

    card: dict[str, Any]
    model: IntentModel


SHARED = msgspec.json.decode(FILE.read_bytes(), type=PriorFile)
PRIOR = SHARED.model
assert PRIOR.features == FEATURES, "prior.json is of other features: make it again"
