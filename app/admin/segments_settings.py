"""A merchant's own segments and their way with shoppers: checked, kept, and brought to bear."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from app.admin.figures import listed
from app.admin.language import _, ngettext
from app.admin.outage import OUTAGES
from app.admin.segment_titles import title, titles_anywhere
from app.admin.typed import check_marks, fraction_of
from app.campaigns.store import StoredCampaign, all_campaigns
from app.connections import Connections
from app.errors import InputError, NotFound
from app.experiments.patch import CAMPAIGNS
from app.experiments.versions import Version, versions
from app.jobs import request_job
from app.profiles.policy import DEFAULT, Policy, read_policy
from app.profiles.reviews import pinned_to
from app.profiles.segment_names import check_free, same_name
from app.profiles.thresholds import SETTING, Rule, Rules, read_rules
from app.rules.expression import read_rule
from app.rules.findings import named
from app.shops.changes import announce_change
from app.shops.settings import change_setting
from app.shops.store import Shop

APPROACH = "approach"
_log = logging.getLogger(__name__)


def rules_of(shop: Shop) -> Rules:
    """Return the shop's own segments; none where the setting is absent. Pure."""
    return read_rules(shop.settings.get(SETTING, []), shop.currency)


def policy_of(shop: Shop) -> Policy:
    """Return the shop's way with shoppers, the default where the setting is absent. Pure."""
    written = shop.settings.get(APPROACH)
    return DEFAULT if written is None else read_policy(written)


def state_of(shown: Rule | Policy) -> str:
    """Return a word for what a page shows, another once somebody changed it. Pure."""
    return blake2b(msgspec.json.encode(shown), digest_size=8).hexdigest()


def with_rule(
    kept: Sequence[Any], written: Any, replaces: str | None, currency: str, seen: str | None = None
) -> list[Any]:
    """Return the shop's segments with one added, or in the place of the one it replaces. Pure.

    seen: the state of that one when it was opened. Raises InputError naming the field as if the segment stood
    alone, also where it was changed meanwhile; NotFound for one to replace that is not there.
    """
    rule = read_rules([written], currency).rules[0]
    for at, condition in enumerate(rule.conditions):
        if isinstance(condition.value, str):
            place = f"segments[0].conditions[{at}].value"
            check_marks(condition.value, place, fraction_of(currency))
    _check_names(rule.name, [each["name"] for each in kept], replaces)
    before = [each for each in kept if each["name"] == replaces]
    if before and seen is not None and state_of(read_rules(before, currency).rules[0]) != seen:
        raise _changed_meanwhile()
    made = msgspec.to_builtins(rule)
    wanted = (
        [*kept, made] if replaces is None else [made if each["name"] == replaces else each for each in kept]
    )
    read_rules(wanted, currency)
    return wanted


def _check_names(name: str, names: Collection[str], replaces: str | None) -> None:
    """Return if the name is free and the one to replace is among the names. Raises InputError, NotFound."""
    if name != replaces:
        check_free(name, "segments[0].name")
    others = {same_name(each) for each in names if each != replaces} | titles_anywhere()
    if replaces is not None and replaces not in names:
        raise NotFound(_("There is no segment “%(name)s” any more.", name=replaces[:50]))
    if name != replaces and same_name(name) in others:
        raise InputError(_("There is a segment named “%(name)s” already.", name=name), "segments[0].name")


def _changed_meanwhile() -> InputError:
    return InputError(_("Somebody changed this meanwhile: open it again to see what it is now."))


def without_rule(kept: Sequence[Any], name: str) -> list[Any]:
    """Return the shop's segments without one. Raises NotFound when it is not there. Pure."""
    if name not in [each["name"] for each in kept]:
        raise NotFound(_("There is no segment “%(name)s” any more.", name=name[:50]))
    return [each for each in kept if each["name"] != name]


def checked_policy(written: Any, known: Collection[str]) -> Policy:
    """Return the policy. Raises InputError naming the field, also for a segment that is not known. Pure."""
    policy = read_policy(written)
    for side in ("cold", "warm"):
        for at, step in enumerate(getattr(policy, side)):
            for name in step.segments:
                if name not in known:
                    raise InputError(
                        _("There is no segment “%(name)s”.", name=name[:50]), f"{side}[{at}].segments"
                    )
    return policy


