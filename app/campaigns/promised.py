"""Which campaigns' discounts without a code are honoured, and by which key their grants are signed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.campaigns.campaign import Running
from app.campaigns.codes import promise_of
from app.coupons.signed import grant_key


@dataclass(frozen=True, slots=True)
class Signing:
    """What a campaign's grants are signed with."""

    terms_id: str
    key: bytes = field(repr=False)


def signings_of(
    shop: str, campaigns: Iterable[Running], currency: str, honoured: Collection[str], secret: bytes
) -> Mapping[str, Signing]:
    """Return how to sign, by campaign: of those alone for whose terms Shopify has a discount."""
    return dict(_signings(shop, campaigns, currency, honoured, secret))


def _signings(
    shop: str, campaigns: Iterable[Running], currency: str, honoured: Collection[str], secret: bytes
) -> Iterator[tuple[str, Signing]]:
    for campaign, _ in campaigns:
        promise = promise_of(campaign, currency)
        if promise is not None and promise.terms_id in honoured:
            terms_id = promise.terms_id
            yield campaign.id, Signing(terms_id, grant_key(secret, shop, terms_id))
