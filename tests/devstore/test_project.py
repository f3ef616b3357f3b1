"""The compiled reader of bulk queries answers what graphql-core answers."""

from __future__ import annotations

import pytest
from graphql import parse

from devstore.graphql import Asked, context_of, execute_document, read
from devstore.project import compile_query
from devstore.schema import MODULES
from tests.devstore.conftest import Desk, past_order

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
SCOPES = frozenset({"read_products", "read_orders", "read_customers", "read_discounts", "read_inventory"})


@pytest.mark.parametrize(
    "query",
    [
        "{products(first:9){edges{node{id kind:productType ...More __typename}}}} "
        "fragment More on Product{title variants(first:2){nodes{price inventoryItem{tracked}}}}",
        "{orders(first:9,reverse:true){nodes{id createdAt discountCodes totalPriceSet{shopMoney{amount}}"
        " discountApplications(first:3){nodes{... on DiscountCodeApplication{code} targetType}}"
        " customer{id numberOfOrders} lineItems(first:5){nodes{quantity}}"
        " lineItems(first:5){nodes{title}}}}}",
        '{node(id:"gid://shopify/Customer/7"){id ... on Customer{firstName} ... on Order{name}}}',
        "{shop{id @skip(if:true) name @include(if:true) description}}",
    ],
)
async def test_both_readers_agree(desk: Desk, query: str) -> None:
    past_order(desk.shop, 1)
    context = context_of(desk.store, desk.shop, SCOPES, "2026-07")
    asked = read(context, {"query": query})
    assert isinstance(asked, Asked)
    slow = execute_document(context, asked)
    assert slow.errors is None
    assert compile_query(context, parse(query))(context) == slow.data
