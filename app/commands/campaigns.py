"""A shop's campaigns: looked at, checked, tried on past decisions, added, started and stopped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.campaigns.campaign import Campaign, Status, check_words, read_campaign
from app.campaigns.dry_run import DryRun, dry_run
from app.campaigns.past_decisions import MOST, past_decisions
from app.campaigns.plan import LOCALE
from app.campaigns.store import all_campaigns, change_status, keep_campaign
from app.campaigns.templates import TEMPLATES, template
from app.catalog.collections import titles_of
from app.catalog.store import load_catalog
from app.commands.files import read_json
from app.commands.run import Shop, known_shop, with_connections
from app.connections import Connections
from app.errors import InputError, TillwiseError
from app.reach.campaign_choice import TRIGGER
from app.reach.dry_run import dry_run_on_abandoned
from app.rules.expression import read_rule
from app.rules.fields import FIELDS, Names
from app.rules.findings import Finding, findings
from app.rules.findings import Shop as RulesShop
from app.rules.words import in_words
from app.shops.store import Shop as InstalledShop
from app.values import shop_domain

campaigns = typer.Typer(
    name="campaigns", help="A shop's campaigns: what is shown to whom, and when.", no_args_is_help=True
)

File = Annotated[Path, typer.Argument(help="JSON of one campaign, or a list of some; see `templates`")]
Id = Annotated[str, typer.Argument(help="The campaign's id")]


@campaigns.command("list")
def list_campaigns(shop: Shop) -> None:
    """List a shop's campaigns, the first to be looked at first."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        installed, now = await known_shop(connections, domain), datetime.now(UTC)
        if not (found := await all_campaigns(connections, domain)):
            typer.echo("No campaign yet: `tillwise campaigns templates` lists some to begin with.")
        for kept in found:
            campaign, why = kept.campaign, f" ({kept.reason})" if kept.reason else ""
            typer.echo(f"{campaign.id}  {kept.standing(now)}{why}  priority {campaign.priority}")
            typer.echo(f"  {campaign.name}: {_words(campaign, installed)}")

    with_connections(run)


