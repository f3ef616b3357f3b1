"""A query compiled into plain functions once, then run over thousands of records.

It answers what graphql-core answers, from the same plans, for bulk queries: they have no variables.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

from devstore.resolve import MISSING, Context, denied, missing, plan_of

Read = Callable[[Context, Any, bool], Any]
Fragments = Mapping[str, FragmentDefinitionNode]


def compile_query(context: Context, document: DocumentNode) -> Callable[[Context], dict[str, Any]]:
    """Return a function that answers the document's one query. The document is valid already."""
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    root = Selection(context, fragments, [operation.selection_set], context.schema.graphql.query_type)
    return lambda asked: root.one(asked, None, True)


class Selection:
    """What is selected of one type; of an interface or a union, made once for each type in it."""

    def __init__(
        self, context: Context, fragments: Fragments, sets: Sequence[SelectionSetNode], kind: Any
    ) -> None:
        self.context, self.fragments, self.sets, self.kind = context, fragments, sets, kind
        self.abstract = is_abstract_type(kind)
        self.by_type: dict[str, list[tuple[str, Read]]] = {}

    def read(self, context: Context, source: Any) -> Any:
        """Return the selected fields of a record, of each in a list, or None."""
        if source is None:
            return None
        if isinstance(source, list | tuple):
            return [self.read(context, item) for item in source]
        return self.one(context, source)

    def one(self, context: Context, source: Any, root: bool = False) -> dict[str, Any]:
        """Return the selected fields of one record; the query's root has none behind it."""
        name = self.kind.name
        if self.abstract:
            name = source["__typename"] if isinstance(source, dict) else context.names[type(source)]
        fields = self.by_type.get(name)
        if fields is None:
            fields = self.by_type[name] = self._compile(name)
        return {key: read(context, source, root) for key, read in fields}

    def _compile(self, name: str) -> list[tuple[str, Read]]:
        parent = self.context.schema.graphql.type_map[name]
        assert isinstance(parent, GraphQLObjectType)
        nodes: dict[str, list[FieldNode]] = {}
        for selections in self.sets:
            for node in self._fields(selections, parent):
                nodes.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
        return [(key, self._field(parent, same)) for key, same in nodes.items()]

    def _fields(self, selections: SelectionSetNode, parent: GraphQLObjectType) -> Iterator[FieldNode]:
        """Yield the fields that a record of this type answers, fragments opened."""
        for node in selections.selections:
            if not _included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
                continue
            fragment: Any = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)
            condition = fragment.type_condition
            if condition is None or self._applies(condition.name.value, parent):
                yield from self._fields(fragment.selection_set, parent)

    def _applies(self, condition: str, parent: GraphQLObjectType) -> bool:
        schema = self.context.schema.graphql
        kind: Any = schema.type_map[condition]
        return kind is parent or (is_abstract_type(kind) and schema.is_sub_type(kind, parent))

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Read:
        first = nodes[0]
        if first.name.value == "__typename":
            return lambda context, source, root: parent.name
        field = parent.fields[first.name.value]
        plan = plan_of(self.context, parent, first.name.value, field.type)
        args, kind = get_argument_values(field, first), get_named_type(field.type)
        sets = [node.selection_set for node in nodes if node.selection_set]
        inside = Selection(self.context, self.fragments, sets, kind) if is_composite_type(kind) else None

        def read(context: Context, source: Any, root: bool) -> Any:
            for access in plan.access:
                if not access.scopes & context.scopes:
                    raise denied(first.name.value, access)
            value = plan.read(context, source, args)
            if value is MISSING:
                return missing(plan)
            if value is None:
                return None
            turned = plan.turn(context, plan, value, args, root)
            return turned if inside is None else inside.read(context, turned)

        return read


def _included(node: Any) -> bool:
    skip = get_directive_values(GraphQLSkipDirective, node)
    include = get_directive_values(GraphQLIncludeDirective, node)
    return not (skip and skip["if"]) and not (include and not include["if"])
