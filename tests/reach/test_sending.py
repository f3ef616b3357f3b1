"""Who left is written to once, and only who may be: against the dev store and a real mail server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import delete

from app.admin.alerts_view import alert_letter
from app.consent.digests import open_digests
from app.reach import sending
from app.reach.jobs import reach_shop
from app.reach.planning import HELD_OUT
from app.reach.settings import Reach
from app.reach.store import abandonments_of
from app.reach.suppressions import BOUNCED, suppression
from app.reach_tables import AbandonmentRow, ReachMessageRow
from app.shops.pausing import go_on, pause
from app.shops.store import get_shop
from app.tables import DecisionRow, EventRow
from devstore.schema import MODULES
from tests.outbound.segments import answer, change_shop
from tests.reach.places import ADA
from tests.reach.scene import DUE, FLOW, GONE_SILENT, NOW, Scene, checkout, order

pytestmark = pytest.mark.skipif(
    not (MODULES / "@shopify/dev-mcp").exists(), reason="npm packages are not installed: make setup"
)


async def test_who_left_gets_one_letter_after_the_delay_and_no_second(scene: Scene) -> None:
    assert await scene.left(GONE_SILENT, GONE_SILENT + timedelta(minutes=59)) == 0
    assert await scene.left(DUE, DUE + timedelta(hours=1), DUE + timedelta(hours=30)) == 1
    (letter,) = scene.office.letters
    assert (letter["To"], letter["Subject"]) == ("ada@example.com", "Your checkout at Corner is waiting")
    assert await scene.messages() == [("mail", "sent", "")]


async def test_a_paused_shop_writes_to_nobody_and_what_waited_leaves_after_the_pause(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    await pause(scene.connections, scene.shop, "7", NOW)
    assert await scene.look(DUE) == 0  # of a look that began before the pause
    assert await scene.messages() == [("mail", "waiting", "")]
    await go_on(scene.connections, scene.shop, "7", NOW)
    assert await scene.look(DUE) == 1


async def test_who_leaves_while_the_shop_is_paused_is_not_written_to(scene: Scene) -> None:
    await pause(scene.connections, scene.shop, "7", NOW)
    installed = await get_shop(scene.connections, scene.shop)
    assert installed is not None
    scene.front = replace(scene.front, installed=installed)
    assert await scene.left() == 0
    assert await scene.messages() == []


async def test_two_workers_at_once_send_one_letter(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    assert sorted(await asyncio.gather(*(scene.look(DUE) for _ in range(3)))) == [0, 0, 1]
    assert len(scene.office.letters) == 1


async def test_the_address_is_nowhere_in_the_database_nor_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.office.says["RCPT"] = "451 ada@example.com comes later"
    await scene.left()
    scene.office.says.clear()
    await scene.left(DUE + timedelta(minutes=10))
    assert len(scene.office.letters) == 1
    for row in (ReachMessageRow, AbandonmentRow):
        assert "ada@" not in repr(await scene.rows(row))
    assert "ada@" not in caplog.text


@pytest.mark.parametrize("state", ["unsubscribed", "not_subscribed", "pending"])
async def test_without_a_subscription_nothing_is_sent_whoever_says_so(scene: Scene, state: str) -> None:
    scene.front.shop.customers[ADA].email_consent = state  # we have not heard of it yet
    assert await scene.left() == 0
    assert await scene.messages() == [("mail", "dropped", "not subscribed to e-mail")]


async def test_who_takes_marketing_back_meanwhile_is_not_written_to(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    await answer(scene.connections, scene.shop, ADA, marketing=False)
    assert await scene.left(DUE) == 0
    ((_, status, reason),) = await scene.messages()
    assert (status, reason) == ("dropped", "may not be written to: visitor_said_no")


async def test_of_two_checkouts_left_together_the_later_one_is_written_about(scene: Scene) -> None:
    other = checkout(scene, "a", timedelta(minutes=1))
    other.data = other.data | {"lines": [{"variant_id": 12, "quantity": 1}]}
    await scene.add(other)
    assert await scene.left(timedelta(minutes=33), DUE + timedelta(minutes=5)) == 1
    assert "/cart/12:1" in str(scene.office.letters[0].get_body(("plain",)))


@pytest.mark.parametrize(("arms", "letters"), [(("holdout", "personalised"), 0), (("static", "holdout"), 1)])
async def test_who_is_held_out_in_the_checkout_is_not_written_to(
    scene: Scene, arms: tuple[str, str], letters: int
) -> None:
    fields: dict[str, Any] = {"shop": scene.shop, "surface": "checkout", "rung": "session"}
    await scene.add(
        *(
            DecisionRow(
                decision_id=arm, arm=arm, checkout_token="t", decided_at=NOW + timedelta(seconds=at), **fields
            )
            for at, arm in enumerate(arms)  # who signs in counts as who they were first
        )
    )
    assert await scene.left() == letters
    told = ("mail", "sent", "") if letters else ("mail", "dropped", HELD_OUT)
    assert await scene.messages() == [told]


async def test_nothing_is_planned_until_a_way_is_switched_on(scene: Scene) -> None:
    scene.reach = Reach()
    await scene.left()
    assert await scene.messages() == []


async def test_a_way_that_is_switched_off_meanwhile_sends_nothing(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    scene.reach = Reach()
    assert await scene.left(DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "this way was switched off")]


async def test_a_reminder_planned_before_reminders_were_switched_off_is_not_sent(
    scene: Scene,
) -> None:
    await scene.left(GONE_SILENT)
    scene.reach = Reach(mail=True, remind=False)
    assert await scene.left(DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "there is no code to give")]


async def test_an_order_in_time_is_no_letter(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    await scene.add(order(scene))
    assert await scene.left(DUE, DUE + timedelta(hours=25)) == 0
    assert await scene.messages() == [("mail", "dropped", "its time is over")]


async def test_an_order_that_only_shopify_knows_of_yet_is_no_letter(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    who_left = sending.fetch_customer

    async def ordered(*asked: Any) -> Any:
        customer = await who_left(*asked)
        assert customer is not None
        return replace(customer, ordered_at=NOW + timedelta(minutes=50))

    monkeypatch.setattr(sending, "fetch_customer", ordered)
    assert await scene.left() == 0
    assert await scene.messages() == [("mail", "dropped", "ordered")]


async def test_an_order_that_comes_while_the_letter_leaves_changes_no_letter_and_sends_no_second(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = sending.send

    async def meanwhile(*given: Any) -> Any:
        await scene.add(order(scene))
        return await send(*given)

    monkeypatch.setattr(sending, "send", meanwhile)
    assert await scene.left(GONE_SILENT, DUE, DUE + timedelta(minutes=9)) == 1
    assert await scene.messages() == [("mail", "sent", "")]
    ids = [each.abandonment_id for each in await scene.rows(AbandonmentRow)]
    (left,) = await abandonments_of(scene.connections, scene.shop, ids)
    assert left.resolution == "ordered"


async def test_who_comes_back_and_leaves_again_is_written_to_once_and_later(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    await scene.add(checkout(scene, "t", timedelta(minutes=60)))
    assert await scene.left(timedelta(minutes=61), DUE) == 0
    assert await scene.left(timedelta(minutes=153), timedelta(minutes=300)) == 1


async def test_who_comes_back_before_it_was_due_and_leaves_again_the_next_day_is_written_to(
    scene: Scene,
) -> None:
    await scene.look(GONE_SILENT)
    await scene.add(checkout(scene, "t", timedelta(minutes=40)))
    await scene.look(timedelta(minutes=45))
    await scene.look(timedelta(hours=26))  # nobody was to be written to until here: its time is over
    assert await scene.messages() == [("mail", "dropped", "its time is over")]
    await scene.add(checkout(scene, "t", timedelta(hours=27)))
    next_day = [timedelta(hours=27) + each for each in (GONE_SILENT, DUE)]
    assert await scene.left(*next_day) == 1
    assert await scene.left(*(each + timedelta(days=1) for each in next_day)) == 0


async def test_who_comes_back_and_leaves_another_checkout_is_written_to_about_that_one(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    await scene.add(checkout(scene, "t", timedelta(minutes=40)), checkout(scene, "u", timedelta(minutes=42)))
    hour = timedelta(minutes=60)
    assert await scene.left(timedelta(minutes=43), GONE_SILENT + hour, DUE + hour, DUE + 2 * hour) == 1
    assert len(scene.office.letters) == 1


async def test_a_worker_that_can_not_reach_redis_gives_the_message_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any, **__: Any) -> None:
        raise ConnectionError

    await scene.left(GONE_SILENT)
    with monkeypatch.context() as broken:
        broken.setattr(sending, "installation_secret", down)
        with pytest.raises(ConnectionError):
            await scene.left(DUE)
    assert await scene.messages() == [("mail", "waiting", "ConnectionError")]
    assert await scene.left(DUE + timedelta(minutes=6)) == 1


async def test_what_was_found_when_a_look_broke_off_is_planned_by_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off(*_: Any, **__: Any) -> None:
        raise ConnectionError("Redis went away")

    with monkeypatch.context() as broken:
        broken.setattr("app.reach.planning.was_written_to", break_off)
        with pytest.raises(ConnectionError):
            await scene.look(GONE_SILENT)
    assert await scene.messages() == []
    minute = timedelta(minutes=1)
    assert await scene.left(GONE_SILENT + minute, GONE_SILENT + 2 * minute, DUE + minute) == 1
    assert await scene.messages() == [("mail", "sent", "")]


async def test_two_checkouts_of_one_customer_are_one_letter(scene: Scene) -> None:
    await scene.add(checkout(scene, "u"))
    assert await scene.left(GONE_SILENT, DUE, DUE + timedelta(hours=1)) == 1


async def test_who_was_written_to_is_left_in_peace_for_days(scene: Scene) -> None:
    await scene.left()
    for day, letters in ((2, 1), (9, 2)):
        later = timedelta(days=day)
        await scene.add(checkout(scene, f"day {day}", later))
        await scene.left(later + GONE_SILENT, later + DUE)
        assert len(scene.office.letters) == letters


async def test_a_mail_server_that_is_down_is_tried_again_and_given_up_in_the_end(scene: Scene) -> None:
    scene.office.says["EHLO"] = scene.office.says["HELO"] = None
    assert await scene.left() == 0
    ((_, status, reason),) = await scene.messages()
    assert (status, reason.split(":")[0]) == ("waiting", "the mail server is not reached")
    scene.office.says.clear()
    assert await scene.left(DUE + timedelta(seconds=1)) == 0  # not before its time
    assert await scene.left(DUE + timedelta(minutes=7)) == 1


async def test_what_could_not_be_sent_in_time_has_failed_and_the_merchant_can_see_why(scene: Scene) -> None:
    scene.office.says["EHLO"] = scene.office.says["HELO"] = None
    await scene.left(GONE_SILENT, DUE, DUE + timedelta(hours=25))
    ((_, status, reason),) = await scene.messages()
    assert (status, reason.split(":")[0]) == ("failed", "the mail server is not reached")


async def test_a_letter_that_may_have_left_never_leaves_again(scene: Scene) -> None:
    scene.office.says["END"] = None
    assert await scene.left(GONE_SILENT, DUE, DUE + timedelta(hours=2)) == 0
    assert len(scene.office.letters) == 1
    ((_, status, reason),) = await scene.messages()
    assert status == "failed"
    assert "may have it" in reason


async def test_a_machine_that_slept_before_a_letter_left_asks_again_whether_it_may(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([NOW + DUE, NOW + DUE + timedelta(hours=1)])

    class Waking(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return next(told)

    await scene.left(GONE_SILENT)
    with monkeypatch.context() as asleep:
        asleep.setattr(sending, "datetime", Waking)
        assert await scene.left(DUE) == 0
    assert scene.office.letters == []
    await scene.add(order(scene))
    assert await scene.left(DUE + timedelta(hours=1)) == 0
    ((_, status, _),) = await scene.messages()
    assert (status, scene.office.letters) == ("waiting", [])  # in case it is left again


async def test_a_worker_that_died_while_sending_sends_nothing_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(Exception):
        """The process went away."""

    async def dies(*_: Any, **__: Any) -> None:
        raise Died

    await scene.left(GONE_SILENT)
    with monkeypatch.context() as broken:
        broken.setattr(sending, "settle_message", dies)
        with pytest.raises(Died):
            await scene.left(DUE)
    assert await scene.left(DUE + timedelta(minutes=5), DUE + timedelta(minutes=20)) == 0
    assert len(scene.office.letters) == 1
    ((_, status, _),) = await scene.messages()
    assert status == "failed"


async def test_a_bounce_is_remembered_by_the_address_alone(scene: Scene) -> None:
    scene.office.says["RCPT"] = "550 5.1.1 who is ada@example.com?"
    await scene.left()
    digest = (await open_digests(scene.connections)).of_email(scene.shop, "Ada@example.com")
    assert await suppression(scene.connections, scene.shop, digest, NOW + timedelta(days=9)) == BOUNCED
    scene.office.says.clear()
    later = timedelta(days=9)
    await scene.add(checkout(scene, "u", later))
    assert await scene.left(later + GONE_SILENT, later + DUE) == 0
    assert ("mail", "dropped", BOUNCED) in await scene.messages()


async def test_a_customer_who_is_gone_is_not_written_to(scene: Scene) -> None:
    await scene.left(GONE_SILENT)
    del scene.front.shop.customers[ADA]
    assert await scene.left(DUE) == 0
    assert await scene.messages() == [("mail", "dropped", "the customer is gone")]


async def test_shopify_that_does_not_answer_is_asked_again_before_anything_leaves(scene: Scene) -> None:
    def down(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(403)

    await scene.left(GONE_SILENT)
    front, up = scene.front, scene.front.connections
    async with httpx.AsyncClient(transport=httpx.MockTransport(down)) as nowhere:
        scene.front = replace(front, connections=replace(up, http=nowhere))
        assert await scene.left(DUE) == 0
    scene.front = front
    ((_, status, _),) = await scene.messages()
    assert status == "waiting"
    assert await scene.left(DUE + timedelta(minutes=6)) == 1


async def test_flow_is_told_once_with_the_way_back(scene: Scene) -> None:
    scene.reach = FLOW
    assert await scene.left(GONE_SILENT, DUE, DUE + timedelta(hours=1)) == 1
    (told,) = scene.front.shop.told_flow
    assert (told["handle"], told["customer_id"]) == ("checkout-abandoned", ADA)
    assert told["Checkout link"] == f"https://{scene.shop}/cart/11:2"
    assert (told["Total"], told["Currency"], told["Items"], told["Discount code"]) == (40.0, "USD", 2, "")


async def test_where_flow_is_not_installed_that_is_told_and_not_tried_for_ever(scene: Scene) -> None:
    scene.reach = FLOW
    scene.front.shop.has_flow = False
    assert await scene.left(GONE_SILENT, DUE, DUE + timedelta(hours=1)) == 0
    ((_, status, reason),) = await scene.messages()
    assert status == "failed"
    assert "is Shopify Flow installed?" in reason


async def test_both_ways_are_each_told_once(scene: Scene) -> None:
    scene.reach = Reach(flow=True, mail=True)
    assert await scene.left() == 2
    assert await scene.messages() == [("flow", "sent", ""), ("mail", "sent", "")]


async def test_the_job_finds_and_plans_and_a_second_one_finds_nothing_more(scene: Scene) -> None:
    ago = -timedelta(minutes=40)
    await change_shop(scene.connections, scene.shop, settings={"reach": {"mail": True}})
    async with scene.connections.write() as db:
        await db.exec(delete(EventRow))  # the job goes by the clock: by now this checkout may be old enough
    await scene.add(checkout(scene, "before", ago, customer=8), checkout(scene, "mine", ago))
    for _ in range(2):
        await reach_shop(scene.connections, scene.shop, alert_letter)
        assert [each.checkout_token for each in await scene.rows(AbandonmentRow) if each.customer_id] == [
            "mine"
        ]
        assert await scene.messages() == [("mail", "waiting", "")]


async def test_a_shop_that_left_is_not_worked_for(scene: Scene) -> None:
    await change_shop(scene.connections, scene.shop, uninstalled_at=NOW, settings={"reach": {"mail": True}})
    await reach_shop(scene.connections, scene.shop, alert_letter)
    assert await scene.rows(AbandonmentRow) == []
