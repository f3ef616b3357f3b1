"""What a merchant may try, and the experiment that their fields describe. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import isfinite
from typing import Any, Literal

import msgspec

from app.admin.campaigns_view import when_words
from app.admin.language import Lazy, _, lazy
from app.admin.typed import check_marks, limit, plain
from app.campaigns.campaign import Campaign, is_to_begin
from app.campaigns.messages import check_texts
from app.errors import InputError
from app.experiments.design import LONGEST_WINDOW_DAYS, ArmDesign, Design, read_design
from app.experiments.metrics import METRICS

Tries = Literal["without_campaign", "two_campaigns", "words", "model", "dear_ratio", "without_wishes"]
TRIES: Mapping[Tries, Lazy] = {
    "without_campaign": lazy("A campaign, against nothing in its place"),
    "two_campaigns": lazy("One campaign, against another"),
    "words": lazy("Other words for a campaign"),
    "model": lazy("Another version of the model"),
    "dear_ratio": lazy("How expensive an offer may be compared with the cart"),
    "without_wishes": lazy("Your pins and boosts, against none"),
}
AS_IT_IS, CHANGED = "as_it_is", "changed"
WITH, WITHOUT = "with_it", "without_it"
ARMS: Mapping[str, Lazy] = {
    AS_IT_IS: lazy("As it is"),
    CHANGED: lazy("Changed"),
    WITH: lazy("With it"),
    WITHOUT: lazy("Without it"),
    "holdout": lazy("Held out: sees nothing of Tillwise"),
    "static": lazy("Your defaults"),
    "personalised": lazy("Personalised"),
}
# Between which a number may lie.
_LIMITS = {"lift": (0.1, 1_000), "window_days": (1, LONGEST_WINDOW_DAYS), "share": (1, 100)}
UNPLANNED = 10_000  # as a design has it that nobody planned
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)


class Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is typed. lift, share: percent. replaces: the id of the experiment whose next version it is."""

    name: str = ""
    tries: Tries = "without_campaign"
    campaign: str = ""
    other: str = ""
    locale: str = ""
    words: str = ""
    version: str = ""
    ratio: str = "3"
    metric: str = "revenue"
    lift: str = "10"
    share: str = "100"
    window_days: str = "14"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the shop has to try. campaigns: that run at a checkout, by id; versions: of the model, kept.

    wishes: whether anything is pinned or boosted.
    """

    campaigns: Mapping[str, Campaign]
    versions: tuple[str, ...] = ()
    wishes: bool = False


@dataclass(frozen=True, slots=True)
class Aim:
    """What is to be found, as far as it is typed. lift, share: parts of 1."""

    metric: str
    lift: float
    share: float
    window_days: int


def aim_of(form: Form) -> Aim:
    """Return what is to be found. Raises InputError naming the field."""
    return Aim(
        _metric(form),
        _typed(form, "lift") / 100,
        _typed(form, "share") / 100,
        int(_typed(form, "window_days")),
    )


def design_of(form: Form, choices: Choices, experiment_id: str, planned_units: int) -> Design:
    """Return the experiment. Raises InputError naming the field and what to do."""
    name, aim = _name(form), aim_of(form)
    arms, control = _arms(form, choices)
    return read_design(
        msgspec.to_builtins(
            Design(
                id=experiment_id, arms=arms, control=control, says=name, metric=aim.metric,
                window_days=aim.window_days, planned_units=max(100, planned_units),
            )
        )
    )  # fmt: skip


def scheduled_words(campaigns: Iterable[Campaign], now: datetime) -> str:
    """Return what the schedules of the campaigns that are tried come to, empty where none has one."""
    return " ".join(
        _(
            "“%(name)s” only runs at set times: %(when)s. Shoppers who come at other times don't see it "
            "but still count, so a difference looks smaller and takes longer to find.",
            name=campaign.name,
            when=when_words(campaign.schedule),
        )
        for campaign in campaigns
        if _has_breaks(campaign, now)
    )


def tried(form: Form, choices: Choices) -> Iterator[Campaign]:
    """Yield the campaigns that the form is about."""
    named = (form.campaign, form.other) if form.tries == "two_campaigns" else (form.campaign,)
    if form.tries in ("without_campaign", "two_campaigns", "words"):
        yield from (choices.campaigns[each] for each in dict.fromkeys(named) if each in choices.campaigns)


def _has_breaks(campaign: Campaign, now: datetime) -> bool:
    """Return whether there are times, from now on, at which it does not run."""
    schedule = campaign.schedule
    return bool(schedule.ends_at or schedule.weekdays or schedule.hours or is_to_begin(campaign, now))


def wrong_with(form: Form, choices: Choices) -> list[InputError]:
    """Return what is wrong with what is typed: all of it, each with its field."""
    found: dict[str, InputError] = {}
    for check in _checks(form, choices):
        try:
            check()
        except InputError as error:
            found.setdefault(error.field, error)
    return list(found.values())


def _checks(form: Form, choices: Choices) -> Iterator[Callable[[], Any]]:
    """Yield what raises InputError, of each field by itself."""
    yield partial(_name, form)
    if form.tries in ("two_campaigns", "words"):
        yield partial(_campaign, form.campaign, "campaign", choices)
    if form.tries == "two_campaigns":
        yield partial(_campaign, form.other, "other", choices)
    if form.tries == "words":
        yield partial(_locale_of, form)
        yield partial(_words_of, form, choices)
    yield partial(_arms, form, choices)
    yield partial(_metric, form)
    for field in _LIMITS:
        yield partial(_typed, form, field)


def experiment_id_of(name: str, taken: frozenset[str]) -> str:
    """Return an id for a new experiment, like its name and nobody else's."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "experiment"
    numbered = (f"{plain}-{number}" for number in range(2, len(taken) + 3))
    return plain if plain not in taken else next(each for each in numbered if each not in taken)


