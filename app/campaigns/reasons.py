"""Why a campaign whose rule holds is not shown, as decisions are logged with it."""

from __future__ import annotations

# Held back to measure by: the shopper is in its holdout, or another of its choice was drawn.
WITHHELD, NOT_DRAWN = "withheld", "not_drawn"
# What was before: shown as often as it may be, dismissed, past its end, not matching for long enough yet.
CAPPED, DISMISSED, OVER, WAITING = "capped", "dismissed", "over", "waiting"
# Products and progress: all in the cart, none to be had, a cart whose worth is not known.
IN_CART, UNAVAILABLE, UNKNOWN_CART = "in_cart", "unavailable", "unknown_cart"
# Discounts, by who asks: a company has its own prices, nobody to keep a code for, nothing a code goes with.
COMPANY, UNREMEMBERED, SUBSCRIBED = "company", "unremembered", "subscribed"
# Discounts, by their terms: no code or grant left, not combined with another that the shopper has, beyond the
# shop's limits, below its minimum, at a loss.
NO_CODE, BESIDE, LIMIT, MINIMUM, MARGIN = "no_code", "beside", "limit", "minimum", "margin"
