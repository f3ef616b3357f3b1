from hypothesis import given
from hypothesis import strategies as st

from app.profiles.customer import Bought
from app.profiles.interests import Interest, Interests, ProductTraits, interests_of, price_words
from app.profiles.purchases import DAY_S

NOW = 1_800_000_000
SOLD = {
    1: ProductTraits("Tea", "Leaf", 300),
    2: ProductTraits("Tea", "Leaf", 900),
    3: ProductTraits("Cups", "Clay", 1_500),
    4: ProductTraits("", "", None),
}


def days_ago(days: float, times: int = 1) -> Bought:
    return Bought(times, int(NOW - days * DAY_S))


def test_a_category_counts_by_how_often_and_how_lately_it_was_bought() -> None:
    found = interests_of({1: days_ago(0, times=3), 3: days_ago(90, times=2)}, SOLD, NOW)
    assert found.categories == (Interest("Tea", 0.75), Interest("Cups", 0.25))  # 3 and 2 · 0.5
    assert found.vendors == (Interest("Leaf", 0.75), Interest("Clay", 0.25))


def test_the_price_level_is_that_among_products_of_the_same_type() -> None:
    assert interests_of({1: days_ago(0)}, SOLD, NOW).price_level == 0.25  # 300 of 300 and 900
    assert interests_of({2: days_ago(0)}, SOLD, NOW).price_level == 0.75
    assert interests_of({3: days_ago(0)}, SOLD, NOW).price_level is None  # there is one cup only


def test_what_has_no_type_or_is_not_sold_any_more_names_nothing() -> None:
    assert interests_of({4: days_ago(0), 99: days_ago(0)}, SOLD, NOW) == Interests((), (), None)
    assert interests_of({}, {}, NOW) == Interests((), (), None)


@given(st.dictionaries(st.integers(1, 5), st.builds(Bought, st.integers(1, 9), st.integers(0, NOW * 2))))
def test_shares_and_levels_stay_in_their_range(bought: dict[int, Bought]) -> None:
    found = interests_of(bought, SOLD, NOW)
    assert sum(each.share for each in found.categories) <= 1.001
    assert found.price_level is None or 0 <= found.price_level <= 1


def test_a_price_level_is_told_in_words() -> None:
    assert [price_words(level) for level in (0.1, 0.5, 0.9)] == [
        "Chooses the cheaper ones",
        "Chooses from the middle",
        "Chooses the dearer ones",
    ]
