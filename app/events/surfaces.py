"""The places that a shopper meets offers in, as decisions and events name them."""

from __future__ import annotations

IN_CHECKOUT = frozenset({"checkout", "checkout_lines"})
AFTER_THE_ORDER = frozenset({"thank_you", "order_status"})
STOREFRONT = "storefront"  # where nobody needs a session token to ask
