import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.recommend import score
from app.recommend.terms import TERMS, Past
from tests.recommend.test_model import CARTS, HISTORIES, random_model


@pytest.mark.parametrize("whole", [0, 1_000])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 50), cart=CARTS, history=HISTORIES, orders=st.integers(0, 20), data=st.data())
def test_a_score_is_the_weighted_features_up_to_what_all_have(
    monkeypatch: pytest.MonkeyPatch,
    whole: int,
    seed: int,
    cart: list[int],
    history: dict[int, Past],
    orders: int,
    data: st.DataObject,
) -> None:
    monkeypatch.setattr(score, "WHOLE", whole)
    model = random_model(seed)
    visit = model.visit(cart, None, history, orders)
    weights = np.random.default_rng(seed).normal(size=len(TERMS))
    candidates = np.array(data.draw(st.lists(st.integers(0, 29), min_size=2, unique=True)))
    spelt_out = weights @ model.features(visit, candidates)
    found = score.scores(model, visit, candidates, weights)
    assert found - found[0] == pytest.approx(spelt_out - spelt_out[0], abs=1e-4)
