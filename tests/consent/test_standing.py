import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.policy import PURPOSES, Answers, Reason
from app.consent.standing import UNKNOWN, Basis, Standing, Use, may
from app.consent.standings import basis_of

LESS: dict[bool | None, list[bool | None]] = {True: [True, None, False], None: [None, False], False: [False]}

tristate = st.sampled_from([None, True, False])
answers = st.builds(Answers, tristate, tristate, tristate, tristate, st.booleans())
states = st.sampled_from([None, "subscribed", "unsubscribed", "not_subscribed", "pending", "invalid"])
standings = st.builds(Standing, answers, st.booleans(), states)
uses, bases = st.sampled_from(Use), st.sampled_from(Basis)


@given(st.data(), uses, standings, bases)
def test_granting_less_never_allows_more(
    data: st.DataObject, use: Use, known: Standing, basis: Basis
) -> None:
    told = known.answers
    fewer = {each: data.draw(st.sampled_from(LESS[getattr(told, each)])) for each in PURPOSES}
    less = Standing(
        msgspec.structs.replace(told, **fewer, gpc=told.gpc or data.draw(st.booleans())),
        known.data_sale_opt_out or data.draw(st.booleans()),
        data.draw(st.sampled_from([known.email_marketing, "unsubscribed"])),
    )
    assert may(use, less, basis).allowed <= may(use, known, basis).allowed
    assert may(use, known, Basis.ON_CONSENT).allowed <= may(use, known, Basis.PREPARED).allowed


@given(uses, standings, bases)
def test_a_no_to_what_it_needs_is_never_overruled(use: Use, known: Standing, basis: Basis) -> None:
    needs = {
        Use.PROFILE: ("preferences", "marketing"),
        Use.TRAIN: ("preferences", "marketing"),
        Use.TAG: ("preferences", "marketing"),
        Use.EMAIL: ("marketing",),
        Use.SHARE: ("marketing", "sale_of_data"),
    }
    said = [getattr(known.answers, each) for each in needs[use]]
    ruling = may(use, known, basis)
    assert not ruling.allowed or False not in said
    assert ruling.allowed == (ruling.reason in {Reason.SAID_YES, Reason.OWN_RECORDS, Reason.SUBSCRIBED})


def test_every_use_has_its_rule() -> None:
    for use in Use:
        assert may(use).reason in Reason


@pytest.mark.parametrize("use", [Use.PROFILE, Use.TRAIN, Use.TAG])
def test_the_merchants_records_may_be_prepared_until_somebody_answers(use: Use) -> None:
    assert may(use, UNKNOWN, Basis.PREPARED).reason is Reason.OWN_RECORDS
    assert may(use, UNKNOWN, Basis.ON_CONSENT).reason is Reason.NO_ANSWER
    half = Standing(Answers(preferences=True))
    assert may(use, half, Basis.PREPARED).reason is Reason.OWN_RECORDS
    assert may(use, half, Basis.ON_CONSENT).reason is Reason.NO_ANSWER
    assert may(use, Standing(Answers(preferences=True, marketing=True)), Basis.ON_CONSENT).allowed
    assert may(use, Standing(Answers(marketing=False)), Basis.PREPARED).reason is Reason.SAID_NO


def test_an_email_needs_the_subscription_and_no_refusal() -> None:
    assert may(Use.EMAIL, Standing(email_marketing="subscribed")).reason is Reason.SUBSCRIBED
    assert may(Use.EMAIL, UNKNOWN).reason is Reason.NOT_SUBSCRIBED
    assert may(Use.EMAIL, Standing(email_marketing="pending")).reason is Reason.NOT_SUBSCRIBED
    refused = Standing(Answers(marketing=False), email_marketing="subscribed")
    assert may(Use.EMAIL, refused).reason is Reason.SAID_NO
    assert not may(Use.EMAIL, Standing(Answers(marketing=True), email_marketing="unsubscribed")).allowed


def test_data_is_handed_on_only_where_its_sale_was_allowed() -> None:
    yes = Answers(True, True, True, True)
    assert may(Use.SHARE, Standing(yes)).allowed
    assert may(Use.SHARE, Standing(yes, data_sale_opt_out=True)).reason is Reason.OPTED_OUT
    assert may(Use.SHARE, Standing(msgspec.structs.replace(yes, gpc=True))).reason is Reason.GPC
    assert may(Use.SHARE, UNKNOWN).reason is Reason.NO_ANSWER


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("prepared", Basis.PREPARED),
        ("on_consent", Basis.ON_CONSENT),
        ("", Basis.ON_CONSENT),
        (None, Basis.ON_CONSENT),
        ([], Basis.ON_CONSENT),
    ],
)
def test_a_basis_that_can_not_be_read_is_the_stricter_one(setting: object, expected: Basis) -> None:
    assert basis_of(setting) is expected
