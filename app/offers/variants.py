"""The shop as each combination of its experiments' arms makes it, worked out before anyone asks. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.campaigns.arms import Arms, Changes, combinations_of
from app.errors import TillwiseError
from app.experiments.assign import Assignment, Experiment
from app.experiments.patch import CAMPAIGNS, MODEL, patched
from app.offers.snapshot import ShopSnapshot

_log = logging.getLogger(__name__)


def with_variants(
    shop: ShopSnapshot, experiments: tuple[Experiment, ...], take: Callable[[Changes], ShopSnapshot]
) -> ShopSnapshot:
    """Return the shop with its experiments and a shop of its own for each combination that changes it.

    take: the shop under these changes, one after the other. Where it can't be made, the shop stays as it is
    for those arms, and so it is where what they change is there no more, such as a campaign that was stopped.
    """
    made = {}
    for arms, changes in combinations_of(experiments).items():
        try:
            made[arms] = replace(take(changes), experiments=experiments)
        except (TillwiseError, TypeError, ValueError) as error:
            _log.error("an arm can't be served", extra={"shop": shop.shop, "reason": str(error)})
    changing, wanted = frozenset[tuple[str, str]]().union(*made), _changing(experiments)
    together, idle = _together(experiments), _idle(shop, made)
    variants = {arms: made[arms & changing] for arms in together if arms & changing in made}
    unserved = frozenset(
        arms for arms in together if arms & idle or (arms & wanted and arms & wanted not in made)
    )
    return replace(shop, experiments=experiments, variants=variants, unserved=unserved)


def variant_of(shop: ShopSnapshot, places: Iterable[Assignment]) -> ShopSnapshot:
    """Return the shop as the unit's arms make it. places: in other experiments than the standing one."""
    if not shop.variants:
        return shop
    return shop.variants.get(_arms_of(places), shop)


def is_unserved(shop: ShopSnapshot, places: Iterable[Assignment]) -> bool:
    """Return whether an arm of these should change the shop and can't be served."""
    return bool(shop.unserved) and _arms_of(places) in shop.unserved


def settings_under(settings: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return the merchant's settings with the changes."""
    for each in changes:
        rest = {name: value for name, value in each.items() if name not in (CAMPAIGNS, MODEL)}
        settings = patched(settings, rest)
    return dict(settings)


def model_under(current: str | None, changes: Changes) -> str | None:
    """Return the version of the model that ranks: the current one unless an arm names another or none."""
    for each in changes:
        current = each.get(MODEL, current)
    return current


def _arms_of(places: Iterable[Assignment]) -> Arms:
    return frozenset([(each.experiment_id, each.arm) for each in places])


def _changing(experiments: Iterable[Experiment]) -> Arms:
    """Return the arms that change something."""
    return frozenset((each.id, arm.name) for each in experiments for arm in each.arms if arm.changes)


def _idle(shop: ShopSnapshot, made: Mapping[Arms, ShopSnapshot]) -> Arms:
    """Return the arms that leave the shop as it is."""
    alone = (arms for arms, each in made.items() if len(arms) == 1 and each.version == shop.version)
    return frozenset[tuple[str, str]]().union(*alone)


def _together(experiments: Iterable[Experiment]) -> list[Arms]:
    """Return every set of arms that a unit can be in at once; a ramp may not have reached it."""
    found: list[Arms] = [frozenset()]
    for each in experiments:
        found += [arms | {(each.id, arm.name)} for arms in found for arm in each.arms]
    return found
