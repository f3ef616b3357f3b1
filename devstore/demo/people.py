"""The demo shop's customers: real households by number; names, e-mails and consent are invented."""

from datetime import datetime

from devstore.demo.catalogue import LABEL
from devstore.records import Customer

NOTE = (
    f"{LABEL}: a household of the retailer's data. Its name, e-mail address, RFM group and consent are "
    "invented: those that a campaign was sent to count as subscribed, every twentieth opted out of data sale."
)
OPT_OUT_EVERY = 20


def customers(
    first_seen: dict[int, datetime], mailed: set[int], groups: dict[int, str], now: datetime
) -> list[Customer]:
    """Return a customer for each household and the time of its first order."""
    return [
        _customer(number, since, number in mailed, place % OPT_OUT_EVERY == 0, groups.get(number), now)
        for place, (number, since) in enumerate(sorted(first_seen.items()), start=1)
    ]


def _customer(
    number: int, since: datetime, mailed: bool, opted_out: bool, group: str | None, now: datetime
) -> Customer:
    return Customer(
        number,
        "Household",
        str(number),
        f"household-{number}@example.com",
        min(since, now),
        min(since, now),
        "subscribed" if mailed else "not_subscribed",
        min(since, now) if mailed else None,
        opted_out,
        [LABEL],
        NOTE,
        group,
    )
