"""What the app is built from is written down whole, and silence of a list is not taken for a good word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scripts import audit
from scripts.audit import (
    NODE,
    PYTHON,
    Asked,
    bill,
    for_every_machine,
    node_parts,
    of_npm,
    of_pypi,
    python_parts,
)


def test_each_pinned_package_is_in_the_bill_once() -> None:
    lock = PYTHON.read_text()
    pinned = re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)
    parts = bill(python_parts(lock))["components"]
    assert [part["name"] for part in parts] == pinned
    assert "starlette" in pinned
    assert len({part["bom-ref"] for part in parts}) == len(parts)


def test_each_package_of_node_is_in_the_bill_once_and_no_folder_of_ours() -> None:
    lock = json.loads(NODE.read_text())
    parts = bill(node_parts(lock))["components"]
    names = {part["name"] for part in parts}
    assert {"preact", "@shopify/ui-extensions"} <= names
    assert not [name for name in names if name.startswith("tillwise")]
    assert len({part["bom-ref"] for part in parts}) == len(parts)
    assert all(part["version"] for part in parts)


def test_pypi_is_asked_about_what_only_other_machines_install_too() -> None:
    lock = PYTHON.read_text()
    assert re.search(r"^[\w.-]+==\S+ ; ", lock, re.MULTILINE)
    halves = for_every_machine(lock)
    pinned = [re.findall(r"^([\w.-]+)==(\S+) *\\$", half, re.MULTILINE) for half in halves]
    for half in pinned:
        assert len(dict(half)) == len(half)
    parts = {(part["name"], part["version"]) for part in bill(python_parts(lock))["components"]}
    assert {*pinned[0], *pinned[1]} == parts


def test_a_package_that_a_list_does_not_tell_about_was_not_asked_about() -> None:
    told = {
        "dependencies": [
            {"name": "good", "version": "1", "vulns": []},
            {"name": "bad", "version": "2", "vulns": [{"id": "PYSEC-1"}, {"id": "PYSEC-2"}]},
            {"name": "unheard", "skip_reason": "not found"},
        ]
    }
    assert of_pypi(told) == Asked(("bad 2: PYSEC-1, PYSEC-2",), "1 of 3 are not told about: not found")
    assert of_pypi({"dependencies": told["dependencies"][:1]}) == Asked()


def test_an_error_of_npm_is_no_good_word() -> None:
    assert of_npm({"message": "405 Method Not Allowed"}) == Asked(unasked="405 Method Not Allowed")
    assert of_npm({"vulnerabilities": {"bad": {"severity": "high"}}}) == Asked(("bad: high",))
    assert of_npm({"vulnerabilities": {}}) == Asked()


@pytest.mark.parametrize(
    ("pypi", "npm", "ends_with"),
    [
        (Asked(), Asked(), 0),
        (Asked(), Asked(unasked="no answer"), 2),
        (Asked(("bad 1: PYSEC-1",), "not of all"), Asked(), 1),
    ],
)
def test_it_ends_well_only_when_everything_was_asked_about_and_nothing_is_known(
    pypi: Asked, npm: Asked, ends_with: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "OUT", tmp_path)
    monkeypatch.setattr(audit, "ask_pypi", lambda: pypi)
    monkeypatch.setattr(audit, "ask_npm", lambda: npm)
    assert audit.main() == ends_with
