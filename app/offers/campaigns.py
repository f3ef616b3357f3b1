"""An occasion's campaigns: weighed by what its visitor allows, and what is kept of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

import msgspec

from app.campaigns.facts import evidence_of, facts_of
from app.campaigns.margin import PricedLine, cards_minor, spare_minor, worth_minor
from app.campaigns.moment import Moment
from app.campaigns.plan import PLACES_OF, Plan, Planned
from app.campaigns.shopper_history import (
    NEVER,
    CampaignHistory,
    HistoryUpdate,
    ShopperHistory,
    Showing,
    in_this_session,
    is_new_session,
    newly_shown,
    place_of,
    unpack,
)
from app.campaigns.weigh import LookUp, weigh
from app.campaigns.weighed import Inputs, Weighed
from app.catalog.catalog import Catalog
from app.consent.policy import Permissions
from app.coupons.grants import CodeRequest, GrantedCode
from app.events.surfaces import AFTER_THE_ORDER
from app.experiments.assign import PERSONALISED
from app.intent.model import Chances
from app.offers.grants import is_unhonoured
from app.offers.predictions import coupons_not_worth_it, purchase_chances
from app.offers.situation import Occasion, Situation, unit_of
from app.offers.snapshot import ShopSnapshot
from app.offers.wire import Line, Offer, Question
from app.profiles.visit import Visit
from app.values import price_minor, shopify_id

_COUNTER = 4  # bytes


def with_campaigns(occasion: Occasion, situation: Situation, dry: Collection[str] = ()) -> Situation:
    """Return the situation with the shop's campaigns weighed. dry: pools that have no code now."""
    plan = occasion.shop.plan
    if plan is None:
        return situation
    inputs = _inputs(occasion, situation, plan, dry)
    return msgspec.structs.replace(situation, campaigns=_weighed(occasion, plan, inputs))


def code_wanted(occasion: Occasion, situation: Situation) -> CodeRequest | None:
    """Return the code that has to be given out for what is to be shown, None when there is none."""
    plan, weighed, unit = occasion.shop.plan, situation.campaigns, occasion.shopper.unit
    if plan is None or weighed is None or unit is None or situation.arm != PERSONALISED:
        return None
    for chosen in weighed.chosen:
        planned = plan.by_id[chosen.campaign_id]
        held = weighed.inputs.fired.get(planned.id, NEVER)
        if planned.pool_id is not None and not (held.code and held.expires_at > weighed.inputs.at):
            # One for a code of terms that changed ends with it.
            left_s = held.expires_at - weighed.inputs.at
            lasts_s = left_s if left_s > 0 else planned.campaign.lasts_s or 0
            gone = _withdrawn_of(occasion, planned)
            return CodeRequest(plan.shop, planned.id, planned.pool_id, unit, lasts_s, occasion.now, gone)
    return None


def with_code(
    occasion: Occasion, situation: Situation, wanted: CodeRequest, granted: GrantedCode | None
) -> Situation:
    """Return the situation with the code, or weighed again without the campaign that has none left."""
    plan, weighed = occasion.shop.plan, situation.campaigns
    if plan is None or weighed is None:
        return situation
    inputs, name = weighed.inputs, wanted.campaign_id
    until = 0 if granted is None else int(granted.expires_at.timestamp())
    if granted is None or until <= inputs.at:
        inputs = msgspec.structs.replace(inputs, lacking=(*inputs.lacking, name))
    else:
        held = inputs.fired.get(name, NEVER)
        held = msgspec.structs.replace(held, code=granted.code, expires_at=until, pool=wanted.pool_id)
        inputs = msgspec.structs.replace(inputs, fired={**inputs.fired, name: held})
    return msgspec.structs.replace(situation, campaigns=_weighed(occasion, plan, inputs))


def without_codes(occasion: Occasion, situation: Situation) -> Situation:
    """Return the situation weighed without the campaigns that would have to give out a code."""
    plan, weighed = occasion.shop.plan, situation.campaigns
    if plan is None or weighed is None or code_wanted(occasion, situation) is None:
        return situation
    lacking = (*weighed.inputs.lacking, *plan.pools.values())
    inputs = msgspec.structs.replace(weighed.inputs, lacking=lacking)
    return msgspec.structs.replace(situation, campaigns=_weighed(occasion, plan, inputs))


