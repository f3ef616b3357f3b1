from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from sqlmodel import col, select

from app.connections import Connections
from app.consent.digests import open_digests
from app.consent.policy import PURPOSES, Answers
from app.consent.told import told_key, unpack
from app.events.consume import work_off
from app.events.kinds import BrowserEvent, ConsentTold, DecisionMade
from app.events.log import EventConsumer, EventLog
from app.events.store import record_events
from app.experiments.assign import pseudonym
from app.offers.store import record_decisions, record_feedback
from app.privacy_tables import ConsentRow
from app.profiles import consents, store
from app.profiles.consents import follow_consent, record_consent
from app.profiles.customer import REFUSED, Profile
from app.profiles.keys import checkout_key, client_key, customer_key
from app.profiles.names import Names
from app.profiles.packed import unpack_profile
from app.profiles.store import follow_customers, remember_browsing
from app.tables import DecisionRow, EventRow, FeedbackRow, OrderRow, ShopRow
from app.worker import HANDLERS
from tests.profiles.factories import NOW, SHOP, a_view, an_order, place
from tests.profiles.factories import browse as done

YES, NO = dict.fromkeys(PURPOSES, True), dict.fromkeys(PURPOSES, False)
EVERYONE = {"client_id": "browser", "checkout_token": "token", "customer_id": 7}


def said(minute: float, answers: dict[str, bool | None], withdrawn: Any = (), **names: Any) -> ConsentTold:
    """Return what the names said so many minutes after NOW; everyone's unless names are given."""
    fields: dict[str, Any] = {"client_id": None, "checkout_token": None, "customer_id": None}
    return ConsentTold(
        shop=SHOP, event_id=f"consent:{minute}", happened_at=NOW + timedelta(minutes=minute),
        source="checkout", answers=answers | {"gpc": False},
        permitted=tuple(name for name, answer in answers.items() if answer), withdrawn=tuple(withdrawn),
        region=None, policy_version="v", **fields | (names or EVERYONE),
    )  # fmt: skip


def a_decision(decision_id: str, **names: Any) -> DecisionMade:
    """Return a decision of a minute before NOW, about who is named."""
    fields: dict[str, Any] = {"checkout_token": None, "customer_id": None}
    return DecisionMade(
        shop=SHOP, event_id=decision_id, happened_at=NOW - timedelta(minutes=1), surface="checkout",
        rung="personal", arm="personalised", fallback=None, model_version=None, region="US",
        permitted=PURPOSES, duration_us=1, inputs={"situation": {"viewed": [10]}}, answer={"offers": []},
        **fields | names,
    )  # fmt: skip


async def install(connections: Connections, **settings: Any) -> None:
    async with connections.write() as db:
        db.add(ShopRow(shop=SHOP, publishable_key="pk", installed_at=NOW, settings=settings))


async def react(connections: Connections, *events: ConsentTold) -> None:
    for event in events:
        await record_consent(connections, event)
        await follow_consent(connections, event)
        await follow_customers(connections, [event])


async def rows(connections: Connections, kind: Any) -> list[Any]:
    async with connections.read() as db:
        return list((await db.exec(select(kind))).all())


async def profile(connections: Connections, customer_id: int = 7) -> Profile:
    return unpack_profile(await connections.redis.get(customer_key(SHOP, customer_id)))


async def order(connections: Connections, number: int, **changes: Any) -> None:
    await place(connections, an_order(number, **changes))


async def browse(connections: Connections, *seen: BrowserEvent) -> None:
    for view in seen:
        await done(connections, view)
        await record_feedback(connections, view)


async def test_each_name_has_its_line_in_the_ledger_under_a_digest(connections: Connections) -> None:
    await install(connections)
    await react(connections, said(0, YES))
    written = await rows(connections, ConsentRow)
    subjects = Names(7, "browser", "token").subjects(await open_digests(connections), SHOP)
    assert {row.subject_kind: row.subject for row in written} == subjects
    for subject in subjects.values():
        told = unpack(await connections.redis.get(told_key(SHOP, subject)))
        assert told == Answers(True, True, True, True)
    assert not any(name in str(row.model_dump()) for row in written for name in ("browser", "token"))


async def test_no_line_of_the_ledger_leads_to_the_decision_that_the_word_came_with(
    connections: Connections,
) -> None:
    """The line stays when somebody is erased, and so do the decision and the order it led to, as nobody's."""
    await install(connections)
    word = structs.replace(said(0, YES), event_id="consent:the-decision")
    await react(connections, word, word)  # told again it is the same word
    written = await rows(connections, ConsentRow)
    assert len(written) == len(EVERYONE)
    assert not any("the-decision" in str(row.model_dump()) for row in written)