def arm_words(arm: str, names: Mapping[str, str]) -> str:
    """Return how an arm is spoken of. names: of campaigns, after which arms may be called."""
    return str(ARMS[arm]) if arm in ARMS else names.get(arm, arm.replace("_", " "))


def _arms(form: Form, choices: Choices) -> tuple[tuple[ArmDesign, ...], str]:
    """Return the arms and which of them the others are compared with."""
    match form.tries:
        case "without_campaign":
            off = {"campaigns": {_campaign(form.campaign, "campaign", choices): None}}
            return (ArmDesign(WITH), ArmDesign(WITHOUT, changes=off)), WITHOUT
        case "two_campaigns":
            return _two_campaigns(form, choices)
        case "without_wishes":
            if not choices.wishes:
                raise InputError(_("Nothing is pinned or boosted yet: see Products."), "tries")
            return (ArmDesign(WITH), ArmDesign(WITHOUT, changes={"pinned": None, "boosts": None})), WITHOUT
        case _:
            return (ArmDesign(AS_IT_IS), ArmDesign(CHANGED, changes=_changes(form, choices))), AS_IT_IS


def _two_campaigns(form: Form, choices: Choices) -> tuple[tuple[ArmDesign, ...], str]:
    one, other = _campaign(form.campaign, "campaign", choices), _campaign(form.other, "other", choices)
    if one == other:
        raise InputError(_("Choose two different campaigns."), "other")
    without = {one: {"campaigns": {other: None}}, other: {"campaigns": {one: None}}}
    return tuple(ArmDesign(name, changes=changes) for name, changes in without.items()), one


def _changes(form: Form, choices: Choices) -> dict[str, Any]:
    match form.tries:
        case "words":
            return _other_words(form, choices)
        case "model":
            if form.version not in choices.versions:
                raise InputError(_("Choose a version of the model that is kept."), "version")
            return {"model": form.version}
        case _:
            return {"dear_ratio": _number(form.ratio, "ratio", 0.1, 100)}


def _other_words(form: Form, choices: Choices) -> dict[str, Any]:
    campaign, locale = _campaign(form.campaign, "campaign", choices), _locale_of(form)
    return {"campaigns": {campaign: {"offer": {"messages": {locale: _words_of(form, choices)}}}}}


def _locale_of(form: Form) -> str:
    locale = form.locale.strip()
    if not _LOCALE.fullmatch(locale):
        raise InputError(_("Write a language such as en or pt-BR."), "locale")
    return locale


def _words_of(form: Form, choices: Choices) -> str:
    words = form.words.strip()
    if not words:
        raise InputError(_("Write what shoppers are to read instead."), "words")
    if campaign := choices.campaigns.get(form.campaign):
        try:
            check_texts(campaign.offer.kind, {form.locale.strip() or "en": words})
        except InputError as error:
            raise InputError(str(error), "words") from None
    return words


def _name(form: Form) -> str:
    name = form.name.strip()
    if not (1 <= len(name) <= 100 and name.isprintable()):
        raise InputError(_("Give it a name of up to 100 characters, to know it by."), "name")
    return name


def _metric(form: Form) -> str:
    if form.metric not in METRICS:
        raise InputError(_("Choose the figure that decides."), "metric")
    return form.metric


def _typed(form: Form, field: str) -> float:
    return _number(getattr(form, field), field, *_LIMITS[field])


def _campaign(given: str, field: str, choices: Choices) -> str:
    if given not in choices.campaigns:
        raise InputError(_("Choose a campaign that runs."), field)
    return given


def _number(text: str, field: str, low: float, high: float) -> float:
    """Return the number, typed with a point or a comma. Raises InputError beyond its limits."""
    check_marks(text, field)
    try:
        value = float(plain(text).replace(",", "."))
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and low <= value <= high):
        said = _("Write a number from %(low)s to %(high)s.", low=limit(low), high=limit(high))
        raise InputError(said, field)
    return value
