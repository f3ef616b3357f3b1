"""What docs/rules.md says of a rule, in the slowest and plainest way: what is run is judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from typing import Any

COMPARE: dict[str, Any] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
CALCULATE: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "min": min,
    "max": max,
}


def holds(rule: Any, facts: Mapping[str, Any]) -> bool:
    """Return whether stored JSONLogic holds for the facts."""
    if isinstance(rule, bool):
        return rule
    [(operator, given)] = rule.items()
    arguments = given if isinstance(given, list) else [given]
    if operator == "and":
        return all(holds(each, facts) for each in arguments)
    if operator == "or":
        return any(holds(each, facts) for each in arguments)
    if operator == "!":
        return not holds(arguments[0], facts)
    if operator == "var":
        return facts.get(given) is True
    if operator in COMPARE:
        return compares(operator, arguments, facts)
    if operator in ("some", "all", "none"):
        return overlaps(operator, facts.get(arguments[0]["var"]), arguments[1]["in"][1])
    assert operator == "in"
    item, where = value(arguments[0], facts), value(arguments[1], facts)
    return item is not None and where is not None and item in where


def compares(operator: str, arguments: list[Any], facts: Mapping[str, Any]) -> bool:
    if None in arguments:
        known = value(next(each for each in arguments if each is not None), facts) is not None
        return known == (operator == "!=")
    values = [value(each, facts) for each in arguments]
    if None in values:
        return False
    return all(COMPARE[operator](a, b) for a, b in pairwise(values))


def overlaps(quantifier: str, held: Any, choices: list[str]) -> bool:
    if held is None:
        return False
    if quantifier == "all":
        return bool(held) and set(held) <= set(choices)
    return (not set(held).isdisjoint(choices)) == (quantifier == "some")


def value(term: Any, facts: Mapping[str, Any]) -> Any:
    """Return a value, None for what is not known or was divided by 0."""
    if not isinstance(term, dict):
        return term
    [(operator, given)] = term.items()
    if operator == "var":
        return facts.get(given)
    parts = [value(each, facts) for each in (given if isinstance(given, list) else [given])]
    if None in parts:
        return None
    if operator == "length":
        return len(parts[0])
    if operator == "/":
        return parts[0] / parts[1] if parts[1] else None
    if operator == "-" and len(parts) == 1:
        return -parts[0]
    return reduce(CALCULATE[operator], parts)
