"""How the page of the model says things: what it rests on, how good it is, beside whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.admin.attention import Attention
from app.admin.figures import NOTHING, moment, number, percent, short, signed
from app.admin.language import Lazy, _, lazy, ngettext
from app.admin.models_store import Version
from app.admin.sentences import told
from app.admin.view import first_upper, named, quality
from app.recommend.card import OURS, Card, Difference
from app.recommend.drift import FEWEST_VISITS, Calibration
from app.recommend.drift_watch import BEFORE_DAYS, NOW_DAYS, DriftReport
from app.recommend.terms import Weights

BASES = {
    "blend": (
        lazy("All of it"),
        lazy("Bought together, what each shopper bought, what LightFM learnt, best sellers."),
    ),
    "neighbours": (
        lazy("Bought together"),
        lazy("Too few orders for the full model (LightFM) yet: what is bought together decides."),
    ),
    "popularity": (
        lazy("Best sellers"),
        lazy("Too few orders to tell what goes together: best sellers and likeness."),
    ),
    "content": (
        lazy("Your catalogue"),
        lazy("No orders yet: what is alike, and what is new."),
    ),
}
STATUS = {
    "champion": (lazy("In use"), "success"),
    "retired": (lazy("Used before"), "info"),
    "withdrawn": (lazy("Taken back"), "warning"),
    "rejected": (lazy("Not good enough"), "neutral"),
}
RUNGS = {
    "personal": lazy("Everything allowed"),
    "contextual": lazy("Nothing allowed: the cart alone"),
    "static": lazy("Best sellers instead"),
}
SEGMENTS = {
    "nobody known": lazy("Nobody known"),
    "first order": lazy("First order"),
    "returning": lazy("2 to 4 orders"),
    "regular": lazy("Regulars"),
}
TERMS = {
    "together": lazy("Bought with the cart"),
    "with_history": lazy("Bought with what they had before"),
    "learned": lazy("What LightFM learnt"),
    "learned_customer": lazy("LightFM: what suits the customer"),
    "learned_item": lazy("LightFM: what suits everybody"),
    "repeats": lazy("Bought before, lately more so"),
    "month": lazy("Bought in the last weeks"),
    "times": lazy("How often they bought it"),
    "bought": lazy("Bought at all"),
    "twice": lazy("Bought again"),
    "rate": lazy("Share of their orders with it"),
    "rate_lately": lazy("The same, lately"),
    "popular": lazy("Sells well"),
    "recent": lazy("Sells well these weeks"),
    "fresh": lazy("New in the shop"),
    "same_kind": lazy("Of a type in the cart"),
    "kind_history": lazy("Of a type they buy"),
    "kind_popular": lazy("Of a type that sells"),
    "together_again": lazy("Bought with the cart, and before"),
    "popular_again": lazy("Sells well, and bought before"),
}
MEASURES = {
    "cart_size": lazy("How full carts are"),
    "cart_unknown": lazy("Products in carts that the model never saw sold"),
    "orders_before": lazy("How many orders shoppers had placed"),
    "score": lazy("How sure the model is of its first offer"),
}
PARAMETERS = {
    "dimensions": lazy("Numbers that describe a product"),
    "epochs": lazy("Passes over the orders"),
    "learning_rate": lazy("Learning rate"),
    "half_life_days": lazy("Days after which an order counts half"),
    "size_power": lazy("How much less large carts count"),
    "popularity_power": lazy("How much best sellers are held back"),
    "seed": lazy("Seed of chance"),
}
_COLUMNS = ("ndcg_at_10", "recall_at_10", "hit_at_4", "coverage")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of figures: NDCG@10, recall@10, hit@4, coverage, and ours minus it where that was measured.

    carts: how many they are means over.
    """

    label: str
    figures: tuple[str, ...]
    carts: str = NOTHING
    difference: str = ""
    tone: str = "neutral"
    ours: bool = False


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version as it is listed. name: by when it was trained, as versions are told apart."""

    version: str
    name: str
    status: str
    tone: str
    quality: str
    reason: str
    can_serve: bool


def learnt_words(card: Card) -> str:
    """Return when a version learnt what it knows."""
    if card.learnt_in_full_at is None:
        return _("Trained on %(time)s", time=moment(card.trained_at))
    return _(
        "Went on with new orders on %(time)s, trained on %(full)s",
        time=moment(card.trained_at), full=moment(card.learnt_in_full_at),
    )  # fmt: skip


def version_words(card: Card) -> str:
    """Return what a version is called: when it was trained."""
    return moment(card.trained_at)


def facts(card: Card) -> list[tuple[str, str, str]]:
    """Return what a version rests on: label, value, note."""
    basis, says = BASES[card.basis]
    counts = card.counts
    return [
        (_("Based on"), str(basis), str(says)),
        (_("Orders"), number(counts.get("orders", 0)), _lines(counts.get("lines", 0))),
        (_("Products"), number(counts.get("products", 0)), _("in your catalogue")),
        (_("Customers"), number(counts.get("customers", 0)), _("whose data may be learnt from")),
    ]


def beside(card: Card) -> list[Row]:
    """Return ours and every plain model's figures on the same later carts, the best first."""
    models = {name: one for name, one in card.figures.items() if not name.startswith(f"{OURS},")}
    ranked = sorted(models, key=lambda name: -models[name].get("ndcg_at_10", 0.0))
    return [
        Row(
            _rival(name),
            _numbers(models[name]),
            difference=difference_words(card.differences.get(name)),
            tone=_tone(card.differences.get(name)),
            ours=name == OURS,
        )
        for name in ranked
    ]


