"""Every place where something about a person is kept: what for, on which ground, and what erasure does.

What shows, erases and accounts for a person goes by this register, and so does what is told of it. A
table whose rows name their customer, and go with them, needs no more than its entry here. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Medium(StrEnum):
    """What kind of store it is."""

    TABLE = "table"
    KEYS = "redis keys"
    LOG = "event log"
    FILES = "files"


class Ground(StrEnum):
    """On which ground of the GDPR it is kept."""

    CONSENT = "consent, art. 6(1)(a)"
    INTEREST = "the merchant's legitimate interest, art. 6(1)(f)"
    OBLIGATION = "legal obligation, art. 6(1)(c)"


class Effect(StrEnum):
    """What an erasure does to what it finds."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Holding:
    """One store. name: of the table, the family of keys, the stream or the files.

    says: what is in it, for a merchant. personal: the columns, or parts of the key, that lead to a person.
    outcome: what is left after an erasure, and why.
    """

    name: str
    medium: Medium
    says: str
    purpose: str
    ground: Ground
    personal: tuple[str, ...]
    effect: Effect
    outcome: str


_TABLE, _KEYS, _LOG, _FILES = Medium
_CONSENT, _INTEREST, _OBLIGATION = Ground
_DELETE, _ANONYMISE, _KEEP = Effect

_RECORDS = "the merchant's own account of what was sold"
_OFFERS = "choosing offers, and telling what they earned"
_GROUPS = "groups of customers, and offers that fit them"
_LEFT = "a word about a checkout that was left, once, to who subscribed"
_ONCE = "giving nobody a discount twice"
_PROOF = "showing that what was done was allowed"

# In the order in which a person is shown.
HOLDINGS: tuple[Holding, ...] = (
    Holding("customers", _TABLE,
            "the customer's number, how much they have ordered, and their answers about marketing",
            "asking no one who does not want to be asked, and telling new customers from old ones", _INTEREST,
            ("customer_id", "email_digest", "heir_id"), _DELETE, "nothing"),
    Holding("customer_segments", _TABLE, "which segments a customer is in and why, with scores and forecasts",
            _GROUPS, _INTEREST, ("customer_id",), _DELETE, "nothing"),
    Holding("segment_moves", _TABLE, "a customer's way from one segment into another", _GROUPS, _INTEREST,
            ("customer_id",), _DELETE, "nothing"),
    Holding("segment_reviews", _TABLE, "what the merchant decided of a customer's segment", _GROUPS,
            _INTEREST, ("customer_id",), _DELETE, "nothing"),
    Holding("shopify_marks", _TABLE, "which tags and metafields of ours a customer carries in Shopify",
            _GROUPS, _INTEREST, ("customer_id",), _DELETE,
            "nothing; what was written to the customer in Shopify is taken back as well"),
    Holding("customer_offers_ahead", _TABLE,
            "that a customer in Shopify holds offers of ours for the next checkout", "offers that fit",
            _INTEREST, ("customer_id",), _DELETE,
            "nothing; what was written to the customer in Shopify is taken back as well"),
    Holding("deliveries", _TABLE, "messages about a customer's segment that wait for the merchant's webhook",
            "telling the merchant's other systems", _CONSENT, ("customer_id", "body"), _DELETE, "nothing"),
    Holding("abandonments", _TABLE, "checkouts that went silent, and what came of them", _LEFT,
            _CONSENT, ("checkout_token", "client_id", "customer_id"), _DELETE, "nothing"),
    Holding("reach_messages", _TABLE, "that a customer is to be, or was, written to about a checkout", _LEFT,
            _CONSENT, ("customer_id",), _DELETE, "nothing"),
    Holding("suppressions", _TABLE, "that an address is not to be written to, under a keyed hash",
            "writing to nobody who asked not to be", _OBLIGATION, ("email_digest",), _KEEP,
            "needed so that who asked not to be written to never is"),
    Holding("orders", _TABLE, "what was ordered, when, and for how much", _RECORDS, _INTEREST,
            ("customer_id", "checkout_token"), _ANONYMISE, "the merchant's sums, without whose they are"),
    Holding("order_lines", _TABLE, "the lines of the orders", _RECORDS, _INTEREST,
            (), _KEEP, "the merchant's sums; nothing leads from them to a person any more"),
    Holding("refunds", _TABLE, "what was given back of the orders", _RECORDS, _INTEREST,
            (), _KEEP, "the merchant's sums; nothing leads from them to a person any more"),
    Holding("coupons", _TABLE, "which of the shop's own codes a shopper was offered, or an order used", _ONCE,
            _INTEREST, (), _KEEP,
            "the merchant's account of its codes; nothing leads from them to a person any more"),
    Holding("grant_uses", _TABLE, "which order used a discount without a code, under a keyed hash", _ONCE,
            _INTEREST, ("number",), _KEEP, "needed so that nobody has the discount twice, until it is over"),
    Holding("events", _TABLE, "what the browser did, and what Shopify told of orders and customers",
            _OFFERS, _CONSENT, ("client_id", "checkout_token", "customer_id", "data"), _DELETE, "nothing"),
    Holding("decisions", _TABLE, "what a checkout was offered, from what, and why", _OFFERS, _CONSENT,
            ("checkout_token", "customer_id", "region", "inputs", "answer"), _ANONYMISE,
            "what was offered in which arm, to be counted; not to whom, from what, or why"),
    Holding("feedback", _TABLE, "which of the offers were shown, accepted or dismissed", _OFFERS, _CONSENT,
            (), _KEEP, "counts of anonymous decisions; nothing leads from them to a person any more"),
    Holding("visitor", _KEYS, "the profile of a customer's orders, and what a browser looked at of late",
            "offers that fit", _CONSENT, ("customer", "client", "checkout"), _DELETE, "nothing"),
    Holding("nudged", _KEYS,
            "which campaigns a shopper was shown, how often and when, what they dismissed, and their own "
            "code",
            "showing nobody the same too often", _CONSENT, ("customer", "client", "checkout"), _DELETE,
            "nothing"),
    Holding("granted", _KEYS, "the codes of a shopper's own, by campaign", "giving nobody a second one",
            _CONSENT, ("customer", "client", "checkout"), _DELETE, "nothing"),
    Holding("told", _KEYS, "the last answers about consent, under a keyed hash",
            "obeying them on the next call", _OBLIGATION, ("subject",), _DELETE, "nothing"),
    Holding("model files", _FILES, "what a trained model learnt of a customer's taste: numbers",
            "offers that fit", _CONSENT, ("customer_ids", "customer_embeddings"), _DELETE,
            "nothing of them in any version; a training without them is asked for"),
    Holding("event log", _LOG, "events that wait to be handled", "losing nothing", _INTEREST,
            ("customer_id", "client_id", "checkout_token", "cart_token"), _ANONYMISE,
            "orders and decisions without whose they are; everything else of theirs goes"),
    Holding("dead letters", _LOG, "events that could not be handled, for an operator to look into",
            "losing nothing", _INTEREST, ("customer_id", "client_id", "checkout_token", "cart_token"),
            _ANONYMISE, "orders and decisions without whose they are; everything else of theirs goes"),
    Holding("inbox", _TABLE,
            "Shopify's deliveries that wait to be read, whose events are being handled, or that were put "
            "aside",
            "losing nothing", _INTEREST, ("body",), _ANONYMISE,
            "orders and refunds as the merchant's sums; everything else of theirs is emptied"),
    Holding("privacy_requests", _TABLE, "requests to show or erase, with their deadlines",
            "answering in time", _OBLIGATION,
            ("subject", "customer_id", "email_digest", "order_ids", "names"), _ANONYMISE,
            "that there was one, when, and its receipt, under a keyed hash"),
    Holding("consents", _TABLE, "every change of consent, under a keyed hash", _PROOF, _OBLIGATION,
            ("subject", "region"), _KEEP,
            "proof of consent (art. 7(1)), under a keyed hash, until the ledger's limit"),
    Holding("erased", _TABLE, "that somebody was erased and when, under a keyed hash",
            "not writing down again what comes late", _OBLIGATION, ("subject",), _KEEP,
            "needed so that nothing from before is written down again"),
    Holding("receipts", _TABLE, "signed receipts, which name people by keyed hashes", _PROOF, _OBLIGATION,
            ("document",), _KEEP, "proof that the erasure was done"),
)  # fmt: skip

