from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.consent.policy import (
    NO_OPT_OUTS,
    NOWHERE,
    PURPOSES,
    UNREAD,
    Answers,
    Consent,
    OptOuts,
    Purpose,
    Reason,
    Region,
    RegionPolicy,
    Rung,
    ShopPolicy,
    consent_of,
    permissions,
    settle,
    verdict,
)

LADDER = [Rung.STATIC, Rung.CONTEXTUAL, Rung.SESSION, Rung.PERSONAL]
LESS: dict[bool | None, list[bool | None]] = {True: [True, None, False], None: [None, False], False: [False]}
ALL_YES, ALL_NO, SILENT = Answers(True, True, True, True), Answers(False, False, False, False), Answers()
ASKS, ASKS_NOT, SAYS_NOTHING = RegionPolicy(True), RegionPolicy(False), RegionPolicy()

tristate = st.sampled_from([None, True, False])
consents = st.sets(st.sampled_from(PURPOSES)).map(consent_of)
answers = st.builds(Answers, tristate, tristate, tristate, tristate, st.booleans())
codes = st.sampled_from(["US", "US-CA", "US-TX", "DE", "CA", "CA-QC"])
regions = st.builds(
    Region, st.sampled_from([None, "US", "us", "DE", "CA", "XK"]), st.sampled_from([None, "CA", "qc", "9"])
)
policies = st.builds(
    ShopPolicy, st.just("v"), st.dictionaries(codes, st.builds(RegionPolicy, tristate, tristate))
)
opt_outs = st.builds(OptOuts, st.booleans(), st.frozensets(st.sampled_from(PURPOSES)))


def listing(**regions: RegionPolicy) -> ShopPolicy:
    """Return a policy of these regions, US_CA being `US-CA`."""
    return ShopPolicy("v", {name.replace("_", "-"): policy for name, policy in regions.items()})


def reveals_no_more(less: Consent, more: Consent) -> None:
    for purpose in PURPOSES:
        assert getattr(less, purpose) <= getattr(more, purpose), purpose
    below, above = permissions(less), permissions(more)
    assert LADDER.index(below.rung) <= LADDER.index(above.rung)
    for name in below.__struct_fields__:
        assert getattr(below, name) <= getattr(above, name), name


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


@given(st.data(), answers, regions, policies, opt_outs)
def test_answering_less_never_reveals_more(
    data: st.DataObject, told: Answers, where: Region, policy: ShopPolicy, out: OptOuts
) -> None:
    fewer = {each: data.draw(st.sampled_from(LESS[getattr(told, each)])) for each in PURPOSES}
    less = msgspec.structs.replace(told, **fewer, gpc=told.gpc or data.draw(st.booleans()))
    reveals_no_more(settle(less, where, policy, out), settle(told, where, policy, out))


@given(st.data(), answers, regions, policies, opt_outs)
def test_a_stricter_policy_never_reveals_more(
    data: st.DataObject, told: Answers, where: Region, policy: ShopPolicy, out: OptOuts
) -> None:
    stricter = {
        code: data.draw(st.sampled_from([each, ASKS, SAYS_NOTHING])) for code, each in policy.regions.items()
    }
    strict = settle(told, where, ShopPolicy("w", stricter), out)
    reveals_no_more(strict, settle(told, where, policy, out))
    reveals_no_more(settle(told, where, UNREAD, out), strict)
    reveals_no_more(settle(told, NOWHERE, policy, out), settle(told, where, policy, out))


@given(answers, regions, policies, opt_outs, opt_outs)
def test_opting_out_never_reveals_more(
    told: Answers, where: Region, policy: ShopPolicy, out: OptOuts, also: OptOuts
) -> None:
    both = OptOuts(out.data_sale or also.data_sale, out.withdrawn | also.withdrawn)
    reveals_no_more(settle(told, where, policy, both), settle(told, where, policy, out))


@given(answers, regions, policies, opt_outs)
def test_nothing_is_allowed_without_a_yes_or_a_policy_that_does_not_ask(
    told: Answers, where: Region, policy: ShopPolicy, out: OptOuts
) -> None:
    for purpose in Purpose:
        ruling = verdict(purpose, told, where, policy, out)
        answer = getattr(told, purpose)
        assert ruling.allowed == (ruling.reason in {Reason.SAID_YES, Reason.OPT_OUT_REGION})
        assert answer is not False or not ruling.allowed
        if ruling.reason is Reason.OPT_OUT_REGION:
            assert answer is None
            assert where.country is not None


@given(answers, regions, policies, opt_outs)
def test_the_four_purposes_are_settled_each_by_itself(
    told: Answers, where: Region, policy: ShopPolicy, out: OptOuts
) -> None:
    consent = settle(told, where, policy, out)
    for purpose in Purpose:
        alone = msgspec.structs.replace(SILENT, **{purpose: getattr(told, purpose)}, gpc=told.gpc)
        assert getattr(consent, purpose) == verdict(purpose, alone, where, policy, out).allowed


