"""Who is looking: customer, cart and consent from cookies, which a query parameter overrides."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from devstore.records import Cart, Customer
from devstore.shop import Shop
from devstore.wire import read_form

CUSTOMER_COOKIE = "devstore_customer"
CONSENT_COOKIE = "devstore_consent"
CART_COOKIE = "cart"
YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Consent:
    """Shopify's four purposes; what was not allowed is not."""

    analytics: bool = False
    marketing: bool = False
    preferences: bool = False
    sale_of_data: bool = False

    def as_json(self) -> dict[str, bool]:
        """Return the purposes as checkout extensions spell them."""
        values = asdict(self)
        values["saleOfData"] = values.pop("sale_of_data")
        return cast(dict[str, bool], values)

    @property
    def letters(self) -> str:
        """Return the cookie's form: _ and the first letter of each allowed purpose."""
        return "_" + "".join(name[0] for name, allowed in asdict(self).items() if allowed)


def consent_of(text: str) -> Consent:
    """Return the consent in a query's words (all, none, analytics,marketing) or a cookie's letters."""
    purposes = ("analytics", "marketing", "preferences", "sale_of_data")
    if text == "all":
        return Consent(True, True, True, True)
    if text.startswith("_"):
        return Consent(*(purpose[0] in text for purpose in purposes))
    words = {word.strip() for word in text.split(",")}
    return Consent(*(purpose in words for purpose in purposes))


@dataclass(frozen=True, slots=True)
class Visitor:
    consent: Consent
    decided: bool  # whether the privacy banner was answered
    customer: Customer | None
    cart: Cart | None
    locale: str
    country: str


def visitor_of(request: Request, shop: Shop) -> Visitor:
    """Return the visitor that cookies and the query describe; an unknown customer is anonymous."""
    asked = _chosen(request, "consent", CONSENT_COOKIE)
    return Visitor(
        consent=consent_of(asked),
        decided=bool(asked),
        customer=_customer(shop, _chosen(request, "customer", CUSTOMER_COOKIE)),
        cart=shop.carts.get(request.cookies.get(CART_COOKIE, "")),
        locale=request.query_params.get("locale", "en"),
        country=request.query_params.get("country", shop.country).upper(),
    )


def remember(response: Response, query: Mapping[str, str]) -> Response:
    """Return the response that keeps what the query chose for the pages that follow."""
    if "consent" in query:
        keep(response, CONSENT_COOKIE, consent_of(query["consent"]).letters)
    if "customer" in query:
        keep(response, CUSTOMER_COOKIE, query["customer"])
    return response


def keep(response: Response, name: str, value: str) -> None:
    """Set a cookie that the page's own scripts may read, as Shopify's cart and consent are."""
    response.set_cookie(name, value, max_age=YEAR_SECONDS, samesite="lax")


async def log_in(request: Request) -> Response:
    """Become one of the shop's customers, or nobody."""
    form = await read_form(request)
    answer = RedirectResponse(form.get("back") or "/storefront", status_code=303)
    keep(answer, CUSTOMER_COOKIE, form.get("customer", ""))
    return answer


def _chosen(request: Request, parameter: str, cookie: str) -> str:
    return request.query_params.get(parameter, request.cookies.get(cookie, ""))


def _customer(shop: Shop, wanted: str) -> Customer | None:
    number = wanted.rsplit("/", 1)[-1]
    return shop.customers.get(int(number)) if number.isdecimal() else None
