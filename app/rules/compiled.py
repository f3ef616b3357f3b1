"""Rules as they are run: by datalogic, which speaks the JSONLogic they are stored in.

Facts are handed to the library once a decision, not once a rule. What it is given differs from what is
stored in one thing: a comparison asks first whether all it reads is known, and that nothing it divides
by is 0. JSONLogic itself takes what is not known for 0, which would make every stranger a customer
with fewer than two orders.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from datalogic_py import DataHandle, Engine, ParseError, Session

from app.rules.fields import Facts, Value
from app.rules.index import Index
from app.rules.nodes import (
    Always,
    Among,
    Compare,
    Condition,
    Constant,
    Contains,
    Count,
    Either,
    Every,
    Flag,
    Known,
    Not,
    Overlap,
    Read,
    Rule,
    Term,
    divisors_of,
    fields_of,
)

# No text, no date and no control operators: a rule has no use for them, and `length` for itself.
_ENGINE = Engine(families=["ExtString"])
_YES = "true"


class _Here(threading.local):
    """The thread's own session: the library lets no other thread use it."""

    session: Session

    def __init__(self) -> None:
        self.session = _ENGINE.session()


_here = _Here()


def compiled(rule: Rule) -> Callable[[Facts], bool]:
    """Return a function that says whether the rule holds for these facts; it never raises.

    For the many rules of a shop, `matching_of` asks them all at once.
    """
    program = _ENGINE.compile(written(rule.root))

    def holds(facts: Facts) -> bool:
        return _here.session.evaluate_many([program], _handle(facts))[0] == _YES

    return holds


def matching_of(rules: Sequence[Rule]) -> Callable[[Facts], list[int]]:
    """Return a function that gives the places, ascending, of the rules that hold; it never raises."""
    index = Index([rule.root for rule in rules])
    programs = [_ENGINE.compile(written(rule.root)) for rule in rules]

    def matching(facts: Facts) -> list[int]:
        places = index.candidates(facts)
        if not places:
            return places
        answers = _here.session.evaluate_many([programs[at] for at in places], _handle(facts))
        return [at for at, answer in zip(places, answers, strict=True) if answer == _YES]

    return matching


def _handle(facts: Facts) -> DataHandle:
    """Return the facts as the library reads them; what it can't say is not known."""
    try:
        return DataHandle(facts)
    except ParseError:
        return DataHandle({name: value for name, value in facts.items() if _is_sayable(value)})


def _is_sayable(value: Value) -> bool:
    try:
        DataHandle([value])
    except ParseError:
        return False
    return True


def written(node: Condition) -> Any:
    """Return the condition as JSONLogic that asks for what is known first."""
    match node:
        case Always(value):
            return value
        case Flag(field):
            return {"===": [_var(field.name), True]}
        case Known(field, known):
            return {"!==" if known else "===": [_var(field.name), None]}
        case Every(parts):
            return {"and": [written(each) for each in parts]}
        case Either(parts):
            return {"or": [written(each) for each in parts]}
        case Not(part):
            return {"!": [written(part)]}
        case _:
            return _guarded(node)


def _guarded(node: Compare | Among | Contains | Overlap) -> Any:
    """Return a comparison behind the questions whether it can be made."""
    names = dict.fromkeys(each.name for each in fields_of(node))
    known = [{"!==": [_var(name), None]} for name in names]
    divisors = (
        [each for term in node.terms for each in divisors_of(term)] if isinstance(node, Compare) else []
    )
    # The innermost first: a divisor may be a division itself.
    divided = [{"!==": [_term(each), 0]} for each in reversed(divisors)]
    return {"and": [*known, *divided, _plain(node)]}


def _plain(node: Compare | Among | Contains | Overlap) -> Any:
    match node:
        case Compare(comparison, terms):
            # === and !== take neither "1" for 1 nor "1d" for "24h", as == and != do.
            operator = {"==": "===", "!=": "!=="}.get(comparison, comparison)
            return {operator: [_term(each) for each in terms]}
        case Among(field, choices):
            return {"in": [_var(field.name), list(choices)]}
        case Contains(field, item):
            return {"in": [_term(item), _var(field.name)]}
        case Overlap(quantifier, field, choices):
            return {quantifier: [_var(field.name), {"in": [{"var": ""}, list(choices)]}]}


def _term(term: Term) -> Any:
    match term:
        case Constant(value):
            return value
        case Read(field):
            return _var(field.name)
        case Count(field):
            return {"length": [_var(field.name)]}
        case _:
            return {term.operation: [_term(each) for each in term.parts]}


def _var(name: str) -> Any:
    """Return how a fact is read: `var` would take the dot in its name for a step into an object."""
    return {"val": [name]}
