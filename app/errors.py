"""Every error Tillwise raises on purpose.

TillwiseError                      status  says
├── ConfigError                    -       a setting is missing or wrong (at boot)
├── InputError                     400     what was sent can't be used; names the field
│   ├── RuleError                  400     a rule can't be read; names the place in it
│   └── TooLarge                   413     the body is larger than we read
├── NotAuthentic                   401     the caller could not prove who they are
│   └── ProofMissing               400     no proof was sent at all
├── NotAllowed                     403     proven, but not theirs to do
├── NotFound                       404
├── TooOften                       429     more calls than a caller may make
├── ShopifyError                   502     Shopify refused or could not be reached
│   ├── ShopifyUnavailable         502     no answer, a 5xx or a throttle that did not end
│   ├── ShopifyRefused             502     the request was understood and refused
│   │   └── ShopClosed             502     the shop is frozen or locked
│   └── TokenRevoked               401     the shop's access token is no longer good
└── ModelUnusable                  -       a published model is torn, foreign or too old
"""

from __future__ import annotations


class TillwiseError(Exception):
    """The root. `status` is the HTTP status a request that ends here answers with."""

    status = 500


class ConfigError(TillwiseError):
    """A setting is missing or wrong; the message names it."""


class InputError(TillwiseError):
    """What was sent can't be used.

    field: the path of the offending field (`cart.lines[0].price`), empty when it is the whole body.
    """

    status = 400

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class RuleError(InputError):
    """A rule can't be read. field: the place in it (`rule.and[1].>[0]`)."""


class TooLarge(InputError):
    """The body is larger than the route reads."""

    status = 413


class NotAuthentic(TillwiseError):
    """The caller could not prove who they are."""

    status = 401


class ProofMissing(NotAuthentic):
    """No signature or token was sent at all."""

    status = 400


class NotAllowed(TillwiseError):
    """The caller is known, and this is not theirs to do."""

    status = 403


class NotFound(TillwiseError):
    """What was asked for does not exist for this shop."""

    status = 404


class TooOften(TillwiseError):
    """More calls than a caller may make. wait_s: whole seconds after which one more is let in."""

    status = 429

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class ShopifyError(TillwiseError):
    """Shopify refused or could not be reached."""

    status = 502


class ShopifyUnavailable(ShopifyError):
    """No answer, a 5xx, or a throttle that outlasted our patience: worth trying again later."""


class ShopifyRefused(ShopifyError):
    """Shopify understood the request and refused it: trying again changes nothing."""


class ShopClosed(ShopifyRefused):
    """The shop is frozen or locked: refused until its merchant has settled that with Shopify."""


class TokenRevoked(ShopifyError):
    """The shop's access token is no longer good: the merchant has to open the app again."""

    status = 401


class ModelUnusable(TillwiseError):
    """A published model is torn, foreign or of a layout this version can't read."""
