"""Campaigns to begin with: what a merchant takes, changes to their shop and starts. Pure.

Amounts are in the shop's currency, whatever it is. A template that says nothing of its own for a
language leaves it to the sentence that the shopper's page has for the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.campaigns.campaign import Campaign, read_campaign
from app.campaigns.messages import Text
from app.errors import NotFound
from app.profiles.clusters import HESITANT, HIGH_VALUE

_DAY_S = 86_400
_LOYAL = ["champions", "loyal", "previously_loyal"]


class Template(NamedTuple):
    """A campaign and what it is for, in a merchant's words."""

    says: str
    campaign: Campaign


def template(name: str) -> Template:
    """Return the template. Raises NotFound naming those there are."""
    if name not in TEMPLATES:
        raise NotFound(f"there is no template {name!r}; there are {', '.join(TEMPLATES)}")
    return TEMPLATES[name]


def _var(name: str) -> dict[str, str]:
    return {"var": name}


def _at_least(name: str, value: float) -> dict[str, Any]:
    return {">=": [_var(name), value]}


def _some(name: str, texts: list[str]) -> dict[str, Any]:
    return {"some": [_var(name), {"in": [_var(""), texts]}]}


def _coupon(percentage: float, messages: Mapping[str, Text] | None = None) -> dict[str, Any]:
    discount = {"percentage": percentage, "combines_with": ["shipping"]}
    return {"kind": "coupon", "discount": discount, "messages": messages or {}}


_HAS_CART = _at_least("cart.lines", 1)
_LEAVING = {"or": [_at_least("visit.idle_s", 600), _var("visit.exit_intent")]}
_UNFINISHED = {"<": [0, _var("visit.step"), 6]}
_TROUBLED = {
    "or": [
        _some("profile.segments", [HESITANT]),
        _at_least("visit.removed", 1),
        _at_least("visit.errors", 2),
        _at_least("visit.steps_back", 1),
        _at_least("visit.coupon_failures", 1),
    ]
}

_WELCOME = {
    "en": "New here? Every order comes with easy returns and people who answer.",
    "de": "Neu hier? Jede Bestellung lässt sich leicht zurückgeben, und auf Fragen antworten Menschen.",
    "es": "¿Es tu primera visita? Cada pedido tiene devolución fácil y personas que responden.",
    "fr": "Première visite ? Chaque commande se retourne facilement, et de vraies personnes répondent.",
    "ja": "初めてのご利用ですか？どのご注文も簡単に返品でき、お問い合わせには担当者がお答えします。",
    "ar": "أول زيارة لك؟ إرجاع كل طلب سهل، ويجيبك أشخاص حقيقيون.",
}
_THANKS: dict[str, Text] = {
    "en": "Thank you for coming back: {percentage}% off your order.",
    "de": "Danke, dass Sie wieder da sind: {percentage} % auf Ihre Bestellung.",
    "es": "Gracias por volver: {percentage} % de descuento en tu pedido.",
    "fr": "Merci d'être de retour : {percentage} % sur votre commande.",
    "ja": "いつもありがとうございます。ご注文が{percentage}%割引になります。",
    "ar": "شكرًا لعودتك: خصم {percentage}% على طلبك.",
}
_ALMOST = {
    "en": "Almost there: {amount} to go until shipping is free.",
    "de": "Fast geschafft: Noch {amount}, dann ist der Versand frei.",
    "es": "Ya casi: te faltan {amount} para el envío gratis.",
    "fr": "Presque : plus que {amount} et la livraison est offerte.",
    "ja": "あと少し、{amount}で送料無料になります。",
    "ar": "اقتربت: يفصلك {amount} عن الشحن المجاني.",
}

_WRITTEN: Mapping[str, tuple[str, dict[str, Any]]] = {
    "viewed-dear": (
        "Shoppers who looked at a product above 1,000 get 10% off for 24 hours.",
        {
            "name": "10% for a day on an expensive product",
            "rule": {">": [_var("visit.viewed_dearest_price"), 1000]},
            "evidence": 2, "priority": 30, "group": "discount", "caps": {"per_visitor": 1},
            "expires_s": _DAY_S, "offer": _coupon(10),
        },
    ),
    "high-value-leaves": (
        "A high-value shopper about to leave an unfinished checkout gets a discount of their own.",
        {
            "name": "A discount for valuable shoppers who are leaving",
            "rule": {"and": [_some("profile.segments", [HIGH_VALUE, "champions"]), _HAS_CART, _UNFINISHED,
                             _LEAVING]},
            "evidence": 2, "priority": 40, "group": "discount", "caps": {"per_visitor": 1},
            "expires_s": _DAY_S, "offer": _coupon(15),
        },
    ),
    "high-value-left": (
        "A high-value shopper who left an unfinished checkout is written to, with a discount of their own.",
        {
            "name": "A discount for valuable shoppers who left",
            "rule": {"and": [_some("profile.segments", [HIGH_VALUE, "champions"]),
                             {">": [_var("cart.subtotal"), 0]}]},
            "evidence": 1, "priority": 40, "group": "discount", "caps": {"per_visitor": 1},
            "expires_s": 3 * _DAY_S, "trigger": "abandonment", "offer": _coupon(15),
        },
    ),
    "hesitant-helped": (
        "Shoppers who stay long and hesitate, or meet errors in the checkout, are offered help, "
        "not a discount.",
        {
            "name": "Help for shoppers who hesitate",
            "rule": {"and": [{"or": [_at_least("checkout.dwell_s", 60), _at_least("visit.dwell_s", 180)]},
                             _TROUBLED]},
            "evidence": 2, "priority": 20, "caps": {"per_session": 1},
            "offer": {"kind": "banner", "key": "banner.help"},
        },
    ),
    "free-shipping": (
        "A bar shows how much is missing until shipping is free.",
        {
            "name": "How far to free shipping",
            "rule": {">": [_var("cart.subtotal"), 0]},
            "evidence": 0, "priority": 0, "group": "free shipping", "holdout": 0.05,
            "offer": {"kind": "progress", "key": "progress.free_shipping", "target": "50"},
        },
    ),
    "loyal-thanked": (
        "A loyal customer gets 10% off.",
        {
            "name": "10% for loyal customers",
            "rule": {"and": [{"or": [_some("profile.segments", _LOYAL), _at_least("profile.orders", 4)]},
                             _HAS_CART]},
            "evidence": 1, "priority": 10, "group": "discount", "caps": {"per_visitor": 1},
            "expires_s": 7 * _DAY_S, "offer": _coupon(10, _THANKS),
        },
    ),
    "cold-introduced": (
        "Shoppers who are here for the first time read what the shop stands for.",
        {
            "name": "A welcome for new shoppers",
            "rule": {"and": [_var("shopper.cold"), {"==": [_var("visit.visits"), 1]}]},
            "evidence": 2, "priority": 5, "caps": {"per_session": 1, "per_visitor": 2},
            "offer": {"kind": "banner", "key": "banner.welcome", "messages": _WELCOME},
        },
    ),
    "almost-there": (
        "A cart close to free shipping is told so, with other words.",
        {
            "name": "Almost there",
            "rule": {"<=": [40, _var("cart.subtotal"), 49.99]},
            "evidence": 0, "priority": 15, "group": "free shipping", "holdout": 0.05,
            "offer": {"kind": "progress", "key": "progress.free_shipping", "target": "50",
                      "messages": _ALMOST},
        },
    ),
}  # fmt: skip

TEMPLATES: Mapping[str, Template] = {
    name: Template(says, read_campaign({"id": name, **written})) for name, (says, written) in _WRITTEN.items()
}
