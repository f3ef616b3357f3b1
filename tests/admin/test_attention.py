from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.admin.attention import alerted, attention, due, to_review
from app.admin.store import Health, Import
from app.consent.report import RequestStatus
from app.reach.alert_store import KeptAlert

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEALTHY = Health(parked_webhooks=0, ever_decided=True, orders=5, has_pixel=True)


def asked(left_days: int | None, kind: str = "redact") -> RequestStatus:
    return RequestStatus(
        "r", kind, "open", NOW, NOW + timedelta(days=left_days or 0), None, left_days, {}, None
    )


def alert(kind: str, says: str = "So it is.") -> KeptAlert:
    return KeptAlert("a", kind, "", says, NOW, NOW, None, "sent", 1, {})


def test_healthy_shop_needs_no_hand() -> None:
    assert attention([Import("orders", "done")], HEALTHY, missing=[]) == []
    assert (alerted([]), to_review(0), due([])) == ([], [], [])


def test_a_stopped_campaign_is_not_said_to_have_cost_sales() -> None:
    (found,) = alerted([alert("guardrail", "Answers take longer.")])  # as may errors and refunds stop it
    assert str(found.heading) == "A campaign was stopped because it did harm"


def test_most_pressing_of_the_installation_comes_first() -> None:
    ill = Health(parked_webhooks=2, ever_decided=False, orders=0, has_pixel=False)
    found = attention([Import("orders", "failed")], ill, missing=["write_pixels"])
    assert [each.tone for each in found] == ["critical", "warning", "warning", "warning"]
    assert found[0].action == ("Try again", "import")


def test_block_is_not_asked_for_while_the_import_still_runs() -> None:
    new = Health(parked_webhooks=0, ever_decided=False, orders=0, has_pixel=True)
    assert attention([Import("orders", "loading")], new, missing=[]) == []
    (only,) = attention([Import("orders", "done")], new, missing=[])
    assert only.tone == "info"


def test_requests_that_are_late_or_soon_due_are_told_apart_and_others_are_not_told() -> None:
    late, soon = due([asked(-1), asked(-9), asked(0), asked(6), asked(7), asked(None)])
    assert (late.tone, late.heading) == ("critical", "2 privacy requests are late")
    assert (soon.tone, soon.heading) == ("warning", "2 privacy requests are due this week")


@pytest.mark.parametrize(("left_days", "tone"), [(-1, "critical"), (6, "warning"), (29, "info")])
def test_who_asks_for_their_data_waits_for_the_merchant_from_the_first_day(left_days: int, tone: str) -> None:
    (found,) = due([asked(29, "data_request"), asked(left_days, "data_request"), asked(None, "data_request")])
    assert (found.tone, found.heading) == (tone, "2 customers ask for their data")
    first = (NOW + timedelta(days=left_days)).strftime("%b %-d, %Y")
    assert (
        found.text
        == f"Download it under Privacy and send it to them: Tillwise can't send it for you. Due on {first}."
    )
    assert found.link == ("Open requests", "/admin/privacy/people")


def test_alert_says_what_was_found_and_leads_to_where_it_is_mended() -> None:
    low, mail, unheard = alerted([alert("coupons_low", "2 left."), alert("mail"), alert("a_later_kind")])
    assert (low.heading, low.text) == ("Discount codes run out", "2 left.")
    assert low.link == ("Open campaigns", "/admin/campaigns")
    assert mail.link is None
    assert unheard.heading == "a_later_kind"


def test_customers_to_review_are_counted() -> None:
    assert [each.heading for each in to_review(1)] == ["1 customer to look at"]
