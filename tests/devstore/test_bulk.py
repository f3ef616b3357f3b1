"""Bulk operations: what runs, what is written, and how it is fetched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devstore.schema import MODULES
from tests.devstore.conftest import Desk, past_order

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)
ORDERS = "{orders{edges{node{id name lineItems{edges{node{id quantity}}}}}}}"
RUN = (
    "mutation($q:String!){bulkOperationRunQuery(query:$q){bulkOperation{id status} userErrors{code message}}}"
)
STATUS = "{currentBulkOperation{status errorCode objectCount rootObjectCount fileSize url partialDataUrl}}"


@pytest.fixture
async def api(desk: Desk) -> Desk:
    await desk.sign_in()
    for number in range(3):
        past_order(desk.shop, number, number)
    return desk


async def run(api: Desk, query: str) -> dict[str, Any]:
    """Return the operation after it ended."""
    started = (await api.graphql(RUN, q=query))["data"]["bulkOperationRunQuery"]
    assert started["userErrors"] == []
    assert started["bulkOperation"]["status"] == "CREATED"
    await api.post("/control/settle")
    ended: dict[str, Any] = (await api.graphql(STATUS))["data"]["currentBulkOperation"]
    return ended


async def test_children_follow_their_parent_and_name_it(api: Desk) -> None:
    ended = await run(api, ORDERS)
    text = (await api.client.get(ended["url"])).text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [ended["status"], ended["objectCount"], ended["rootObjectCount"]] == ["COMPLETED", "6", "3"]
    assert int(ended["fileSize"]) == len(text.encode())
    for parent, child in zip(lines[::2], lines[1::2], strict=True):
        assert child["__parentId"] == parent["id"]
        assert "lineItems" not in parent
    assert api.topics == ["bulk_operations/finish"]


async def test_a_download_goes_on_where_it_was_cut(api: Desk) -> None:
    url = (await run(api, ORDERS))["url"]
    whole = (await api.client.get(url)).content
    rest = await api.client.get(url, headers={"Range": "bytes=100-"})
    assert rest.status_code == 206
    assert rest.headers["content-range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    assert whole[:100] + rest.content == whole


async def test_a_failure_leaves_what_was_written(api: Desk) -> None:
    await api.post("/control/bulk-failure", after_lines=3)
    ended = await run(api, ORDERS)
    assert (ended["status"], ended["errorCode"], ended["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert len((await api.client.get(ended["partialDataUrl"])).text.splitlines()) == 3
    assert (await run(api, ORDERS))["status"] == "COMPLETED"


async def test_missing_scopes_fail_the_operation(api: Desk) -> None:
    await api.post("/control/scopes", scopes=["read_products"])
    ended = await run(api, ORDERS)
    assert (ended["status"], ended["errorCode"]) == ("FAILED", "ACCESS_DENIED")


async def test_an_empty_result_has_no_address(api: Desk) -> None:
    ended = await run(api, '{orders(query:"id:1"){edges{node{id}}}}')
    assert (ended["status"], ended["objectCount"], ended["url"]) == ("COMPLETED", "0", None)


@pytest.mark.parametrize(
    "query",
    [
        "{shop{id}}",  # no connection
        "{orders{edges{node{id colour}}}}",  # not Shopify's
        "{orders{edges{node{name lineItems{edges{node{id}}}}}}}",  # nothing to make __parentId of
        "{orders{edges",
        "{customers{edges{node{id orders{edges{node{id lineItems{edges{node{id product{id"
        " variants{edges{node{id}}}}}}}}}}}}}}",  # a fourth level
    ],
)
async def test_a_query_that_can_not_run_in_bulk_is_refused(api: Desk, query: str) -> None:
    refused = (await api.graphql(RUN, q=query))["data"]["bulkOperationRunQuery"]
    assert refused["bulkOperation"] is None
    assert refused["userErrors"][0]["code"] == "INVALID"
