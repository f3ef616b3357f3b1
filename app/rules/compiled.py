"""Rules as they are run: by datalogic, a library that speaks the JSONLogic they are stored in.

Facts are handed to it once a decision, not once a rule, and only the rules that the index leaves are run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

from datalogic_py import DataHandle, Engine, ParseError, Session

from app.rules.fields import Facts, Value
from app.rules.index import Index, places
from app.rules.lists import answered_ahead, sets_of
from app.rules.nodes import Rule
from app.rules.program import program

# The operators of JSONLogic itself, and `length`.
_ENGINE = Engine(families=["ExtString"])
_YES = "true"
_FEW = 4

Wanted = Callable[[], int]


class Matching(Protocol):
    """What yields the rules that hold; see `matching_of`."""

    def __call__(self, facts: Facts, wanted: Wanted = ..., /) -> Iterator[int]: ...


class _Here(threading.local):
    """The thread's own session, made when it first asks a rule: the library lets no other thread use it."""

    @cached_property
    def session(self) -> Session:
        return _ENGINE.session()


_here = _Here()


def compiled(rule: Rule) -> Callable[[Facts], bool]:
    """Return a function that says whether the rule holds for these facts; it never raises.

    For the many rules of a shop, `matching_of` asks them together.
    """
    made = _ENGINE.compile(program(rule.root))

    def holds(facts: Facts) -> bool:
        return _here.session.evaluate_many([made], _read(facts)[1])[0] == _YES

    return holds


def matching_of(rules: Sequence[Rule]) -> Matching:
    """Return a function that yields the places, ascending, of the rules that hold; it never raises.

    A few rules are asked at a time: who needs the first ones only, asks for no more. wanted: tells before
    each time which rules are asked for at all, as the bits of a number.
    """
    index = Index([rule.root for rule in rules])
    made = [_ENGINE.compile(program(rule.root)) for rule in rules]
    ahead = [answered_ahead(rule.root, f"list {at}") for at, rule in enumerate(rules)]
    of_long = [
        _ENGINE.compile(program(root)) if asks else each
        for (root, asks), each in zip(ahead, made, strict=True)
    ]
    lists = {each.name for _, asks in ahead for each in asks}

    def matching(facts: Facts, wanted: Wanted = _every) -> Iterator[int]:
        facts, handle = _read(facts)
        sets = sets_of(facts, lists)
        programs = of_long if sets else made
        left, few = index.candidates(facts), _FEW
        while asked := places(left & wanted(), few):
            if sets and (asks := [each for at in asked for each in ahead[at][1]]):
                handle = DataHandle({**facts, **{each.flag: each.answer(facts, sets) for each in asks}})
            answers = _here.session.evaluate_many([programs[at] for at in asked], handle)
            yield from (at for at, answer in zip(asked, answers, strict=True) if answer == _YES)
            left, few = left >> asked[-1] + 1 << asked[-1] + 1, few * _FEW

    return matching


def _every() -> int:
    return -1


def _read(facts: Facts) -> tuple[Facts, DataHandle]:
    """Return the facts, and the facts as the library reads them; what it can't say is not known."""
    try:
        return facts, DataHandle(facts)
    except ParseError:
        sayable = {name: value for name, value in facts.items() if _is_sayable(value)}
        return sayable, DataHandle(sayable)


def _is_sayable(value: Value) -> bool:
    try:
        DataHandle([value])
    except ParseError:
        return False
    return True
