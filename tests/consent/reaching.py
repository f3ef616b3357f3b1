"""What a module's source reaches of personal data, and whom it asks first. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

TABLES = frozenset({"CustomerRow", "EventRow", "DecisionRow", "ConsentRow"})
KEYS = frozenset({"customer_key", "client_key", "checkout_key", "nudged_key", "granted_key", "told_key"})
WRITTEN_DOWN = frozenset({"BrowserEvent", "ConsentTold", "DecisionMade"})  # who makes one has it written down
_KEY_PARTS = frozenset({"visitor", "nudged", "granted", "told", "*"})
_STATEMENT = re.compile(
    r"\s*(select|insert|update|delete|with)\b.*\b(customers|events|decisions|consents|orders)\b",
    re.IGNORECASE | re.DOTALL,
)
_NAMES_THE_BUYER = frozenset({"customer_id", "checkout_token"})


@dataclass(frozen=True, slots=True)
class Source:
    """A module: what it imports from where, what it calls and reaches, every name and text in it."""

    name: str
    imports: frozenset[tuple[str, str]]
    calls: frozenset[str]
    words: frozenset[str]
    reaches: frozenset[str]


def sources(root: Path = ROOT) -> list[Source]:
    """Return every module of the app and of the webhooks."""
    files = (file for part in ("app", "webhooks") for file in sorted((root / part).rglob("*.py")))
    return [read(_module(file.relative_to(root)), file.read_text()) for file in files]


@cache
def read(name: str, text: str) -> Source:
    """Return what the module's text says."""
    nodes = list(ast.walk(ast.parse(text)))
    names, texts = frozenset(_names(nodes)), frozenset(_texts(nodes))
    imports = frozenset(_imports(nodes))
    calls = frozenset(_called(node) for node in nodes if isinstance(node, ast.Call))
    reaches = frozenset(_reached(nodes, names, texts, calls))
    return Source(name, imports, calls, names | texts, reaches)


def _reached(
    nodes: list[ast.AST], names: frozenset[str], texts: frozenset[str], calls: frozenset[str]
) -> Iterator[str]:
    yield from names & (TABLES | KEYS)
    yield from calls & WRITTEN_DOWN
    if "OrderRow" in names and _NAMES_THE_BUYER & (names | texts):
        yield "OrderRow's buyer"
    if {"SQLModel", "metadata"} <= names:
        yield "every table"
    if any(map(_STATEMENT.match, texts)):
        yield "SQL in words"
    if any(_KEY_PARTS & _constants(node) for node in nodes if _is_call(node, "redis_key")):
        yield "keys in words"
    if any(text.startswith("tw:{") for text in texts):
        yield "keys in words"


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of every import; no name for a whole module."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def _names(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield every name that is used, imported, looked up or passed by."""
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name


def _texts(nodes: list[ast.AST]) -> set[str]:
    """Return every text but the docstrings."""
    said = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    }


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and _called(node) == name


def _constants(call: ast.AST) -> set[object]:
    return {node.value for node in ast.walk(call) if isinstance(node, ast.Constant)}


def _module(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")
