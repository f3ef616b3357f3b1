from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.consent.policy import (
    PURPOSES,
    Answers,
    Region,
    RegionPolicy,
    ShopPolicy,
    permissions,
    settle,
)
from app.consent.told import merged
from app.events.kinds import ConsentTold
from app.profiles.consent_events import ConsentCall, consent_told
from app.profiles.names import Names

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHO = Names(customer_id=7, client_id="browser", checkout_token="token")
KINDS = ("client", "checkout", "customer")
LAX = ShopPolicy("v", {"US": RegionPolicy(False)})
YES, NO = Answers(True, True, True, True), Answers(False, False, False, False)

tristate = st.sampled_from([None, True, False])
answers = st.builds(Answers, tristate, tristate, tristate, tristate, st.booleans())
regions = st.sampled_from([Region(), Region("US"), Region("US", "CA"), Region("DE")])
policies = st.sampled_from([ShopPolicy(), LAX, ShopPolicy("w", {"US": RegionPolicy(True)})])
names = st.builds(
    Names, st.sampled_from([None, 7]), st.sampled_from([None, "browser"]), st.sampled_from([None, "token"])
)
before = st.fixed_dictionaries(dict.fromkeys(KINDS, st.none() | answers))


def a_call(told: Answers, **changes: Any) -> ConsentCall:
    fields: dict[str, Any] = {
        "shop": "a.myshopify.com", "event_id": "1", "happened_at": NOW, "source": "checkout", "names": WHO,
        "answers": told, "region": Region("US"), "policy": ShopPolicy(),
    }  # fmt: skip
    return ConsentCall(**(fields | changes))


def named(event: ConsentTold) -> dict[str, Any]:
    fields = {
        "client": event.client_id, "checkout": event.checkout_token, "customer": event.customer_id
    }  # fmt: skip
    return {kind: name for kind, name in fields.items() if name is not None}


@given(st.lists(answers, max_size=6), names, regions, policies)
def test_who_never_allows_anything_is_never_told_of(
    calls: list[Answers], who: Names, where: Region, policy: ShopPolicy
) -> None:
    for told in calls:
        may = permissions(settle(told, where, policy))
        if not (may.may_use_profile or may.may_store_visitor or may.may_store_checkout):
            assert consent_told(a_call(told, names=who, region=where, policy=policy), {}) is None


@given(answers, names, regions, policies, before)
def test_only_names_that_may_be_written_down_or_already_are_are_told(
    told: Answers, who: Names, where: Region, policy: ShopPolicy, known: dict[str, Answers | None]
) -> None:
    event = consent_told(a_call(told, names=who, region=where, policy=policy), known)
    if event is None:
        return
    may = permissions(settle(told, where, policy))
    allowed = {
        "client": may.may_store_visitor, "checkout": may.may_store_checkout, "customer": may.may_use_profile
    }  # fmt: skip
    for kind, name in named(event).items():
        assert name == dict(who)[kind]
        assert allowed[kind] or known[kind] is not None
    assert event.permitted == settle(told, where, policy).permitted


@given(answers, names, regions, policies, before)
def test_what_was_told_is_not_told_again(
    told: Answers, who: Names, where: Region, policy: ShopPolicy, known: dict[str, Answers | None]
) -> None:
    call = a_call(told, names=who, region=where, policy=policy)
    event = consent_told(call, known)
    if event is None:
        return
    after = {kind: merged(known[kind] or Answers(), told) if kind in named(event) else known[kind]
             for kind in KINDS}  # fmt: skip
    assert consent_told(call, after) is None


@given(answers, before)
def test_withdrawn_is_refused_now_by_somebody_who_did_not_refuse_before(
    told: Answers, known: dict[str, Answers | None]
) -> None:
    event = consent_told(a_call(told), known)
    for purpose in event.withdrawn if event else ():
        assert getattr(told, purpose) is False
        assert any(each is not None and getattr(each, purpose) is not False for each in known.values())
        assert event is not None
        assert purpose not in event.permitted


def test_a_withdrawal_names_everyone_it_is_of_though_nothing_is_allowed_any_more() -> None:
    event = consent_told(a_call(NO), dict.fromkeys(KINDS, YES))
    assert event is not None
    assert named(event) == {"client": "browser", "checkout": "token", "customer": 7}
    assert (event.permitted, event.withdrawn) == ((), PURPOSES)
    assert (event.event_id, event.region, event.answers["gpc"]) == ("consent:1", "US", False)


def test_a_withdrawal_does_not_name_whom_we_never_knew() -> None:
    event = consent_told(a_call(NO), {"client": YES, "checkout": None, "customer": None})
    assert event is not None
    assert named(event) == {"client": "browser"}


def test_a_no_where_the_policy_had_allowed_it_is_a_withdrawal() -> None:
    silent = consent_told(a_call(Answers(), policy=LAX), {})
    assert silent is not None
    assert (silent.permitted, silent.withdrawn) == (PURPOSES, ())
    refused = consent_told(a_call(NO, policy=LAX), dict.fromkeys(named(silent), Answers()))
    assert refused is not None
    assert (set(named(refused)), refused.withdrawn) == (set(KINDS), PURPOSES)
