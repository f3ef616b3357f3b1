"""A shop's rules, asked all at once: by the library alone, behind the index, and by closures of our own.

python -m benchmarks.rules
"""

from __future__ import annotations

import operator
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from datalogic_py import DataHandle, Engine

from app.rules.compiled import compiled, matching_of
from app.rules.expression import read_rule
from app.rules.fields import FIELDS, Facts, Field
from app.rules.nodes import Rule
from app.rules.program import program

SIZES = (5, 50, 500)
SHOPPERS = 200
ROUNDS = 10
_COUNTRIES = ("DE", "FR", "US", "GB", "JP", "NL", "ES", "IT")
_SEGMENTS = ("champions", "loyal", "active", "new", "promising", "at_risk", "dormant", "prospects")
_CLOSE = {
    "cart.subtotal": 150, "cart.lines": 6, "cart.units": 9, "visit.pages": 12, "visit.products": 8,
    "visit.dwell_s": 400, "visit.errors": 3, "visit.visits": 4, "profile.orders": 6, "profile.spent": 900,
    "profile.days_since_order": 120, "time.hour": 23, "intent.now": 1, "product.price": 90,
}  # fmt: skip
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

Way = Callable[[Facts], list[int]]


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """Microseconds of processor time a decision takes, by way and number of rules: median and p99."""

    microseconds: dict[str, dict[int, tuple[float, float]]]
    fulfilled: dict[int, float]


def main() -> RuleFigures:
    """Measure every way, print it, and return the figures."""
    shoppers = _shoppers()
    figures: dict[str, dict[int, tuple[float, float]]] = {}
    fulfilled: dict[int, float] = {}
    for size in SIZES:
        rules = _rules(size)
        ways = _ways(rules)
        answers = {name: [way(facts) for facts in shoppers] for name, way in ways.items()}
        assert len({str(each) for each in answers.values()}) == 1, "the ways disagree"
        fulfilled[size] = sum(map(len, answers["index"])) / SHOPPERS
        for name, way in ways.items():
            figures.setdefault(name, {})[size] = _measured(way, shoppers)
    _show(figures, fulfilled)
    return RuleFigures(figures, fulfilled)


def _ways(rules: Sequence[Rule]) -> dict[str, Way]:
    """Return each way to ask all the rules."""
    engine = Engine(families=["ExtString"])
    session, made = engine.session(), [engine.compile(program(rule.root)) for rule in rules]
    alone, closures = [compiled(rule) for rule in rules], [_closure(rule.stored) for rule in rules]
    index = matching_of(rules)

    def library(facts: Facts) -> list[int]:
        answers = session.evaluate_many(made, DataHandle(facts))
        return [at for at, answer in enumerate(answers) if answer == "true"]

    return {
        "index": lambda facts: list(index(facts)),
        "library": library,
        "rule by rule": lambda facts: [at for at, each in enumerate(alone) if each(facts)],
        "closures": lambda facts: [at for at, each in enumerate(closures) if each(facts)],
    }


def _measured(way: Way, shoppers: Sequence[Facts]) -> tuple[float, float]:
    times = []
    for _ in range(ROUNDS):
        for facts in shoppers:
            began = time.thread_time_ns()
            way(facts)
            times.append((time.thread_time_ns() - began) / 1_000)
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def _show(figures: dict[str, dict[int, tuple[float, float]]], fulfilled: dict[int, float]) -> None:
    print(f"{'processor µs, median (p99)':30}" + "".join(f"{size:>12} rules" for size in SIZES))
    for name, by_size in figures.items():
        print(f"{name:30}" + "".join(f"{mid:>9.1f} ({high:.0f})".rjust(18) for mid, high in by_size.values()))
    print(f"{'rules that hold':30}" + "".join(f"{fulfilled[size]:>18.1f}" for size in SIZES))


def _rules(size: int) -> list[Rule]:
    """Return rules of four conditions, as a merchant with very many campaigns might have them."""
    chance = random.Random(7)
    return [read_rule(_stored(chance)) for _ in range(size)]


def _stored(chance: random.Random) -> Any:
    first = {"==": [{"var": "market.country"}, chance.choice(_COUNTRIES)]}
    second = {"in": [chance.choice(_SEGMENTS), {"var": "profile.segments"}]}
    narrow = chance.choice([first, second, _threshold(chance)])
    either = {"or": [_threshold(chance), {"!": [_threshold(chance)]}]}
    return {"and": [narrow, _threshold(chance), either]}


def _threshold(chance: random.Random) -> Any:
    name = chance.choice(list(_CLOSE))
    return {chance.choice(list(_COMPARE)): [{"var": name}, round(chance.random() * _CLOSE[name], 2)]}


def _shoppers() -> list[Facts]:
    chance = random.Random(8)
    return [{name: _fact(FIELDS[name], chance) for name in _names()} for _ in range(SHOPPERS)]


def _names() -> list[str]:
    return [*_CLOSE, "market.country", "profile.segments"]


def _fact(field: Field, chance: random.Random) -> Any:
    """Return what a shopper might have; one in ten facts is not known."""
    if chance.random() < 0.1:
        return None
    if field.kind == "texts":
        return tuple(chance.sample(_SEGMENTS, 2))
    if field.kind == "text":
        return chance.choice(_COUNTRIES)
    value = chance.random() * _CLOSE[field.name]
    return int(value) if field.whole else round(value, 2)


def _closure(stored: Any) -> Callable[[Facts], bool]:
    """Return the rule as a Python function, for the few operators that are measured here."""
    [(name, given)] = stored.items()
    if name in ("and", "or"):
        parts = [_closure(each) for each in given]
        if name == "and":
            return lambda facts: all(part(facts) for part in parts)
        return lambda facts: any(part(facts) for part in parts)
    if name == "!":
        part = _closure(given[0])
        return lambda facts: not part(facts)
    if name == "in":
        text, where = given[0], given[1]["var"]
        return lambda facts: text in (facts.get(where) or ())  # type: ignore[operator]
    field, value = given[0]["var"], given[1]
    if name == "==":
        return lambda facts: facts.get(field) == value
    compare = _COMPARE[name]
    return lambda facts: (held := facts.get(field)) is not None and compare(held, value)


if __name__ == "__main__":
    main()
