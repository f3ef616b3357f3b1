"""What is asked of Shopify is good in Shopify's own schema, and Flow's fields are those it is told."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse, validate

from app.reach import documents
from app.reach.flow import HANDLE, flow_payload
from app.reach.store import Abandonment
from devstore.cost import QUERY_LIMIT, Query, requested
from tests.webhooks.test_documents import SCHEMAS, schema

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
needs_packages = pytest.mark.skipif(not SCHEMAS.exists(), reason="npm packages are not installed: make setup")


@needs_packages
@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize("name", ["WHO_LEFT", "SHOP_TO_ALERT", "FLOW_TRIGGER"])
def test_document_is_good_in_shopifys_schema_and_cheap(name: str, version: str) -> None:
    document = parse(getattr(documents, name))
    assert validate(schema(version), document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert (
        requested(operation, Query(schema(version), {}, {"id": "gid://shopify/Customer/1"}))
        < QUERY_LIMIT / 50
    )


def test_flow_is_told_every_field_of_its_trigger_and_no_other() -> None:
    text = (ROOT / "extensions/cart-abandoned/shopify.extension.toml").read_text()
    trigger = tomllib.loads(text)
    assert [(each["type"], each["handle"]) for each in trigger["extensions"]] == [("flow_trigger", HANDLE)]
    fields = trigger["settings"]["fields"]
    keys = {"customer_id" if each["type"] == "customer_reference" else each["key"] for each in fields}
    left = Abandonment(
        abandonment_id="a", checkout_token="t", client_id=None, customer_id=7,
        currency="USD", subtotal_minor=1, lines=[[1, 1]], left=False, began_at=NOW, last_at=NOW,
        silent_since=NOW, abandoned_at=NOW, resolved_at=None, resolution="",
    )  # fmt: skip
    told = flow_payload("a.myshopify.com", left, 7, None, None)
    assert told.keys() == keys
    # Flow compares a number as one only where it is told one.
    numbers = {each["key"] for each in fields if each["type"] == "number_decimal"}
    assert {key for key, value in told.items() if isinstance(value, float | int)} == {"customer_id", *numbers}
