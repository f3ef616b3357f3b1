"""The way from the installation to the first offer, step by step, as far as the shop is on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.admin.figures import percent, percentage
from app.admin.language import _, ngettext
from app.admin.store import Health, Import, Model
from app.admin.view import import_words, kind_words
from app.consent.policy import ShopPolicy
from app.shops.addresses import handle
from app.values import ShopDomain

SETTING = "onboarding"
HOLDOUT, PREVIEW, CLOSED = "holdout", "preview", "closed"
# The app embed's file in the theme extension, as the theme editor names it.
_EMBED = "embed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. name: for the page's scripts. done: whether it is behind the shop.

    links: label and address outside the app; pages: label and path inside; action: label and what it does.
    by_itself: whether Tillwise is at it, and the merchant has nothing to do.
    """

    name: str
    heading: str
    text: str
    done: bool
    links: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, str], ...] = ()
    action: tuple[str, str] | None = None
    by_itself: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """What tells how far a shop is. marks: the steps that the merchant said are done."""

    shop: ShopDomain
    api_key: str
    imports: Sequence[Import]
    health: Health
    model: Model | None
    policy: ShopPolicy
    holdout: float
    marks: Mapping[str, Any]


def marks_of(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the marks that the merchant made."""
    kept = settings.get(SETTING)
    return kept if isinstance(kept, dict) else {}


def steps(journey: Journey) -> list[Step]:
    """Return the steps in their order; none once all are done or the merchant has closed the list."""
    found = [
        _installed(),
        _imported(journey),
        _consent(journey.policy),
        _model(journey),
        _blocks(journey),
        _holdout(journey),
        _preview(journey),
    ]
    return [] if CLOSED in journey.marks or all(step.done for step in found) else found


def checkout_editor(shop: ShopDomain, page: str, api_key: str) -> str:
    """Return the checkout editor's address with the app's blocks open beside a page of it."""
    editor = f"https://admin.shopify.com/store/{handle(shop)}/settings/checkout/editor"
    return f"{editor}?page={page}&context=apps&app={quote(api_key, safe='')}"


def theme_editor(shop: ShopDomain, api_key: str) -> str:
    """Return the theme editor's address that switches the app embed on, to be saved there.

    https://shopify.dev/docs/apps/build/online-store/theme-app-extensions/configuration#deep-linking
    """
    block = quote(f"{api_key}/{_EMBED}", safe="/")
    return f"https://{shop}/admin/themes/current/editor?context=apps&activateAppId={block}"


def places(shop: ShopDomain, api_key: str) -> tuple[tuple[str, str], ...]:
    """Return where offers are switched on and off in Shopify: what each is called, and its address."""
    return (
        (_("Checkout"), checkout_editor(shop, "checkout", api_key)),
        (_("Thank-you page"), checkout_editor(shop, "thank-you", api_key)),
        (_("Online store"), theme_editor(shop, api_key)),
    )


def _installed() -> Step:
    return Step("install", _("Tillwise is installed"), _("It runs inside your Shopify admin."), True)


def _imported(journey: Journey) -> Step:
    done = all(one.status == "done" for one in journey.imports)
    far = "; ".join(f"{kind_words(one.kind)}: {import_words(one)}" for one in journey.imports)
    told = far if done else _("You can see the progress above.")
    failed = any(one.status == "failed" for one in journey.imports)
    heading = _("Your products, customers and orders are imported")
    return Step("import", heading, told, done, by_itself=not failed)


def _consent(policy: ShopPolicy) -> Step:
    heading = _("Your consent settings are read")
    if not policy.version:
        text = _(
            "Tillwise is reading them from Shopify. Until that's done, nothing that needs consent is used."
        )
        return Step("consent", heading, text, False, by_itself=True)
    asking = sum(1 for region in policy.regions.values() if region.consent_required)
    text = ngettext(
        "Visitors in %(num)s region are asked for consent first. Tillwise respects this everywhere.",
        "Visitors in %(num)s regions are asked for consent first. Tillwise respects this everywhere.",
        asking,
    )
    return Step("consent", heading, text, True, pages=((_("See the rules"), "/admin/privacy/rules"),))


def _model(journey: Journey) -> Step:
    heading, model = _("Your first model is trained"), journey.model
    if model is None:
        return Step("model", heading, _untrained(journey), False, by_itself=True)
    return Step("model", heading, _measured(model), True, pages=((_("See the model"), "/admin/model"),))


def _untrained(journey: Journey) -> str:
    if not all(one.status == "done" for one in journey.imports):
        return _(
            "Training starts once your orders are imported. Until then, Tillwise offers the products you "
            "pinned, or else new ones."
        )
    if journey.health.orders:
        return _(
            "It is learning from your orders. Until it is ready, Tillwise offers the products you "
            "pinned, or else new ones."
        )
    return _("There are no orders to learn from yet. Until there are, offers are based on your catalogue.")


def _measured(model: Model) -> str:
    hits, orders = model.figures.get("tillwise", {}).get("hit_at_4"), model.orders
    learnt = ngettext("It learnt from %(num)s order.", "It learnt from %(num)s orders.", orders)
    if hits is None:
        return learnt
    tested = _(
        "In %(share)s of later orders, the shopper bought one of its top 4 products.", share=percent(hits, 1)
    )
    return f"{learnt} {tested}"


def _blocks(journey: Journey) -> Step:
    done = journey.health.ever_decided
    text = (
        _("Offers are live in your shop. Turn them on here wherever they are still off.")
        if done
        else _(
            "Add the Tillwise block to your checkout and thank-you pages, turn on the app embed in your "
            "theme, and save. Blocks in the checkout itself need Shopify Plus."
        )
    )
    return Step(
        "blocks",
        _("Offers are turned on"),
        text,
        done,
        links=places(journey.shop, journey.api_key),
    )


def _holdout(journey: Journey) -> Step:
    done = HOLDOUT in journey.marks
    action = None if done else (_("Understood"), HOLDOUT)
    if not journey.holdout:
        text = _(
            "Nobody is held out, so Tillwise can't compare your shoppers with others who see nothing of it. "
            "That would show what it really earns you."
        )
        return Step("holdout", _("All visitors see offers"), text, done, action=action)
    text = _(
        "%(share)s of your visitors, chosen at random, see no offers. Comparing what they buy with "
        "what everyone else buys shows what Tillwise really earns you.",
        share=percentage(100 * journey.holdout),
    )
    return Step("holdout", _("Why some visitors see nothing"), text, done, action=action)


def _preview(journey: Journey) -> Step:
    text = _("See what Tillwise would offer a shopper who has one of your products in the cart.")
    return Step(
        "preview", _("Your first offer"), text, PREVIEW in journey.marks, action=(_("Show an offer"), PREVIEW)
    )
