"""A shop whose model has a history: what serves, what served before, what was not good enough, a look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.connections import Connections
from app.recommend.card import Card, Decision, Difference
from app.recommend.drift import Bin, Calibration, Shift
from app.recommend.drift_watch import DriftReport
from app.recommend.model import Weights
from app.recommend.publish import publish
from app.tables import ModelRow, WatchRow
from app.values import ShopDomain
from tests.admin.factories import SHOP, keep
from tests.recommend.factories import a_model

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def figures(ndcg: float) -> dict[str, float]:
    """Return figures of a model with this NDCG@10."""
    return {"ndcg_at_10": ndcg, "recall_at_10": ndcg * 1.05, "hit_at_4": ndcg * 2, "coverage": 0.4}


def full_card(trained_at: datetime, *, serve: bool = True, **changes: Any) -> Card:
    """Return the card of a version that was tested beside plain models and the champion of then."""
    values: dict[str, Any] = {
        "trained_at": trained_at,
        "basis": "blend",
        "weights": Weights(together=1.2, learned=0.4, repeats=0.9, same_kind=-0.3),
        "counts": {"orders": 12_345, "lines": 40_000, "customers": 2_345, "products": 987},
        "parameters": {"dimensions": 64, "half_life_days": None, "learning_rate": 0.05},
        "figures": {
            "tillwise": figures(0.201) | {"ndcg_low": 0.192, "ndcg_high": 0.21},
            "popularity": figures(0.056),
            "own repeats": figures(0.158),
            "tillwise, personal": figures(0.201),
            "tillwise, contextual": figures(0.127),
            "tillwise, static": figures(0.056),
            "tillwise, regular": figures(0.205),
            "tillwise, first order": figures(0.107) | {"cases": 12},
        },
        "decision": Decision(serve, "NDCG@10 0.2010 against popularity's 0.0560 on 3000 later carts"),
        "libraries": {"numpy": "2.3"},
        "differences": {
            "popularity": Difference(0.145, 0.137, 0.154, 3_000),
            "own repeats": Difference(0.043, -0.002, 0.049, 3_000),
        },
        "champion": "20261101T000000Z-a",
        "champion_difference": Difference(0.012, 0.003, 0.02, 800),
    }
    return Card(**(values | changes))


def a_watch(**changes: Any) -> DriftReport:
    """Return a look that found a shift, and promises twice too high."""
    bins = tuple(Bin(100, 0.02 * at, 0.01 * at) for at in range(1, 11))
    values: dict[str, Any] = {
        "looked_at": NOW,
        "decisions": (1_200, 2_000),
        "shifts": [Shift("score", 0.31), Shift("popular", 0.27)],
        "calibration": Calibration(1_000, 55, 0.11, 0.5, 0.38, 0.62, 0.055, bins, True),
        "since": NOW - timedelta(hours=8),
    }
    return DriftReport(**(values | changes))


async def keep_models(connections: Connections, shop: str = SHOP) -> tuple[str, str]:
    """Return the version that served before and the one that serves; beside them one that never did."""
    data_dir, domain = connections.settings.data_dir, ShopDomain(shop)
    before = publish(data_dir, domain, a_model(3), full_card(NOW - timedelta(days=2)))
    serving = publish(data_dir, domain, a_model(4), full_card(NOW - timedelta(days=1)))
    worse = Decision(False, "own repeats is better by 0.0100 NDCG@10 on 3000 carts")
    rejected = publish(data_dir, domain, a_model(5), full_card(NOW, decision=worse))
    await keep(
        connections,
        *(
            ModelRow(
                shop=shop, version=card.version, status=status, card=msgspec.to_builtins(card),
                trained_at=card.trained_at,
            )
            for card, status in ((before, "retired"), (serving, "champion"), (rejected, "rejected"))
        ),
    )  # fmt: skip
    return before.version, serving.version


async def keep_watch(connections: Connections, watch: DriftReport, shop: str = SHOP) -> None:
    await keep(
        connections, WatchRow(shop=shop, looked_at=watch.looked_at, content=msgspec.to_builtins(watch))
    )
