"""An experiment's reading as tables for people and as JSON for machines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.table import Table

from app.experiments.analysis import Comparison, Interval, Verdict
from app.experiments.metrics import METRICS, Metric
from app.experiments.mismatch import Mismatch
from app.experiments.refusal import Refusal
from app.experiments.store import Readout
from app.experiments.versions import Version
from app.values import exponent

_WORDS = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.UNDECIDED: "not decided yet",
}


def version_line(version: Version) -> str:
    """Return a version in one line."""
    shares = ", ".join(f"{arm} {share:.0%}" for arm, share in version.design.shares.items())
    since = "" if version.started_at is None else f" since {version.started_at:%Y-%m-%d %H:%M} UTC"
    until = "" if version.stopped_at is None else f" until {version.stopped_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{version.design.id}  version {version.version}  {version.status}{since}{until}  "
        f"{version.ramp:.0%} of units  {shares}"
    )


def tables(found: Readout) -> Iterator[Table | str]:
    """Yield who was in it, what it shows, and what is not in the figures."""
    design, aside = found.design, found.aside
    yield f"{design.id}, version {found.version}; decided by {design.metric}, beside {design.control}"
    yield _of_arms(found)
    yield _of_metrics(found)
    if any(found.reading.cut):
        yield _cut(found)
    notes = {
        f"{aside.open} units are still within their window of {design.window_days} days": aside.open,
        f"{aside.crossed} units came into a second arm; they count in their first": aside.crossed,
        f"{aside.cut_short} units were followed past the end of the experiment, which makes its effect "
        "smaller": aside.cut_short,
        f"{aside.unserved} units saw the shop as it is for an arm that could not be served; they count in "
        "their arm, which makes its effect smaller": aside.unserved,
        f"{found.nameless} decisions ({_by_arm(found)}) are of visitors who did not allow to be remembered; "
        "in no figure": found.nameless,
        f"Shopify vouches for {sum(found.vouched):,} units ({_vouched(found)}): signed in, or first met in a "
        "checkout": sum(found.vouched),
        f"{aside.from_ahead} exposures or orders are of a time still to come; left out": aside.from_ahead,
        f"{money(aside.late_minor, found.currency)} went back after the window; not in it": aside.late_minor,
    }
    yield from (note for note, many in notes.items() if many)


def as_json(found: Readout) -> str:
    """Return the whole reading; money in minor units of `currency`."""
    reading = found.reading
    document = {
        "experiment": found.design.id,
        "version": found.version,
        "currency": found.currency,
        "units": dict(zip(found.design.shares, found.counts, strict=True)),
        "completed": dict(zip(found.design.shares, found.completed, strict=True)),
        "without_consent": found.nameless,
        "without_consent_by_arm": found.nameless_by_arm,
        "aside": found.aside,
        "vouched": dict(zip(found.design.shares, found.vouched, strict=True)),
        "mismatch": reading.mismatch,
        "recognised": reading.recognised,
        "winsorising_took": dict(zip(found.design.shares, reading.cut, strict=True)),
        "metrics": reading.metrics,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode()


def _by_arm(found: Readout) -> str:
    return ", ".join(f"{arm} {many:,}" for arm, many in found.nameless_by_arm.items())


def _vouched(found: Readout) -> str:
    of_arms = zip(found.design.shares, found.vouched, found.counts, strict=True)
    return ", ".join(f"{arm} {n / max(1, of):.1%}" for arm, n, of in of_arms)


def _cut(found: Readout) -> str:
    shares = zip(found.design.shares, found.reading.cut, strict=True)
    told = ", ".join(f"{arm} {cut:.1%}" for arm, cut in shares if cut is not None)
    return f"the largest orders count as the cap, which took of revenue: {told}"


def _of_arms(found: Readout) -> Table:
    table = Table("arm", "planned", "units", "completed", box=None)
    of_arms = zip(found.design.shares.items(), found.counts, found.completed, strict=True)
    for (arm, share), n, done in of_arms:
        table.add_row(arm, f"{share:.1%}", f"{n:,}", f"{done:,}")
    split = found.reading.mismatch
    if isinstance(split, Mismatch):
        table.caption = f"split as planned: p = {split.p_value:.2g}, at any look {split.always_valid_p:.2g}"
    if (known := found.reading.recognised) is not None:
        table.caption = f"{table.caption}; of the recognised: at any look {known.always_valid_p:.2g}"
    return table


def _of_metrics(found: Readout) -> Table:
    table = Table("metric", "arm", "is", "control", "difference", "lift", "verdict", box=None)
    for name, told in found.reading.metrics.items():
        if isinstance(told, Refusal):
            table.add_row(name, "", "", "", "", "", told.says)
            continue
        for each in told:
            table.add_row(name, each.arm, *_figures(METRICS[name], each, found.currency))
    return table


def _figures(metric: Metric, each: Comparison, currency: str) -> tuple[str, ...]:
    def said(value: float) -> str:
        return money(value, currency) if metric.money else f"{value:.2%}"

    difference = (
        f"{said(each.difference.value)} ({said(each.difference.low)} to {said(each.difference.high)})"
    )
    lift = "no share of so little" if each.lift is None else _share(each.lift)
    verdict = f"{_WORDS[each.verdict]}, p = {each.p_value:.2g}"
    return said(each.figure), said(each.control_figure), difference, lift, verdict


def _share(lift: Interval) -> str:
    return f"{lift.value:+.1%} ({lift.low:+.1%} to {lift.high:+.1%})"


def money(minor: float, currency: str) -> str:
    """Return minor units as people write them: `1,234.50 EUR`."""
    digits = exponent(currency)
    return f"{minor / 10**digits:,.{digits}f} {currency}"