def history_update_of(
    occasion: Occasion, situation: Situation, offers: Sequence[Offer]
) -> HistoryUpdate | None:
    """Return what the decision adds to its shopper's history with campaigns, None for nothing."""
    plan, weighed, shopper = occasion.shop.plan, situation.campaigns, occasion.shopper
    if plan is None or weighed is None or situation.arm != PERSONALISED:
        return None
    inputs = weighed.inputs
    shown = tuple(dict.fromkeys(offer.campaign for offer in offers if offer.campaign))
    showing = Showing(inputs.at, inputs.place, shown, weighed.waiting)
    counted = set(plan.counted).intersection(newly_shown(inputs.fired, showing))
    keeps = inputs.remembers and (shown or showing.waiting or unpack(shopper.nudged).fired)
    if not (keeps or counted):
        return None
    held = {name: inputs.fired.get(name, NEVER) for name in shown}
    return HistoryUpdate(
        shop=plan.shop,
        unit=shopper.unit if keeps and shopper.unit else None,
        read=shopper.nudged,
        visit=_visit(occasion),
        codes={name: (each.code, each.expires_at, each.pool) for name, each in held.items() if each.code},
        showing=showing,
        counts=tuple(sorted(plan.numbers[name] for name in counted)),
    )


def _weighed(occasion: Occasion, plan: Plan, inputs: Inputs) -> Weighed:
    withheld = partial(plan.withholds, unit_of(occasion))
    look_up = LookUp(partial(_is_spent, occasion, plan), partial(_has_nothing, occasion, inputs))
    return weigh(plan, inputs, occasion.decision_id, withheld, look_up)


def _inputs(occasion: Occasion, situation: Situation, plan: Plan, dry: Collection[str]) -> Inputs:
    moment = _moment(occasion, situation, plan, purchase_chances(occasion))
    question, shopper, at = occasion.question, occasion.shopper, int(occasion.now.timestamp())
    history, facts = unpack(shopper.nudged), facts_of(moment, plan.readers)
    shown = in_this_session(history, is_new_session(history, moment.visit, at), plan.by_id)
    working = {name: _as_it_works(each, plan.by_id[name], occasion.shop) for name, each in shown.items()}
    codes = frozenset(code.upper() for code in question.cart.codes or ())
    applied = _not_ours(codes, history)
    sold = _sold(question, occasion.shop.catalog) if plan.discounts else None
    spare = None if sold is None else spare_minor(sold, plan.costs, plan.margin)
    cards = cards_minor(sold or (), occasion.shop.catalog)
    # What a code of somebody else's takes off a cart in another currency is not known, nor so what it leaves.
    at_home = None if moment.own_currency or (applied and spare is not None) else sold
    return Inputs(
        at=at,
        locale=question.locale,
        country=question.country,
        facts=facts,
        evidence=evidence_of(facts),
        cart=situation.cart,
        subtotal_minor=situation.subtotal_minor,
        home_minor=None if at_home is None else worth_minor(at_home),
        cards_minor=cards,
        spare_minor=spare,
        remembers=shopper.unit is not None,
        unread=not shopper.reached,
        place=place_of(question.surface, question.checkout_token) if shopper.unit else "",
        fired=working,
        lacking=tuple(plan.pools[each] for each in dry if each in plan.pools),
        applied=applied,
        taken=tuple(name for name, each in working.items() if each.code in codes),
        subscribed=_is_subscribed(question, occasion.shop.catalog),
        company=question.company,
        places=PLACES_OF[question.wants],
        unworthy=coupons_not_worth_it(occasion, plan, _less(situation.subtotal_minor, cards), spare),
        features=occasion.features if plan.discounts else (),
        draw_by=place_of("", question.checkout_token) if shopper.unit and question.checkout_token else "",
    )


def _less(subtotal_minor: int | None, cards: int) -> int | None:
    return None if subtotal_minor is None else max(0, subtotal_minor - cards)


