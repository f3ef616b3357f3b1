from __future__ import annotations

from app.rules.compiled import compiled
from app.rules.expression import read_rule, reads

LOYAL_AND_RICH = {
    "and": [
        {">": [{"var": "cart.subtotal"}, 80]},
        {"or": [{">=": [{"var": "profile.orders"}, 4]}, {"in": ["champions", {"var": "profile.segments"}]}]},
    ]
}


def test_a_rule_reads_the_fields_it_names_and_no_other() -> None:
    assert reads(read_rule(LOYAL_AND_RICH)) == {"cart.subtotal", "profile.orders", "profile.segments"}


def test_a_rule_holds_for_the_facts_it_speaks_of() -> None:
    holds = compiled(read_rule(LOYAL_AND_RICH))
    assert holds({"cart.subtotal": 80.01, "profile.orders": 4})
    assert holds({"cart.subtotal": 90, "profile.orders": 1, "profile.segments": ("new", "champions")})
    assert not holds({"cart.subtotal": 80, "profile.orders": 4})
    assert not holds({})
