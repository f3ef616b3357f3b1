"""What came of the campaigns that decisions weighed: who was shown them by chance, and who then bought. Pure.

One shopper counts once a campaign: by the first decision that showed it to them or held it back, in whichever
checkout. Who was shown it is often kept from it the next time (caps), who was held back never is: counted by
checkouts, those who come often would be oftener among the latter. What came of it is known when the window
after it is over, and not before, whatever it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np

from app.campaigns.choice import HEARD_S, WINDOW_S, WORDS, Draw, Word
from app.campaigns.reasons import CAPPED, DISMISSED, NOT_DRAWN, OVER, WITHHELD
from app.intent.exposures import Exposures
from app.intent.features import FEATURES, Features
from app.intent.rates import Rate, rate

_WEEK_S = 7 * 86_400
MET_BEFORE = frozenset({CAPPED, OVER, DISMISSED})


class Drawn(msgspec.Struct, frozen=True):
    """A campaign that was shown, and how likely its draw was."""

    campaign_id: str
    propensity: float


class LoggedInputs(msgspec.Struct, frozen=True):
    """The part of a decision's `Inputs` that is learnt from."""

    features: Features = ()
    subtotal_minor: int | None = None
    spare_minor: int | None = None


class LoggedCampaigns(msgspec.Struct, frozen=True):
    """What a decision's log entry says of its campaigns. unit: whose decision it was, None if not logged."""

    chosen: tuple[Drawn, ...] = ()
    left_out: dict[str, str] = {}
    inputs: LoggedInputs = LoggedInputs()
    unit: str | None = None


class _Situation(msgspec.Struct, frozen=True):
    campaigns: LoggedCampaigns | None = None


class _Logged(msgspec.Struct, frozen=True):
    situation: _Situation
    unit: str | None = None


class CampaignDecision(NamedTuple):
    """A decision with campaigns. at: epoch seconds; who: the checkout.

    untold: its outcome is unknown, as it was made outside of a checkout that may be remembered, or on a page
    after the checkout's order.
    """

    decision_id: str
    at: float
    who: str
    told: LoggedCampaigns
    untold: bool = False


class WeighedDecision(Protocol):
    """A decision that weighed campaigns, whatever else is known of it. who: the checkout."""

    @property
    def decision_id(self) -> str: ...
    @property
    def at(self) -> Any: ...
    @property
    def who(self) -> str: ...
    @property
    def told(self) -> LoggedCampaigns: ...


Of = TypeVar("Of", bound=WeighedDecision)


class Ordered(NamedTuple):
    """An order. at: epoch seconds; left_minor: what the merchant earned by it, as far as costs are known."""

    at: float
    left_minor: int


class Feedback(NamedTuple):
    """What a shopper said of a campaign's offer. at: epoch seconds, by the shopper's clock."""

    word: Word
    at: float


Orders = Mapping[str, Sequence[Ordered]]  # by checkout
Words = Mapping[tuple[str, str], Sequence[Feedback]]  # by checkout and campaign


class TypicalCart(msgspec.Struct, frozen=True):
    """The median cart of a campaign's shoppers. spare_minor: its profit before a discount."""

    carts: int
    subtotal_minor: int
    spare_minor: int


class _Met(NamedTuple):
    """The first time a shopper met a campaign."""

    decided: CampaignDecision
    shown: bool
    order: Ordered | None


def draws_of(
    decisions: Iterable[CampaignDecision], orders: Orders, words: Words, choices: Mapping[str, str],
    window_s: float = WINDOW_S,
) -> list[Draw]:  # fmt: skip
    """Return the draws among campaigns that compete. choices: by campaign, the name they compete under."""
    found: list[Draw] = []
    seen: set[tuple[str, str]] = set()
    for decided in sorted(decisions, key=lambda each: (each.at, each.decision_id)):
        for drawn in decided.told.chosen:
            choice = choices.get(drawn.campaign_id)
            rivals = [name for name, why in decided.told.left_out.items() if why == NOT_DRAWN]
            arms = (drawn.campaign_id, *(each for each in rivals if choices.get(each) == choice))
            # What stands there already was not drawn again.
            if choice is None or len(arms) < 2 or (choice, decided.who) in seen or drawn.propensity >= 1:
                continue
            seen.add((choice, decided.who))
            order = _order(decided, orders, window_s)
            gained = float(order.left_minor) if order else 0.0
            at = (choice, arms, drawn.campaign_id, drawn.propensity, decided.at)
            word = _word(words.get((decided.who, drawn.campaign_id), ()), decided.at + HEARD_S)
            found.append(Draw(*at, order is not None, gained, word))
    return found


