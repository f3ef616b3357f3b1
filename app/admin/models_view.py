"""How the page of the model says things: what it rests on, how good it is, beside whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.admin.attention import Attention
from app.admin.models_store import Version
from app.admin.privacy_view import minute
from app.admin.view import counted
from app.recommend.card import Card, Difference
from app.recommend.report import OURS
from app.recommend.terms import Weights
from app.recommend.watch import FEWEST_VISITS, Calibration
from app.recommend.watching import BEFORE_DAYS, NOW_DAYS, Watch

BASES = {
    "blend": ("All of it", "Bought together, what each shopper bought, what LightFM learnt, best sellers."),
    "neighbours": ("Bought together", "Too few orders for LightFM yet: what is bought together decides."),
    "popularity": ("Best sellers", "Too few orders to tell what goes together: best sellers and likeness."),
    "content": ("Your catalogue", "No orders yet: what is alike, and what is new."),
}
STATUS = {
    "champion": ("Serves", "success"),
    "retired": ("Served before", "info"),
    "withdrawn": ("Taken back", "warning"),
    "rejected": ("Not good enough", "neutral"),
}
RUNGS = {
    "personal": "Everything allowed",
    "contextual": "Nothing allowed: the cart alone",
    "static": "Best sellers instead",
}
SEGMENTS = {
    "nobody known": "Nobody known",
    "first order": "First order",
    "returning": "2 to 4 orders",
    "regular": "Regulars",
}
TERMS = {
    "together": "Bought with the cart",
    "with_history": "Bought with what they had before",
    "learned": "What LightFM learnt",
    "learned_customer": "LightFM: what suits the customer",
    "learned_item": "LightFM: what suits everybody",
    "repeats": "Bought before, lately more so",
    "month": "Bought in the last weeks",
    "times": "How often they bought it",
    "bought": "Bought at all",
    "twice": "Bought again",
    "rate": "Share of their orders with it",
    "rate_lately": "The same, lately",
    "popular": "Sells well",
    "recent": "Sells well these weeks",
    "fresh": "New in the shop",
    "same_kind": "Of a type in the cart",
    "kind_history": "Of a type they buy",
    "kind_popular": "Of a type that sells",
    "together_again": "Bought with the cart, and before",
    "popular_again": "Sells well, and bought before",
}
MEASURES = {
    "cart_size": "How full carts are",
    "cart_unknown": "Products in carts that the model never saw sold",
    "orders_before": "How many orders shoppers had placed",
    "score": "How sure the model is of its first offer",
}
_COLUMNS = ("ndcg_at_10", "recall_at_10", "hit_at_4", "coverage")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of figures: NDCG@10, recall@10, hit@4, coverage, and ours minus it where that was measured."""

    label: str
    figures: tuple[str, ...]
    difference: str = ""
    tone: str = "neutral"
    ours: bool = False


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version as it is listed."""

    version: str
    trained: str
    status: str
    tone: str
    quality: str
    reason: str
    can_serve: bool


def learnt_words(card: Card) -> str:
    """Return when a version learnt what it knows."""
    if card.learnt_in_full_at is None:
        return f"Trained on {minute(card.trained_at)}"
    return (
        f"Went on with new orders on {minute(card.trained_at)}, trained on {minute(card.learnt_in_full_at)}"
    )


def facts(card: Card) -> list[tuple[str, str, str]]:
    """Return what a version rests on: label, value, note."""
    basis, says = BASES[card.basis]
    counts = card.counts
    return [
        ("Rests on", basis, says),
        ("Orders", f"{counts.get('orders', 0):,}", f"{counts.get('lines', 0):,} lines"),
        ("Products", f"{counts.get('products', 0):,}", "in your catalogue"),
        ("Customers", f"{counts.get('customers', 0):,}", "who may be learnt from"),
    ]


def beside(card: Card) -> list[Row]:
    """Return ours and every plain model's figures on the same later carts, the best first."""
    models = {name: one for name, one in card.figures.items() if not name.startswith(f"{OURS},")}
    ranked = sorted(models, key=lambda name: -models[name].get("ndcg_at_10", 0.0))
    return [
        Row(
            "Tillwise" if name == OURS else name[0].upper() + name[1:],
            _numbers(models[name]),
            difference_words(card.differences.get(name)),
            _tone(card.differences.get(name)),
            ours=name == OURS,
        )
        for name in ranked
    ]


def parts(card: Card, labels: Mapping[str, str]) -> list[Row]:
    """Return ours on parts of the carts: by what the shopper allows, or by their orders."""
    found = ((label, card.figures.get(f"{OURS}, {name}")) for name, label in labels.items())
    return [Row(label, _numbers(one)) for label, one in found if one]


def interval(card: Card) -> str:
    """Return the 95 % interval of our own NDCG@10, empty where nothing could be held out."""
    ours = card.figures.get(OURS, {})
    if "ndcg_low" not in ours or "ndcg_high" not in ours:
        return ""
    return f"{ours['ndcg_low']:.3f} and {ours['ndcg_high']:.3f}"


