from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.profiles.packed import pack, unpack_visit
from app.profiles.signals import cart_value
from app.profiles.visit import NO_VISIT, VIEWS_KEPT, BrowsedEvent, Visit, visit_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minute: float, name: str = "page_viewed", customer_id: int | None = None, **data: Any) -> BrowsedEvent:
    """Return an event so many minutes after NOW; its id follows from what it is."""
    happened_at = NOW + timedelta(minutes=minute)
    return BrowsedEvent(f"{name}-{minute}", happened_at, name, data, customer_id)


NAMES = ["page_viewed", "product_viewed", "search_submitted", "checkout_started", "alert_displayed"]
events = st.lists(
    st.builds(
        lambda minute, name, product, customer: at(minute, name, customer, product_id=product),
        st.integers(0, 200),
        st.sampled_from(NAMES),
        st.integers(1, 30),
        st.sampled_from([None, None, 7, 8]),
    ),
    max_size=40,
    unique_by=lambda event: event.event_id,
)


@given(events, st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(seen: list[BrowsedEvent], chance: Any) -> None:
    again = [*seen, *seen[: len(seen) // 2]]
    chance.shuffle(again)
    assert visit_of(again) == visit_of(seen)


@given(events)
def test_no_visit_holds_what_two_accounts_did(seen: list[BrowsedEvent]) -> None:
    visit = visit_of(seen)
    if visit.customer_id is not None:
        others = [e for e in seen if e.customer_id not in (None, visit.customer_id)]
        began = min((ms for ms in visit.viewed.values()), default=None)
        assert began is None or all(e.happened_at.timestamp() * 1000 <= began for e in others)


def test_a_visit_counts_what_was_done_in_it() -> None:
    visit = visit_of(
        [
            at(0, path="/"),
            at(1, "product_viewed", product_id=10),
            at(2, "product_viewed", product_id="gid://shopify/Product/20"),
            at(3, "product_added_to_cart", product_id=20),
            at(4, "search_submitted", count=0),
            at(5, "checkout_started"),
            at(6, "checkout_shipping_info_submitted"),
            at(7, "alert_displayed", type="INPUT_INVALID"),
        ]
    )
    assert visit == Visit(
        viewed={20: 1793534580000, 10: 1793534460000},
        visits=1,
        began_at=1793534400,
        last_at=1793534820,
        dwell_s=420,
        pages=1,
        products=2,
        searches=1,
        searches_empty=1,
        added=1,
        step=4,
        errors=1,
    )


def test_trouble_is_counted_by_code_and_by_way_back() -> None:
    visit = visit_of(
        [
            at(0, "checkout_started"),
            at(1, "checkout_contact_info_submitted"),
            at(2, "checkout_shipping_info_submitted"),
            at(3, "checkout_contact_info_submitted"),
            at(4, "alert_displayed", type="INPUT_INVALID"),
            at(5, "alert_displayed", type="INPUT_INVALID"),
            at(6, "alert_displayed", type="INPUT_REQUIRED"),
            at(7, "alert_displayed", type="DISCOUNT_ERROR"),
        ]
    )
    assert (visit.steps_back, visit.coupon_failures, visit.errors) == (1, 1, 4)
    assert visit.step == 4


def test_the_cart_is_worth_what_was_told_last() -> None:
    told = [
        ("cart_viewed", {"total": "900.00", "currency": "USD"}),
        ("cart_viewed", {"total": "120.00", "currency": "EUR"}),
        ("checkout_started", {"total": "90.00", "subtotal": "80.00", "currency": "EUR"}),
        ("product_viewed", {"total": "7.00", "currency": "EUR"}),
        ("cart_viewed", {"total": "a lot", "currency": "EUR"}),
        ("cart_viewed", {}),
    ]
    assert cart_value(told) == ("EUR", 8000)
    assert cart_value(told[3:]) is None


def test_what_was_sent_away_is_remembered_by_product_and_a_coupon_is_none() -> None:
    said = [
        at(0, "tillwise:offer_dismissed", product_id="gid://shopify/Product/30"),
        at(1, "tillwise:offer_dismissed", product_id=None),
        at(40, "page_viewed"),
    ]
    assert visit_of(said).sent_away == (30,)


def test_signs_of_leaving_are_counted() -> None:
    assert visit_of([at(0), at(1, "tillwise:exit_intent"), at(2, "tillwise:page_left")]).exit_intents == 1


def test_half_an_hours_silence_ends_a_visit_and_its_counts_begin_anew() -> None:
    visit = visit_of([at(0), at(1), at(32), at(33)])
    assert (visit.visits, visit.pages, visit.dwell_s) == (2, 2, 60)


def test_what_was_looked_at_before_the_pause_is_still_remembered() -> None:
    visit = visit_of([at(0, "product_viewed", product_id=10), at(100, "product_viewed", product_id=20)])
    assert visit.last_viewed == (20, 10)


def test_signing_in_takes_the_visit_along_and_another_account_begins_a_new_one() -> None:
    before = at(0, "product_viewed", product_id=10)
    signed_in = at(1, "product_viewed", 7, product_id=20)
    other = at(2, "product_viewed", 8, product_id=30)
    assert visit_of([before, signed_in]).last_viewed == (20, 10)
    assert visit_of([before, signed_in, other]).last_viewed == (30,)
    assert visit_of([other, signed_in, before]).customer_id == 8


def test_only_the_latest_looks_are_kept_and_unreadable_ones_are_none() -> None:
    seen = [at(n / 10, "product_viewed", product_id=n + 1) for n in range(30)]
    assert len(visit_of(seen).viewed) == VIEWS_KEPT
    assert visit_of(seen).last_viewed[0] == 30
    assert visit_of([at(0, "product_viewed", product_id="tea")]).viewed == {}


def test_nothing_seen_is_no_visit() -> None:
    assert visit_of([]) == NO_VISIT


def test_versions_read_what_each_other_packed() -> None:
    packed = [{10: 1}, 7, *range(2, 25), "EUR", 26, 27, [30]]
    assert msgspec.msgpack.decode(pack(unpack_visit(msgspec.msgpack.encode(packed)))) == packed
    assert Visit.__struct_fields__[: len(packed)] == (
        "viewed", "customer_id", "visits", "began_at", "last_at", "dwell_s", "pages", "products", "searches",
        "searches_empty", "added", "removed", "step", "errors", "shown", "accepted", "dismissed",
        "coupon_failures", "field_errors", "steps_back", "exit_intents", "thumbnails", "page_at", "step_at",
        "left_at", "cart_currency", "cart_minor", "cart_high_minor", "sent_away",
    )  # fmt: skip
