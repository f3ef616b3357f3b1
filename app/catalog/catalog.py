"""What a shop sells, as frozen values that the serving path reads from memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

COUNTED_TO = 5  # units: whether there are six or sixty changes no offer


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be put in a cart, with its price in the shop's currency.

    stock: units left, at most COUNTED_TO; None where they are not counted or it sells without any.
    cost_minor: what a unit costs the shop, as Shopify has it; unset where that is not told, and then in no
    encoding.
    """

    variant_id: int
    title: str
    price_minor: int
    in_stock: bool
    stock: int | None = None
    cost_minor: int | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Product:
    """A product with its variants in the merchant's order.

    handle: what its page is called. Unset, it is in no encoding: what was kept before there were handles is
    still the same. requires_selling_plan: it sells with one only, so that no offer can add it to a cart;
    gift_card: it is money for later, and no offer; unset where it is not so. collections: the handles of
    those it is in, unset where it is in none.
    """

    product_id: int
    title: str
    variants: tuple[Variant, ...]
    published: bool = True
    image_url: str | None = None
    vendor: str = ""
    product_type: str = ""
    tags: tuple[str, ...] = ()
    created_at: datetime | None = None
    handle: str | UnsetType = UNSET
    requires_selling_plan: bool | UnsetType = UNSET
    gift_card: bool | UnsetType = UNSET
    collections: tuple[str, ...] | UnsetType = UNSET

    @property
    def kind(self) -> str | int:
        """Return its type; a product without one is a kind of its own."""
        return self.product_type or self.product_id

    @property
    def in_collections(self) -> tuple[str, ...]:
        """Return the handles of the collections that it is in."""
        return self.collections if isinstance(self.collections, tuple) else ()

    @property
    def is_full_price(self) -> bool:
        """Return whether no code takes anything off it, and no offer is made of it."""
        return self.requires_selling_plan is True or self.gift_card is True

    def price_minor_of(self, variant_id: int) -> int | None:
        """Return what a variant of it costs, None of one that is none of its."""
        return next((each.price_minor for each in self.variants if each.variant_id == variant_id), None)

    @property
    def offered(self) -> Variant | None:
        """Return the variant to offer: the first in stock, rather one with several units than the last one.

        None when there is none.
        """
        if not self.published or self.is_full_price:
            return None
        in_stock = [variant for variant in self.variants if variant.in_stock]
        several = (variant for variant in in_stock if variant.stock is None or variant.stock > 1)
        return next(several, in_stock[0] if in_stock else None)

    @property
    def available(self) -> bool:
        """Return whether it is published and at least one variant is in stock."""
        return self.offered is not None


@dataclass(frozen=True)
class Catalog:
    """Everything one shop sells, by product id, priced in one currency."""

    currency: str
    products: Mapping[int, Product]

    def get(self, product_id: int) -> Product | None:
        """Return the product, or None when the shop does not have it."""
        return self.products.get(product_id)

    def is_full_price(self, product_id: int) -> bool:
        """Return whether the shop has the product and no code takes anything off it."""
        product = self.get(product_id)
        return product is not None and product.is_full_price

    def product_of(self, variant_id: int) -> Product | None:
        """Return the product that a variant belongs to, or None."""
        return self._by_variant.get(variant_id)

    @cached_property
    def available_ids(self) -> frozenset[int]:
        """Return the ids of the products that a shopper can buy now."""
        return frozenset(key for key, product in self.products.items() if product.available)

    def allowed(self, product_ids: NDArray[np.int64], *, excluded: Collection[int] = ()) -> NDArray[np.bool_]:
        """Return the mask of the products that may be offered, aligned with product_ids.

        Computed once for each pair of model and catalogue; the cart is left out by the ranking.
        """
        offerable = np.fromiter(self.available_ids.difference(excluded), np.int64)
        return np.isin(product_ids, offerable)

    @cached_property
    def _by_variant(self) -> dict[int, Product]:
        return {
            variant.variant_id: product for product in self.products.values() for variant in product.variants
        }