def challenge(card: Card) -> str:
    """Return how the version did beside the champion of then, in a sentence."""
    found = card.champion_difference
    if found is None:
        return "There were too few newer carts to compare it with the version that served before."
    verb = "better" if found.mean >= 0 else "worse"
    sure = "" if found.low > 0 or found.high < 0 else " That may be chance."
    return (
        f"On {found.cases:,} carts newer than both, its NDCG@10 was {abs(found.mean):.3f} {verb} than that "
        f"of {card.champion} ({difference_words(found)}).{sure}"
    )


def difference_words(found: Difference | None) -> str:
    """Return `+0.043 [+0.037, +0.049]`, empty where it was not measured."""
    return "" if found is None else f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def shifted(watch: Watch) -> list[tuple[str, str]]:
    """Return what shoppers and carts do differently: the measure and its stability index."""
    return [(_measure_words(each.measure), f"{each.psi:.2f}") for each in watch.shifts]


def promised(found: Calibration) -> str:
    """Return in a sentence how promises held."""
    return (
        f"Of {found.offers:,} offers shown in {NOW_DAYS} days {found.accepted:,} were accepted, "
        f"{found.ratio:.0%} of what the {BEFORE_DAYS} days before promised "
        f"(95 % interval {found.low:.0%} to {found.high:.0%})."
    )


def watch_words(watch: Watch | None) -> tuple[str, str, str]:
    """Return a badge's tone and text, and the sentence beside it."""
    if watch is None:
        return "neutral", "Not looked at yet", "The first look follows the first decisions."
    if watch.since is not None:
        return "warning", "Fits no more", f"Since {minute(watch.since)}: {wrong_words(watch)}."
    now, before = watch.decisions
    if min(now, before) < FEWEST_VISITS:
        says = f"{now:,} decisions in {NOW_DAYS} days and {before:,} in the {BEFORE_DAYS} before them; "
        return "neutral", "Too few to tell", f"{says}it takes {FEWEST_VISITS} of each."
    return "success", "Fits", f"The last {now:,} decisions looked like the {before:,} before them."


def attention(watch: Watch | None) -> list[Attention]:
    """Return what the first page says while the model does not fit any more."""
    if watch is None or watch.since is None:
        return []
    says = f"Since {minute(watch.since)}: {wrong_words(watch)}. It is trained anew by itself; see its page."
    return [Attention("warning", "The model no longer fits what your shoppers do", says)]


def wrong_words(watch: Watch) -> str:
    """Return in one line what does not fit."""
    said = []
    if watch.shifts:
        said.append(f"{counted(len(watch.shifts), 'measure')} of carts and offers shifted")
    if watch.calibration is not None and watch.calibration.off:
        said.append(f"{watch.calibration.ratio:.0%} of the acceptances promised came about")
    return ", and ".join(said)


def _measure_words(measure: str) -> str:
    return MEASURES.get(measure) or f"First offer: {TERMS.get(measure, measure).lower()}"


def weights(card: Card) -> list[tuple[str, float, int]]:
    """Return the terms that count, the strongest first: label, weight, share of the strongest in percent."""
    held = {name: float(getattr(card.weights, name)) for name in Weights.__dataclass_fields__}
    strongest = max(map(abs, held.values()), default=0.0)
    found = [(TERMS.get(name, name), weight) for name, weight in held.items() if abs(weight) >= 0.005]
    found.sort(key=lambda each: -abs(each[1]))
    return [(label, weight, round(100 * abs(weight) / strongest)) for label, weight in found]


def parameters(card: Card) -> list[tuple[str, str]]:
    """Return with which settings it was learnt, and with which libraries."""
    said = [(name.replace("_", " ").capitalize(), _short(value)) for name, value in card.parameters.items()]
    return said + sorted(card.libraries.items())


def listed(versions: Sequence[Version]) -> list[VersionRow]:
    """Return the versions as they are listed."""
    return [
        VersionRow(
            each.card.version,
            minute(each.card.trained_at),
            *STATUS.get(each.status, (each.status, "neutral")),
            quality=_quality(each.card),
            reason=each.card.decision.reason,
            can_serve=each.there and not each.serves,
        )
        for each in versions
    ]


def _quality(card: Card) -> str:
    found = card.figures.get(OURS, {}).get("ndcg_at_10")
    return "–" if found is None else f"{found:.3f}"


def _numbers(figures: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(f"{figures[name]:.3f}" if name in figures else "–" for name in _COLUMNS)


def _tone(found: Difference | None) -> str:
    if found is None or found.low <= 0 <= found.high:
        return "neutral"
    return "success" if found.low > 0 else "critical"


def _short(value: float | int | None) -> str:
    return "–" if value is None else f"{value:g}"
