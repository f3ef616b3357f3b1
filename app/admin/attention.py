"""The list of things that need the merchant's attention, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.admin.alerts_view import alert_words
from app.admin.figures import day
from app.admin.language import Lazy, _, lazy, ngettext
from app.admin.privacy_view import due_tone
from app.admin.store import Health, Import
from app.admin.view import import_words, kind_words
from app.consent.report import RequestStatus
from app.consent.requests import Kind
from app.reach import alerts
from app.reach.alert_store import KeptAlert

_ALERTS: Mapping[str, Lazy] = {
    alerts.SPIKE: lazy("More checkouts than usual are being left"),
    alerts.ERRORS: lazy("Offers fail in shoppers' browsers"),
    alerts.FALLBACKS: lazy("Many answers are fallbacks"),
    alerts.COUPONS_LOW: lazy("Discount codes run out"),
    alerts.COUPONS_REFUSED: lazy("Shopify makes no discount codes"),
    alerts.GUARDRAIL: lazy("A campaign was stopped because it did harm"),
    alerts.MAIL: lazy("E-mail can't be sent"),
    alerts.FLOW: lazy("Shopify Flow can't be reached"),
}
_OF_CAMPAIGNS = frozenset({alerts.COUPONS_LOW, alerts.COUPONS_REFUSED, alerts.GUARDRAIL})


@dataclass(frozen=True, slots=True)
class Attention:
    """Something to be looked at. tone: a banner's.

    action: the button's label and what it does; link: its label and the page it leads to.
    """

    tone: str
    heading: str
    text: str
    action: tuple[str, str] | None = None
    link: tuple[str, str] | None = None


def attention(imports: Sequence[Import], health: Health, *, missing: Sequence[str]) -> list[Attention]:
    """Return what of the installation needs a hand, most pressing first. missing: scopes not granted."""
    return [
        *_stopped(imports),
        *_not_granted(missing),
        *_unread(health),
        *_blind(health),
        *_unasked(imports, health),
    ]


def alerted(kept: Iterable[KeptAlert]) -> list[Attention]:
    """Return what the shop was alerted to and is not over."""
    return [
        Attention("warning", str(_ALERTS.get(each.kind, each.kind)), alert_words(each), link=_where(each))
        for each in kept
    ]


def to_review(waiting: int) -> list[Attention]:
    """Return that customers wait to be judged. waiting: how many."""
    if not waiting:
        return []
    heading = ngettext("%(num)s customer to look at", "%(num)s customers to look at", waiting)
    text = _("They don't look like ordinary shoppers, or their data contradicts itself.")
    return [Attention("info", heading, text, link=(_("Review"), "/admin/segments/review"))]


def due(requests: Iterable[RequestStatus]) -> list[Attention]:
    """Return which customers wait for their data, and which other privacy requests are late or soon are."""
    waiting = [each for each in requests if each.left_days is not None]
    handed = [each for each in waiting if each.kind == Kind.DATA]
    return [*_to_hand_out(handed), *_to_erase([each for each in waiting if each.kind != Kind.DATA])]


def _to_hand_out(asked: Sequence[RequestStatus]) -> list[Attention]:
    """Return that data is to be given to who asked for it, which only the merchant can do."""
    if not asked:
        return []
    first = min(asked, key=lambda each: each.due_at)
    heading = ngettext(
        "%(num)s customer asks for their data", "%(num)s customers ask for their data", len(asked)
    )
    text = _(
        "Download it under Privacy and send it to them: Tillwise can't send it for you. Due on %(day)s.",
        day=day(first.due_at),
    )
    return [Attention(due_tone(first), heading, text, link=(_("Open requests"), "/admin/privacy/people"))]


def _to_erase(asked: Sequence[RequestStatus]) -> list[Attention]:
    waiting = [each for each in asked if due_tone(each) != "info"]
    late = sum(each.late for each in waiting)
    link = (_("Open requests"), "/admin/privacy/people")
    found = []
    if late:
        heading = ngettext("%(num)s privacy request is late", "%(num)s privacy requests are late", late)
        text = _("The law gives 30 days. Tillwise answers by itself as soon as its worker runs.")
        found.append(Attention("critical", heading, text, link=link))
    if soon := len(waiting) - late:
        heading = ngettext(
            "%(num)s privacy request is due this week", "%(num)s privacy requests are due this week", soon
        )
        found.append(Attention("warning", heading, _("It has not been answered yet."), link=link))
    return found


def _stopped(imports: Iterable[Import]) -> list[Attention]:
    return [
        Attention(
            "critical",
            _("Importing stopped: %(kind)s", kind=kind_words(one.kind)),
            _(
                "%(why)s. What was imported is kept; the import goes on from there.",
                why=import_words(one),
            ),
            (_("Try again"), "import"),
        )
        for one in imports
        if one.status == "failed"
    ]


def _not_granted(missing: Sequence[str]) -> list[Attention]:
    if not missing:
        return []
    text = _(
        "Not granted: %(scopes)s. Open the app's settings in Shopify to agree.", scopes=", ".join(missing)
    )
    return [Attention("warning", _("Tillwise is missing permissions"), text)]


def _unread(health: Health) -> list[Attention]:
    if not health.parked_webhooks:
        return []
    heading = ngettext(
        "%(num)s message from Shopify could not be read",
        "%(num)s messages from Shopify could not be read",
        health.parked_webhooks,
    )
    return [Attention("warning", heading, _("They are kept. The app's log lists each one with its reason."))]


def _blind(health: Health) -> list[Attention]:
    if health.has_pixel:
        return []
    text = _(
        "Without it, Tillwise can't see which offers are shown. It connects when the app's extensions "
        "are deployed and you open this page."
    )
    return [Attention("warning", _("The web pixel is not connected"), text)]


def _unasked(imports: Iterable[Import], health: Health) -> list[Attention]:
    if health.ever_decided or not all(one.status == "done" for one in imports):
        return []
    text = _("Add the Tillwise block to your checkout and thank-you pages in the checkout editor.")
    return [Attention("info", _("No checkout has asked for an offer yet"), text)]


def _where(alert: KeptAlert) -> tuple[str, str] | None:
    if alert.kind in _OF_CAMPAIGNS:
        return (_("Open campaigns"), "/admin/campaigns")
    return (_("Other systems"), "/admin/segments/elsewhere") if alert.kind == alerts.FLOW else None
