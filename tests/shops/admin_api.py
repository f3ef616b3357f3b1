"""A shop's Admin API as an installation meets it: what it answers, and what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import respx

from app.values import shop_domain

SHOP = shop_domain("acme.myshopify.com")
URL = f"https://{SHOP}/admin/api/2026-07/graphql.json"


@dataclass
class Admin:
    """A shop's Admin API: answers by operation, and what was asked."""

    pixel: str | None = None
    refuse: set[str] = field(default_factory=set)
    sold: list[dict[str, Any]] | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        sent = json.loads(request.content)
        name = sent["query"].split()[1].partition("(")[0]
        self.asked.append((name, sent["variables"]))
        if name in self.refuse:
            return httpx.Response(200, json={"errors": [{"message": "refused"}]})
        return httpx.Response(200, json={"data": getattr(self, name)(sent["variables"])})

    def DescribeShop(self, _variables: Any) -> Any:
        told = {"name": "Acme", "currencyCode": "EUR", "ianaTimezone": "Europe/Berlin"}
        taxed = {"taxesIncluded": self.sold is not None}
        return {"shop": {**told, **taxed, "plan": {"partnerDevelopment": False}}}

    def LatestTaxes(self, _variables: Any) -> Any:
        return {"orders": {"nodes": self.sold}}

    def FindWebPixel(self, _variables: Any) -> Any:
        return {"webPixel": {"id": self.pixel} if self.pixel else None}

    def CreateWebPixel(self, _variables: Any) -> Any:
        self.pixel = "gid://shopify/WebPixel/1"
        return {"webPixelCreate": {"webPixel": {"id": self.pixel}, "userErrors": []}}

    def UpdateWebPixel(self, _variables: Any) -> Any:
        return {"webPixelUpdate": {"webPixel": {"id": self.pixel}, "userErrors": []}}

    def names(self) -> list[str]:
        return [name for name, _variables in self.asked]


@contextmanager
def admin_api(admin: Admin) -> Iterator[Admin]:
    with respx.mock:
        respx.post(URL).mock(side_effect=admin.answer)
        yield admin