def parts(card: Card, labels: Mapping[str, Lazy]) -> list[Row]:
    """Return ours on parts of the carts: by what the shopper allows, or by their orders."""
    found = ((label, card.figures.get(f"{OURS}, {name}")) for name, label in labels.items())
    return [Row(str(label), _numbers(one), _carts(one)) for label, one in found if one]


def plainly(card: Card) -> str:
    """Return how good it is in a sentence, beside best sellers; empty where nothing could be held out."""
    ours, sellers = (card.figures.get(name, {}).get("hit_at_4") for name in (OURS, "popularity"))
    if ours is None or sellers is None:
        return ""
    return _(
        "In %(ours)s of later orders, which the model had not seen, the shopper bought one of Tillwise's "
        "top 4 products. For the 4 best sellers it was %(sellers)s.",
        ours=percent(ours, 1),
        sellers=percent(sellers, 1),
    )


def interval(card: Card) -> str:
    """Return the 95 % interval of our own NDCG@10, empty where nothing could be held out."""
    ours = card.figures.get(OURS, {})
    if "ndcg_low" not in ours or "ndcg_high" not in ours:
        return ""
    return _("%(low)s and %(high)s", low=number(ours["ndcg_low"], 3), high=number(ours["ndcg_high"], 3))


def challenge(card: Card) -> str:
    """Return how the version did beside the champion of then, in a sentence."""
    found = card.champion_difference
    if found is None:
        return _("There were too few newer carts to compare it with the version that served before.")
    told = {
        "carts": found.cases,
        "by": number(abs(found.mean), 3),
        "difference": difference_words(found),
    }
    said = (
        _(
            "On %(carts)s carts newer than both, its NDCG@10 was %(by)s better than that of the version that "
            "served: %(difference)s.",
            **told,
        )
        if found.mean >= 0
        else _(
            "On %(carts)s carts newer than both, its NDCG@10 was %(by)s worse than that of the version that "
            "served: %(difference)s.",
            **told,
        )
    )
    sure = found.low > 0 or found.high < 0
    return said if sure else " ".join((said, _("That may be chance.")))


def difference_words(found: Difference | None) -> str:
    """Return `+0.043 (+0.037 to +0.049)`, empty where it was not measured."""
    if found is None:
        return ""
    between = _("%(low)s to %(high)s", low=signed(found.low, 3), high=signed(found.high, 3))
    return f"{signed(found.mean, 3)} ({between})"


def shifted(watch: DriftReport) -> list[tuple[str, str]]:
    """Return what shoppers and carts do differently: the measure and its stability index."""
    return [(_measure_words(each.measure), number(each.psi, 2)) for each in watch.shifts]


def promised(found: Calibration) -> str:
    """Return in a sentence how promises held."""
    return _(
        "Of %(offers)s offers shown in %(days)s days, %(accepted)s were accepted: %(ratio)s of what the "
        "%(before)s days before them led the model to expect (95%% interval %(low)s to %(high)s).",
        offers=found.offers, days=NOW_DAYS, accepted=found.accepted, ratio=percent(found.ratio),
        before=BEFORE_DAYS, low=percent(found.low), high=percent(found.high),
    )  # fmt: skip


