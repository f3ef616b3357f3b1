"""The sentences of other domains that a merchant reads in the admin, as formats for its catalogues.

`f"more than {MOST_RULES} segments"` is found as `more than %(most_rules)s segments`: what an error of the
modules below says, and what `wording` marks anywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

APP = Path(__file__).parents[1] / "app"
MARK = "wording"
ERRORS = frozenset({"InputError", "RuleError", "NotFound", "TooLarge"})
# Whose errors end a call of the admin.
TOLD_BY = (
    "body.py",
    "values.py",
    "live_arms.py",
    "replays.py",
    "campaigns/campaign.py",
    "campaigns/dry_run.py",
    "campaigns/messages.py",
    "campaigns/priority.py",
    "campaigns/store.py",
    "consent/retention.py",
    "experiments/store.py",
    "experiments/versions.py",
    "outbound/addresses.py",
    "outbound/api_keys.py",
    "outbound/deliver.py",
    "privacy/erasure.py",
    "privacy/export.py",
    "profiles/policy.py",
    "profiles/reviews.py",
    "profiles/segment_names.py",
    "profiles/thresholds.py",
    "recommend/rollback.py",
    "rules/expression.py",
    "rules/size.py",
    "rules/terms.py",
    "shops/settings.py",
)


def phrases() -> Iterator[tuple[str, str]]:
    """Yield the file that says it and the format, in the order of the files."""
    for path in sorted(APP.rglob("*.py")):
        source = path.read_text()
        name = path.relative_to(APP).as_posix()
        if MARK in source or name in TOLD_BY:
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and _tells(node, name):
                    yield from ((f"../{name}", text) for text in _formats(node.args[0]))


def _tells(call: ast.Call, name: str) -> bool:
    if not isinstance(call.func, ast.Name) or not call.args:
        return False
    return call.func.id == MARK or (call.func.id in ERRORS and name in TOLD_BY)


def _formats(said: ast.expr) -> Iterator[str]:
    """Yield the formats of an expression: one of a text, two of a choice, none of what only the run knows."""
    match said:
        case ast.Constant(str(text)):
            yield text.replace("%", "%%")
        case ast.JoinedStr(parts):
            yield _format(parts)
        case ast.IfExp(_, one, other):
            yield from (*_formats(one), *_formats(other))


def _format(parts: list[ast.expr]) -> str:
    names: list[str] = []
    text = ""
    for part in parts:
        if isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            names.append(name)
            text += f"%({name}{names.count(name) if names.count(name) > 1 else ''})s"
        elif isinstance(part, ast.Constant):
            text += str(part.value).replace("%", "%%")
    return text


def _name(value: ast.expr) -> str:
    """Return what a value is called in its format: the last name that its expression says."""
    match value:
        case ast.Name(name) | ast.Attribute(_, name):
            return name.strip("_").lower()
        case ast.Subscript(_, ast.Constant(str(key))):
            return key
        case ast.Subscript(held):
            return _name(held)
        case ast.Call(_, [first, *_]) if not isinstance(first, ast.Constant):
            return _name(first)
        case ast.Call(called):
            return _name(called)
    return "value"
