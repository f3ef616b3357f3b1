"""Whether an experiment's arms can be served, and differ, before anyone is put into them."""

from __future__ import annotations

from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.design import Design
from app.experiments.versions import versions
from app.offers.snapshot import ShopSnapshot
from app.snapshots import load_snapshot
from app.values import ShopDomain


async def check_arms(connections: Connections, shop: ShopDomain, name: str) -> None:
    """Return when each arm of the newest version can be served and differs. Raises InputError, NotFound."""
    newest = [each for each in await versions(connections, shop) if each.design.id == name]
    if not newest:
        raise NotFound(f"{shop} has no experiment {name!r}")
    snapshot = await load_snapshot(connections, shop, trying=(newest[-1].experiment,))
    if snapshot is None:
        raise NotFound(f"{shop} does not have the app")
    _check(snapshot, newest[-1].design)


def _check(snapshot: ShopSnapshot, design: Design) -> None:
    for arm in design.arms:
        served = snapshot.variants.get(frozenset({(design.id, arm.name)}))
        if arm.changes and served is None:
            raise InputError(f"arm {arm.name!r} can't be served: what it changes can't be read", "changes")
        if served is not None and served.version == snapshot.version:
            raise InputError(
                f"arm {arm.name!r} would be the shop as it is: its changes change nothing, as what they are "
                "about does not run or is so already",
                "changes",
            )