@campaigns.command()
def check(shop: Shop, file: File) -> None:
    """Say what campaigns in a file would mean in the shop, and what is wrong with them; adds nothing."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        installed = await known_shop(connections, domain)
        known = await _known(connections, installed)
        found = [each for campaign in _read(file) for each in _told(campaign, installed, known)]
        if any(each.stops for each in found):
            raise InputError(f"{file} has a rule that would never match")

    with_connections(run)


@campaigns.command()
def add(shop: Shop, file: File) -> None:
    """Add campaigns from a file as drafts; one that is there already is changed and keeps its status."""
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        installed = await known_shop(connections, domain)
        known = await _known(connections, installed)
        for campaign in _read(file):
            _told(campaign, installed, known)
            kept = await keep_campaign(connections, domain, campaign)
            typer.echo(f"  kept as {kept.status}")

    with_connections(run)


@campaigns.command("run")
def run_campaign(shop: Shop, campaign: Id) -> None:
    """Start a campaign: checkouts show it from now on."""
    _change(shop, campaign, "running")


@campaigns.command()
def pause(shop: Shop, campaign: Id) -> None:
    """Pause a campaign; codes that were given out stay good."""
    _change(shop, campaign, "paused")


@campaigns.command()
def stop(shop: Shop, campaign: Id) -> None:
    """Stop a campaign for good; it can be started again."""
    _change(shop, campaign, "stopped")


@campaigns.command("dry-run")
def dry_run_command(
    shop: Shop,
    file: File,
    last: Annotated[int, typer.Option(min=1, max=MOST, help="How many decisions to look at")] = 1_000,
) -> None:
    """Say what campaigns in a file would have done on the shop's last decisions, each on its own.

    One that writes to who left is tried on the last checkouts left.
    """
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        installed = await known_shop(connections, domain)
        campaigns = _read(file)
        catalog = await load_catalog(connections, domain)
        decisions = await past_decisions(connections, domain, last)
        for campaign in campaigns:
            if campaign.trigger == TRIGGER:
                tried = await dry_run_on_abandoned(connections, installed, campaign, last)
                typer.echo(f"{campaign.id}: {tried.says()}")
                _tell_left_out(tried.left_out)
                continue
            result = dry_run(campaign, decisions, catalog, installed.time_zone, installed.settings)
            typer.echo(f"{campaign.id}: {result.says()}")
            _tell_more(result)

    with_connections(run)


@campaigns.command()
def templates(
    name: Annotated[
        str | None, typer.Argument(help="Print this one as JSON, to be changed and added")
    ] = None,
) -> None:
    """List campaigns to begin with, or print one."""
    if name is not None:
        written = msgspec.json.encode(template(name).campaign)
        typer.echo(msgspec.json.format(written, indent=2).decode())
        return
    for each, (says, _) in TEMPLATES.items():
        typer.echo(f"{each}  {says}")


def _change(shop: str, campaign_id: str, status: Status) -> None:
    domain = shop_domain(shop)

    async def run(connections: Connections) -> None:
        await known_shop(connections, domain)
        kept = await change_status(connections, domain, campaign_id, status)
        typer.echo(f"{campaign_id} is {kept.standing(datetime.now(UTC))}")

    with_connections(run)


def _read(file: Path) -> list[Campaign]:
    """Return the campaigns of a file. Raises InputError naming the campaign and the field."""
    data = read_json(file)
    if data == []:
        raise InputError(f"{file} has no campaign in it")
    found = []
    for at, each in enumerate(data if isinstance(data, list) else [data]):
        try:
            campaign = read_campaign(each)
            check_words(campaign)
            found.append(campaign)
        except InputError as error:
            name = each.get("id", f"number {at + 1}") if isinstance(each, dict) else f"number {at + 1}"
            field = f" ({error.field})" if error.field else ""
            raise InputError(f"campaign {name}{field}: {error}", error.field) from None
    return found


def _told(campaign: Campaign, shop: InstalledShop, known: RulesShop) -> list[Finding]:
    """Return what there is to know of the campaign's rule, told as well."""
    typer.echo(f"{campaign.id}: {campaign.offer.kind} for whom this holds: {_words(campaign, shop)}")
    found = findings(read_rule(campaign.rule), known)
    for each in found:
        typer.echo(f"  {'wrong' if each.stops else 'note'}: {each.message} ({each.path})")
    return found


def _words(campaign: Campaign, shop: InstalledShop) -> str:
    language = str(shop.settings.get(LOCALE, "en"))
    try:
        return in_words(read_rule(campaign.rule), shop.currency, language)
    except TillwiseError:
        return in_words(read_rule(campaign.rule), shop.currency)


async def _known(connections: Connections, shop: InstalledShop) -> RulesShop:
    """Return what rules are held against."""
    catalog = await load_catalog(connections, shop.shop)
    products = catalog.products.values()
    names: dict[Names, frozenset[str]] = {
        "product": frozenset(map(str, catalog.products)),
        "product_type": frozenset(each.product_type for each in products),
        "vendor": frozenset(each.vendor for each in products),
        "tag": frozenset(tag for each in products for tag in each.tags),
        "collection": frozenset(await titles_of(connections, shop.shop)),
    }
    return RulesShop(shop.currency, names, datetime.now(UTC).date())


def _tell_left_out(left_out: Mapping[str, int]) -> None:
    for why, count in sorted(left_out.items()):
        typer.echo(f"  not shown {count} times: {why}")


def _tell_more(result: DryRun) -> None:
    _tell_left_out(result.left_out)
    for name, count in sorted(result.missing.items()):
        label = FIELDS[name].label if name in FIELDS else name
        typer.echo(f"  {count} decisions do not tell {label}")
