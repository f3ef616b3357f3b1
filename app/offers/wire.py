"""What a checkout asks and what it is answered, byte for byte as the contract says."""

from __future__ import annotations

from itertools import chain, islice
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from app.consent.policy import NOWHERE, Answers, Region
from app.errors import InputError, TooLarge
from app.refused_field import refused_field

MAX_BODY = 128 * 1024  # a cart of as many lines as may be, its ids as GIDs, takes some 90 KB
MAX_LINES = 500

Id = (
    Annotated[int, Meta(gt=0, le=2**63 - 1)]
    | Annotated[str, Meta(pattern=r"\A(gid://shopify/[A-Za-z]+/)?[0-9]{1,18}\Z")]
)
Money = Annotated[str, Meta(pattern=r"\A[0-9]{1,15}(\.[0-9]{1,6})?\Z")]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
Token = Annotated[str, Meta(pattern=r"\A[!-~]{1,100}\Z")]
Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{1,40}\Z")]
Count = Annotated[int, Meta(ge=0, le=10**9)]
Wants = Literal["all", "products", "messages", "message"]


class Line(Struct, frozen=True, gc=False):
    """A line of the cart. price: of one unit, after discounts.

    full_price: whether no discount code takes anything off it: a subscription, a gift card. parts: the
    products in it, where it is a bundle.
    """

    product_id: Id
    variant_id: Id
    quantity: Count
    price: Money
    full_price: bool = False
    parts: Annotated[list[Id], Meta(max_length=MAX_LINES)] | None = None

    @property
    def product(self) -> int:
        """Return the product's number."""
        return _number(self.product_id)


class Cart(Struct, frozen=True, gc=False):
    """The cart as the shopper sees it, in their currency. codes: discount codes that it has already."""

    currency: Currency
    subtotal: Money
    lines: Annotated[list[Line], Meta(max_length=MAX_LINES)]
    codes: Annotated[list[Annotated[str, Meta(max_length=255)]], Meta(max_length=100)] | None = None

    @property
    def product_ids(self) -> tuple[int, ...]:
        """Return the products in it, each once: those of lines in their order, then what bundles hold.

        Of that, the first MAX_LINES: a decision is kept with them, and whoever asks makes up any number.
        """
        ids = [line.product_id for line in self.lines]
        ids += islice(chain.from_iterable(line.parts for line in self.lines if line.parts), MAX_LINES)
        return tuple(dict.fromkeys(map(_number, ids)))


class Signals(Struct, frozen=True, gc=False):
    """What the browser noticed of how the checkout goes."""

    dwell_ms: Count | None = None
    errors: Count | None = None
    steps: Count | None = None


class Question(Struct, frozen=True, gc=False, kw_only=True):
    """The body of `POST /api/personalize`. region: where the visitor is, which their country may not be.

    company: whether a company buys, which has prices of its own. wants: what there is a place for:
    `products` alone, `messages` and bars alone, or a `message` alone, one that stands above the products.
    """

    surface: Word
    cart: Cart
    consent: Answers = Answers()
    region: Region = NOWHERE
    trigger_type: Word | None = None
    product_id: Id | None = None
    checkout_token: Token | None = None
    client_id: Token | None = None
    locale: Word | None = None
    country: Word | None = None
    signals: Signals | None = None
    company: bool = False
    wants: Wants = "all"

    @property
    def product(self) -> int | None:
        """Return the number of the product that is shown, None where none is."""
        return None if self.product_id is None else _number(self.product_id)


class OfferedProduct(Struct, frozen=True, gc=False, omit_defaults=True):
    """What is offered. price: a decimal string of `currency`, which is the shop's own.

    handle: what its page is called in the shop: /products/{handle}. variant: which of several it is.
    """

    product_id: str
    variant_id: str
    title: str
    price: str
    currency: str
    image: str | None
    handle: str | None = None
    variant: str | None = None


class Amount(Struct, frozen=True, gc=False):
    """Money: a decimal string of the currency."""

    amount: str
    currency: str


class Message(Struct, frozen=True, gc=False, omit_defaults=True):
    """What to say, as a key to translate and what fills its gaps.

    text: the merchant's own words instead, with gaps like {amount}, or one text a plural form.
    """

    key: str
    args: dict[str, str | int | float | Amount]
    text: str | dict[str, str] | None = None


class Why(Struct, frozen=True, gc=False, omit_defaults=True, rename={"with_": "with"}):
    """One reason and its share of the choice; `with` is the product it refers to."""

    reason: str
    weight: float
    with_: str | None = None


class Discount(Struct, frozen=True, gc=False, omit_defaults=True):
    """What is taken off. code: None where it is applied without one. amount: of `currency`.

    expires_at: ISO 8601, None where it has no end of its own. grant: what the cart must carry to have it
    without a code, in its attribute `_tillwise_grant`.
    """

    code: str | None
    percentage: float | None
    amount: str | None
    currency: str | None
    applies_to: str
    expires_at: str | None
    grant: str | None = None


class Progress(Struct, frozen=True, gc=False):
    """How far a cart is on its way to an amount, in decimal strings of the currency."""

    current: str
    target: str
    currency: str


class Offer(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One offer. offer_id: the same for the same product or campaign in the same decision.

    campaign: the id of the campaign that makes it, absent from what the ranking makes.
    """

    offer_id: str
    kind: str
    slot: str
    product: OfferedProduct | None
    discount: Discount | None = None
    message: Message
    progress: Progress | None = None
    campaign: str | None = None
    why: tuple[Why, ...]


class Answer(Struct, frozen=True, gc=False, omit_defaults=True):
    """The answer. fallback: why it is less than it could be, None when it isn't.

    again_s: after how many seconds it is worth asking for a `message`, absent where it is not.
    """

    decision_id: str
    rung: str
    arm: str
    segment: str | None
    intent: float | None
    offers: tuple[Offer, ...]
    fallback: str | None
    ttl_s: int
    again_s: int | None = None


_decoder = msgspec.json.Decoder(Question)
_encoder = msgspec.json.Encoder()


def read_question(body: bytes) -> Question:
    """Return the question. Raises InputError naming the field, TooLarge beyond 128 KB."""
    if len(body) > MAX_BODY:
        raise TooLarge(f"the body is larger than {MAX_BODY} bytes")
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InputError(str(error), refused_field(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from None


def write_answer(answer: Answer) -> bytes:
    """Return the answer as JSON."""
    return _encoder.encode(answer)


def _number(identifier: int | str) -> int:
    if isinstance(identifier, int):
        return identifier
    return int(identifier[identifier.rfind("/") + 1 :])
