"""Every campaign that is shipped for the checkout, started as its merchant would: whom each speaks to."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from playwright.sync_api import Browser, Route, expect

from app.admin.campaigns_form import form_of
from app.campaigns.campaign import Campaign
from app.campaigns.recheck import SOON_S
from app.campaigns.templates import TEMPLATES
from app.coupons.minting import SCOPE
from app.profiles.keys import checkout_key
from app.profiles.packed import unpack_visit
from app.profiles.visit import Visit
from app.shops.changes import CHANGED
from devstore.demo import DOMAIN
from devstore.records import Customer
from devstore.shop import Shop
from tests.devstore.browser_world import build_host, until_within
from tests.journeys.shopper import TRIES, Shopper, shopper
from tests.journeys.small_stage import START_S, SmallStage, small_stage
from tests.journeys.stores import rows_of

HOUSEHOLDS, PRODUCTS, REGULARS = 60, 100, 5
# What is written to who left a checkout is shown in none.
SHIPPED = {name: each.campaign for name, each in TEMPLATES.items() if each.campaign.trigger == "checkout"}
PRICES = {"sample": 0, "snack": 1_200, "near": 4_500, "enough": 5_000, "large": 100_000, "dear": 120_000}
ONCE = 7_700_000_000_002  # a customer with one order
# Nobody is in another arm, and who holds one code already may be given a better one.
SETTINGS = {"arms": {"personalised": 1}, "discount_limits": {"codes": 2}, "coupon_pool": 20}
# What of each stands in the checkout.
WORDS: dict[str, str | re.Pattern[str]] = {
    "viewed-dear": "Save 10% on your order",
    "high-value-leaves": "Save 15% on your order",
    "hesitant-helped": "Any questions? We are happy to help before you pay.",
    "loyal-thanked": "Thank you for coming back: 10% off your order.",
    "cold-introduced": "New here? Every order comes with easy returns and people who answer.",
    "almost-there": "Almost there: $5.00 to go until shipping is free.",
    "free-shipping": re.compile(r"Add \$38\.00 more for free shipping\.|Your order ships for free\."),
}


def prepare(shop: Shop) -> None:
    """Give some products the prices that rules ask about, one customer a single order, regulars a new one.

    Bought today is what makes a champion of a regular: who did so nearly a day ago is none any more by the
    time they are at the checkout.
    """
    for product, price_minor in zip(shop.products.values(), PRICES.values(), strict=False):
        product.variants[0].price_minor, product.variants[0].inventory = price_minor, 100
    now = datetime.now(UTC)
    shop.add_customer(Customer(ONCE, "Some", "Body", "somebody@example.org", now, now))
    order = list(shop.orders.values())[-1]
    shop.by_customer[order.customer_id or 0].remove(order)
    order.customer_id = ONCE
    shop.by_customer[ONCE] = [order]
    for orders in sorted(shop.by_customer.values(), key=len)[-REGULARS:]:
        orders[-1].created_at = orders[-1].updated_at = now


@dataclass(frozen=True, slots=True)
class Templates:
    """The stage with every template running. names: by campaign. goods: products, as PRICES names them."""

    stage: SmallStage
    names: dict[str, str]
    goods: dict[str, int]
    champion: int


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    build_host()
    home: Path = tmp_path_factory.mktemp("stage")
    size = {"households": HOUSEHOLDS, "products": PRODUCTS}
    with small_stage(home, **size, prepare=prepare, trained=False) as stage:
        names = start_all(stage)
        goods = dict(zip(PRICES, stage.shop.products, strict=False))
        yield Templates(stage, names, goods, champion_of(stage))


def start_all(stage: SmallStage) -> dict[str, str]:
    """Start each as its editor does, held back from nobody; return which campaign is which template."""
    settle(stage, SETTINGS)
    control = f"{stage.store_url}/control"
    installation = stage.shop.installation
    assert installation is not None
    scopes = {"scopes": [*installation.scopes, SCOPE]}
    httpx.post(f"{control}/scopes", json=scopes, timeout=30).raise_for_status()
    token = httpx.post(f"{control}/id-token", json={}, timeout=30).json()["token"]
    address, proof = f"{stage.app_url}/admin/api/campaigns/", {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=proof, timeout=30) as calls:
        # As the editor does: codes are asked for once the app has heard that it may make some.
        until_within(START_S, lambda: calls.get("granted").json()["granted"])
        names = {start(calls, campaign): name for name, campaign in SHIPPED.items()}
    pools = sum(campaign.needs_code for campaign in SHIPPED.values())
    ready = "SELECT count(DISTINCT pool_id) FROM coupons WHERE status = 'pooled'"
    until_within(START_S, lambda: rows_of(stage, ready) == [(pools,)])
    return names


def start(calls: httpx.Client, campaign: Campaign) -> str:
    """Return the id under which the campaign runs."""
    form = msgspec.structs.replace(form_of(campaign, UTC), holdout="0")
    kept = call(calls, "keep", {"form": msgspec.to_builtins(form)})
    assert call(calls, "status", {"id": kept["id"], "status": "running"})["standing"] == "running"
    return str(kept["id"])


def call(calls: httpx.Client, name: str, body: Any) -> Any:
    answer = calls.post(name, json=body)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


def settle(stage: SmallStage, settings: dict[str, Any]) -> None:
    """Give the shop these settings of its merchant."""
    database = sqlite3.connect(stage.database, timeout=30)
    with database:
        database.execute("UPDATE shops SET settings = ? WHERE shop = ?", (json.dumps(settings), DOMAIN))
    database.close()
    with stage.redis() as redis:
        redis.publish(CHANGED, DOMAIN)


def champion_of(stage: SmallStage) -> int:
    """Return the champion who bought last and lets their history be used, once customers are segmented."""
    until_within(START_S, lambda: rows_of(stage, "SELECT count(*) > 0 FROM segment_sizes") == [(1,)])
    found = rows_of(stage, "SELECT customer_id FROM customer_segments WHERE memberships LIKE '%champions%'")
    willing = [who for (who,) in found if not stage.shop.customers[who].data_sale_opt_out]
    return int(max(willing, key=lambda who: stage.shop.by_customer[who][-1].created_at))


class Walk:
    """A shopper on their way through the shop, past the app's blocks, and at its checkout.

    Where the theme has no app block, no cart names its browser: the checkout asks as its page opens, and the
    pixel tells about then whose visit it is of, so what was done in the shop is known to the next question.
    """

    def __init__(self, running: Templates, made: Shopper) -> None:
        self.running, self.made = running, made

    def look(self, name: str, ago: timedelta = timedelta(), login: int | None = None) -> None:
        """Look at a product. ago: how far the shopper's clock is back: it says when things happened."""
        self.made.page.clock.set_fixed_time(datetime.now(UTC) - ago)
        self._open(name, embed="0", **({"customer": str(login)} if login else {}))

    def buy(self, name: str, login: int | None = None) -> dict[str, Any]:
        """Put the product into the cart, go to the checkout and come back to it; return its answer then."""
        self.into_the_checkout(name, login)
        self.until_known(lambda visit: visit.step > 0 and visit.added == 1)
        return self.again(self.made.page.url)

    def into_the_checkout(self, name: str, login: int | None = None) -> None:
        """Put the product into the cart and go to the checkout."""
        self.look(name, login=login)
        self.made.add_to_cart(followed=True)
        self.made.check_out(embed="0")

    def leave(self) -> None:
        """Be about to leave a page of the shop, where the app's block sees it."""
        checkout = self.made.checkout_token
        self._open("enough", delay="0")
        self.made.page.evaluate(LEAVES)
        self.until_known(lambda visit: visit.exit_intents == 1, checkout)

    def again(self, checkout: str) -> dict[str, Any]:
        """Open the checkout again, its block for messages alone; return the answer there."""
        asked = len(self.made.answers)
        self.made.page.goto(f"{checkout.partition('?')[0]}?{MESSAGES_ALONE}")
        return self.made.next_answer(asked)

    def until_known(self, true: Callable[[Visit], bool], checkout: str | None = None) -> None:
        """Wait until the app knows what the shopper of the checkout did."""
        key = checkout_key(DOMAIN, checkout or self.made.checkout_token)

        def known() -> bool:
            self.made.page.wait_for_timeout(50)  # the browser's own events come in meanwhile
            with self.running.stage.redis() as redis:
                packed: Any = redis.get(key)
            return true(unpack_visit(packed))

        until_within(START_S, known)

    def _open(self, name: str, **query: str) -> None:
        stage, told = self.running.stage, len(self.made.viewed)
        handle = stage.shop.products[self.running.goods[name]].handle
        visitor = urlencode({"consent": "all", **query})
        self.made.page.goto(f"{stage.store_url}/products/{handle}?{visitor}")
        self.made.wait_until(lambda: len(self.made.viewed) > told)