async def test_a_visit_that_is_taken_back_leaves_nothing(connections: Connections) -> None:
    await install(connections)
    shown = a_view(
        None, 3, name="tillwise:offer_shown", checkout_token="token",
        data={"decision_id": "d1", "offer_id": "o"},
    )  # fmt: skip
    await browse(
        connections, a_view(10), a_view(20, 1, checkout_token="token"), shown,
        a_view(30, 2, checkout_token="earlier"), a_view(40, client_id="other"),
    )  # fmt: skip
    await record_decisions(connections, [a_decision("d1", checkout_token="token")])
    await record_decisions(connections, [a_decision("d2", checkout_token="theirs")])
    await order(connections, 1, checkout_token="token")
    await record_events(connections, [an_order(1, checkout_token="token")])

    withdrawal = said(5, YES | {"analytics": False}, ["analytics"], client_id="browser")
    for _ in range(2):  # and again, as after a crash
        await react(connections, withdrawal)
        kept = await rows(connections, EventRow)
        assert sorted((row.name, row.client_id) for row in kept) == [
            ("OrderPlaced", None), ("product_viewed", "other"),
        ]  # fmt: skip
        for key in (client_key(SHOP, "browser"), checkout_key(SHOP, "token"), checkout_key(SHOP, "earlier")):
            assert await connections.redis.exists(key) == 0
        assert await connections.redis.exists(client_key(SHOP, "other")) == 1
        made = {row.decision_id: row for row in await rows(connections, DecisionRow)}
        assert (made["d1"].checkout_token, made["d1"].inputs, made["d1"].region) == (None, {}, None)
        assert (made["d1"].arm, made["d2"].checkout_token) == ("personalised", "theirs")
        assert made["d2"].inputs != {}
        (feedback,) = await rows(connections, FeedbackRow)
        assert feedback.decision_id == "d1"  # a count of what nobody in particular was shown
        (sold,) = await rows(connections, OrderRow)
        assert (sold.customer_id, sold.checkout_token) == (7, "token")


@pytest.mark.parametrize("purpose", ["preferences", "marketing"])
async def test_a_customer_who_refuses_has_no_profile_and_is_in_no_decision(
    connections: Connections, purpose: str
) -> None:
    await install(connections)
    await order(connections, 1)
    await order(connections, 2, customer_id=8)
    seen = a_view(10, customer_id=7, permitted=PURPOSES)
    await browse(connections, seen)
    await record_decisions(connections, [a_decision("d1", customer_id=7, checkout_token="token")])
    await record_decisions(connections, [a_decision("d2", customer_id=8)])
    await react(connections, said(0, YES), said(1, YES | {purpose: False}, [purpose]))
    assert await profile(connections) == REFUSED
    assert (await profile(connections, 8)).orders_count == 1
    made = {row.decision_id: row for row in await rows(connections, DecisionRow)}
    assert (made["d1"].customer_id, made["d1"].checkout_token, made["d1"].inputs) == (None, None, {})
    assert (made["d2"].customer_id, made["d2"].inputs != {}) == (8, True)
    (kept,) = await rows(connections, EventRow)
    assert (kept.client_id, kept.customer_id) == ("browser", None)  # the visit itself is still allowed


async def test_nothing_is_added_to_a_refused_profile_and_it_comes_back_whole(
    connections: Connections,
) -> None:
    await install(connections)
    await order(connections, 1, products=[10])
    await react(connections, said(0, YES), said(1, NO, PURPOSES))
    await order(connections, 2, products=[20], day=1)
    assert await profile(connections) == REFUSED
    await react(connections, said(2, NO | {"preferences": True}))
    assert await profile(connections) == REFUSED
    await react(connections, said(3, YES))
    assert sorted((await profile(connections)).bought) == [10, 20]


async def test_an_old_yes_that_comes_late_brings_nothing_back(connections: Connections) -> None:
    await install(connections)
    await order(connections, 1)
    await react(connections, said(5, NO, PURPOSES), said(1, YES))
    assert await profile(connections) == REFUSED
    assert len(await rows(connections, ConsentRow)) == 6  # both words of three names are history


async def test_a_guests_refusal_touches_no_profile(connections: Connections) -> None:
    await install(connections)
    await order(connections, 1)
    await react(connections, said(0, NO, PURPOSES, client_id="browser"))
    assert (await profile(connections)).orders_count == 1


