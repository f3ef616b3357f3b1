"""Which campaigns' discounts without a code are honoured, and by which key their grants are signed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.campaigns.campaign import Campaign, Running
from app.campaigns.codes import promise_of
from app.coupons.signed import grant_key, grant_number, number_key
from app.coupons.uses import Discount, Honoured


@dataclass(frozen=True, slots=True)
class Signing:
    """What a campaign's grants are signed with. used: the numbers that none is signed for."""

    terms_id: str
    key: bytes = field(repr=False)
    numbers: bytes = field(repr=False)
    used: frozenset[str] = field(default=frozenset(), repr=False)

    def number_of(self, unit: str) -> str | None:
        """Return the number of the shopper's grants, None once they used one."""
        number = grant_number(self.numbers, unit)
        return None if number in self.used else number


def signings_of(
    shop: str, campaigns: Iterable[Running], currency: str, honoured: Mapping[str, Honoured], secret: bytes
) -> Mapping[str, Signing]:
    """Return how to sign, by campaign: of those alone for whose terms Shopify has a discount."""
    return dict(_signings(shop, campaigns, currency, honoured, secret))


def _signings(
    shop: str, campaigns: Iterable[Running], currency: str, honoured: Mapping[str, Honoured], secret: bytes
) -> Iterator[tuple[str, Signing]]:
    for campaign, _ in campaigns:
        promise = promise_of(campaign, currency)
        if promise is not None and (kept := honoured.get(promise.terms_id)) is not None:
            terms_id = promise.terms_id
            key, numbers = (
                grant_key(secret, shop, terms_id, kept.epoch),
                number_key(secret, shop, campaign.id),
            )
            yield campaign.id, Signing(terms_id, key, numbers, kept.used)


def refusals(
    campaigns: Iterable[Campaign], currency: str, discounts: Mapping[str, Discount]
) -> dict[str, str]:
    """Return what Shopify last said against the discounts without a code, by campaign."""
    found = {each.id: promise_of(each, currency) for each in campaigns}
    said = {name: discounts.get(promise.terms_id) for name, promise in found.items() if promise is not None}
    return {name: each.error for name, each in said.items() if each is not None and each.error}
