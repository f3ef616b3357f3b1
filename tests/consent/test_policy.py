import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.policy import PURPOSES, Consent, Rung, consent_of, permissions

LADDER = [Rung.STATIC, Rung.CONTEXTUAL, Rung.SESSION, Rung.PERSONAL]
consents = st.sets(st.sampled_from(PURPOSES)).map(consent_of)


@pytest.mark.parametrize(
    ("permitted", "expected"),
    [
        ("", Rung.CONTEXTUAL),
        ("analytics", Rung.SESSION),
        ("marketing", Rung.CONTEXTUAL),
        ("preferences", Rung.CONTEXTUAL),
        ("marketing analytics", Rung.SESSION),
        ("preferences marketing", Rung.PERSONAL),
        ("analytics marketing preferences", Rung.PERSONAL),
        ("sale_of_data", Rung.CONTEXTUAL),
    ],
)
def test_the_ladder_needs_both_purposes_for_history_and_analytics_for_the_visit(
    permitted: str, expected: Rung
) -> None:
    assert permissions(consent_of(permitted.split())).rung is expected


@given(consents, st.sampled_from(PURPOSES))
def test_granting_less_never_reveals_more(consent: Consent, withdrawn: str) -> None:
    less = msgspec.structs.replace(consent, **{withdrawn: False})
    before, after = permissions(consent), permissions(less)
    assert LADDER.index(after.rung) <= LADDER.index(before.rung)
    for name in before.__struct_fields__:
        assert getattr(after, name) <= getattr(before, name), name


@given(consents)
def test_the_right_to_sell_opens_nothing(consent: Consent) -> None:
    opted_out = msgspec.structs.replace(consent, sale_of_data=False)
    assert permissions(opted_out) == permissions(consent)


def test_what_is_missing_was_not_allowed() -> None:
    assert msgspec.json.decode(b"{}", type=Consent) == Consent()
    assert permissions(Consent()) == permissions(consent_of([]))
    assert not any(msgspec.structs.astuple(permissions(Consent())))


@given(consents)
def test_consent_survives_being_carried_as_names(consent: Consent) -> None:
    assert consent_of(consent.permitted) == consent


def test_a_purpose_we_do_not_know_allows_nothing() -> None:
    assert consent_of(["everything", "analytics"]) == Consent(analytics=True)