def watch_words(watch: DriftReport | None) -> tuple[str, str, str]:
    """Return a badge's tone and text, and the sentence beside it."""
    if watch is None:
        return "neutral", _("Not looked at yet"), _("The first look follows the first decisions.")
    if watch.since is not None:
        return "warning", _("No longer fits"), _since(watch.since, watch)
    now, before = watch.decisions
    if min(now, before) < FEWEST_VISITS:
        says = _(
            "%(now)s decisions in %(days)s days and %(before)s in the %(days_before)s before them; it takes "
            "%(least)s of each.",
            now=now, days=NOW_DAYS, before=before, days_before=BEFORE_DAYS, least=FEWEST_VISITS,
        )  # fmt: skip
        return "neutral", _("Too few to tell"), says
    alike = _("The last %(now)s decisions looked like the %(before)s before them.", now=now, before=before)
    return "success", _("Fits"), alike


def attention(watch: DriftReport | None) -> list[Attention]:
    """Return what the first page says while the model does not fit any more."""
    if watch is None or watch.since is None:
        return []
    trained_anew = _("It is retrained automatically.")
    says = f"{_since(watch.since, watch)} {trained_anew}"
    heading, link = _("The model no longer fits what your shoppers do"), (_("See the model"), "/admin/model")
    return [Attention("warning", heading, says, link=link)]


def wrong_words(watch: DriftReport) -> str:
    """Return in one line what does not fit."""
    said = []
    if watch.shifts:
        said.append(
            ngettext(
                "%(num)s measure of carts and offers has shifted",
                "%(num)s measures of carts and offers have shifted",
                len(watch.shifts),
            )
        )
    if watch.calibration is not None and watch.calibration.off:
        came = percent(watch.calibration.ratio)
        said.append(_("%(share)s of the expected acceptances happened", share=came))
    return "; ".join(said)


def _measure_words(measure: str) -> str:
    if measure in MEASURES:
        return str(MEASURES[measure])
    return _("First offer: %(term)s", term=TERMS.get(measure, measure))


def weights(card: Card) -> list[tuple[str, str, int, bool]]:
    """Return the terms that count, the strongest first.

    Each: label, weight, percent of the strongest, whether it speaks for a product.
    """
    held = {name: float(getattr(card.weights, name)) for name in Weights.__dataclass_fields__}
    strongest = max(map(abs, held.values()), default=0.0)
    found = [(str(TERMS.get(name, name)), weight) for name, weight in held.items() if abs(weight) >= 0.005]
    found.sort(key=lambda each: -abs(each[1]))
    return [
        (label, signed(weight, 2), round(100 * abs(weight) / strongest), weight > 0)
        for label, weight in found
    ]


def parameters(card: Card) -> list[tuple[str, str]]:
    """Return with which settings it was learnt, and with which libraries."""
    said = [(named(name, PARAMETERS), _short(value)) for name, value in card.parameters.items()]
    return said + sorted(card.libraries.items())


def listed(versions: Sequence[Version]) -> list[VersionRow]:
    """Return the versions as they are listed."""
    return [
        VersionRow(
            each.card.version,
            version_words(each.card),
            *_status(each.status),
            quality=_quality(each.card),
            reason=told(each.card.decision.reason),
            can_serve=each.there and not each.serves,
        )
        for each in versions
    ]


def _quality(card: Card) -> str:
    found = card.figures.get(OURS, {}).get("ndcg_at_10")
    return NOTHING if found is None else number(found, 3)


def _numbers(figures: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(quality(name, figures[name]) if name in figures else NOTHING for name in _COLUMNS)


def _carts(figures: Mapping[str, float]) -> str:
    """Return over how many carts they are, a dash of a version that did not write that down."""
    return number(figures["cases"]) if "cases" in figures else NOTHING


def _status(name: str) -> tuple[str, str]:
    label, tone = STATUS.get(name, (name, "neutral"))
    return str(label), tone


def _lines(lines: int) -> str:
    return ngettext("%(num)s line", "%(num)s lines", lines)


def _rival(name: str) -> str:
    """Return what a model is called that was measured beside ours."""
    return "Tillwise" if name == OURS else first_upper(told(name))


def _since(when: datetime, watch: DriftReport) -> str:
    return _("Since %(time)s: %(what)s.", time=moment(when), what=wrong_words(watch))


def _tone(found: Difference | None) -> str:
    if found is None or found.low <= 0 <= found.high:
        return "neutral"
    return "success" if found.low > 0 else "critical"


def _short(value: float | int | None) -> str:
    return NOTHING if value is None else short(value)
