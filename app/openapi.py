"""The OpenAPI document of the API: `python -m app.openapi` writes docs/openapi.json."""

from __future__ import annotations

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from app.offers.wire import MAX_BODY, Answer, Question
from app.outbound.api_keys import PER_MINUTE
from app.outbound.routes import MOST, READS, USUAL_LIMIT
from app.outbound.shared import Customer, Page, Segments

FILE = Path(__file__).parents[1] / "docs/openapi.json"
_SCHEMAS = "#/components/schemas/{name}"


class Error(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was wrong. field: which parameter, where it was one."""

    error: str
    field: str = ""


# By path: what the answer is, and the parameters with their schemas.
_ANSWERS: dict[str, tuple[type, dict[str, dict[str, Any]]]] = {
    "/api/v1/segments": (Segments, {}),
    "/api/v1/customers/{customer_id}": (
        Customer,
        {"customer_id": {"in": "path", "schema": {"type": "integer", "minimum": 1}}},
    ),
    "/api/v1/segments/{name}/customers": (
        Page,
        {
            "name": {"in": "path", "schema": {"type": "string"}},
            "limit": {
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL_LIMIT},
            },
            "cursor": {"in": "query", "schema": {"type": "string"}},
        },
    ),
}


def document() -> dict[str, Any]:
    """Return the document. Pure."""
    answers = [answer for answer, _ in _ANSWERS.values()]
    types = [*answers, Error, Question, Answer]
    _, components = msgspec.json.schema_components(types, ref_template=_SCHEMAS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tillwise",
            "version": "1",
            "description": "What a checkout or a storefront is offered, and a shop's segments for its other "
            "systems. Of the segments, only customers who allow it are shown, and at most "
            f"{PER_MINUTE} calls a minute are answered for each key.",
        },
        "paths": {path: {"get": _operation(path, read.__doc__ or "")} for path, read in READS} | _OFFERS,
        "components": {
            "schemas": {name: _described(schema) for name, schema in components.items()},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "proxy": {"type": "apiKey", "in": "query", "name": "signature"},
            },
        },
        "security": [{"key": []}],
    }


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    # Python 3.13 takes the indentation out of docstrings, and earlier ones leave it.
    return schema | {"description": cleandoc(schema["description"])} if "description" in schema else schema


def _operation(path: str, says: str) -> dict[str, Any]:
    answer, parameters = _ANSWERS[path]
    refusals = {"401": "No key, or none that is good.", "404": "There is no such thing, or it is not shared."}
    refusals |= {"400": "A parameter can't be used."} if len(parameters) > 1 else {}
    responses: dict[str, Any] = {"200": _response(says, answer)}
    responses |= {status: _response(words, Error) for status, words in sorted(refusals.items())}
    responses["429"] = _wait("Too many calls in this minute.")
    responses["503"] = _wait("A store of ours can't be reached.")
    listed = [{"name": name, "required": one["in"] == "path", **one} for name, one in parameters.items()]
    return {"summary": says, "parameters": listed, "responses": responses}


def _wait(says: str) -> dict[str, Any]:
    waits = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return _response(says, Error) | {"headers": waits}


def _response(says: str, answer: type) -> dict[str, Any]:
    schema = {"$ref": _SCHEMAS.format(name=answer.__name__)}
    return {"description": says, "content": {"application/json": {"schema": schema}}}


_ASKED = {"application/json": {"schema": {"$ref": _SCHEMAS.format(name="Question")}}}
_OFFERS: dict[str, Any] = {
    "/api/personalize": {
        "post": {
            "summary": "Return the offers for a checkout; the session token is Shopify's of that checkout.",
            "security": [{"session": []}],
            "requestBody": {"required": True, "content": _ASKED},
            "responses": {
                "200": _response("The offers; `fallback` says why they are less than they could be.", Answer),
                "400": _response("The question can't be read: `field` names what is wrong.", Error),
                "401": _response("No session token, or none that is good.", Error),
                "413": _response(f"The question is longer than {MAX_BODY} bytes.", Error),
                "429": _wait("This visitor asks too often."),
            },
        }
    },
    "/proxy/offers": {
        "get": {
            "summary": "Return the offers for a page of the storefront, asked through the shop's app proxy.",
            "security": [{"proxy": []}],
            "parameters": [{"name": "question", "in": "query", "required": True, "content": _ASKED}],
            "responses": {
                "200": _response("As of `/api/personalize`.", Answer),
                "400": _response("The proxy's signature is missing or wrong, or the question is.", Error),
                "413": _response(f"The question is longer than {MAX_BODY} bytes.", Error),
                "429": _wait("This visitor asks too often."),
            },
        }
    },
}


def written() -> str:
    """Return the document as the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