def exposures(
    decisions: Iterable[CampaignDecision], orders: Orders, campaign_id: str, now: float, since: float = 0,
    window_s: float = WINDOW_S,
) -> Exposures:  # fmt: skip
    """Return the campaign's exposures whose window is over, oldest first: shown, or held back by chance.

    The share of shown is taken from the log, week by week: a merchant changes the holdout, and a season in
    which more were held back must not count as what the campaign does. Whom another campaign was drawn for
    is neither. since: who met it before then is left out.
    """
    met = [
        each
        for each in _met(decisions, orders, campaign_id, window_s)
        if since <= each.decided.at <= now - window_s
        and len(_features(each)) == len(FEATURES)
        and not each.decided.untold
    ]
    shares = _shown_by_week(met)
    return Exposures(
        features=np.array([each.decided.told.inputs.features for each in met]).reshape(
            len(met), len(FEATURES)
        ),
        shown=np.array([each.shown for each in met], dtype=np.bool_),
        propensity=np.array([shares[_week(each)] for each in met]),
        bought=np.array([each.order is not None for each in met], dtype=np.bool_),
    )


def bought_anyway(
    decisions: Iterable[CampaignDecision],
    orders: Orders,
    campaign_id: str,
    now: float,
    window_s: float = WINDOW_S,
) -> Rate:
    """Return how many bought of those who matched and were held back: the campaign's false positives."""
    met = [
        each
        for each in _met(decisions, orders, campaign_id, window_s)
        if not each.shown and each.decided.at + window_s <= now and not each.decided.untold
    ]
    return rate(sum(each.order is not None for each in met), len(met))


def typical_cart(decisions: Iterable[CampaignDecision], campaign_id: str) -> TypicalCart | None:
    """Return the median cart of the campaign's shoppers, None where no cart's profit is known."""
    carts = [
        (known.subtotal_minor, known.spare_minor)
        for each in _met(decisions, {}, campaign_id, 0)
        if (known := each.decided.told.inputs).subtotal_minor is not None and known.spare_minor is not None
    ]
    if not carts:
        return None
    subtotal, spare = (int(median(column)) for column in zip(*carts, strict=True))
    return TypicalCart(len(carts), subtotal, spare)


def read_logged_campaigns(inputs: Mapping[str, Any]) -> LoggedCampaigns | None:
    """Return the campaigns of a decision's logged inputs, None without any or in another layout."""
    try:
        logged = msgspec.convert(inputs, _Logged)
    except msgspec.ValidationError:
        return None
    told = logged.situation.campaigns
    return None if told is None else msgspec.structs.replace(told, unit=logged.unit)


def campaigns_from_columns(chosen: Any, left_out: Any, unit: str | None = None) -> LoggedCampaigns:
    """Return what columns of the log say of the campaigns, nothing where they are of another layout."""
    try:
        return msgspec.convert(
            {"chosen": chosen or (), "left_out": left_out or {}, "unit": unit}, LoggedCampaigns
        )
    except msgspec.ValidationError:
        return LoggedCampaigns()


def first_meetings(decisions: Iterable[Of], campaign_id: str) -> Iterator[tuple[Of, bool]]:
    """Yield each shopper's first meeting with the campaign, and whether it was shown, oldest first.

    Whom it is kept from since they saw it has met it before, also where that was too long ago to be told.
    """
    seen: set[str] = set()
    for decided in sorted(decisions, key=lambda each: (each.at, each.decision_id)):
        shown = any(each.campaign_id == campaign_id for each in decided.told.chosen)
        why = decided.told.left_out.get(campaign_id)
        if not shown and why != WITHHELD and why not in MET_BEFORE:
            continue
        names = {decided.who, decided.told.unit or decided.who}
        known = not names.isdisjoint(seen)
        seen |= names  # who signs in halfway is the same shopper under both names
        if not known and (shown or why == WITHHELD):
            yield decided, shown


def _met(
    decisions: Iterable[CampaignDecision], orders: Orders, campaign_id: str, window_s: float
) -> Iterator[_Met]:
    for decided, shown in first_meetings(decisions, campaign_id):
        yield _Met(decided, shown, _order(decided, orders, window_s))


def _word(said: Iterable[Feedback], until: float) -> Word:
    """Return what was said by then: that it was taken has the last word."""
    heard = {each.word for each in said if each.at <= until}
    return next((word for word in WORDS if word in heard), "")


def _features(met: _Met) -> Features:
    return met.decided.told.inputs.features


def _shown_by_week(met: Iterable[_Met]) -> dict[int, float]:
    weeks: dict[int, list[bool]] = defaultdict(list)
    for each in met:
        weeks[_week(each)].append(each.shown)
    return {week: sum(shown) / len(shown) for week, shown in weeks.items()}


def _week(met: _Met) -> int:
    return int(met.decided.at // _WEEK_S)


def _order(decided: CampaignDecision, orders: Orders, window_s: float) -> Ordered | None:
    if decided.untold:  # Shopify shows the page after an order before it has made the order
        return None
    return next(
        (each for each in orders.get(decided.who, ()) if decided.at <= each.at <= decided.at + window_s), None
    )