async def test_on_consent_alone_a_profile_begins_with_the_yes_and_holds_what_was_before(
    connections: Connections,
) -> None:
    await install(connections, profile_basis="on_consent")
    await order(connections, 1, products=[10])
    assert await connections.redis.exists(customer_key(SHOP, 7)) == 0
    await react(connections, said(0, YES | {"marketing": None}))
    assert await connections.redis.exists(customer_key(SHOP, 7)) == 0
    await react(connections, said(1, YES))
    assert sorted((await profile(connections)).bought) == [10]
    await react(connections, said(2, NO, PURPOSES))
    assert await profile(connections) == REFUSED


async def test_a_crash_between_the_ledger_and_what_follows_is_finished_by_the_next_attempt(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(connections)
    await browse(connections, a_view(10))
    await react(connections, said(0, YES))
    await EventLog(connections.redis).append([said(1, NO, PURPOSES)])
    consumer = EventConsumer(connections.redis, "one", idle_ms=0)
    await consumer.open()

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(consents, "forget_visit", dies)
        await work_off(connections, consumer, HANDLERS, await consumer.read(block_ms=1))
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 1
    await work_off(connections, consumer, HANDLERS, await consumer.reclaim())
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 0
    assert await rows(connections, EventRow) == []
    async with connections.read() as db:
        query = select(ConsentRow).where(col(ConsentRow.subject_kind) == "client")
        assert len((await db.exec(query)).all()) == 2


async def test_what_comes_late_of_a_visit_that_was_taken_back_is_not_kept(connections: Connections) -> None:
    await install(connections)
    await browse(connections, a_view(10))
    await react(connections, said(0, YES), said(5, NO, PURPOSES, client_id="browser"))
    await EventLog(connections.redis).append(
        [
            a_view(20, 1, event_id="browser:late"),
            a_view(30, 9, event_id="browser:new"),  # allowed again, on a new day
            a_view(40, 1, event_id="browser:other", client_id="other"),
        ]
    )
    consumer = EventConsumer(connections.redis, "one")
    await consumer.open()
    await work_off(connections, consumer, HANDLERS, await consumer.read(block_ms=1))
    kept = {row.event_id for row in await rows(connections, EventRow)}
    assert kept == {"browser:new", "browser:other"}


async def test_what_is_taken_back_while_it_waits_to_be_written_down_names_nobody(
    connections: Connections,
) -> None:
    await install(connections)
    before, after = a_decision("d1", checkout_token="token"), a_decision("d2", checkout_token="theirs")
    await EventLog(connections.redis).append([before, said(1, NO, PURPOSES, checkout_token="token"), after])
    consumer = EventConsumer(connections.redis, "one")
    await consumer.open()
    await work_off(connections, consumer, HANDLERS, await consumer.read(block_ms=1))
    made = {row.decision_id: row for row in await rows(connections, DecisionRow)}
    assert (made["d1"].checkout_token, made["d1"].inputs) == (None, {})
    assert made["d2"].checkout_token == "theirs"


async def test_a_storefronts_decision_that_comes_after_its_visit_was_taken_back_tells_nothing_of_it(
    connections: Connections,
) -> None:
    await install(connections)
    consumer = EventConsumer(connections.redis, "one")
    await consumer.open()
    made = [
        structs.replace(a_decision(each), inputs={"unit": pseudonym(SHOP, f"client:{each}")})
        for each in ("browser", "other")
    ]
    for event in (said(5, NO, PURPOSES, client_id="browser"), *made):
        await EventLog(connections.redis).append([event])
        await work_off(connections, consumer, HANDLERS, await consumer.read(block_ms=1))
    found = {row.decision_id: row.inputs for row in await rows(connections, DecisionRow)}
    assert found == {"browser": {}, "other": made[1].inputs}


async def test_what_was_told_is_in_the_ledger_alone(connections: Connections) -> None:
    await record_events(connections, [said(0, YES)])
    assert await rows(connections, EventRow) == []


async def test_a_visit_read_just_before_it_was_taken_back_is_not_written_after(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await install(connections)
    await react(connections, said(0, YES))
    await browse(connections, a_view(10))
    reads = store.seen_of

    async def interrupted(*asked: Any) -> Any:
        seen = await reads(*asked)
        monkeypatch.setattr(store, "seen_of", reads)
        await react(connections, said(1, NO, PURPOSES))
        return seen

    monkeypatch.setattr(store, "seen_of", interrupted)
    await remember_browsing(connections, [a_view(10)])
    assert await connections.redis.exists(client_key(SHOP, "browser")) == 0
