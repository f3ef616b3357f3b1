"""The model card: what a published version was made of, how good it is, and whether it may serve."""

from __future__ import annotations

from datetime import datetime

import msgspec

from app.recommend.model import Basis, Weights

LAYOUT = 3
OLDEST_LAYOUT = 2
OURS = "tillwise"  # under which name a card has the figures of our own model


class ArrayCard(msgspec.Struct, frozen=True):
    """What a stored array must look like when it is read back."""

    dtype: str
    shape: tuple[int, ...]
    sha256: str


class Decision(msgspec.Struct, frozen=True):
    """Whether the version may serve, and the sentence that says why."""

    publish: bool
    reason: str


class Difference(msgspec.Struct, frozen=True):
    """NDCG@10 of ours minus another's on the same carts: the mean and its 95 % interval."""

    mean: float
    low: float
    high: float
    cases: int


class Card(msgspec.Struct, frozen=True):
    """A version's card.

    counts: orders, lines, customers, products seen. figures: held-out metrics by model name, popularity
    among them, empty when there were too few orders to hold any out. arrays: filled in by `publish`.
    differences: from each plain model. champion: the version that served then, when there were carts to
    compare on. learnt_in_full_at: when a version that went on was last trained in full; None: it is.
    appeal: how much better it foretells which shown offers are taken, in log likelihood; None: not used.
    """

    trained_at: datetime
    basis: Basis
    weights: Weights
    counts: dict[str, int]
    parameters: dict[str, float | int | None]
    figures: dict[str, dict[str, float]]
    decision: Decision
    libraries: dict[str, str]
    shop: str = ""
    version: str = ""
    content_hash: str = ""
    arrays: dict[str, ArrayCard] = {}
    layout: int = LAYOUT
    differences: dict[str, Difference] = {}
    champion: str = ""
    learnt_in_full_at: datetime | None = None
    champion_difference: Difference | None = None
    appeal: Difference | None = None
