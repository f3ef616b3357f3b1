"""A shop whose experiments pages have everything to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.connections import Connections
from app.experiments.design import read_design
from app.experiments.versions import draft, start
from app.tables import DecisionRow, OrderRow
from app.values import ShopDomain
from tests.admin.factories import SHOP, keep, now, shop_row

STANDING = "holdout=0.5 personalised=0.5"


def days_ago(days: float) -> datetime:
    return now() - timedelta(days=days)


def placed(number: int, arms: Mapping[str, tuple[str, str]], standing: str = "personalised") -> DecisionRow:
    """Return a decision of twenty days ago. arms: version and arm, by experiment."""
    places = {name: [*place, 0.5] for name, place in arms.items()}
    return DecisionRow(
        shop=SHOP, decision_id=f"e{number}", decided_at=days_ago(20), surface="checkout", rung="session",
        arm=standing, checkout_token=f"e{number}", answer={"offers": []},
        inputs={"unit": f"client:{number}", "experiments": places},
    )  # fmt: skip


def spent(number: int, minor: int) -> OrderRow:
    at = days_ago(20) + timedelta(hours=1)
    return OrderRow(
        shop=SHOP, order_id=10_000 + number, checkout_token=f"e{number}", currency="USD",
        subtotal_minor=minor, created_at=at, updated_at=at,
    )  # fmt: skip


def design(**changes: Any) -> dict[str, Any]:
    arms = [{"name": "as_it_is"}, {"name": "changed", "changes": {"dear_ratio": 1.5}}]
    told = {"id": "dear", "says": "Dearer offers", "arms": arms, "control": "as_it_is"}
    return {**told, "metric": "conversion", "planned_units": 1_000, **changes}


async def keep_experiment(
    connections: Connections, rates: tuple[float, float] = (0.2, 0.5), split: int = 2, units: int = 800
) -> None:
    """Store an experiment that runs, and what its shoppers did; every so many-th is in the changed arm.

    rates: how many of each arm ordered. The holdout has as many shoppers and the first arm's rate.
    """
    await keep(connections, shop_row())
    rng = np.random.default_rng(0)
    rows: list[Any] = []
    for n in range(units):
        changed = n % split == 0
        arms = {"dear": ("1", ("as_it_is", "changed")[changed]), "standing": (STANDING, "personalised")}
        rows.append(placed(n, arms))
        if rng.random() < rates[changed]:
            rows.append(spent(n, int(rng.lognormal(8, 0.5))))
    for n in range(units, 2 * units):
        rows.append(placed(n, {"standing": (STANDING, "holdout")}, "holdout"))
        if rng.random() < rates[0]:
            rows.append(spent(n, int(rng.lognormal(8, 0.5))))
    async with connections.write() as db:
        db.add_all(rows)
    await draft(connections, ShopDomain(SHOP), read_design(design()), days_ago(21))
    await start(connections, ShopDomain(SHOP), "dear", days_ago(21))
