"""What the app is built from is written down whole, and silence of a list is not taken for a good word."""

from __future__ import annotations

import json
import re

from scripts.audit import NODE, PYTHON, Asked, bill, node_parts, of_npm, of_pypi, python_parts


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
