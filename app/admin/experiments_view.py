"""How the dashboard speaks of what an experiment shows: a verdict in plain words, and every figure. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.admin.experiments_chart import Drawn, drawn
from app.admin.experiments_form import arm_words
from app.admin.figures import average, money, number, percent
from app.admin.figures import day as date_words
from app.admin.language import Lazy, _, lazy, spoken
from app.admin.refusals import refusal_words
from app.experiments.analysis import Comparison, Interval, Verdict
from app.experiments.metrics import METRICS, Metric
from app.experiments.mismatch import Mismatch
from app.experiments.ready import LEAST_UNITS
from app.experiments.refusal import Cause, Refusal
from app.experiments.store import Readout
from app.experiments.versions import Version

METRIC_WORDS: Mapping[str, Lazy] = {
    "conversion": lazy("Shoppers who ordered"),
    "revenue": lazy("Revenue per shopper"),
    "aov": lazy("Revenue per order"),
    "profit": lazy("Profit per shopper"),
    "acceptance": lazy("Shoppers who took an offer"),
    "refunds": lazy("Orders refunded or cancelled"),
}
STANDINGS: Mapping[str, tuple[str, Lazy]] = {
    "draft": ("info", lazy("Draft")),
    "running": ("success", lazy("Running")),
    "stopped": ("neutral", lazy("Stopped")),
}
_VERDICTS: Mapping[Verdict, tuple[str, Lazy]] = {
    Verdict.BETTER: ("success", lazy("Better")),
    Verdict.WORSE: ("critical", lazy("Worse")),
    Verdict.UNDECIDED: ("neutral", lazy("No winner yet")),
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What it comes to. tone: a banner's."""

    tone: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """Who is in an arm. done: were followed for long enough."""

    name: str
    planned: str
    shoppers: str
    done: str
    is_control: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of an arm beside the control, or why there is none.

    name: the metric's. decides: it is the one that was named. first: of those of this metric.
    """

    name: str
    metric: str
    decides: bool
    first: bool = True
    missing: str = ""
    arm: str = ""
    value: str = ""
    control: str = ""
    difference: str = ""
    between: str = ""
    lift: str = ""
    tone: str = "neutral"
    verdict: str = ""
    drawn: Drawn | None = None


def says(found: Readout, names: Mapping[str, str]) -> Conclusion:
    """Return what the experiment comes to, in plain words."""
    if (wrong := _not_comparable(found)) is not None:
        return Conclusion("critical", _("These figures can't be trusted"), wrong)
    told = found.reading.metrics[found.design.metric]
    if isinstance(told, Refusal):
        return Conclusion("info", _("No figures yet"), _not_yet(told))
    decided = [each for each in told if each.verdict is not Verdict.UNDECIDED]
    if not decided:
        return _undecided(found, told)
    best = max(decided, key=lambda each: (each.verdict is Verdict.BETTER, abs(each.difference.value)))
    return _decided(found, best, names)


def _not_comparable(found: Readout) -> str | None:
    """Return why the groups may not be compared, None where they may."""
    split, recognised = found.reading.mismatch, found.reading.recognised
    if isinstance(split, Mismatch) and split.found:
        return _(
            "The sizes of the groups differ from the plan by more than chance explains. Shoppers of "
            "one group are getting lost somewhere, such as on a page that fails or never asks for "
            "offers. Stop the experiment and look into it."
        )
    if recognised is not None and recognised.found:
        return _(
            "In one group more shoppers were recognised when they came back, such as by signing in, than "
            "chance explains. So more of their orders are found, which would look like an effect. Stop the "
            "experiment, and try it without what makes shoppers sign in."
        )
    return None


def groups(found: Readout, names: Mapping[str, str]) -> list[Group]:
    """Return who is in which arm, in the order of the design."""
    return [
        Group(
            arm_words(arm, names), percent(share, 1), number(n), number(done), arm == found.design.control
        )
        for (arm, share), n, done in zip(
            found.design.shares.items(), found.counts, found.completed, strict=True
        )
    ]  # fmt: skip


def figures(found: Readout, names: Mapping[str, str]) -> list[Figure]:
    """Return every metric of every arm beside the control, the one that decides first."""
    ordered = sorted(found.reading.metrics.items(), key=lambda each: each[0] != found.design.metric)
    return [figure for name, told in ordered for figure in _figures(found, name, told, names)]


def notes(found: Readout) -> list[str]:
    """Return what is not in the figures, and why."""
    aside, days = found.aside, found.design.window_days
    late = money(aside.late_minor, found.currency)
    told = (
        (
            aside.open,
            _("%(n)s shoppers are still followed, each for %(days)s days.", n=aside.open, days=days),
        ),
        (aside.crossed, _("%(n)s came into a second group; they count in their first.", n=aside.crossed)),
        (
            found.nameless,
            _(
                "%(n)s decisions are of visitors who did not allow to be remembered; they are in no figure.",
                n=found.nameless,
            ),
        ),
        (aside.from_ahead, _("%(n)s records carry a time still to come; left out.", n=aside.from_ahead)),
        (aside.late_minor, _("%(sum)s went back later; it is not in the figures.", sum=late)),
    )
    return [text for many, text in told if many]


def provisos(found: Readout, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what is in the figures otherwise than one might think: its definition, and how much it is."""
    aside, known, named = found.aside, sum(found.recognised), _vouched_words(found, names)
    unserved, short, cut = aside.unserved, aside.cut_short, _cut_words(found, names)
    told = (
        (unserved, "unserved", _("%(n)s shoppers saw your shop as it is instead.", n=unserved)),
        (short, "cut_short", _("%(n)s shoppers were still followed when the experiment ended.", n=short)),
        (known, "recognised", _("%(n)s shoppers were recognised under a second name.", n=known)),
        (named, "vouched", _("Shopify vouches for these shares of the groups: %(shares)s.", shares=named)),
        (cut, "cut", _("Of the revenue, left out as too large: %(shares)s.", shares=cut)),
    )
    return [(f"experiment_{name}", text) for many, name, text in told if many]


