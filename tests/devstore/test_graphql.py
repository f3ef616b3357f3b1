"""The Admin API: Shopify's schema, scopes, pages, costs and mutations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from devstore.schema import MODULES
from tests.devstore.conftest import Desk, past_order

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


@pytest.fixture
async def api(desk: Desk) -> Desk:
    await desk.sign_in()
    return desk


def codes(answer: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in answer["errors"]]


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
async def test_both_versions_answer(api: Desk, version: str) -> None:
    answer = await api.graphql("{shop{id name currencyCode}}", version)
    assert answer["data"]["shop"] == {"id": "gid://shopify/Shop/1", "name": "Corner", "currencyCode": "USD"}


async def test_a_version_that_does_not_exist_is_404(api: Desk) -> None:
    answer = await api.client.post("/admin/api/2019-01/graphql.json", json={"query": "{shop{id}}"})
    assert answer.status_code == 404


async def test_a_field_that_is_not_shopifys_is_refused(api: Desk) -> None:
    answer = await api.graphql("{products(first:1){nodes{id colour}}}")
    assert codes(answer) == ["undefinedField"]
    assert "colour" in answer["errors"][0]["message"]
    assert "data" not in answer


async def test_a_field_of_shopifys_that_the_dev_store_lacks_is_named(api: Desk) -> None:
    answer = await api.graphql("{shop{analyticsToken description}}")
    assert codes(answer) == ["DEVSTORE_UNKNOWN_FIELD"]
    assert "Shop.analyticsToken" in answer["errors"][0]["message"]


async def test_pages_follow_one_another_without_a_gap(api: Desk) -> None:
    seen, after = [], None
    query = "query($after:String){products(first:3,after:$after){nodes{id} pageInfo{hasNextPage endCursor}}}"
    while True:
        page = (await api.graphql(query, after=after))["data"]["products"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [f"gid://shopify/Product/{n}" for n in (1, 2, 3, 4)]


async def test_a_connection_asks_for_its_size(api: Desk) -> None:
    answer = await api.graphql("{products{nodes{id}}}")
    assert "first or last" in answer["errors"][0]["message"]


async def test_orders_are_searched_and_carry_their_money(api: Desk) -> None:
    past_order(api.shop, 3)
    past_order(api.shop, 30, 2)
    since = "created_at:>=2026-11-10"
    answer = await api.graphql(
        "query($q:String){orders(first:5,query:$q){nodes{totalPriceSet{shopMoney{amount currencyCode}}"
        " customer{id} lineItems(first:5){nodes{quantity variant{id price}}}}}}",
        q=since,
    )
    # two of 3.49
    assert answer["data"]["orders"]["nodes"] == [
        {
            "totalPriceSet": {"shopMoney": {"amount": "6.98", "currencyCode": "USD"}},
            "customer": {"id": "gid://shopify/Customer/7"},
            "lineItems": {
                "nodes": [
                    {"quantity": 2, "variant": {"id": "gid://shopify/ProductVariant/101", "price": "3.49"}}
                ]
            },
        }
    ]


async def test_items_say_what_they_cost_and_are_found_by_when_that_changed(api: Desk) -> None:
    api.passed += timedelta(minutes=30)
    answer = await api.post("/control/cost", variant_id=102, cost_minor=210)
    assert answer.json() == {"variant_id": 102, "cost_minor": 210}
    query = (
        "query($q:String){inventoryItems(first:5,query:$q){"
        "nodes{id updatedAt unitCost{amount currencyCode}}}}"
    )
    changed = await api.graphql(query, q="updated_at:>='2026-11-20T12:30:00Z'")
    assert changed["data"]["inventoryItems"]["nodes"] == [
        {
            "id": "gid://shopify/InventoryItem/902",
            "updatedAt": "2026-11-20T12:30:00Z",
            "unitCost": {"amount": "2.10", "currencyCode": "USD"},
        }
    ]
    await api.post("/control/cost", variant_id=102, cost_minor=None)
    found = await api.graphql(query, q="id:902")
    assert found["data"]["inventoryItems"]["nodes"][0]["unitCost"] is None


async def test_orders_older_than_60_days_need_their_own_scope(api: Desk) -> None:
    past_order(api.shop, 59)
    past_order(api.shop, 61, 2)
    assert (await api.graphql("{ordersCount{count}}"))["data"]["ordersCount"]["count"] == 1
    await api.post("/control/scopes", scopes=["read_orders", "read_all_orders"])
    assert (await api.graphql("{ordersCount{count}}"))["data"]["ordersCount"]["count"] == 2


@pytest.mark.parametrize(
    ("scope", "query"),
    [
        ("read_products", "{products(first:1){nodes{id}}}"),
        ("read_customers", "{customers(first:1){nodes{id}}}"),
        ("read_orders", "{orders(first:1){nodes{id}}}"),
        ("read_discounts", "{codeDiscountNodes(first:1){nodes{id}}}"),
        ("write_pixels", 'mutation{webPixelCreate(webPixel:{settings:"{}"}){userErrors{code}}}'),
    ],
)
async def test_what_the_scopes_do_not_allow_is_denied(api: Desk, scope: str, query: str) -> None:
    await api.post("/control/scopes", scopes=["read_themes"])
    answer = await api.graphql(query)
    assert codes(answer) == ["ACCESS_DENIED"]
    assert scope in answer["errors"][0]["extensions"]["requiredAccess"]


async def test_an_empty_bucket_throttles_inside_a_200_and_refills(api: Desk) -> None:
    await api.graphql("{shop{id}}")
    api.store.bucket_of(api.shop).available = 0
    throttled = await api.graphql("{shop{id}}")
    assert codes(throttled) == ["THROTTLED"]
    assert throttled["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 0
    api.passed += timedelta(seconds=1)  # 100 points
    assert (await api.graphql("{shop{id}}"))["data"]["shop"]


async def test_the_cost_is_what_was_answered_not_what_could_have_been(api: Desk) -> None:
    cost = (await api.graphql("{products(first:100){nodes{id}}}"))["extensions"]["cost"]
    assert cost["requestedQueryCost"] == 102  # 2 for the connection, 1 for each of 100
    assert cost["actualQueryCost"] == 6  # 2 for the connection, 1 for each of 4
    assert cost["throttleStatus"]["currentlyAvailable"] == 1994


async def test_a_query_over_a_thousand_points_is_refused(api: Desk) -> None:
    answer = await api.graphql("{products(first:250){nodes{variants(first:250){nodes{id}}}}}")
    assert codes(answer) == ["MAX_COST_EXCEEDED"]


async def test_a_pixel_is_made_once_and_then_changed(api: Desk) -> None:
    create = (
        "mutation($s:JSON!){webPixelCreate(webPixel:{settings:$s}){webPixel{id settings} userErrors{code}}}"
    )
    made = (await api.graphql(create, s='{"accountID":"pk_1"}'))["data"]["webPixelCreate"]
    again = (await api.graphql(create, s="{}"))["data"]["webPixelCreate"]
    update = "mutation($i:ID!,$s:JSON!){webPixelUpdate(id:$i,webPixel:{settings:$s}){userErrors{code}}}"
    await api.graphql(update, i=made["webPixel"]["id"], s='{"accountID":"pk_2"}')
    assert again["userErrors"] == [{"code": "TAKEN"}]
    assert (await api.graphql("{webPixel{settings}}"))["data"]["webPixel"][
        "settings"
    ] == '{"accountID": "pk_2"}'


async def test_metafields_are_kept_under_the_apps_own_namespace(api: Desk) -> None:
    await api.post("/control/scopes", scopes=["write_products"])
    set_it = (
        'mutation($v:String!){metafieldsSet(metafields:[{ownerId:"gid://shopify/Product/1",namespace:"$app",'
        'key:"offers",type:"json",value:$v}]){metafields{namespace jsonValue} userErrors{code}}}'
    )
    made = (await api.graphql(set_it, v='{"a":1}'))["data"]["metafieldsSet"]["metafields"][0]
    wrong = (await api.graphql(set_it, v="{"))["data"]["metafieldsSet"]
    read = '{product(id:"gid://shopify/Product/1"){metafield(namespace:"$app",key:"offers"){value}}}'
    assert made["namespace"].startswith("app--")
    assert made["jsonValue"] == {"a": 1}
    assert wrong["userErrors"] == [{"code": "INVALID_VALUE"}]
    assert (await api.graphql(read))["data"]["product"]["metafield"]["value"] == '{"a":1}'


async def test_codes_are_added_to_a_discount_and_taken_ones_reported(api: Desk) -> None:
    create = (
        'mutation($v:Float!){discountCodeBasicCreate(basicCodeDiscount:{title:"Pool",code:"POOL-0",'
        "customerGets:{value:{percentage:$v},items:{all:true}}}){codeDiscountNode{id} userErrors{code}}}"
    )
    wrong = (await api.graphql(create, v=10.0))["data"]["discountCodeBasicCreate"]
    made = (await api.graphql(create, v=0.1))["data"]["discountCodeBasicCreate"]
    add = (
        'mutation($i:ID!){discountRedeemCodeBulkAdd(discountId:$i,codes:[{code:"POOL-1"},{code:"pool-0"}])'
        "{bulkCreation{importedCount failedCount} userErrors{code}}}"
    )
    added = await api.graphql(add, i=made["codeDiscountNode"]["id"])
    assert wrong["userErrors"] == [{"code": "VALUE_OUTSIDE_RANGE"}]
    assert added["data"]["discountRedeemCodeBulkAdd"]["bulkCreation"] == {
        "importedCount": 1,
        "failedCount": 1,
    }
    found = api.shop.discount_of("POOL-1")
    assert found is not None
    assert found.percentage == 10


async def test_a_subscription_made_through_the_api_is_told(api: Desk) -> None:
    made = await api.graphql(
        "mutation{webhookSubscriptionCreate(topic:CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE,"
        'webhookSubscription:{uri:"/webhooks"}){webhookSubscription{topic uri} userErrors{message}}}'
    )
    await api.post("/control/webhook", topic="customers_email_marketing_consent/update", id=7)
    await api.post("/control/settle")
    assert (
        made["data"]["webhookSubscriptionCreate"]["webhookSubscription"]["uri"] == "http://app.test/webhooks"
    )
    assert api.topics == ["customers_email_marketing_consent/update"]


async def test_tags_need_the_scope_of_what_they_are_put_on(api: Desk) -> None:
    add = 'mutation{tagsAdd(id:"gid://shopify/Product/1",tags:["x"]){node{id} userErrors{message}}}'
    assert codes(await api.graphql(add)) == ["ACCESS_DENIED"]
    await api.post("/control/scopes", scopes=["write_products"])
    assert (await api.graphql(add))["data"]["tagsAdd"]["node"] == {"id": "gid://shopify/Product/1"}
    assert api.shop.products[1].tags == ["x"]


async def test_privacy_and_consent_settings_are_there(api: Desk) -> None:
    answer = await api.graphql(
        "{privacySettings{banner{enabled}} consentPolicy(countryCode:DE){consentRequired}"
        ' customer(id:"gid://shopify/Customer/7"){dataSaleOptOut}}'
    )
    assert answer["data"] == {
        "privacySettings": {"banner": {"enabled": True}},
        "consentPolicy": [{"consentRequired": True}],
        "customer": {"dataSaleOptOut": False},
    }
