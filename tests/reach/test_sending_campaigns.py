"""Campaigns for those who left: a code of one's own, for whom, when, and for whom not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import app.catalog.store
from app.campaigns.campaign import Campaign, read_campaign
from app.campaigns.shopper_history import CampaignHistory, ShopperHistory
from app.campaigns.shopper_history import pack as pack_nudged
from app.campaigns.store import change_status, keep_campaign
from app.campaigns.supply import supply_codes
from app.campaigns.templates import template
from app.consent.requests import Kind, open_request
from app.coupon_tables import CouponRow
from app.coupons.ending import GRACE, end_grants
from app.coupons.store import WITHDRAWN, count_codes, set_status
from app.privacy.erasure import erase_person
from app.profiles.customer import Profile
from app.profiles.keys import customer_key, nudged_key
from app.profiles.packed import pack
from app.reach import sending
from app.reach.recipient import fetch_customer
from app.reach.settings import Reach
from app.tables import CustomerRow, ProductRow
from devstore.records import Customer
from devstore.schema import MODULES
from tests.outbound.segments import answer
from tests.reach.places import ADA, BO, LINES
from tests.reach.scene import DUE, GONE_SILENT, NOW, Scene, checkout, variant

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


async def campaign(scene: Scene, **changes: Any) -> Campaign:
    """Return a campaign that runs and has its codes."""
    written = {
        "id": "back", "name": "Come back", "rule": {">": [{"var": "cart.subtotal"}, 30]}, "holdout": 0,
        "trigger": "abandonment", "offer": {"kind": "coupon", "discount": {"percentage": 15}},
        "expires_s": 86_400, "caps": {"total": 12},
    }  # fmt: skip
    made = read_campaign(written | changes)
    await keep_campaign(scene.connections, scene.shop, made)
    await change_status(scene.connections, scene.shop, made.id, "running")
    await supply_codes(scene.connections, scene.shop)
    return made


async def test_a_campaign_gives_a_code_of_ones_own_in_the_letter_and_in_flow(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings, variants_of = [], app.catalog.store._of_variants
    scene.reach = Reach(flow=True, mail=True)
    await campaign(scene)
    await scene.left(GONE_SILENT)
    monkeypatch.setattr(
        app.catalog.store, "_of_variants", lambda shop: readings.append(shop) or variants_of(shop)
    )
    assert await scene.left(DUE) == 2
    assert readings == [scene.shop]  # of a large catalogue once a look, not once a letter
    granted = [each for each in await scene.rows(CouponRow) if each.status == "granted"]
    assert len(granted) == 1  # one shopper, one campaign, one code, both ways
    code = granted[0].code
    body = scene.office.letters[0].get_body(("plain",))
    assert body is not None
    assert f"15% off it with the code {code}" in body.get_content()
    assert f"/cart/11:2?discount={code}" in body.get_content()
    assert scene.front.installed.time_zone
    ends = granted[0].expires_at.astimezone(ZoneInfo(scene.front.installed.time_zone))
    assert f"It is good until {ends:%B} {ends.day}, {ends.year}, " in body.get_content()
    assert f" {ends:%Z}." in body.get_content()
    assert scene.front.shop.told_flow[0]["Discount code"] == code


async def test_who_is_erased_while_shopify_is_asked_about_them_is_given_and_written_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await campaign(scene)
    await scene.left(GONE_SILENT)

    async def erased_meanwhile(*asked: Any) -> Any:
        found = await fetch_customer(*asked)
        await open_request(scene.connections, scene.shop, "r", Kind.CUSTOMER, NOW, customer_id=ADA)
        await erase_person(scene.connections, scene.shop, "r")
        return found

    monkeypatch.setattr(sending, "fetch_customer", erased_meanwhile)
    assert await scene.left(DUE) == 0
    assert scene.office.letters == []
    assert await scene.connections.redis.keys("*:granted:*") == []


@pytest.mark.parametrize(("minimum", "gives"), [("30", True), ("30.01", False)])
async def test_a_code_is_given_only_where_it_is_good_for_what_is_left(
    scene: Scene, minimum: str, gives: bool
) -> None:
    await campaign(scene, offer={"kind": "coupon", "discount": {"percentage": 15, "minimum": minimum}},
                   rule={">": [{"var": "cart.subtotal"}, 10]})  # fmt: skip
    two = checkout(scene, "t", timedelta(seconds=1))
    two.data = two.data | {"lines": [*LINES, {"variant_id": 12, "quantity": 2}]}
    await scene.add(two)
    await scene.left(GONE_SILENT)
    await scene.add(variant(scene, 11, 0), variant(scene, 12, None))
    assert await scene.left(DUE) == 1
    body = str(scene.office.letters[0].get_body(("plain",)))
    assert "2 items, 30.00 USD" in body
    assert ("15% off" in body) is gives
    assert [each.status for each in await scene.rows(CouponRow)].count("granted") == gives


async def test_gift_cards_that_were_left_are_told_of_without_a_code_which_takes_nothing_off_them(
    scene: Scene,
) -> None:
    await campaign(scene)
    card = ProductRow(
        shop=scene.shop, product_id=1, title="Card", gift_card=True, created_at=NOW, updated_at=NOW
    )
    await scene.add(card, variant(scene, 11, None))
    assert await scene.left() == 1
    assert "% off" not in str(scene.office.letters[0].get_body(("plain",)))


async def written_again(scene: Scene, code_became: str) -> tuple[str, str]:
    """Return the code of the first letter, and what the second one says about another checkout left."""
    scene.reach = Reach(mail=True, rest_s=0)
    await campaign(scene, expires_s=14 * 86_400)
    assert await scene.left() == 1
    (granted,) = [each for each in await scene.rows(CouponRow) if each.status == "granted"]
    await set_status(scene.connections, scene.shop, [granted.code], code_became)
    await scene.add(checkout(scene, "u", timedelta(days=1)))
    assert await scene.left(timedelta(days=1) + GONE_SILENT, timedelta(days=1) + DUE) == 1
    return granted.code, str(scene.office.letters[1].get_body(("plain",))).replace("=\n", "")


async def test_a_code_that_was_used_is_not_given_again(scene: Scene) -> None:
    code, body = await written_again(scene, "redeemed")
    assert "% off" not in body
    assert code not in body


async def test_for_a_code_that_shopify_deleted_there_is_another_one(scene: Scene) -> None:
    code, body = await written_again(scene, WITHDRAWN)
    assert "15% off" in body
    assert code not in body


async def test_a_code_that_was_sent_goes_back_to_no_pool(scene: Scene) -> None:
    await campaign(scene)
    await scene.left()
    await end_grants(scene.connections, NOW + DUE + timedelta(days=1) + GRACE + timedelta(minutes=1))
    ((_, counted),) = (await count_codes(scene.connections, scene.shop)).items()
    assert counted.get("deleted") == 1


async def test_whom_the_campaign_is_held_back_from_gets_nothing_so_that_it_can_be_told(scene: Scene) -> None:
    await campaign(scene, holdout=1)
    assert await scene.left() == 0
    assert await scene.messages() == [("mail", "dropped", "withheld")]


async def test_who_does_not_match_is_reminded_unless_that_is_switched_off(scene: Scene) -> None:
    await campaign(scene, rule={">": [{"var": "cart.subtotal"}, 300]})
    scene.reach = Reach(mail=True, remind=False)
    assert await scene.left() == 0
    assert await scene.messages() == []


async def test_without_a_code_left_it_is_a_reminder_or_nothing(scene: Scene) -> None:
    made = await campaign(scene)
    await scene.left(GONE_SILENT)
    await scene.connections.redis.flushdb()
    scene.reach = Reach(mail=True, remind=False)
    assert await scene.left(DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "there is no code to give")]
    assert made.needs_code


async def test_a_total_holds_of_those_too_who_waited_while_others_were_given_theirs(scene: Scene) -> None:
    await campaign(scene, caps={"total": 1})
    scene.front.shop.add_customer(
        Customer(BO, "Bo", "Berg", "bo@example.com", NOW, NOW, email_consent="subscribed")
    )
    await scene.add(
        CustomerRow(shop=scene.shop, customer_id=BO, email_marketing="subscribed", updated_at=NOW),
        checkout(scene, "b", timedelta(minutes=5), BO),
    )
    assert await scene.left(GONE_SILENT, timedelta(minutes=36), DUE) == 1
    await supply_codes(scene.connections, scene.shop)
    assert await scene.left(DUE + timedelta(minutes=10)) == 1
    told = [str(each.get_body(("plain",))) for each in scene.office.letters]
    assert ["with the code" in each for each in told] == [True, False]


async def test_a_campaigns_own_delay_counts(scene: Scene) -> None:
    await campaign(scene, delay_s=4 * 3600)
    assert await scene.left(GONE_SILENT, DUE, timedelta(hours=4)) == 0
    assert await scene.left(timedelta(hours=4, minutes=32)) == 1


async def test_the_template_writes_to_high_value_customers_who_allow_it_alone(scene: Scene) -> None:
    await campaign(scene, id="high", rule=template("high-value-left").campaign.rule)
    scene.reach = Reach(mail=True, remind=False)
    profile = Profile(orders_count=6, segments=("champions",))
    await scene.connections.redis.set(customer_key(scene.shop, ADA), pack(profile))
    assert await scene.left() == 0  # nobody allowed that the profile is used
    await answer(scene.connections, scene.shop, ADA, preferences=True, marketing=True)
    later = timedelta(hours=3)
    await scene.add(checkout(scene, "u", later))
    assert await scene.left(later + GONE_SILENT, later + DUE) == 1


async def test_who_holds_a_code_from_the_checkout_is_written_no_other_one(scene: Scene) -> None:
    await campaign(scene)
    await answer(scene.connections, scene.shop, ADA, preferences=True, marketing=True)
    until = int((NOW + timedelta(days=2)).timestamp())
    for held, sent in (
        (CampaignHistory(1, code="TILL-A", expires_at=until), 0),
        (CampaignHistory(1, code="TILL-A"), 1),
    ):
        key = nudged_key(scene.shop, f"customer:{ADA}")
        await scene.connections.redis.set(key, pack_nudged(ShopperHistory(1, {"ten": held})))
        scene.reach = Reach(mail=True, remind=False)
        hours = timedelta(hours=3) * sent
        await scene.add(checkout(scene, f"u{sent}", hours))
        assert await scene.left(hours + GONE_SILENT, hours + DUE) == sent
