"""The price of a GraphQL query in points, and the leaky bucket that the points come out of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    value_from_ast_untyped,
)

MAXIMUM = 2000.0
RESTORE_RATE = 100.0  # points a second
QUERY_LIMIT = 1000  # one query may not ask for more
MUTATION = 10


@dataclass(slots=True)
class Bucket:
    """Points left, refilled with time."""

    updated_at: datetime
    available: float = MAXIMUM
    maximum: float = MAXIMUM
    restore_rate: float = RESTORE_RATE

    def take(self, points: float, now: datetime) -> bool:
        """Return whether the bucket held the points; they are taken out only when it did."""
        passed = max(0.0, (now - self.updated_at).total_seconds())
        self.available = min(self.maximum, self.available + passed * self.restore_rate)
        self.updated_at = now
        if self.available < points:
            return False
        self.available -= points
        return True

    def give_back(self, points: float) -> None:
        self.available = min(self.maximum, self.available + points)

    def report(self, requested: int, actual: int | None) -> dict[str, Any]:
        """Return extensions.cost as Shopify writes it."""
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": self.maximum,
                "currentlyAvailable": int(self.available),
                "restoreRate": self.restore_rate,
            },
        }


@dataclass(frozen=True, slots=True)
class Query:
    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: dict[str, Any]


def requested(operation: OperationDefinitionNode, query: Query) -> int:
    """Return the most points that the operation can cost: 10 a mutation, 1 an object, pages by their size."""
    root = query.schema.get_root_type(operation.operation)
    assert isinstance(root, GraphQLObjectType)
    mutations = (
        len(operation.selection_set.selections) if operation.operation is OperationType.MUTATION else 0
    )
    return mutations * MUTATION + _of(operation.selection_set, root, query)


def _of(selections: SelectionSetNode, parent: Any, query: Query) -> int:
    total = 0
    for node in selections.selections:
        if isinstance(node, FieldNode):
            total += _field(node, parent, query)
        elif isinstance(node, InlineFragmentNode):
            name = node.type_condition.name.value if node.type_condition else parent.name
            total += _of(node.selection_set, query.schema.type_map[name], query)
        elif isinstance(node, FragmentSpreadNode):
            fragment = query.fragments[node.name.value]
            total += _of(
                fragment.selection_set, query.schema.type_map[fragment.type_condition.name.value], query
            )
    return total


def _field(node: FieldNode, parent: Any, query: Query) -> int:
    field = None if node.name.value.startswith("__") else parent.fields.get(node.name.value)
    if field is None or node.selection_set is None:
        return 0
    kind = get_named_type(field.type)
    if is_leaf_type(kind):
        return 0
    inside = _of(node.selection_set, kind, query)
    size = page_size(node, query.variables)
    if size is not None and kind.name.endswith("Connection"):
        return 2 + size * inside
    plumbing = kind.name.endswith(("Edge", "PageInfo", "Payload"))
    return inside + (0 if plumbing and not is_abstract_type(kind) else 1)


def page_size(node: FieldNode, variables: dict[str, Any]) -> int | None:
    """Return the first or last of a field's arguments, when it has one."""
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            size = value_from_ast_untyped(argument.value, variables)
            return int(size) if size is not None else None
    return None


def actual(data: dict[str, Any] | None) -> int:
    """Return what an answer costs: 1 an object and 2 a connection in it."""
    return sum(_objects(value) for value in (data or {}).values())


def _objects(data: Any) -> int:
    if isinstance(data, list):
        return sum(_objects(item) for item in data)
    if not isinstance(data, dict):
        return 0
    inside = sum(_objects(value) for value in data.values())
    if "edges" in data or "nodes" in data:
        return inside + 2
    return inside + ("node" not in data)
