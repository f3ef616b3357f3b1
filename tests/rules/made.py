"""Rules and facts made at random: every operator, values around the thresholds, facts left out."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from app.rules.fields import FIELDS, WEEKDAYS, Field

Strategy = st.SearchStrategy[Any]

# Few fields and few values, so that conditions meet each other and the facts.
NUMBERS = ("cart.subtotal", "cart.units", "profile.orders", "visit.dwell_s", "intent.now", "time.hour")
FLAGS = ("visit.returning", "shopper.cold")
LISTS = ("cart.tags", "profile.segments")
TEXTS = ("market.country", "time.weekday", "product.vendor")
WORDS = {
    "market.country": ("DE", "FR", "JP"),
    "time.weekday": WEEKDAYS[:3],
    "product.vendor": ("1d", "24h", "1", "Été"),
    "cart.tags": ("a", "b", "1d", "24h"),
    "profile.segments": ("new", "loyal", "champions"),
}
DATES = ("2026-11-26", "2026-11-27", "2026-11-28")

amounts = st.integers(-3, 6) | st.sampled_from([0, 0.1, 0.2, 0.3, 0.5, 1.5, 80, 80.5])


def var(name: str) -> dict[str, str]:
    return {"var": name}


numbers = st.sampled_from(NUMBERS).map(var)
lists = st.sampled_from(LISTS)
sums: Strategy = st.recursive(
    amounts | numbers | lists.map(lambda name: {"length": var(name)}),
    lambda part: st.one_of(
        st.tuples(st.sampled_from(["+", "*", "min", "max"]), st.lists(part, min_size=1, max_size=3)),
        st.tuples(st.just("-"), st.lists(part, min_size=1, max_size=2)),
        st.tuples(st.just("/"), st.tuples(part, part.filter(bool)).map(list)),
    ).map(lambda made: {made[0]: made[1]}),
    max_leaves=4,
)
orders = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])


def _of_text(name: str) -> Strategy:
    word = st.sampled_from(WORDS[name])
    equal = st.tuples(st.sampled_from(["==", "!="]), word).map(lambda made: {made[0]: [var(name), made[1]]})
    return equal | st.lists(word, min_size=1, max_size=3).map(lambda words: {"in": [var(name), words]})


def _of_list(name: str) -> Strategy:
    word = st.sampled_from(WORDS[name])
    asked = st.tuples(st.sampled_from(["some", "all", "none"]), st.lists(word, min_size=1, max_size=3))
    held = word.map(lambda each: {"in": [each, var(name)]})
    return held | asked.map(lambda made: {made[0]: [var(name), {"in": [{"var": ""}, made[1]]}]})


comparisons = st.one_of(
    st.tuples(orders, numbers, amounts).map(lambda made: {made[0]: [made[1], made[2]]}),
    st.tuples(orders, sums, sums).map(lambda made: {made[0]: [made[1], made[2]]}),
    st.tuples(st.sampled_from(["<", "<="]), amounts, sums, amounts).map(
        lambda made: {made[0]: list(made[1:])}
    ),
    st.tuples(st.sampled_from(NUMBERS), st.lists(amounts, min_size=1, max_size=3)).map(
        lambda made: {"in": [var(made[0]), made[1]]}
    ),
    st.tuples(orders, st.sampled_from(DATES)).map(lambda made: {made[0]: [var("time.date"), made[1]]}),
    st.sampled_from(TEXTS).flatmap(_of_text),
    lists.flatmap(_of_list),
    st.just({"in": [var("product.vendor"), var("cart.tags")]}),
)
known = st.tuples(st.sampled_from(["==", "!="]), st.sampled_from([*NUMBERS, *FLAGS, *TEXTS, *LISTS])).map(
    lambda made: {made[0]: [var(made[1]), None]}
)
flags = st.sampled_from(FLAGS).flatmap(
    lambda name: st.sampled_from([var(name), {"==": [var(name), False]}, {"!=": [True, var(name)]}])
)


def _joined(part: Strategy) -> Strategy:
    several = st.lists(part, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: {"and": parts}),
        several.map(lambda parts: {"or": parts}),
        part.map(lambda one: {"!": [one]}),
    )


# Without `known`, a rule means what it means in JSONLogic wherever all its facts are known.
plain_rules: Strategy = st.recursive(comparisons | flags, _joined, max_leaves=6)
rules: Strategy = st.recursive(comparisons | flags | known | st.booleans(), _joined, max_leaves=6)


def fact(field: Field) -> Strategy:
    if field.kind == "flag":
        return st.booleans()
    if field.kind == "date":
        return st.sampled_from(("2026-11-25", *DATES))
    if field.kind == "text":
        return st.sampled_from(WORDS[field.name])
    if field.kind == "texts":
        return st.lists(st.sampled_from(WORDS[field.name]), max_size=3).map(tuple)
    return amounts


USED = (*NUMBERS, *FLAGS, *LISTS, *TEXTS, "time.date")
all_facts = st.fixed_dictionaries({name: fact(FIELDS[name]) for name in USED})
facts = st.fixed_dictionaries({}, optional={name: st.none() | fact(FIELDS[name]) for name in USED})