@pytest.mark.parametrize(
    ("told", "where", "policy", "out", "expected"),
    [
        (ALL_YES, NOWHERE, UNREAD, NO_OPT_OUTS, Reason.SAID_YES),
        (ALL_NO, Region("US"), listing(US=ASKS_NOT), NO_OPT_OUTS, Reason.SAID_NO),
        (ALL_YES, NOWHERE, UNREAD, OptOuts(withdrawn=frozenset(["analytics"])), Reason.WITHDRAWN),
        (SILENT, Region("US"), UNREAD, NO_OPT_OUTS, Reason.NO_POLICY),
        (SILENT, NOWHERE, listing(US=ASKS_NOT), NO_OPT_OUTS, Reason.NO_REGION),
        (SILENT, Region("XK"), listing(US=ASKS_NOT), NO_OPT_OUTS, Reason.NOT_LISTED),
        (SILENT, Region("US"), listing(US=ASKS_NOT), NO_OPT_OUTS, Reason.OPT_OUT_REGION),
        (SILENT, Region("DE"), listing(DE=ASKS, US=ASKS_NOT), NO_OPT_OUTS, Reason.OPT_IN_REGION),
        (SILENT, Region("DE"), listing(DE=SAYS_NOTHING), NO_OPT_OUTS, Reason.OPT_IN_REGION),
        # the province's own word goes before the country's, either way
        (SILENT, Region("US", "CA"), listing(US=ASKS_NOT, US_CA=ASKS), NO_OPT_OUTS, Reason.OPT_IN_REGION),
        (SILENT, Region("CA", "QC"), listing(CA=ASKS, CA_QC=ASKS_NOT), NO_OPT_OUTS, Reason.OPT_OUT_REGION),
        (SILENT, Region("US", "TX"), listing(US=ASKS_NOT, US_CA=ASKS), NO_OPT_OUTS, Reason.OPT_OUT_REGION),
        (SILENT, Region("US", "TX"), listing(US_CA=ASKS_NOT), NO_OPT_OUTS, Reason.NOT_LISTED),
        # where the province is not known, all of the country's have to agree
        (SILENT, Region("US"), listing(US=ASKS_NOT, US_CA=ASKS), NO_OPT_OUTS, Reason.OPT_IN_REGION),
        (SILENT, Region("US"), listing(US_CA=ASKS_NOT), NO_OPT_OUTS, Reason.OPT_OUT_REGION),
        (SILENT, Region("us", "ca"), listing(US_CA=ASKS_NOT), NO_OPT_OUTS, Reason.OPT_OUT_REGION),
        # a country whose code begins another's name is another country
        (SILENT, Region("C"), listing(CA=ASKS_NOT), NO_OPT_OUTS, Reason.NOT_LISTED),
    ],
)  # fmt: skip
def test_the_strictest_source_that_says_something_decides(
    told: Answers, where: Region, policy: ShopPolicy, out: OptOuts, expected: Reason
) -> None:
    assert verdict(Purpose.ANALYTICS, told, where, policy, out).reason is expected


@pytest.mark.parametrize(
    ("told", "out", "expected"),
    [
        (msgspec.structs.replace(ALL_YES, gpc=True), OptOuts(data_sale=True), Reason.GPC),
        (ALL_YES, OptOuts(data_sale=True), Reason.OPTED_OUT),
        (ALL_NO, OptOuts(data_sale=True), Reason.OPTED_OUT),
        (ALL_YES, OptOuts(withdrawn=frozenset(PURPOSES)), Reason.WITHDRAWN),
        (ALL_YES, NO_OPT_OUTS, Reason.SAID_YES),
    ],
)
def test_gpc_and_opt_outs_forbid_the_sale_of_data_and_nothing_else(
    told: Answers, out: OptOuts, expected: Reason
) -> None:
    assert verdict(Purpose.SALE_OF_DATA, told, NOWHERE, UNREAD, out).reason is expected
    for purpose in (Purpose.ANALYTICS, Purpose.MARKETING, Purpose.PREFERENCES):
        assert verdict(purpose, told, opt_outs=out).reason not in {Reason.GPC, Reason.OPTED_OUT}


def test_a_complete_answer_needs_no_policy() -> None:
    for told in map(Answers, *zip(*product([True, False], repeat=4), strict=True)):
        lax = settle(told, Region("US"), listing(US=ASKS_NOT))
        assert lax == settle(told) == Consent(*msgspec.structs.astuple(told)[:4])


@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers()), st.sampled_from(PURPOSES)
)
def test_keys_we_do_not_know_say_nothing_and_those_that_are_missing_allow_nothing(
    extra: dict[str, Any], missing: str
) -> None:
    sent = {name: value for name, value in extra.items() if name not in (*PURPOSES, "gpc")}
    sent |= {purpose: True for purpose in PURPOSES if purpose != missing}
    told = msgspec.json.decode(msgspec.json.encode(sent), type=Answers)
    assert told == Answers(**{purpose: True for purpose in PURPOSES if purpose != missing})
    assert not getattr(settle(told), missing)


@pytest.mark.parametrize("odd", ["yes", 1, [], {}, "true"])
def test_an_answer_that_is_neither_yes_nor_no_is_refused_and_not_guessed(odd: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"analytics": odd}), type=Answers)
