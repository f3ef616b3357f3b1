"""A shop's campaigns as the arms of its experiments change them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from app.campaigns.campaign import Running, read_campaign
from app.errors import InputError
from app.experiments.assign import Experiment
from app.experiments.patch import CAMPAIGNS, patched

Changes = tuple[Mapping[str, Any], ...]
Arms = frozenset[tuple[str, str]]


def served(campaigns: Sequence[Running], experiments: Iterable[Experiment]) -> list[Running]:
    """Return the running campaigns, then those that the arms of experiments make of them.

    An arm of which no campaign can be made adds none.
    """
    as_is, found = {each.campaign.id: each for each in campaigns}, list(campaigns)
    for changes in combinations_of(experiments).values():
        with suppress(InputError):
            under = campaigns_under(campaigns, changes)
            found += [each for each in under if each is not as_is[each.campaign.id]]
    return found


def combinations_of(experiments: Iterable[Experiment]) -> dict[Arms, Changes]:
    """Return what changes under each combination of arms that change something."""
    found: dict[Arms, Changes] = {frozenset(): ()}
    for each in experiments:
        changing = [arm for arm in each.arms if arm.changes]
        found |= {
            arms | {(each.id, arm.name)}: (*changes, arm.changes)
            for arms, changes in found.items()
            for arm in changing
        }
    del found[frozenset()]
    return found


def campaigns_under(campaigns: Sequence[Running], changes: Changes) -> list[Running]:
    """Return the running campaigns with the changes; one that is changed to nothing is left out.

    Raises InputError for a change that makes no campaign.
    """
    under = list(campaigns)
    for each in changes:
        by_id = each.get(CAMPAIGNS) or {}
        under = [_under(one, by_id) for one in under if by_id.get(one.campaign.id, {}) is not None]
    return under


def _under(running: Running, by_id: Mapping[str, Any]) -> Running:
    change = by_id.get(running.campaign.id)
    if change is None:
        return running
    content = patched(msgspec.to_builtins(running.campaign), change)
    return Running(read_campaign(content | {"id": running.campaign.id}), running.number)
