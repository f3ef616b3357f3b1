"""Whatever is sent is an event or an error with a name, and never a surprise."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InputError
from app.events.kinds import AnyEvent
from app.events.log import encode
from tests.webhooks.test_translate import delivery
from webhooks.translate import READERS, translate

FIELDS = st.sampled_from(
    "id token customer line_items quantity price currency created_at updated_at variants tags "
    "current status refund_line_items order_id subtotal_set shop_money amount properties name "
    "value images src available inventory_item_id location_id total_price "
    "email_marketing_consent sms_marketing_consent state admin_graphql_api_id".split()
)
SCALARS = (st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)) | st.sampled_from(
    ["2026-11-01T00:00:00Z", "12.50", "-0", "1e400", "\x00", 2**63, "USD", "0"]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.dictionaries(FIELDS, JSON, max_size=10))
def test_whatever_is_sent_becomes_an_event_or_a_named_error(topic: str, payload: dict[str, Any]) -> None:
    try:
        event: AnyEvent = translate(msgspec.json.encode(payload), delivery(topic))
    except InputError:
        return
    assert encode(event)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=200))
def test_whatever_bytes_are_sent_are_no_surprise(topic: str, body: bytes) -> None:
    try:
        event = translate(body, delivery(topic))
    except InputError:
        return
    assert encode(event)  # `{}` says enough where the topic says it all
