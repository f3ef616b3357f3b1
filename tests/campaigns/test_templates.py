"""Each template is shown exactly when it should be: in one moment, and in none that lacks one thing of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest

from app.campaigns.campaign import Running
from app.campaigns.templates import TEMPLATES, template
from app.consent.policy import PURPOSES, consent_of, permissions
from app.errors import NotFound
from app.offers.campaigns import with_campaigns
from app.offers.situation import Occasion, Situation, situation_of
from app.offers.wire import read_question
from app.profiles.customer import NOBODY, Profile
from app.profiles.recall import Shopper
from app.profiles.visit import NO_VISIT, Visit
from app.rules.expression import read_rule
from app.rules.findings import findings
from tests.campaigns.factories import AT, NOW
from tests.offers.factories import a_body, a_product, a_shop, as_json

PRODUCTS = (a_product(10, 100_100), a_product(20, 100_000), a_product(30, 2_000))


@dataclass(frozen=True)
class Scene:
    """A moment in a checkout with a cart of 30.00. A customer with no profile is a guest."""

    visit: Visit | None = None
    profile: Profile | None = None
    subtotal: str = "30.00"
    lines: int = 1
    signals: dict[str, int] = field(default_factory=dict)
    purposes: tuple[str, ...] = PURPOSES

    def but(self, **changes: Any) -> Scene:
        """Return the scene with these changes; those of the visit or the profile are named so."""
        visit = {name[6:]: value for name, value in changes.items() if name.startswith("visit_")}
        profile = {name[8:]: value for name, value in changes.items() if name.startswith("profile_")}
        plain = {
            name: value for name, value in changes.items() if not name.startswith(("visit_", "profile_"))
        }  # fmt: skip
        scene = replace(self, **plain)
        if visit:
            scene = replace(scene, visit=msgspec.structs.replace(scene.visit or NO_VISIT, **visit))
        if profile:
            scene = replace(scene, profile=msgspec.structs.replace(scene.profile or NOBODY, **profile))
        return scene


def situation(scene: Scene, *names: str) -> Situation:
    """Return the situation of the scene in a shop that runs these templates, seen by all who match."""
    campaigns = [msgspec.structs.replace(TEMPLATES[name].campaign, holdout=0.0) for name in names]
    shop = a_shop(*PRODUCTS, campaigns=[Running(each, at) for at, each in enumerate(campaigns)])
    consent = consent_of(scene.purposes)
    may = permissions(consent)
    known = scene.profile is not None and may.may_use_profile
    shopper = Shopper(
        customer_id=7 if known else None,
        profile=scene.profile if known and scene.profile else NOBODY,
        visit=scene.visit if scene.visit and may.may_use_visit else NO_VISIT,
        unit="checkout:token" if may.may_store_checkout else None,
    )
    cart = a_body(*([30] * scene.lines))["cart"] | {"subtotal": scene.subtotal}
    question = read_question(as_json(a_body(cart=cart, signals=scene.signals)))
    occasion = Occasion("d", NOW, shop, question, consent, may, shopper)
    return with_campaigns(occasion, situation_of(occasion))


def shown(scene: Scene, *names: str) -> list[str]:
    weighed = situation(scene, *names).campaigns
    assert weighed is not None
    return [each.campaign_id for each in weighed.chosen]


BROWSING = Visit(
    viewed={10: 1}, visits=1, began_at=AT - 200, last_at=AT - 30, dwell_s=170, pages=4, products=2
)  # fmt: skip
LEAVING = Visit(
    viewed={30: 1}, visits=1, began_at=AT - 900, last_at=AT - 600, dwell_s=300, pages=4, products=1, step=2
)  # fmt: skip
DWELLING = Visit(viewed={30: 1}, visits=1, began_at=AT - 300, last_at=AT - 5, dwell_s=295, products=1)
CHAMPION = Profile(orders_count=6, segments=("champions",))
LOYAL = Profile(orders_count=2, segments=("loyal",))
ANALYTICS = ("analytics",)
PERSONAL = ("preferences", "marketing")

# For each template: a scene in which it is shown, more of them, and the near misses.
SCENES: dict[str, tuple[list[Scene], list[Scene]]] = {
    "viewed-dear": (
        [Scene(BROWSING), Scene(BROWSING, purposes=ANALYTICS), Scene(BROWSING, LOYAL)],
        [
            Scene(BROWSING).but(visit_viewed={20: 1}),  # 1,000 is not above 1,000
            Scene(BROWSING).but(visit_viewed={30: 1}),
            Scene(BROWSING).but(visit_viewed={}),
            Scene(BROWSING, lines=0).but(visit_dwell_s=5, visit_pages=1),  # one action alone
            Scene(BROWSING, purposes=PERSONAL),  # the visit may not be used
            Scene(BROWSING, purposes=()),
            Scene(),
        ],
    ),
    "high-value-leaves": (
        [
            Scene(LEAVING, CHAMPION),
            Scene(LEAVING, CHAMPION).but(profile_segments=("high_value_shoppers",)),
            Scene(LEAVING, CHAMPION).but(visit_last_at=AT - 5, visit_exit_intents=1),
        ],
        [
            Scene(LEAVING, LOYAL),
            Scene(LEAVING, None),
            Scene(LEAVING, CHAMPION, lines=0),
            Scene(LEAVING, CHAMPION).but(visit_step=0),
            Scene(LEAVING, CHAMPION).but(visit_step=6),  # has bought
            Scene(LEAVING, CHAMPION).but(visit_last_at=AT - 599),  # not silent for long enough
            Scene(LEAVING, CHAMPION, purposes=ANALYTICS),
            Scene(LEAVING, CHAMPION, purposes=PERSONAL),
        ],
    ),
    "hesitant-helped": (
        [
            Scene(DWELLING).but(visit_removed=1),
            Scene(DWELLING).but(visit_errors=2),
            Scene(DWELLING).but(visit_steps_back=1),
            Scene(DWELLING).but(visit_coupon_failures=1),
            Scene(DWELLING, Profile(segments=("hesitant_buyers",))),
            Scene(DWELLING, signals={"dwell_ms": 60_000}).but(visit_dwell_s=20, visit_removed=1),
        ],
        [
            Scene(DWELLING),
            Scene(DWELLING).but(visit_errors=1),
            Scene(DWELLING).but(visit_removed=1, visit_dwell_s=179),
            Scene(DWELLING, signals={"dwell_ms": 59_999}).but(visit_removed=1, visit_dwell_s=20),
            Scene(DWELLING, LOYAL),
            Scene(DWELLING, purposes=()).but(visit_removed=1),
        ],
    ),
    "free-shipping": (
        [
            Scene(),
            Scene(purposes=()),
            Scene(BROWSING, LOYAL),
            Scene(subtotal="50.00"),
            Scene(subtotal="80.00"),
        ],
        [Scene(subtotal="0.00"), Scene(subtotal="0", lines=0)],
    ),
    "loyal-thanked": (
        [
            Scene(None, LOYAL),
            Scene(None, LOYAL, purposes=PERSONAL),
            Scene(None, Profile(orders_count=4, segments=("at_risk",))),
            Scene(None, CHAMPION),
        ],
        [
            Scene(None, Profile(orders_count=3, segments=("active",))),
            Scene(None, LOYAL, lines=0),
            Scene(None, LOYAL, purposes=ANALYTICS),
            Scene(None, None),
        ],
    ),
    "cold-introduced": (
        [Scene(BROWSING), Scene(BROWSING, Profile()), Scene(BROWSING, purposes=ANALYTICS)],
        [
            Scene(BROWSING, LOYAL),
            Scene(BROWSING).but(visit_visits=2),
            Scene(BROWSING, purposes=()),  # who allows nothing may be anyone
            Scene(BROWSING, lines=0).but(visit_dwell_s=5, visit_pages=1),
            Scene(),
        ],
    ),
    "almost-there": (
        [Scene(subtotal="40.00"), Scene(subtotal="49.99"), Scene(subtotal="45.00", purposes=())],
        [Scene(subtotal="39.99"), Scene(subtotal="50.00"), Scene(subtotal="0.00")],
    ),
}


def test_each_that_a_checkout_shows_has_its_scenes() -> None:
    # Who left is no longer in a checkout: what is written to them is tried in tests/reach.
    in_checkout = {name for name, each in TEMPLATES.items() if each.campaign.trigger == "checkout"}
    assert SCENES.keys() == in_checkout
    assert all(each.says.endswith(".") for each in TEMPLATES.values())


@pytest.mark.parametrize(
    ("name", "scene"), [(name, scene) for name, (yes, _) in SCENES.items() for scene in yes]
)
def test_a_template_is_shown_when_it_should_be(name: str, scene: Scene) -> None:
    assert shown(scene, name) == [name]


@pytest.mark.parametrize(
    ("name", "scene"), [(name, scene) for name, (_, no) in SCENES.items() for scene in no]
)
def test_a_template_is_not_shown_when_one_thing_is_missing(name: str, scene: Scene) -> None:
    assert shown(scene, name) == []


@pytest.mark.parametrize(
    ("scene", "names"),
    [
        (Scene(LEAVING, CHAMPION).but(visit_viewed={10: 1}), ["high-value-leaves", "free-shipping"]),
        (Scene(BROWSING, LOYAL), ["viewed-dear", "free-shipping"]),
        (Scene(None, LOYAL, subtotal="45.00"), ["almost-there", "loyal-thanked"]),
        (Scene(BROWSING, subtotal="45.00").but(visit_viewed={30: 1}), ["almost-there", "cold-introduced"]),
        (Scene(purposes=()), ["free-shipping"]),
    ],
)
def test_all_together_one_nudge_and_one_bar_are_shown_and_never_two_discounts(
    scene: Scene, names: list[str]
) -> None:
    assert shown(scene, *TEMPLATES) == names


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_has_a_rule_that_a_merchant_would_be_warned_of(name: str) -> None:
    assert findings(read_rule(TEMPLATES[name].campaign.rule)) == []


def test_a_template_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(NotFound, match="there is no template 'x'; there are viewed-dear, "):
        template("x")


def test_thanks_are_of_no_order_in_particular() -> None:
    """A code that was not used stands on the thank-you page too, for the next order."""
    this_order = {
        "en": "this order", "de": "diese Bestellung", "es": "este pedido", "fr": "cette commande",
        "ja": "今回", "ar": "هذا الطلب",
    }  # fmt: skip
    messages = template("loyal-thanked").campaign.offer.messages
    assert messages.keys() == this_order.keys()
    assert [language for language, text in messages.items() if this_order[language] in text] == []
