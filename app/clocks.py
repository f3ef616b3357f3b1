"""This machine's clock beside another's: leases, consent and Shopify's tokens go by it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from app.findings import Fault

_MOST_APART_S = 5


async def compare(whose: str, ask: Callable[[], Awaitable[float]]) -> None:
    """Raise Fault where the clock that is asked, in seconds since 1970, is not where ours was meanwhile."""
    asked_s = time.time()
    theirs_s = await ask()
    ahead_s, behind_s = asked_s - theirs_s, theirs_s - time.time()
    if max(ahead_s, behind_s) > _MOST_APART_S:
        how = f"{ahead_s:.0f} s ahead of" if ahead_s > 0 else f"{behind_s:.0f} s behind"
        raise Fault(f"{how} that of {whose}: let the machines follow a time server")
