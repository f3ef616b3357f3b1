"""What is asked of Shopify is good in Shopify's own schema, variables too."""

from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import parse, validate
from graphql.utilities import validate_input_value

from app.coupons import documents
from app.coupons.promise import Promise, automatic_input, metafield_value
from app.coupons.terms import CouponTerms, discount_input
from tests.webhooks.test_documents import SCHEMAS, schema

pytestmark = pytest.mark.skipif(not SCHEMAS.exists(), reason="npm packages are not installed: make setup")
DOCUMENTS = sorted(name for name in vars(documents) if name.isupper() and not name.endswith("_AT_ONCE"))
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_good_in_shopifys_schema(name: str, version: str) -> None:
    assert validate(schema(version), parse(getattr(documents, name))) == []


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize(
    ("terms", "type_name"),
    [
        (CouponTerms("a", percentage=10, combines_with=("shipping",)), "DiscountCodeBasicInput"),
        (CouponTerms("b", "product", amount_minor=500, product_ids=(7,)), "DiscountCodeBasicInput"),
        (CouponTerms("c", "shipping", minimum_minor=8000), "DiscountCodeFreeShippingInput"),
    ],
)
def test_a_discount_is_what_shopify_takes(terms: CouponTerms, type_name: str, version: str) -> None:
    wrong: list[Any] = []
    of_type: Any = schema(version).type_map[type_name]
    given = discount_input(terms, "EUR", "A", NOW, NOW)
    validate_input_value(given, of_type, lambda *error: wrong.append(error))
    assert wrong == []


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
@pytest.mark.parametrize("ends_at", [None, NOW])
def test_an_automatic_discount_is_what_shopify_takes(ends_at: datetime | None, version: str) -> None:
    wrong: list[Any] = []
    of_type: Any = schema(version).type_map["DiscountAutomaticAppInput"]
    promise = Promise("a", CouponTerms("a", "product", amount_minor=500, combines_with=("order",)), ends_at)
    given = automatic_input(promise, metafield_value(promise, "EUR", b"key"), NOW)
    validate_input_value(given, of_type, lambda *error: wrong.append(error))
    assert wrong == []
