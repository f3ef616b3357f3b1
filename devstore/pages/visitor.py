"""Who is looking, from where and with which consent: cookies, which a query parameter overrides."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from devstore.records import Cart, Customer
from devstore.shop import Shop
from devstore.wire import read_form

CUSTOMER_COOKIE = "devstore_customer"
CONSENT_COOKIE = "devstore_consent"
CART_COOKIE = "cart"
DISCOUNT_COOKIE = "discount_code"
COUNTRY_COOKIE = "devstore_country"
PROVINCE_COOKIE = "devstore_province"
GPC_COOKIE = "devstore_gpc"
KEPT = {
    "customer": CUSTOMER_COOKIE,
    "country": COUNTRY_COOKIE,
    "province": PROVINCE_COOKIE,
    "gpc": GPC_COOKIE,
}
PURPOSES = ("analytics", "marketing", "preferences", "sale_of_data")
YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Consent:
    """The visitor's word on Shopify's four purposes; None where there is none yet."""

    analytics: bool | None = None
    marketing: bool | None = None
    preferences: bool | None = None
    sale_of_data: bool | None = None

    def as_json(self) -> dict[str, bool]:
        """Return the answers as checkout extensions spell them, without what was not answered."""
        spelt = {"sale_of_data": "saleOfData"}
        return {spelt.get(name, name): said for name, said in asdict(self).items() if said is not None}

    @property
    def letters(self) -> str:
        """Return the cookie's form: _ and, for each purpose answered, its first letter and 1 or 0."""
        said = {name[0]: answer for name, answer in asdict(self).items() if answer is not None}
        return "_" + "".join(f"{letter}{answer:d}" for letter, answer in said.items())

    @property
    def decided(self) -> bool:
        """Return whether a privacy banner was answered; the sale of data alone is another question."""
        return any(said is not None for said in (self.analytics, self.marketing, self.preferences))


def consent_of(text: str) -> Consent:
    """Return the consent in a query's words (all, none, analytics,marketing) or in the cookie's form.

    Words are a whole answer: what they do not name was refused. Nothing is no answer.
    """
    if not text:
        return Consent()
    if text.startswith("_"):
        return Consent(*({"1": True, "0": False}.get(_after(name[0], text)) for name in PURPOSES))
    words = {word.strip() for word in text.split(",")}
    return Consent(*(text == "all" or purpose in words for purpose in PURPOSES))


def _after(letter: str, text: str) -> str:
    return text.partition(letter)[2][:1]


@dataclass(frozen=True, slots=True)
class Visitor:
    """country, province: where the visitor is, which is also the market they shop in."""

    consent: Consent
    gpc: bool  # the browser sends Global Privacy Control
    customer: Customer | None
    cart: Cart | None
    locale: str
    country: str
    province: str | None


def visitor_of(request: Request, shop: Shop) -> Visitor:
    """Return the visitor that cookies and the query describe; an unknown customer is anonymous."""
    country = _chosen(request, "country", COUNTRY_COOKIE) or shop.country
    return Visitor(
        consent=consent_of(_chosen(request, "consent", CONSENT_COOKIE)),
        gpc=_chosen(request, "gpc", GPC_COOKIE) == "1" or request.headers.get("sec-gpc") == "1",
        customer=_customer(shop, _chosen(request, "customer", CUSTOMER_COOKIE)),
        cart=shop.carts.get(request.cookies.get(CART_COOKIE, "")),
        locale=request.query_params.get("locale", "en"),
        country=country.upper(),
        province=_chosen(request, "province", PROVINCE_COOKIE).upper() or None,
    )


def remember(response: Response, query: Mapping[str, str]) -> Response:
    """Return the response that keeps what the query chose for the pages that follow."""
    if "consent" in query:
        keep(response, CONSENT_COOKIE, consent_of(query["consent"]).letters)
    for parameter, cookie in KEPT.items():
        if parameter in query:
            keep(response, cookie, query[parameter])
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
