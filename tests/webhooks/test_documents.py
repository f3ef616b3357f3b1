import gzip
import json
from functools import cache
from pathlib import Path

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, build_client_schema, parse, validate

from devstore.cost import QUERY_LIMIT, Query, requested
from webhooks import documents

SCHEMAS = Path(__file__).parents[2] / "node_modules/@shopify/dev-mcp/dist/data"
DOCUMENTS = {
    name: text for name, text in vars(documents).items() if name.isupper() and not name.startswith("_")
}


@cache
def schema(version: str) -> GraphQLSchema:
    with gzip.open(SCHEMAS / f"admin_{version}.json.gz") as packed:
        return build_client_schema(json.load(packed)["data"], assume_valid=True)


@pytest.mark.skipif(not SCHEMAS.exists(), reason="npm packages are not installed: make setup")
@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_good_in_shopifys_schema_and_may_be_asked(name: str, version: str) -> None:
    document = parse(DOCUMENTS[name])
    assert validate(schema(version), document) == []
    (asked,) = document.definitions
    assert isinstance(asked, OperationDefinitionNode)
    assert requested(asked, Query(schema(version), {}, {})) <= QUERY_LIMIT
