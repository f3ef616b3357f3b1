"""What the pages name is there: files, headings, commands and their options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for folder in ("", "docs", "docs/decisions", "devstore", "extensions")
    for page in (ROOT / folder).glob("*.md")
)
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
_NAMED = re.compile(
    r"`((?:app|benchmarks|deploy|devstore|docs|extensions|scripts|storefront|tests|webhooks)/[\w./-]+\.\w+)`"
)
_COMMAND = re.compile(r"(?:`|^ *|^\.venv/bin/|exec web )tillwise ([a-z][^`|>#\n]*)", re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """The page's headings as a link names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def options_of(words: list[str]) -> set[str] | None:
    """The options of the command that the words begin with, None where there is no such command."""
    command = get_command(cli)
    for word in words:
        commands = getattr(command, "commands", None)
        if commands is None:
            break
        if word not in commands:
            return None
        command = commands[word]
    return {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    dead = []
    for path, anchor in _LINK.findall(page.read_text()):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            dead.append(f"{path}#{anchor}")
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    assert [name for name in _NAMED.findall(page.read_text()) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_that_a_page_names_takes_what_it_is_given(page: Path) -> None:
    wrong = []
    for said in _COMMAND.findall(page.read_text()):
        words = said.replace(",", " ").split()
        options = options_of([word for word in words if not word.startswith("-")])
        if options is None or {word for word in words if word.startswith("--")} - options:
            wrong.append(said)
    assert wrong == []