async def check_rule(
    connections: Connections, shop: Shop, written: Any, replaces: str | None, seen: str | None
) -> Rule:
    """Return the segment, if it can be kept. Raises what `with_rule` does, InputError for a name in use."""
    with_rule(shop.settings.get(SETTING, []), written, replaces, shop.currency, seen)
    rule = read_rules([written], shop.currency).rules[0]
    if replaces is not None and rule.name != replaces:
        await _check_unused(connections, shop, replaces, "segments[0].name")
    return rule


async def keep_rule(
    connections: Connections, shop: Shop, written: Any, replaces: str | None, seen: str | None
) -> Rule:
    """Keep one of the merchant's own segments and return it. For what is raised see `check_rule`."""
    rule = await check_rule(connections, shop, written, replaces, seen)

    def change(kept: Any) -> list[Any]:
        return with_rule(kept or [], written, replaces, shop.currency, seen)

    await change_setting(connections, shop.shop, SETTING, change)
    return rule


async def remove_rule(connections: Connections, shop: Shop, name: str) -> None:
    """Forget one of the merchant's own segments. Raises NotFound, and InputError for a name in use."""
    without_rule(shop.settings.get(SETTING, []), name)
    await _check_unused(connections, shop, name)
    await change_setting(connections, shop.shop, SETTING, lambda kept: without_rule(kept or [], name))


async def _check_unused(connections: Connections, shop: Shop, name: str, field: str = "") -> None:
    """Return if nothing asks for the segment. Raises InputError naming what does: it would match nobody."""
    if users := await _users(connections, shop, name):
        raise InputError(
            _(
                "Still used: %(where)s. Choose another segment there before “%(name)s” is renamed or "
                "removed.",
                where=listed(users),
                name=title(name),
            ),
            field,
        )


async def _users(connections: Connections, shop: Shop, name: str) -> list[str]:
    """Return what asks for the segment, in words: of campaigns and experiments those that are not over."""
    campaigns, tests = await all_campaigns(connections, shop.shop), await versions(connections, shop.shop)
    users = await asyncio.to_thread(_asking, campaigns, tests, name)  # some rules are long
    if _policy_asks(policy_of(shop), name):
        users.append(_("Cold and warm"))
    if pinned := await pinned_to(connections, shop.shop, name):
        users.append(ngettext("%(num)s pinned customer", "%(num)s pinned customers", pinned))
    return users


def _asking(campaigns: Sequence[StoredCampaign], tests: Sequence[Version], name: str) -> list[str]:
    now = datetime.now(UTC)
    live = [each.campaign for each in campaigns if each.standing(now) not in ("stopped", "ended")]
    running = [each.design for each in tests if each.status == "running"]
    return [
        *(f"“{each.name}”" for each in live if _rule_asks(each.rule, name)),
        *(
            _("experiment “%(name)s”", name=design.says or design.id)
            for design in running
            if any(_arm_asks(arm.changes, name) for arm in design.arms)
        ),
    ]


def _rule_asks(rule: Any, name: str) -> bool:
    return any((kind, text) == ("segment", name) for kind, text, _place in named(read_rule(rule).root, ""))


def _policy_asks(policy: Policy, name: str) -> bool:
    return any(name in step.segments for step in (*policy.cold, *policy.warm))


def _arm_asks(changes: Mapping[str, Any], name: str) -> bool:
    campaigns = (changes.get(CAMPAIGNS) or {}).values()
    try:
        if any(_rule_asks(each["rule"], name) for each in campaigns if each and "rule" in each):
            return True
        return _policy_asks(read_policy(changes.get(APPROACH) or {}), name)
    except InputError:  # no such arm is served
        return False


async def keep_policy(connections: Connections, shop: Shop, policy: Policy, seen: str | None) -> None:
    """Keep the shop's way with shoppers, in place of the one it had.

    seen: that one's state when it was opened. Raises InputError where it was changed meanwhile.
    """

    def change(kept: Any) -> Any:
        before = DEFAULT if kept is None else read_policy(kept)
        if seen is not None and state_of(before) != seen:
            raise _changed_meanwhile()
        return msgspec.to_builtins(policy)

    await change_setting(connections, shop.shop, APPROACH, change)


async def bring_to_bear(connections: Connections, shop: Shop, *, segment: bool) -> bool:
    """Return whether every process could be told, and a segmentation be asked for where one is needed.

    What was kept holds all the same: processes read it anew by themselves, and segments are made nightly.
    """
    try:
        await announce_change(connections.redis, shop.shop)
        if segment:
            await request_job(connections, "segment", shop.shop)
    except OUTAGES as error:
        _log.warning("nobody told of a change", extra={"shop": shop.shop, "reason": type(error).__name__})
        return False
    return True
