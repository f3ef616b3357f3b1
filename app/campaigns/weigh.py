"""Which campaigns a decision shows, and why not the others. Pure: from what is logged, always the same.

In order of priority, each campaign whose rule holds is asked: is it open, was enough seen of the
shopper, has it matched for long enough, may it be shown once more, can it be afforded? Those that
pass take their place, until every place is taken. Who is withheld from a campaign is treated as one
who matched it: it stops, and fills its group, but shows nothing, so that what is measured is the
nudge against none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import msgspec

from app.campaigns.campaign import DiscountTerms
from app.campaigns.combining import codes_held, goes_with, stands_elsewhere
from app.campaigns.plan import ROOM, Place, Plan, Planned, is_open
from app.campaigns.reasons import (
    BESIDE,
    CAPPED,
    COMPANY,
    DISMISSED,
    IN_CART,
    LIMIT,
    MARGIN,
    MINIMUM,
    NO_CODE,
    NOT_DRAWN,
    OVER,
    SUBSCRIBED,
    UNAVAILABLE,
    UNKNOWN_CART,
    UNREMEMBERED,
    WAITING,
    WITHHELD,
)
from app.campaigns.shopper_history import NEVER, CampaignHistory, is_standing
from app.campaigns.weighed import Chosen, Inputs, Weighed
from app.experiments.assign import bucket

Withheld = Callable[[str, float], bool]  # whether the shopper is in a campaign's holdout, of this share


class LookUp(NamedTuple):
    """What is looked up only of campaigns that are come to, as there may be hundreds; see `Inputs`.

    The inputs of what comes of it have the answers.
    """

    spent: Callable[[Planned], bool] = lambda _: False
    lacking: Callable[[Planned], bool] = lambda _: False


NOTHING = LookUp()


def weigh(
    plan: Plan, inputs: Inputs, decision_id: str, withheld: Withheld, look_up: LookUp = NOTHING
) -> Weighed:
    """Return which campaigns to show. decision_id: what is left to chance follows from it."""
    return _Weighing(plan, inputs, decision_id, withheld, look_up).result()


def reweigh(plan: Plan, logged: Weighed, decision_id: str) -> Weighed:
    """Return what a logged weighing comes to when it is made again."""
    return weigh(plan, logged.inputs, decision_id, lambda name, _share: name in logged.withheld)


class _Weighing:
    """One weighing under way."""

    def __init__(
        self, plan: Plan, inputs: Inputs, decision_id: str, withheld: Withheld, look_up: LookUp
    ) -> None:
        self._plan, self._inputs, self._decision_id = plan, inputs, decision_id
        self._withheld, self._look_up = withheld, look_up
        self._local = datetime.fromtimestamp(inputs.at, plan.zone)
        there = plan.places if inputs.places is None else plan.places.intersection(inputs.places)
        self._room: dict[Place, int] = {place: ROOM[place] for place in there}
        self._groups: set[str] = set()
        self._chosen: list[Chosen] = []
        self._matched: list[str] = []
        self._left_out: dict[str, str] = {}
        self._drawn: set[str] = set()
        self._done = False
        # Those whose rules hold: come to one after the other, or looked at ahead for a draw.
        self._holding, self._ahead = plan.matches(inputs.facts, self._wanted), deque[Planned]()
        self._met: list[Planned] = []
        self._lacking: dict[str, bool] = {}

    def result(self) -> Weighed:
        """Return what comes of it."""
        while not self._done and (planned := self._next()):
            self._take(planned)
        return Weighed(self._told(), tuple(self._chosen), tuple(self._matched), self._left_out)

    def _next(self) -> Planned | None:
        """Return the next campaign whose rule holds, None behind the last."""
        planned = self._ahead.popleft() if self._ahead else next(self._holding, None)
        if planned is not None:
            self._met.append(planned)
        return planned

    def _wanted(self) -> int:
        """Return the campaigns that there is room for, as the bits of a number."""
        at_place = self._plan.at_place
        return sum(at_place[place] for place, room in self._room.items() if room)

    def _told(self) -> Inputs:
        """Return the inputs with what was looked up, of the campaigns that were come to alone."""
        met = (*self._met, *self._ahead)
        return msgspec.structs.replace(
            self._inputs,
            spent=tuple(each.id for each in met if self._is_spent(each)),
            lacking=tuple(each.id for each in met if self._is_lacking(each)),
        )

    def _is_spent(self, planned: Planned) -> bool:
        return planned.id in self._inputs.spent or self._look_up.spent(planned)

    def _is_lacking(self, planned: Planned) -> bool:
        if planned.id not in self._lacking:  # a grant's number takes a signature
            known = planned.id in self._inputs.lacking
            self._lacking[planned.id] = known or self._look_up.lacking(planned)
        return self._lacking[planned.id]

    def _take(self, planned: Planned) -> None:
        """Take the campaign in, or note why not; its rule holds."""
        campaign = planned.campaign
        taken = campaign.group is not None and campaign.group in self._groups
        if taken or not self._room.get(planned.place) or campaign.choice in self._drawn:
            return
        if not self._applies(planned):
            return
        self._matched.append(planned.id)
        if why := self._why_not(planned):
            self._left_out[planned.id] = why
            return
        before = frozenset(self._groups)
        if campaign.group is not None:
            self._groups.add(campaign.group)
        self._done = self._done or campaign.stop
        if campaign.holdout and self._withheld(planned.id, campaign.holdout):
            self._left_out[planned.id] = WITHHELD
        elif campaign.choice is None:
            self._show(planned, 1.0)
        else:
            self._draw(planned, before)

    def _show(self, planned: Planned, propensity: float) -> None:
        self._chosen.append(Chosen(planned.id, propensity))
        wanted = len(planned.campaign.offer.product_ids) or 1
        self._room[planned.place] = max(0, self._room[planned.place] - wanted)
        self._done = self._done or not any(self._room.values())

    def _draw(self, first: Planned, taken: frozenset[str]) -> None:
        """Show one of those that compete with the first and could be shown as well as it.

        taken: the groups of which one was shown before.
        """
        choice = str(first.campaign.choice)
        self._drawn.add(choice)
        self._ahead += self._holding
        rivals = self._rivals(choice, taken)
        self._matched += [each.id for each in rivals]
        self._groups |= {each.campaign.group for each in rivals if each.campaign.group is not None}
        arms = [first, *rivals]
        drawn, propensity = self._one_of(choice, arms)
        self._left_out |= {each.id: NOT_DRAWN for each in arms if each is not drawn}
        self._show(drawn, propensity)

    def _rivals(self, choice: str, taken: frozenset[str]) -> list[Planned]:
        """Return the others that may be drawn; behind one that stops nothing is looked at, here neither."""
        rivals: list[Planned] = []
        for at, each in enumerate(self._ahead):
            if each.campaign.choice != choice or each.campaign.group in taken or not self._may_compete(each):
                continue
            rivals.append(each)
            if each.campaign.stop:
                self._ahead = deque(islice(self._ahead, at))
                break
        return rivals

    def _one_of(self, choice: str, arms: list[Planned]) -> tuple[Planned, float]:
        """Return the arm drawn and its propensity: one that stands there already stays."""
        for arm in arms:
            if is_standing(self._fired(arm), self._inputs.place):
                return arm, 1.0
        weights = self._plan.weights.get(choice, {})
        seed = self._inputs.draw_by or self._decision_id
        return draw(arms, [weights.get(arm.id, 1.0) for arm in arms], seed, choice)

    def _may_compete(self, planned: Planned) -> bool:
        campaign = planned.campaign
        if not self._applies(planned) or self._why_not(planned) or not self._room.get(planned.place):
            return False
        if campaign.holdout and self._withheld(planned.id, campaign.holdout):
            # Told, so that the draw can be made again among the same.
            self._matched.append(planned.id)
            self._left_out[planned.id] = WITHHELD
            return False
        return True

    def _applies(self, planned: Planned) -> bool:
        """Return whether it is open, or promised, and enough was seen of the shopper."""
        inputs, schedule = self._inputs, planned.campaign.schedule
        if len(inputs.evidence) < planned.campaign.evidence or inputs.at < planned.starts_at:
            return False
        if self._fired(planned).expires_at > inputs.at:
            return True  # a code is good until its own end, also when the campaign's comes first
        return inputs.at < planned.ends_at and is_open(schedule, self._local)

    def _why_not(self, planned: Planned) -> str | None:
        """Return why it is not shown to this shopper now, None if it may be."""
        return self._of_shopper(planned) or self._of_cart(planned) or self._of_discount(planned)

    def _of_shopper(self, planned: Planned) -> str | None:
        campaign, inputs, fired = planned.campaign, self._inputs, self._fired(planned)
        if fired.dismissed or (campaign.offer.kind == "upsell" and not self._left(planned)):
            return DISMISSED
        lasts_s = campaign.lasts_s
        if (
            lasts_s is not None
            and fired.first_at
            and inputs.at >= (fired.expires_at or fired.first_at + lasts_s)
        ):
            return OVER
        if self._is_capped(planned, fired):
            return CAPPED
        if campaign.delay_s and not is_standing(fired, inputs.place):
            since = fired.matched_at or inputs.at
            if not inputs.remembers or inputs.at - since < campaign.delay_s:
                return WAITING
        return None

    def _is_capped(self, planned: Planned, fired: CampaignHistory) -> bool:
        """Return whether it was shown often enough; what stands there, or was promised, is not one more."""
        caps, inputs = planned.campaign.caps, self._inputs
        if inputs.unread:  # how often is not known
            return planned.has_caps or caps.total is not None
        if is_standing(fired, inputs.place) or fired.expires_at > inputs.at:
            return False
        return (
            (caps.per_visitor is not None and fired.times >= caps.per_visitor)
            or (caps.per_session is not None and fired.in_session >= caps.per_session)
            or self._is_spent(planned)
        )

    def _of_cart(self, planned: Planned) -> str | None:
        offer, subtotal_minor = planned.campaign.offer, self._inputs.subtotal_minor
        if offer.kind == "progress":
            return UNKNOWN_CART if subtotal_minor is None else OVER if self._is_lacking(planned) else None
        if offer.kind == "upsell" and self._left(planned) <= set(self._inputs.cart):
            return IN_CART
        if offer.kind == "upsell" and self._is_lacking(planned):
            return UNAVAILABLE
        return None

    def _left(self, planned: Planned) -> set[int]:
        """Return its products but for those that the shopper sent away."""
        return set(planned.campaign.offer.product_ids).difference(self._fired(planned).gone)

    def _of_discount(self, planned: Planned) -> str | None:
        """Return what keeps a discount from being given: nobody to keep a code for, no code, its price."""
        discount, inputs = planned.campaign.offer.discount, self._inputs
        if discount is None:
            return None
        if inputs.company:  # its prices are agreed with it
            return COMPANY
        held = self._fired(planned)
        promised = bool(held.code and held.expires_at > inputs.at)
        if not discount.with_code:
            if self._is_lacking(planned):
                return NO_CODE
            if self._is_beside_another(planned, discount):
                return BESIDE
        elif inputs.subscribed:
            return SUBSCRIBED
        elif not promised:
            if not inputs.remembers:
                return UNREMEMBERED
            if self._is_lacking(planned):
                return NO_CODE
            if len(codes_held(inputs.fired, planned, inputs.at)) + inputs.applied >= self._plan.limits.codes:
                return LIMIT
        return self._of_price(planned, discount) or (None if promised else inputs.unworthy.get(planned.id))

    def _of_price(self, planned: Planned, discount: DiscountTerms) -> str | None:
        """Return what the cart's worth keeps back: a discount too high, below its minimum, or at a loss."""
        worth_minor, limits = self._worth_minor(planned), self._plan.limits
        if discount.applies_to != "shipping" and (discount.percentage or 0) > limits.percent:
            return LIMIT
        if planned.id in self._inputs.taken:
            return None  # what the cart costs is what it left
        if worth_minor is None:
            return UNKNOWN_CART
        if worth_minor < planned.minimum_minor:
            return MINIMUM
        open_minor = max(0, worth_minor - self._inputs.cards_minor)
        takes_minor = planned.takes_minor(open_minor)
        if discount.percentage is None and takes_minor > limits.percent * open_minor / 100:
            return LIMIT
        spare_minor = self._inputs.spare_minor
        return MARGIN if spare_minor is not None and takes_minor > spare_minor else None

    def _worth_minor(self, planned: Planned) -> int | None:
        """Return what the discount is taken off; what an amount is in another currency only Shopify knows."""
        if self._inputs.subtotal_minor is not None:
            return self._inputs.subtotal_minor
        return None if planned.amount_minor or planned.minimum_minor else self._inputs.home_minor

    def _is_beside_another(self, planned: Planned, discount: DiscountTerms) -> bool:
        """Return whether the shopper has another discount, beside which this one would not be taken off."""
        plan, inputs = self._plan, self._inputs
        if inputs.applied and not discount.combines_with:
            return True
        for name in codes_held(inputs.fired, planned, inputs.at):
            held = plan.by_id[name].campaign.offer.discount if name in plan.by_id else None
            if held is not None and not goes_with(discount, held):
                return True
        return stands_elsewhere(plan, inputs.fired, planned, inputs.at, inputs.place)

    def _fired(self, planned: Planned) -> CampaignHistory:
        return self._inputs.fired.get(planned.id, NEVER)


def draw(arms: list[Planned], weights: list[float], seed: str, choice: str) -> tuple[Planned, float]:
    """Return one of the arms, by weight, and how likely that was; the same seed draws the same."""
    total = sum(weights)
    shares = [each / total for each in weights] if total > 0 else [1 / len(arms)] * len(arms)
    point = bucket(seed, f"choice {choice}")
    for arm, share in zip(arms, shares, strict=True):
        if point < share:
            return arm, round(share, 6)
        point -= share
    return arms[-1], round(shares[-1], 6)  # rounding left a sliver above the last share