# The browser's own word for a mouse that leaves at the top, which no test can move it out by.
LEAVES = (
    "document.dispatchEvent(new MouseEvent('mouseout', {bubbles: true, relatedTarget: null, clientY: 0}))"
)
# As a merchant sets the block where another place shows products: no product painted ahead has its room.
MESSAGES_ALONE = "show_products=false"
LONG_AGO, A_WHILE_AGO = timedelta(hours=1), timedelta(seconds=200)


def looked_at_something_above_1000(walk: Walk) -> dict[str, Any]:
    walk.look("dear")
    return walk.buy("snack")


def looked_at_something_for_1000(walk: Walk) -> dict[str, Any]:
    walk.look("large")
    return walk.buy("near")


def is_a_champion_who_leaves(walk: Walk) -> dict[str, Any]:
    walk.buy("snack", login=walk.running.champion)
    checkout = walk.made.page.url
    walk.leave()
    return walk.again(checkout)


def is_a_champion_who_stays(walk: Walk) -> dict[str, Any]:
    return walk.buy("snack", login=walk.running.champion)


def leaves_and_is_no_champion(walk: Walk) -> dict[str, Any]:
    walk.buy("snack", login=ONCE)
    checkout = walk.made.page.url
    walk.leave()
    return walk.again(checkout)


