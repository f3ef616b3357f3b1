"""Shopify's own schemas: Admin's with the access scopes each type and field asks for, and Storefront's."""

import gzip
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_client_schema

DATA = Path("@shopify/dev-mcp/dist/data")
MODULES = Path(__file__).resolve().parent.parent / "node_modules"
VERSIONS = ("2026-07", "2026-10")


class NoSchema(Exception):
    """The schema of a version is not there; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a type or field asks for: any one of the scopes."""

    scopes: frozenset[str]
    words: str


@dataclass(frozen=True, slots=True)
class ApiSchema:
    version: str
    graphql: GraphQLSchema
    types: dict[str, Access]
    fields: dict[tuple[str, str], Access]
    plans: dict[tuple[str, str], Any] = field(default_factory=dict)  # filled by devstore.resolve

    def access(self, parent: str, name: str, returned: str) -> tuple[Access, ...]:
        """Return what reading parent.name asks for: the field's own scopes and its type's."""
        node = returned.removesuffix("Connection")
        asked = (self.fields.get((parent, name)), self.types.get(returned) or self.types.get(node))
        return tuple(access for access in asked if access is not None)


@cache
def load(version: str) -> ApiSchema:
    """Return the Admin schema of a version, read once a process: about half a second and 60 MB.

    Raises NoSchema for a version that the dev store does not speak, or without npm's packages.
    """
    read = _read("admin", version)
    items = [item for item in read["offline_scopes"]["items"] if item["offlineScopes"]]
    asked = {
        (item["typeName"], item.get("fieldName")): Access(
            frozenset(item["offlineScopes"]), item["requiredAccess"]
        )
        for item in items
    }
    return ApiSchema(
        version,
        build_client_schema(read["data"], assume_valid=True),
        {kind: access for (kind, name), access in asked.items() if name is None},
        {(kind, name): access for (kind, name), access in asked.items() if name is not None},
    )


@cache
def load_storefront(version: str) -> ApiSchema:
    """Return the Storefront schema of a version. Raises NoSchema as load does."""
    read = _read("storefront-graphql", version)
    return ApiSchema(version, build_client_schema(read["data"], assume_valid=True), {}, {})


def _read(api: str, version: str) -> dict[str, Any]:
    if version not in VERSIONS:
        raise NoSchema(f"API version {version} is not one of {', '.join(VERSIONS)}")
    path = MODULES / DATA / f"{api}_{version}.json.gz"
    if not path.exists():
        raise NoSchema(f"{path.name} is missing: run `npm ci` (it comes with @shopify/dev-mcp)")
    with gzip.open(path) as file:
        read: dict[str, Any] = json.load(file)
    return read
