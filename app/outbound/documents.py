"""What we ask of a shop to hold for us: many tags or metafields in one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.outbound.marks import KEY, NAMESPACE, TYPE, Change
from app.values import gid

# A request may cost 1,000 points and a mutation costs 10: two for each of so many customers.
BATCH = 25  # metafieldsSet takes 25 at most

SET_METAFIELDS = """
mutation SetMetafields($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    userErrors { code elementIndex field message }
  }
}
"""

DELETE_METAFIELDS = """
mutation DeleteMetafields($metafields: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $metafields) {
    userErrors { field message }
  }
}
"""

WHICH_SHOP = """
query WhichShop {
  shop { id }
}
"""

WHO_EXISTS = """
query WhoExists($ids: [ID!]!) {
  nodes(ids: $ids) { id }
}
"""


def change_tags(changes: Sequence[Change]) -> tuple[str, dict[str, Any]]:
    """Return the document that changes the customers' tags, and its variables. Pure.

    The answer to `add3` is that of the fourth change.
    """
    declared: list[str] = []
    fields: list[str] = []
    variables: dict[str, Any] = {}
    for at, change in enumerate(changes):
        declared.append(f"$id{at}: ID!")
        variables[f"id{at}"] = gid("Customer", change.customer_id)
        for verb, tags in (("Remove", change.remove), ("Add", change.add)):
            if tags:
                name = f"{verb.lower()}{at}"
                declared.append(f"${name}: [String!]!")
                variables[name] = list(tags)
                call = f"tags{verb}(id: $id{at}, tags: ${name})"
                fields.append(f"{name}: {call} {{ userErrors {{ message }} }}")
    text = f"mutation ChangeCustomerTags({', '.join(declared)}) {{\n  " + "\n  ".join(fields) + "\n}\n"
    return text, variables


def metafield(customer_id: int) -> dict[str, Any]:
    """Return what names a customer's metafield of ours. Pure."""
    return {"ownerId": gid("Customer", customer_id), "namespace": NAMESPACE, "key": KEY}


def metafield_value(customer_id: int, value: str) -> dict[str, Any]:
    """Return a customer's metafield of ours with its value. Pure."""
    return metafield(customer_id) | {"type": TYPE, "value": value}
