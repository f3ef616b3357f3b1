"""What Shopify's customer privacy knows of a visitor: their word, their region and its policy."""

from typing import Any

from devstore.app_fields import POLICIES
from devstore.pages.visitor import Visitor


def privacy_of(visitor: Visitor) -> dict[str, Any]:
    """Return what the page's scripts settle every purpose from."""
    asked, sale = policy_of(visitor.country, visitor.province)
    return {
        "visitorConsent": visitor.consent.as_json(),
        "consentRequired": asked,
        "saleOfDataRegion": sale,
        "region": {"countryCode": visitor.country, "provinceCode": visitor.province},
        "gpc": visitor.gpc,
    }


def policy_of(country: str, province: str | None) -> tuple[bool, bool]:
    """Return whether consent is asked before, and whether an opt-out of data sale is offered.

    The province's policy if it has one, else the country's; where there is none, nothing is asked.
    """
    policies = {(place, region): (asked, sale) for place, region, asked, sale in POLICIES}
    return policies.get((country, province), policies.get((country, None), (False, False)))
