"""What pages and e-mails say of alerts: in the language of who reads, from what they are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.admin.figures import percent
from app.admin.language import READ_IN, SOURCE, Lazy, _, lazy, ngettext, speaking
from app.admin.sentences import told
from app.admin.view import FALLBACKS, named
from app.campaigns.plan import LOCALE
from app.reach import alerts
from app.reach.alert_store import KeptAlert
from app.shops.store import Shop

Facts = Mapping[str, Any]
_HARMS: Mapping[str, Lazy] = {
    "completion": lazy("fewer shoppers ordered where it was shown than where it was held back"),
    "errors": lazy("its offers failed in shoppers' browsers"),
    "latency": lazy("answers took longer where it was shown"),
    "refunds": lazy("more orders were given back where it was shown than where it was held back"),
}


def alert_letter(shop: Shop, alert: KeptAlert) -> tuple[str, str]:
    """Return the subject and the text of an e-mail to the shop, in its language.

    That is the one set for it, else the one that its staff read the admin in last, else English.
    """
    with speaking(str(shop.settings.get(LOCALE) or shop.settings.get(READ_IN) or SOURCE)):
        subject = _("Tillwise: %(shop)s needs a look", shop=shop.name)
        what_to_do = _(
            "Open Tillwise in the admin of %(shop)s to see what is open and what is over.", shop=shop.name
        )
        return subject, f"{alert_words(alert)}\n\n{what_to_do}"


def alert_words(alert: KeptAlert) -> str:
    """Return what the merchant has to know; in English where it was written by an older version."""
    try:
        return _WORDS[alert.kind](alert.facts)
    except KeyError:
        return alert.says


def _spike(facts: Facts) -> str:
    return _(
        "%(some)s of %(all)s checkouts were left in the last hour (%(share)s); usually it is %(usual)s. "
        "Check whether payment, shipping and discounts still work.",
        some=facts["some"], all=facts["all"], share=percent(facts["lately"]), usual=percent(facts["usual"]),
    )  # fmt: skip


def _errors(facts: Facts) -> str:
    return _(
        "%(some)s of %(all)s offers failed in shoppers' browsers in the last hour.",
        some=facts["some"], all=facts["all"],
    )  # fmt: skip


def _fallbacks(facts: Facts) -> str:
    return _(
        "%(some)s of %(all)s answers to checkouts in the last hour were fallbacks, most of them for this "
        "reason: %(reason)s. Shoppers saw less than they could; sales go on.",
        some=facts["some"], all=facts["all"], reason=named(facts["reason"], FALLBACKS),
    )  # fmt: skip


def _low(facts: Facts) -> str:
    return _(
        "%(ready)s of %(size)s codes are left for “%(name)s”; without any it is not shown.",
        ready=facts["ready"], size=facts["size"], name=facts["name"],
    )  # fmt: skip


def _refused(facts: Facts) -> str:
    says = {"name": facts["name"], "error": facts["error"]}
    if facts.get("what") == "discount":
        return _("Shopify makes no discount for “%(name)s”. It says: %(error)s", **says)
    return _("Shopify makes no codes for “%(name)s”. It says: %(error)s", **says)


def _stopped(facts: Facts) -> str:
    what = _HARMS[facts["metric"]]
    return _("“%(name)s” was stopped by its guardrail: %(what)s.", name=facts["name"], what=what)


def _unsent(facts: Facts) -> str:
    if "count" not in facts:
        return _(
            "E-mail to shoppers is switched on, and the app has no mail server: whoever runs this app’s "
            "server has to set SMTP_URL."
        )
    return ngettext(
        "%(num)s message to shoppers was not sent in the last day, because: %(reason)s",
        "%(num)s messages to shoppers were not sent in the last day, most of them because: %(reason)s",
        facts["count"],
        reason=told(facts["reason"]),
    )


_WORDS: Mapping[str, Callable[[Facts], str]] = {
    alerts.SPIKE: _spike,
    alerts.ERRORS: _errors,
    alerts.FALLBACKS: _fallbacks,
    alerts.COUPONS_LOW: _low,
    alerts.COUPONS_REFUSED: _refused,
    alerts.GUARDRAIL: _stopped,
    alerts.MAIL: _unsent,
    alerts.FLOW: _unsent,
}