# What names no person. The test over all tables and keys holds that nothing is in neither.
WITHOUT_PEOPLE: Mapping[str, str] = {
    "shops": "the merchant's shop",
    "tokens": "the shop's access to Shopify, encrypted",
    "products": "the catalogue",
    "variants": "the catalogue",
    "inventory": "the catalogue",
    "item_costs": "the catalogue",
    "collections": "the catalogue",
    "exclusions": "what the merchant never wants recommended",
    "campaigns": "what the merchant wants shown to whom",
    "alerts": "what the merchant has to know of the shop and its campaigns",
    "coupon_pools": "which discounts hold a campaign's codes",
    "automatic_discounts": "which discounts a campaign has in Shopify that need no code",
    "model_watches": "whether a model still fits what happens, in numbers of thousands of visits",
    "offers_ahead": "which offers the shop and its products hold in Shopify",
    "snapshots": "which catalogue, settings and campaigns decisions were made on",
    "snapshot_parts": "the catalogue, settings and campaigns that decisions were made on",
    "experiments": "what is tried in the shop, and how it is judged",
    "models": "versions of trained models, and how good they were",
    "segmentations": "what a shop's segments are worked out with",
    "foresights": "what a shop's purchases and coupons are foretold with",
    "segment_sizes": "how many customers a segment has",
    "backfills": "how far an import is",
    "api_keys": "keys to a shop's segments for other systems, as hashes",
    "secrets": "keys of this installation, encrypted",
    "privacy_policies": "the shop's privacy settings",
    "retention": "when old rows were cleared",
}
KEYS_WITHOUT_PEOPLE: Mapping[str, str] = {
    "coupons": "codes that nobody has yet",
    "barred": "whom a checkout under way keeps nothing of: erased, or taken back, this minute; a keyed hash",
    "running": "which long work is done by whom",
    "waiting": "which long work was asked for",
    "resting": "which long work Shopify refused of late",
    "api": "how many questions a key asked in this minute",
    "outbound": "what became of the last messages to the shop's webhook, without whom they were about",
    "progress": "how far long work is",
    "refreshing": "who renews the shop's access token",
    "ahead": "from what offers were written ahead, and when that is due again",
    "fresh": "what the serving model has seen of the shop",
    "fired": "how often each campaign was shown",
    "watched": "that all who met a large shop's campaigns were read a while ago",
    "figures": "what the pages of a large shop tell of its last days, in sums",
    "reconciled": "when each kind of the shop's records was last compared with Shopify's",
    "collections": "that the shop's collections are to be read again, or not yet",
    "gone_looked_for": "that its products were looked for at Shopify today",
}


def holding(name: str) -> Holding:
    """Return the holding of that name."""
    return next(each for each in HOLDINGS if each.name == name)


def erasable() -> tuple[str, ...]:
    """Return the stores in which an erasure leaves nothing that leads to the person."""
    return tuple(each.name for each in HOLDINGS if each.effect is not Effect.KEEP)
