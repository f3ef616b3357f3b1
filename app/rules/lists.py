"""What rules ask of lists, answered from sets ahead of the library, which compares each text with each. Pure.

A cart has thousands of tags and a rule may name as many: of hundreds of such rules one decision took seconds,
and all shops of the process waited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.rules.fields import Facts, Field
from app.rules.nodes import (
    AllOf,
    AnyOf,
    Condition,
    Constant,
    Contains,
    Flag,
    Not,
    Overlap,
    Quantifier,
)

LONG = 8  # texts of a list up to which the library is as fast

Sets = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class ListQuestion:
    """What a rule asks of a list. flag: under which name the library is told the answer.

    texts: what is looked for; None for the text of the field `item`.
    """

    flag: str
    name: str
    quantifier: Quantifier
    texts: frozenset[str] | None
    item: str = ""

    def answer(self, facts: Facts, sets: Sets) -> bool:
        """Return the answer, False where the list or the item is not known. sets: `sets_of` these facts."""
        held = sets.get(self.name)
        if held is None:
            return False
        if self.texts is None:
            return facts.get(self.item) in held
        if self.quantifier == "all":
            return bool(held) and held <= self.texts
        return held.isdisjoint(self.texts) is (self.quantifier == "none")


def sets_of(facts: Facts, names: Iterable[str]) -> Sets:
    """Return the facts of these names that are lists, as sets; nothing where none is long."""
    lists = {name: value for name in names if isinstance(value := facts.get(name), tuple)}
    if all(len(value) <= LONG for value in lists.values()):
        return {}
    return {name: frozenset(value) for name, value in lists.items()}


def answered_ahead(root: Condition, prefix: str) -> tuple[Condition, tuple[ListQuestion, ...]]:
    """Return the condition with a flag in place of each question about a list, and these questions.

    prefix: what the flags' names begin with.
    """
    questions: list[ListQuestion] = []
    return _flagged(root, prefix, questions), tuple(questions)


def _flagged(node: Condition, prefix: str, questions: list[ListQuestion]) -> Condition:
    match node:
        case AllOf(parts):
            return AllOf(tuple(_flagged(each, prefix, questions) for each in parts))
        case AnyOf(parts):
            return AnyOf(tuple(_flagged(each, prefix, questions) for each in parts))
        case Not(part):
            return Not(_flagged(part, prefix, questions))
        case Overlap() | Contains():
            question = _question(node, f"{prefix} {len(questions)}")
            questions.append(question)
            return Flag(Field(question.flag, "flag", "", example=True))
    return node


def _question(node: Overlap | Contains, flag: str) -> ListQuestion:
    name = node.field.name
    if isinstance(node, Overlap):
        return ListQuestion(flag, name, node.quantifier, frozenset(node.choices))
    if isinstance(node.item, Constant):
        return ListQuestion(flag, name, "some", frozenset({str(node.item.value)}))
    return ListQuestion(flag, name, "some", None, node.item.field.name)