def _as_it_works(held: CampaignHistory, planned: Planned, shop: ShopSnapshot) -> CampaignHistory:
    """Return the shopper's history with the campaign, without a code of earlier terms or a withdrawn one.

    The first takes off something else than is promised now, the second nothing.
    """
    of_these_terms = not held.pool or held.pool == planned.pool_id
    if of_these_terms and held.code not in shop.withdrawn:
        return held
    return msgspec.structs.replace(held, code=None)


def _withdrawn_of(occasion: Occasion, planned: Planned) -> str | None:
    """Return the code that the shopper has of the campaign and that works no more, None without one."""
    code = unpack(occasion.shopper.nudged).fired.get(planned.id, NEVER).code
    return code if code in occasion.shop.withdrawn else None


def _not_ours(codes: frozenset[str], history: ShopperHistory) -> int:
    """Return how many of the cart's codes are none that the shopper has from a campaign."""
    return len(codes - {each.code for each in history.fired.values() if each.code})


def _moment(occasion: Occasion, situation: Situation, plan: Plan, chances: Chances | None) -> Moment:
    question, shopper = occasion.question, occasion.shopper
    return Moment(
        now=occasion.now.astimezone(plan.zone),
        asked=question,
        subtotal_minor=situation.subtotal_minor,
        product_id=question.product,
        may=occasion.may,
        catalog=occasion.shop.catalog,
        profile=shopper.profile if _knows(occasion.may, shopper.customer_id) and shopper.reached else None,
        segments=situation.segments,
        visit=_visit(occasion),
        intents=chances,
    )


def _knows(may: Permissions, customer_id: int | None) -> bool:
    return may.may_use_profile and customer_id is not None


def _visit(occasion: Occasion) -> Visit | None:
    """Return what the visit did, None where that may not be used or is nothing yet."""
    visit = occasion.shopper.visit
    return visit if occasion.may.may_use_visit and visit.visits else None


def _sold(question: Question, catalog: Catalog) -> tuple[PricedLine, ...] | None:
    """Return the cart's lines in the shop's currency: of a cart in another one as they are priced at home.

    None of a cart of which nothing is sold there.
    """
    lines, currency = question.cart.lines, catalog.currency
    if question.cart.currency != currency:
        return tuple(sold for line in lines if (sold := _at_home(line, catalog))) or None
    return tuple(
        PricedLine(
            line.product, line.quantity, price_minor(line.price, currency), shopify_id(line.variant_id)
        )
        for line in lines
    )


def _is_subscribed(question: Question, catalog: Catalog) -> bool:
    """Return whether no code goes with anything in the cart: each line is a subscription or a gift card."""
    lines = question.cart.lines
    return bool(lines) and all(line.full_price or catalog.is_full_price(line.product) for line in lines)


def _at_home(line: Line, catalog: Catalog) -> PricedLine | None:
    """Return the line at the shop's own price, None of what it does not sell."""
    product, variant_id = catalog.get(line.product), shopify_id(line.variant_id)
    price_minor = None if product is None else product.price_minor_of(variant_id)
    return None if price_minor is None else PricedLine(line.product, line.quantity, price_minor, variant_id)


def _has_nothing(occasion: Occasion, inputs: Inputs, planned: Planned) -> bool:
    """Return whether it has nothing to give: no product to be had, no grant that holds, no cart to fill."""
    if planned.campaign.offer.kind == "progress":
        return occasion.question.surface in AFTER_THE_ORDER
    if planned.campaign.offer.kind != "upsell":
        return is_unhonoured(occasion, planned)
    sent_away = inputs.fired.get(planned.id, NEVER).gone + occasion.shopper.visit.sent_away
    wanted = set(planned.campaign.offer.product_ids).difference(inputs.cart, sent_away)
    return wanted.isdisjoint(occasion.shop.offerable)


def _is_spent(occasion: Occasion, plan: Plan, planned: Planned) -> bool:
    """Return whether the campaign was shown as often as it may be altogether."""
    most, fired = planned.campaign.caps.total, occasion.shopper.fired or b""  # a counter a number
    if most is None:
        return False
    at = plan.numbers[planned.id] * _COUNTER
    return int.from_bytes(fired[at : at + _COUNTER], "big") >= most
