"""Which facts a line of the log may carry: each name was looked at."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# None says who somebody is. `object` and `record` are Shopify's GIDs, a customer's masked when written.
LOOKED_AT = frozenset(
    "shop topic kind reason delivery deliveries callers record object request due_at missed schedule loop "
    "version asked_version decision exit_code pid customers campaign events collector".split()
)


def test_only_facts_that_were_looked_at_are_logged() -> None:
    files = [file for part in ("app", "webhooks") for file in sorted((ROOT / part).rglob("*.py"))]
    logged = {str(file.relative_to(ROOT)): set(_logged(ast.parse(file.read_text()))) for file in files}
    assert sum(map(len, logged.values())) > 20
    unknown = {file: names - LOOKED_AT for file, names in logged.items() if names - LOOKED_AT}
    assert not unknown, "does any of these say who somebody is? if not, add it to LOOKED_AT"


def test_no_line_of_the_log_has_a_value_in_its_message() -> None:
    for part in ("app", "webhooks"):
        for file in sorted((ROOT / part).rglob("*.py")):
            for call in _log_calls(ast.parse(file.read_text())):
                assert isinstance(call.args[0], ast.Constant), f"{file}: put values into `extra`"


def _logged(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the facts: the keys of `extra`, and of what it is made of in the same function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        made = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in _log_calls(function):
            for extra in (each.value for each in call.keywords if each.arg == "extra"):
                yield from _keys(extra, made)


def _log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"))):
                yield node


def _keys(extra: ast.AST, made: dict[str, ast.expr]) -> Iterator[str]:
    for node in ast.walk(extra):
        if isinstance(node, ast.Dict):
            yield from (str(key.value) if isinstance(key, ast.Constant) else "**" for key in node.keys)
        elif isinstance(node, ast.Name) and isinstance(made.get(node.id), ast.Dict):
            yield from _keys(made[node.id], {})
