"""What is asked of Shopify is good in Shopify's own schema."""

import pytest
from graphql import OperationDefinitionNode, parse, validate

from app.outbound import documents
from app.outbound.documents import BATCH, change_tags
from app.outbound.marks import NONE, Change, Mark
from devstore.cost import QUERY_LIMIT, Query, requested
from tests.webhooks.test_documents import SCHEMAS, schema

pytestmark = pytest.mark.skipif(not SCHEMAS.exists(), reason="npm packages are not installed: make setup")
FIXED = ("SET_METAFIELDS", "DELETE_METAFIELDS", "WHO_EXISTS", "WHICH_SHOP")


def changes(count: int) -> list[Change]:
    after = Mark(frozenset({"tillwise:b"}))
    return [
        Change(who, NONE, after, ("tillwise:b",), ("tillwise:a",), False, False, None)
        for who in range(1, count + 1)
    ]


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize("name", FIXED)
def test_document_is_good_in_shopifys_schema(name: str, version: str) -> None:
    assert validate(schema(version), parse(getattr(documents, name))) == []


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
def test_a_batch_of_tags_is_good_and_costs_less_than_a_request_may(version: str) -> None:
    text, variables = change_tags(changes(BATCH))
    document = parse(text)
    assert validate(schema(version), document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    declared = {each.variable.name.value for each in operation.variable_definitions or ()}
    assert declared == set(variables)
    cost = requested(operation, Query(schema(version), {}, variables))
    assert 10 * 2 * BATCH <= cost < QUERY_LIMIT