def _vouched_words(found: Readout, names: Mapping[str, str]) -> str:
    """Return which share of each group Shopify vouches for, empty where that is everybody, or not known."""
    if found.vouched in ((), found.counts):
        return ""
    groups = zip(found.design.shares, found.vouched, found.counts, strict=True)
    return ", ".join(f"{arm_words(arm, names)} {percent(n / max(1, of), 1)}" for arm, n, of in groups)


def _cut_words(found: Readout, names: Mapping[str, str]) -> str:
    """Return which share of each group's revenue the limit took, empty where it took none."""
    shares = zip(found.design.shares, found.reading.cut, strict=False)
    return ", ".join(f"{arm_words(arm, names)} {percent(share, 1)}" for arm, share in shares if share)


def progress(found: Readout) -> tuple[int, str]:
    """Return how far it is to the planned number of shoppers: percent at most 100, and in words."""
    done, planned = sum(found.completed), found.design.planned_units
    text = _("%(done)s of %(planned)s planned shoppers were followed to the end.", done=done, planned=planned)
    return min(100, 100 * done // planned), text


def version_words(version: Version) -> str:
    """Return since when and with whom it runs."""
    day = date_words(version.stopped_at or version.started_at or version.drafted_at)
    match version.status:
        case "draft":
            return _("Drafted on %(day)s; no shoppers are in it.", day=day)
        case "stopped":
            return _("Stopped on %(day)s.", day=day)
        case _:
            return _("Since %(day)s, with %(share)s of shoppers.", day=day, share=percent(version.ramp))


def said(metric: Metric, value: float, currency: str, *, signed: bool = False) -> str:
    """Return a metric's value as money or as a share; signed: a difference, of shares in points."""
    plus = "+" if signed and value > 0 else ""
    if metric.money:
        return _kept_together(f"{plus}{average(value, currency)}")
    if not signed:
        return percent(value, 2)
    return _("%(n)s points", n=_kept_together(f"{plus}{number(100 * value, 2)}"))


def _kept_together(figure: str) -> str:
    """Return the figure with its sign before it, also where words go from right to left."""
    return f"\u2066{figure}\u2069" if spoken().text_direction == "rtl" else figure


def _not_yet(refusal: Refusal) -> str:
    if refusal.cause not in (Cause.TOO_EARLY, Cause.EMPTY_ARM):
        return refusal_words(refusal)
    begin = _(
        "Figures appear once each group has %(n)s shoppers who were followed to the end.", n=LEAST_UNITS
    )
    return f"{refusal_words(refusal)} {begin}"


def _undecided(found: Readout, told: tuple[Comparison, ...]) -> Conclusion:
    metric, widest = METRICS[found.design.metric], max(told, key=lambda each: each.difference.value)
    low, high = (said(metric, end, found.currency, signed=True) for end in _ends(widest.difference))
    return Conclusion(
        "info",
        _("No winner yet"),
        _(
            "So far the difference is between %(low)s and %(high)s, so there may be none. Look as often "
            "as you like: the range holds every time. Let it run.",
            low=low,
            high=high,
        ),
    )


def _decided(found: Readout, best: Comparison, names: Mapping[str, str]) -> Conclusion:
    metric, better = METRICS[best.metric], best.verdict is Verdict.BETTER
    low, high = (said(metric, end, found.currency, signed=True) for end in _ends(best.difference))
    arm, control = arm_words(best.arm, names), arm_words(found.design.control, names)
    heading = _("“%(arm)s” is better", arm=arm) if better else _("“%(arm)s” is worse", arm=arm)
    return Conclusion(
        "success" if better else "warning",
        heading,
        _(
            "%(metric)s: %(value)s, compared with %(beside)s for “%(control)s”. The difference is "
            "between %(low)s and %(high)s; chance alone does not explain it.",
            metric=str(METRIC_WORDS[best.metric]),
            value=said(metric, best.figure, found.currency),
            control=control,
            beside=said(metric, best.control_figure, found.currency),
            low=low,
            high=high,
        ),
    )


def _figures(found: Readout, name: str, told: Any, names: Mapping[str, str]) -> list[Figure]:
    metric, decides = METRICS[name], name == found.design.metric
    if isinstance(told, Refusal):
        return [Figure(name, str(METRIC_WORDS[name]), decides, missing=refusal_words(told))]
    made = [_figure(metric, each, found.currency, names) for each in told]
    return [replace(each, decides=decides, first=at == 0) for at, each in enumerate(made)]


def _figure(metric: Metric, each: Comparison, currency: str, names: Mapping[str, str]) -> Figure:
    tone, verdict = _VERDICTS[each.verdict]
    low, high = (said(metric, end, currency, signed=True) for end in _ends(each.difference))
    between = _("%(low)s to %(high)s", low=low, high=high)
    return Figure(
        metric.name,
        str(METRIC_WORDS[metric.name]),
        decides=False,
        arm=arm_words(each.arm, names),
        value=said(metric, each.figure, currency),
        control=said(metric, each.control_figure, currency),
        difference=said(metric, each.difference.value, currency, signed=True),
        between=between,
        lift="" if each.lift is None else percent(each.lift.value, 1, signed=True),
        tone=tone,
        verdict=str(verdict),
        drawn=drawn(each.difference, between, better=metric.better),
    )


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high
