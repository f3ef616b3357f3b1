"""How the privacy pages say things: deadlines, limits, shares, policies and what changed in them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import dropwhile
from typing import Any

from app.admin import figures
from app.admin.figures import NOTHING
from app.admin.language import Lazy, _, lazy, ngettext
from app.admin.segment_titles import title
from app.admin.view import named
from app.consent.audit import Figure, Finding, Group
from app.consent.policies import PolicyRead
from app.consent.policy import RegionPolicy, ShopPolicy
from app.consent.report import SOON, RequestStatus, StoreLimit
from app.consent.weeks import Week

RUNGS = {
    "personal": lazy("Personal"),
    "session": lazy("Session"),
    "contextual": lazy("Contextual"),
    "static": lazy("Static"),
}
PURPOSES = {
    "analytics": lazy("Analytics: this visit"),
    "marketing": lazy("Marketing"),
    "preferences": lazy("Preferences"),
    "sale_of_data": lazy("Sale of data"),
}
KINDS = {
    "data_request": lazy("Show what is held"),
    "redact": lazy("Erase a customer"),
    "shop_redact": lazy("Erase the shop"),
}
FINDINGS = {
    Finding.BEST: ("success", lazy("Highest")),
    Finding.EVEN: ("neutral", None),
    Finding.LOWER: ("warning", lazy("Lower")),
    Finding.UNCLEAR: ("neutral", lazy("Lower, may be chance")),
    Finding.TOO_FEW: ("neutral", lazy("Too few to tell")),
    Finding.ALONE: ("neutral", None),
}
MOST_GROUPS = 25
MOST_SENTENCES = 8
_SETTINGS = (
    ("banner", "enabled", lazy("Shopify's consent banner: on"), lazy("Shopify's consent banner: off")),
    (
        "banner",
        "autoManaged",
        lazy("The banner's regions: kept up to date by Shopify"),
        lazy("The banner's regions: chosen by hand"),
    ),
    (
        "dataSaleOptOutPage",
        "autoManaged",
        lazy("The opt-out page for the sale of data: kept by Shopify"),
        lazy("The opt-out page for the sale of data: by hand"),
    ),
    (
        "privacyPolicy",
        "autoManaged",
        lazy("The privacy policy: kept by Shopify"),
        lazy("The privacy policy: by hand"),
    ),
)


@dataclass(frozen=True, slots=True)
class FigureWords:
    """A figure in words. ratio: to the best group's, empty without one; says: empty for nothing to say."""

    value: str
    interval: str = ""
    ratio: str = ""
    tone: str = "neutral"
    says: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a stacked bar. percent: of the whole."""

    name: str
    label: str
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One week: when it began, its decisions, and their parts by rung."""

    label: str
    decisions: int
    parts: tuple[Part, ...]
    says: str


@dataclass(frozen=True, slots=True)
class RegionGroup:
    """Regions in which the shop's policy says the same."""

    label: str
    says: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyTold:
    """One policy of the shop's: from when it was in force until when, and what it changed."""

    since: str
    checked: str
    settings: tuple[str, ...]
    changes: tuple[str, ...]


def day(moment: datetime | None) -> str:
    """Return `Nov 24, 2026`, or a dash."""
    return NOTHING if moment is None else figures.day(moment)


def minute(moment: datetime) -> str:
    """Return `Nov 24, 2026, 10:05 UTC`."""
    return figures.moment(moment)


def kind_words(kind: str) -> str:
    """Return what a request asks for."""
    return named(kind, KINDS)


def due_words(asked: RequestStatus) -> str:
    """Return when it is due, or that it is done."""
    left = asked.left_days
    if left is None:
        return _("Done on %(day)s", day=day(asked.done_at))
    if left < 0:
        if left == -1:
            return _("Late since today")
        return ngettext("%(num)s day late", "%(num)s days late", -left - 1)
    if left == 0:
        return _("Due within a day")
    return ngettext("%(num)s day left", "%(num)s days left", left) if left > 1 else _("Due within two days")


def due_tone(asked: RequestStatus) -> str:
    """Return the tone of a request's badge: what is late is critical, what is soon due a warning."""
    if asked.left_days is None:
        return "success"
    if asked.late:
        return "critical"
    return "warning" if asked.left_days < SOON.days else "info"


def limit_words(limit: StoreLimit) -> str:
    """Return what the last clearing of the store did."""
    last = limit.last
    if last is None:
        return _("Not cleared yet: that happens within the hour while the worker runs.")
    told: dict[str, object] = {"day": minute(last.ran_at), "deleted": last.deleted, "left": last.remaining}
    if last.oldest_at is None:
        return _("On %(day)s: %(deleted)s deleted, %(left)s left.", **told)
    oldest = day(last.oldest_at)
    return _(
        "On %(day)s: %(deleted)s deleted, %(left)s left, the oldest of %(oldest)s.", oldest=oldest, **told
    )


def told(figure: Figure, *, percent: bool = True) -> FigureWords:
    """Return a figure in words. percent: a share, not a mean that is in percent already."""
    tone, says = FINDINGS[figure.finding]
    if figure.finding is Finding.TOO_FEW or figure.value is None or figure.low is None or figure.high is None:
        return FigureWords(NOTHING, tone=tone, says=str(FINDINGS[Finding.TOO_FEW][1]))
    scale = 100 if percent else 1
    low, high = (figures.percent(bound * scale / 100, 1) for bound in (figure.low, figure.high))
    interval = _("%(low)s to %(high)s", low=low, high=high)
    ratio = "" if figure.to_best is None else figures.number(figure.to_best, 2)
    value = figures.percent(figure.value * scale / 100, 1)
    return FigureWords(value, interval, ratio, tone, "" if says is None else str(says))


