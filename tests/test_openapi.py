"""The document of what other systems may ask is the code's own."""

from app import decide, storefront
from app.openapi import FILE, document, written
from app.outbound.routes import READS


def test_the_document_is_the_one_in_docs() -> None:
    assert FILE.read_text() == written(), "python -m app.openapi"


def test_the_document_tells_every_call_and_every_parameter_of_its_path() -> None:
    paths = document()["paths"]
    offers = {route.path for route in (*decide.routes, *storefront.routes)}
    assert set(paths) == {path for path, _ in READS} | offers
    for path, calls in paths.items():
        (call,) = calls.values()
        named = {each["name"] for each in call.get("parameters", ()) if each["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_everything_the_document_refers_to_is_in_it() -> None:
    text, schemas = written(), document()["components"]["schemas"]
    referred = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred == set(schemas)
    ways = document()["components"]["securitySchemes"]
    calls = [call for path in document()["paths"].values() for call in path.values()]
    assert {name for call in calls for each in call.get("security", ()) for name in each} <= set(ways)


def test_a_discount_without_a_code_is_told_with_its_grant() -> None:
    discount = document()["components"]["schemas"]["Discount"]
    assert "grant" in discount["properties"]
    assert "grant" not in discount["required"]