def takes_long_and_fails_at_the_form(walk: Walk) -> dict[str, Any]:
    walk.look("snack", ago=A_WHILE_AGO)
    walk.buy("snack")
    for _ in range(2):
        walk.made.page.get_by_role("button", name="Pay now").click()
    walk.until_known(lambda visit: visit.errors >= 2)
    return walk.again(walk.made.page.url)


def takes_long_the_second_time(walk: Walk) -> dict[str, Any]:
    walk.look("snack", ago=LONG_AGO)
    walk.look("snack", ago=A_WHILE_AGO)
    return walk.buy("snack")


def takes_a_free_sample(walk: Walk) -> dict[str, Any]:
    return walk.buy("sample")


def ordered_once_and_has_free_shipping(walk: Walk) -> dict[str, Any]:
    return walk.buy("enough", login=ONCE)


# Whom a walk makes of a shopper, and all that is said to them.
SPOKEN_TO: list[tuple[Callable[[Walk], dict[str, Any]], set[str]]] = [
    (looked_at_something_above_1000, {"viewed-dear", "free-shipping"}),
    (looked_at_something_for_1000, {"cold-introduced", "almost-there"}),
    (is_a_champion_who_leaves, {"high-value-leaves", "free-shipping"}),
    (is_a_champion_who_stays, {"loyal-thanked", "free-shipping"}),
    (leaves_and_is_no_champion, {"free-shipping"}),
    (takes_long_and_fails_at_the_form, {"hesitant-helped", "free-shipping"}),
    (takes_long_the_second_time, {"free-shipping"}),
    (takes_a_free_sample, {"cold-introduced"}),
    (ordered_once_and_has_free_shipping, {"free-shipping"}),
]


@pytest.mark.parametrize(("walks", "said"), SPOKEN_TO, ids=lambda each: getattr(each, "__name__", None))
def test_a_shopper_is_told_what_is_for_them_and_nothing_else(
    running: Templates, browser: Browser, walks: Callable[[Walk], dict[str, Any]], said: set[str]
) -> None:
    with shopper(running.stage, browser) as made:
        walk = Walk(running, made)
        answer = walks(walk)
        for _ in range(TRIES):
            shown = {running.names[offer["campaign"]] for offer in answer["offers"] if "campaign" in offer}
            assert shown == said
            if painted(made, said):
                break
            answer = walk.again(made.page.url)  # a busy app answers too late for what is painted
        for name, words in WORDS.items():
            expect(made.offers.get_by_text(words)).to_have_count(int(name in said))


def test_a_shopper_who_stays_is_told_without_touching_the_cart(running: Templates, browser: Browser) -> None:
    with shopper(running.stage, browser) as made:
        walk = Walk(running, made)
        walk.look("dear")
        walk.look("snack")
        made.add_to_cart(followed=True)
        with pixel_held_up(made):  # so that the first question comes before it is known whose visit it is
            made.check_out(embed="0")
        expect(made.offers.get_by_text(WORDS["viewed-dear"])).to_be_visible(timeout=START_S * 1000)
        again = [question for question in made.questions if question.get("wants") == "message"]
        assert again
        assert all(question["signals"]["dwell_ms"] >= SOON_S[0] * 1000 for question in again)


@contextmanager
def pixel_held_up(made: Shopper) -> Iterator[None]:
    """Let what the pixel tells arrive only when this is left."""
    held: list[Route] = []
    made.page.context.route("**/api/track_event", lambda route: held.append(route))
    yield
    while held:
        held.pop(0).continue_()
    made.page.context.unroute("**/api/track_event")


def painted(made: Shopper, said: set[str]) -> bool:
    """Return whether the checkout shows all of it, once it had the time to."""
    made.page.wait_for_timeout(1_000)
    return all(made.offers.get_by_text(WORDS[name]).count() for name in said)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_template_is_walked_into_and_past(name: str) -> None:
    assert {name in said for _, said in SPOKEN_TO} == {True, False}