def segment_name(group: Group) -> str:
    """Return what a segment is called; the nameless group is of those whose segment is not known."""
    return title(group.name) if group.name else _("Not known")


def region_name(group: Group) -> str:
    """Return what a region is called, and one that nobody wrote down."""
    return figures.region(group.name) if group.name else _("Not written down")


def group_rows(
    groups: Sequence[Group], called: Callable[[Group], str], everybody: Group
) -> list[dict[str, Any]]:
    """Return the rows of a table of groups, everybody last."""
    known = [(called(group), group) for group in groups[:MOST_GROUPS]]
    return [
        {
            "name": name,
            "decisions": group.decisions,
            "exposure": told(group.exposure),
            "discount": told(group.discount, percent=False),
            "acceptance": told(group.acceptance),
        }
        for name, group in [*known, (_("Everybody"), everybody)]
    ]


def lower(groups: Sequence[Group], called: Callable[[Group], str]) -> list[str]:
    """Return a sentence for each figure that is lower than the best group's by more than chance."""
    measures: Sequence[tuple[str, Callable[[Group], Figure], bool]] = (
        (_("offered something"), lambda group: group.exposure, True),
        (_("discount depth"), lambda group: group.discount, False),
        (_("accepted"), lambda group: group.acceptance, True),
    )
    found = []
    for measure, figure, percent in measures:
        best = next((group for group in groups if figure(group).finding is Finding.BEST), None)
        for group in groups:
            if best and figure(group).finding is Finding.LOWER:
                less, more = (told(figure(each), percent=percent).value for each in (group, best))
                who, whose = called(group), called(best)
                found.append(
                    _(
                        "%(who)s, %(measure)s: %(less)s, where %(whose)s has %(more)s.",
                        who=who, measure=measure, less=less, whose=whose, more=more,
                    )
                )  # fmt: skip
    return found


def bars(weeks: Sequence[Week]) -> list[Bar]:
    """Return the weeks as stacked bars, oldest first, from the first one that had a decision."""
    return [_bar(week) for week in dropwhile(lambda week: not week.decisions, weeks)]


def parts(counts: Mapping[str, int], labels: Mapping[str, Lazy], whole: int) -> tuple[Part, ...]:
    """Return counts as shares of a whole, in the order of the labels."""
    return tuple(
        Part(name, str(label), counts.get(name, 0), 100 * counts.get(name, 0) / whole if whole else 0.0)
        for name, label in labels.items()
    )


def region_groups(policy: ShopPolicy) -> list[RegionGroup]:
    """Return what no answer means where: the regions that ask first, those that don't, and the rest."""
    by_label = {
        _("Asks first"): (_("No answer means no."), lambda each: each.consent_required is True),
        _("Does not ask"): (_("No answer means yes."), lambda each: each.consent_required is False),
        _("Not said"): (
            _("Shopify does not say; no answer means no."),
            lambda each: each.consent_required is None,
        ),
        _("Sale of data can be refused"): (
            _("Shopify shows an opt-out there. Global Privacy Control is obeyed everywhere."),
            lambda each: each.data_sale_opt_out_required is True,
        ),
    }
    groups = [RegionGroup(label, says, _which(policy, is_one)) for label, (says, is_one) in by_label.items()]
    return [group for group in groups if group.regions]


def policies_told(history: Sequence[PolicyRead]) -> list[PolicyTold]:
    """Return the policies, newest first, each with what it changed of the one before."""
    olders: list[PolicyRead | None] = [*history[1:], None][: len(history)]
    return [
        PolicyTold(
            since=minute(new.read_at),
            checked=minute(new.checked_at),
            settings=settings_words(new.settings),
            changes=changes(new, old) if old else (_first_read(new),),
        )
        for new, old in zip(history, olders, strict=True)
    ]


def changes(new: PolicyRead, old: PolicyRead) -> tuple[str, ...]:
    """Return what is different in the newer policy, in words: the regions together that changed alike."""
    before, after = old.policy.regions, new.policy.regions
    alike: dict[str, list[str]] = {}
    for code in sorted({*before, *after}):
        if before.get(code) != after.get(code):
            change = f"{_region(before.get(code))} → {_region(after.get(code))}"
            alike.setdefault(change, []).append(figures.region(code))
    was = settings_words(old.settings)
    return (
        *(f"{', '.join(codes)}: {change}" for change, codes in alike.items()),
        *(words for words in settings_words(new.settings) if words not in was),
    )


def settings_words(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the shop's privacy settings in words, those that Shopify told."""
    return tuple(
        str(yes if settings[part][name] else no)
        for part, name, yes, no in _SETTINGS
        if isinstance(settings.get(part), Mapping) and isinstance(settings[part].get(name), bool)
    )


def _bar(week: Week) -> Bar:
    shares = parts(week.rungs, RUNGS, week.decisions)
    label = figures.short_day(week.starts_at)
    said = ", ".join(f"{part.label} {figures.percent(part.percent / 100)}" for part in shares if part.count)
    says = _("Week from %(day)s: %(parts)s", day=label, parts=said or _("no decisions"))
    return Bar(label, week.decisions, shares, says)


def _first_read(read: PolicyRead) -> str:
    return ngettext("First read: %(num)s region", "First read: %(num)s regions", len(read.policy.regions))


def _which(policy: ShopPolicy, is_one: Callable[[RegionPolicy], bool]) -> tuple[str, ...]:
    return tuple(sorted(code for code, region in policy.regions.items() if is_one(region)))


def _region(region: RegionPolicy | None) -> str:
    if region is None:
        return _("not listed")
    asks = {True: _("asks first"), False: _("does not ask"), None: _("not said")}[region.consent_required]
    return _("%(asks)s, opt-out of sale", asks=asks) if region.data_sale_opt_out_required else asks
