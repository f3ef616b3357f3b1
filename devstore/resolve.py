"""One resolver for every field of Shopify's schema: by table, by key, or by the attribute of a record.

What a record says in plain Python (minor units, numbers, datetimes, lists) becomes what the field's
type asks for (MoneyBag, global id, DateTime, connection).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_named_type,
    is_enum_type,
    is_non_null_type,
)

from devstore.connection import page, whole
from devstore.payloads import money_set
from devstore.records import gid
from devstore.schema import Access, ApiSchema
from devstore.shop import Shop
from devstore.store import Store
from devstore.wire import money, when

Info = GraphQLResolveInfo[Any]
MISSING = object()
Reader = Callable[["Context", Any, Mapping[str, Any]], Any]
Table = Mapping[str, Mapping[str, Reader]]


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks what of which shop.

    batch: the part of the root connection that a bulk operation reads. country: of the buyer that the
    Storefront API is asked for.
    """

    store: Store
    shop: Shop
    schema: ApiSchema
    scopes: frozenset[str]
    now: datetime
    tables: Table
    names: Mapping[type, str]
    batch: slice | None = None
    country: str = ""
    changed: list[Any] = field(default_factory=list)  # records that mutations changed


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read one field: made once, used for every record."""

    label: str
    read: Reader
    turn: "Turn"
    parent: str
    nullable: bool
    access: tuple[Access, ...]


def resolve(source: Any, info: Info, **args: Any) -> Any:
    """Return the value of any field, in the form its type asks for. Raises GraphQLError."""
    context: Context = info.context
    plan = plan_of(context, info.parent_type, info.field_name, info.return_type)
    for access in plan.access:
        if not access.scopes & context.scopes:
            raise denied(info.field_name, access)
    value = plan.read(context, source, args)
    if value is MISSING:
        return missing(plan)
    return value if value is None else plan.turn(context, plan, value, args, info.path.prev is None)


def resolve_type(value: Any, info: Info, _abstract: Any) -> str | None:
    """Return the name of a record's type in the schema, for interfaces and unions."""
    if isinstance(value, dict):
        return str(value["__typename"])
    return info.context.names.get(type(value))  # type: ignore[no-any-return]


def missing(plan: Plan) -> None:
    """Return null where the field may be null. Raises GraphQLError that names it where it may not."""
    if not plan.nullable:
        raise GraphQLError(
            f"{plan.label} is in Shopify's schema, but the dev store does not answer it.",
            extensions={"code": "DEVSTORE_UNKNOWN_FIELD"},
        )


def denied(name: str, access: Access) -> GraphQLError:
    return GraphQLError(
        f"Access denied for {name} field. Required access: {access.words}",
        extensions={
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
            "requiredAccess": access.words,
        },
    )


def plan_of(context: Context, parent: GraphQLObjectType, name: str, returned: Any) -> Plan:
    """Return the plan of a field, made the first time that anybody asks for it."""
    key = (parent.name, name)
    if key not in context.schema.plans:
        context.schema.plans[key] = _make_plan(context, parent, name, returned)
    plan: Plan = context.schema.plans[key]
    return plan


def _make_plan(context: Context, parent: GraphQLObjectType, name: str, returned: Any) -> Plan:
    named = get_named_type(returned)
    read = context.tables.get(parent.name, {}).get(name) or by_name(name)
    turn: Turn = TURNS.get(named.name, _plain)
    if named.name.endswith("Connection"):
        turn = _connection
    elif is_enum_type(named):
        turn = _enum
    access = context.schema.access(parent.name, name, named.name)
    return Plan(f"{parent.name}.{name}", read, turn, parent.name, not is_non_null_type(returned), access)


def by_name(name: str) -> Reader:
    """Return a reader of a dict's key, or of the attribute of that name in snake case."""
    attribute = "".join("_" + c.lower() if c.isupper() else c for c in name)

    def read(_context: Context, source: Any, _args: Mapping[str, Any]) -> Any:
        if isinstance(source, dict):
            return source.get(name, MISSING)
        return getattr(source, attribute, MISSING)

    return read


def _connection(context: Context, plan: Plan, value: Any, args: Mapping[str, Any], root: bool) -> Any:
    if isinstance(value, dict):
        return value
    if context.batch is None:
        # What stands at the root was put in order when it was listed.
        turned = value if root or not args.get("reverse") else value[::-1]
        return page(turned, args, plan.label.split(".")[1])
    return whole(value[context.batch] if root else value)


def _bag(context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    if not isinstance(value, int):
        return value
    both = money_set(value, context.shop.currency)
    camel = {"shop_money": "shopMoney", "presentment_money": "presentmentMoney"}
    return {camel[k]: {"amount": v["amount"], "currencyCode": v["currency_code"]} for k, v in both.items()}


def _money_v2(context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return (
        {"amount": money(value, context.shop.currency), "currencyCode": context.shop.currency}
        if isinstance(value, int)
        else value
    )


def _money(context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return money(value, context.shop.currency) if isinstance(value, int) else value


def _id(_context: Context, plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return gid(plan.parent, value) if isinstance(value, int) else value


def _time(_context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return when(value) if isinstance(value, datetime) else value


def _count(_context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return {"count": value, "precision": "EXACT"} if isinstance(value, int) else value


def _text(_context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return str(value)


def _enum(_context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return value.upper().replace("/", "_") if isinstance(value, str) else value


def _plain(_context: Context, _plan: Plan, value: Any, _args: Mapping[str, Any], _root: bool) -> Any:
    return value


Turn = Callable[[Context, Plan, Any, Mapping[str, Any], bool], Any]
TURNS: dict[str, Turn] = {
    "MoneyBag": _bag,
    "MoneyV2": _money_v2,
    "Money": _money,
    "ID": _id,
    "DateTime": _time,
    "Count": _count,
    "UnsignedInt64": _text,
    "Decimal": _text,
}
