from __future__ import annotations

import random

from app.experiments.linking import persons
from tests.experiments.factories import exposed


def test_each_browser_is_a_person_until_something_says_otherwise() -> None:
    found = persons([exposed("a"), exposed("b")])
    assert [[each.decision_id for each in person.exposures] for person in found] == [["a"], ["b"]]


def test_who_signs_in_halfway_is_one_person_of_the_arm_they_were_first_in() -> None:
    before = exposed("a", "control", days_ago=20, checkout_token="t")
    after = exposed("b", "treated", days_ago=19, unit="customer:7", customer_id=7, checkout_token="t")
    (person,) = persons([after, before])
    assert (person.first.arm, person.crossed) == ("control", True)


def test_a_customer_on_two_devices_is_one_person() -> None:
    phone = [exposed("a", days_ago=20, checkout_token="t"), exposed("b", days_ago=20, unit="customer:7",
             customer_id=7, checkout_token="t")]  # fmt: skip
    desk = [exposed("c", days_ago=15, checkout_token="u"), exposed("d", days_ago=15, unit="customer:7",
            customer_id=7, checkout_token="u")]  # fmt: skip
    (person,) = persons(phone + desk)
    assert len(person.exposures) == 4
    assert not person.crossed


def test_a_browser_keeps_its_person_over_several_checkouts() -> None:
    visits = [exposed(str(n), unit="client:c", checkout_token=f"t{n}", days_ago=20 - n) for n in range(3)]
    assert len(persons(visits)) == 1


def test_order_and_repeats_do_not_matter() -> None:
    exposures = [
        exposed(str(n), arm, days_ago=20 - n % 3, unit=f"client:{n % 11}", checkout_token=f"t{n % 7}")
        for n, arm in enumerate(["control", "treated"] * 10)
    ]
    expected = persons(exposures)
    for seed in range(5):
        shuffled = exposures + exposures[:6]
        random.Random(seed).shuffle(shuffled)
        assert persons(shuffled) == expected
