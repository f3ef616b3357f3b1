from __future__ import annotations

import random
from collections.abc import Sequence

from app.experiments.linking import persons
from tests.experiments import obvious
from tests.experiments.factories import exposed
from tests.experiments.told import Exposure, records_of


def linked(exposures: Sequence[Exposure]) -> list[list[str]]:
    """Return the decisions of each person, both in the order in which they came."""
    table = records_of(exposures).exposures.sort("at", "decision_id")
    found: dict[int, list[str]] = {}
    for decision_id, person in zip(table["decision_id"], persons(table).tolist(), strict=True):
        found.setdefault(person, []).append(decision_id)
    assert list(found) == list(range(len(found)))  # numbered as they came
    return list(found.values())


def test_each_browser_is_a_person_until_something_says_otherwise() -> None:
    assert linked([exposed("a"), exposed("b")]) == [["a"], ["b"]]


def test_who_signs_in_halfway_is_one_person_from_the_first_exposure_on() -> None:
    before = exposed("a", "control", days_ago=20, checkout_token="t")
    after = exposed("b", "treated", days_ago=19, unit="customer:7", customer_id=7, checkout_token="t")
    assert linked([after, before]) == [["a", "b"]]


def test_a_customer_on_two_devices_is_one_person() -> None:
    phone = [exposed("a", days_ago=20, checkout_token="t"), exposed("b", days_ago=19, unit="customer:7",
             customer_id=7, checkout_token="t")]  # fmt: skip
    desk = [exposed("c", days_ago=15, checkout_token="u"), exposed("d", days_ago=14, unit="customer:7",
            customer_id=7, checkout_token="u")]  # fmt: skip
    assert linked(phone + desk) == [["a", "b", "c", "d"]]


def test_a_browser_keeps_its_person_over_several_checkouts() -> None:
    visits = [exposed(str(n), unit="client:c", checkout_token=f"t{n}", days_ago=20 - n) for n in range(3)]
    assert linked(visits) == [["0", "1", "2"]]


def test_names_of_different_kinds_are_never_one() -> None:
    # A unit, a customer and a checkout that are written alike.
    alike = [exposed("a", unit="7", checkout_token=None), exposed("b", unit="8", customer_id=7),
             exposed("c", unit="9", checkout_token="7")]  # fmt: skip
    assert len(linked(alike)) == 3


def test_an_empty_name_is_none() -> None:
    assert len(linked([exposed("a", checkout_token=""), exposed("b", checkout_token="")])) == 2


def test_nobody_is_no_person() -> None:
    assert linked([]) == []


def test_whoever_meets_is_linked_as_by_the_obvious_way() -> None:
    rng = random.Random(1)
    for many in (5, 20, 80):
        exposures = [
            exposed(
                str(n), days_ago=20 - n % 3, unit=f"client:{rng.randrange(many)}",
                checkout_token=rng.choice([None, f"t{rng.randrange(many)}"]),
                customer_id=rng.choice([None, rng.randrange(1, many)]),
            )
            for n in range(60)
        ]  # fmt: skip
        expected = [[each.decision_id for each in one.exposures] for one in obvious.persons(exposures)]
        assert linked(exposures) == expected
        rng.shuffle(exposures)
        assert linked(exposures) == expected
