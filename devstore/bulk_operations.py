"""A bulk operation's state, and its result as the lines of JSONL that Shopify writes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

MOST_CONNECTIONS = 5
DEEPEST = 3  # the root's connection and two levels in it


@dataclass(slots=True)
class BulkOperation:
    id: int
    shop: str
    query: str
    created_at: datetime
    path: Path
    url: str
    scopes: frozenset[str]
    version: str
    status: str = "CREATED"  # then RUNNING, then COMPLETED, FAILED or CANCELED
    error_code: str | None = None
    completed_at: datetime | None = None
    object_count: int = 0
    root_object_count: int = 0

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def running(self) -> bool:
        return self.status in ("CREATED", "RUNNING", "CANCELING")


def lines(data: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    """Yield (is a root object, JSON) for every node: a parent first, then what its connections hold."""
    for value in data.values():
        for node in nodes_of(value) or ():
            for depth, record in _flatten(node, None):
                yield depth == 0, json.dumps(record, separators=(",", ":"))


def nodes_of(value: Any) -> list[Any] | None:
    """Return the nodes of a connection in an answer, or None when the value is something else."""
    if not isinstance(value, dict) or not value.keys() & {"edges", "nodes"}:
        return None
    return [edge["node"] for edge in value["edges"]] if "edges" in value else list(value["nodes"])


def _flatten(
    node: dict[str, Any], parent: str | None, depth: int = 0
) -> Iterator[tuple[int, dict[str, Any]]]:
    inner: list[Any] = []
    record = _without_connections(node, inner)
    if parent is not None:
        record["__parentId"] = parent
    yield depth, record
    for child in inner:
        yield from _flatten(child, node.get("id", parent), depth + 1)


def _without_connections(node: dict[str, Any], inner: list[Any]) -> dict[str, Any]:
    """Return the node without its connections, whose nodes are added to inner."""
    kept = {}
    for key, value in node.items():
        nodes = nodes_of(value)
        if nodes is not None:
            inner.extend(nodes)
        else:
            kept[key] = _without_connections(value, inner) if isinstance(value, dict) else value
    return kept


def check(document: DocumentNode, schema: GraphQLSchema) -> str | None:
    """Return what keeps a valid query from running in bulk, or None when it can."""
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    assert schema.query_type is not None
    depths = list(_depths(operation.selection_set, schema.query_type, schema, fragments, 1, True))
    if not depths:
        return "Bulk queries must contain at least one connection."
    if len(depths) > MOST_CONNECTIONS:
        return f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
    if max(depth for depth, _ in depths) > DEEPEST:
        return "Bulk queries cannot contain connections with a nesting depth greater than 2."
    if not all(named for _, named in depths):
        return "Select id on every object that has a nested connection: __parentId is made of it."
    if len(operation.selection_set.selections) != 1:
        return "Bulk queries have one field at their root."
    return None


def _depths(
    selections: SelectionSetNode,
    parent: Any,
    schema: GraphQLSchema,
    fragments: dict[str, FragmentDefinitionNode],
    depth: int,
    has_id: bool,
) -> Iterator[tuple[int, bool]]:
    """Yield (depth, whether the object around it selects id) for every connection."""
    for node in selections.selections:
        if isinstance(node, FieldNode) and node.selection_set and not node.name.value.startswith("__"):
            kind = get_named_type(parent.fields[node.name.value].type)
            page = kind.name.endswith("Connection")
            if page:
                yield depth, has_id
            inside = kind.name.endswith(("Connection", "Edge")) or _selects_id(node.selection_set)
            yield from _depths(node.selection_set, kind, schema, fragments, depth + page, inside)
        elif isinstance(node, InlineFragmentNode):
            kind = schema.type_map[node.type_condition.name.value] if node.type_condition else parent
            yield from _depths(node.selection_set, kind, schema, fragments, depth, has_id)
        elif isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
            kind = schema.type_map[fragment.type_condition.name.value]
            yield from _depths(
                fragment.selection_set,
                kind,
                schema,
                fragments,
                depth,
                has_id or _selects_id(fragment.selection_set),
            )


def _selects_id(selections: SelectionSetNode) -> bool:
    return any(
        isinstance(n, FragmentSpreadNode | InlineFragmentNode)
        or (isinstance(n, FieldNode) and n.name.value == "id")
        for n in selections.selections
    )
