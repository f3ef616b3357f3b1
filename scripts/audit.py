"""What the app is built from, and what is known to be wrong with it: `make audit`.

Both lock files are written down as CycloneDX, for whoever has to keep such a list; then PyPI and npm are
asked what advisories they know. Ends with 1 when there are any. Ends with 2 when one of them could not be
asked about everything, which is not the same as nothing being known.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).parents[1]
PYTHON, NODE = ROOT / "requirements.lock", ROOT / "package-lock.json"
OUT = ROOT / "var/audit"
PIP_AUDIT = "pip-audit==2.10.1"
_PINNED = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list of advisories said. known: of which package, which; unasked: why not of all."""

    known: tuple[str, ...] = ()
    unasked: str = ""


def python_parts(lock: str) -> Iterator[dict[str, Any]]:
    """Yield each package of requirements.lock."""
    for name, version in _PINNED.findall(lock):
        yield _part(name, version, f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}")


def node_parts(lock: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each package of package-lock.json once, with its file's hash; our own folders are none."""
    seen = set()
    for place, told in lock["packages"].items():
        name = told.get("name") or place.rpartition("node_modules/")[2]
        if "node_modules/" not in place or told.get("link") or (name, told["version"]) in seen:
            continue
        seen.add((name, told["version"]))
        part = _part(name, told["version"], f"pkg:npm/{quote(name, safe='/')}@{quote(told['version'])}")
        algorithm, _, digest = told.get("integrity", "").partition("-")
        if algorithm == "sha512":
            part["hashes"] = [{"alg": "SHA-512", "content": b64decode(digest).hex()}]
        yield part


def _part(name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def bill(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Return the parts as a CycloneDX document; the same lock gives the same one."""
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": list(parts)}


def for_every_machine(lock: str) -> tuple[str, str]:
    """Return the lock as two, each package once in either: whichever machine or Python a line is for.

    pip-audit asks about those for its own alone, and says nothing of the others.
    """
    halves, seen = (list[str](), list[str]()), set[str]()
    for pinned in re.split(r"^(?=[\w.-]+(?:\[[^\]]*\])?==)", lock, flags=re.MULTILINE)[1:]:
        name = _PINNED.findall(pinned)[0][0]
        halves[name in seen].append(re.sub(r"^([^\n;]+?) ; [^\n\\]+", r"\1 ", pinned))
        seen.add(name)
    return "".join(halves[0]), "".join(halves[1])


def of_pypi(told: dict[str, Any]) -> Asked:
    """Return what pip-audit's JSON says."""
    dependencies = told["dependencies"]
    skipped = [each for each in dependencies if "skip_reason" in each]
    known = tuple(
        f"{each['name']} {each['version']}: {', '.join(one['id'] for one in each['vulns'])}"
        for each in dependencies
        if each.get("vulns")
    )
    if not skipped:
        return Asked(known)
    return Asked(
        known, f"{len(skipped)} of {len(dependencies)} are not told about: {skipped[0]['skip_reason']}"
    )


def of_npm(told: dict[str, Any]) -> Asked:
    """Return what npm's JSON says."""
    if "vulnerabilities" not in told:
        return Asked(unasked=str(told.get("message") or told.get("error") or "no answer"))
    return Asked(tuple(f"{name}: {one['severity']}" for name, one in told["vulnerabilities"].items()))


def ask_pypi() -> Asked:
    """Return what PyPI knows of what is in the lock; pip-audit is installed beside what it looks at."""
    tools = ROOT / ".venv/audit"
    if not (tools / "bin/pip-audit").exists():
        venv.create(tools, with_pip=True)
        subprocess.run([tools / "bin/pip", "install", "--quiet", PIP_AUDIT], check=False)
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    asked = []
    for number, half in enumerate(for_every_machine(PYTHON.read_text())):
        file = OUT / f"requirements-{number}.txt"
        file.write_text(half)
        command = [str(tools / "bin/pip-audit"), *options, "--requirement", str(file)]
        asked.append(_asked(of_pypi, command))
    return Asked(
        tuple(chain.from_iterable(each.known for each in asked)),
        "; ".join(each.unasked for each in asked if each.unasked),
    )


def ask_npm() -> Asked:
    """Return what npm knows of what is in its lock."""
    return _asked(of_npm, ["npm", "audit", "--package-lock-only", "--json"])


def _asked(read: Any, command: list[str]) -> Asked:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        return Asked(unasked=str(error))
    try:
        found: Asked = read(json.loads(done.stdout))
    except (ValueError, KeyError):
        return Asked(unasked=(done.stderr.strip().splitlines() or ["no answer"])[-1][:200])
    return found


def main() -> int:
    """Write the bills, ask, and return how it ends."""
    OUT.mkdir(parents=True, exist_ok=True)
    python, node = python_parts(PYTHON.read_text()), node_parts(json.loads(NODE.read_text()))
    asked = {"python": ask_pypi(), "node": ask_npm()}
    for name, parts in {"python": bill(python), "node": bill(node)}.items():
        file = OUT / f"{name}.cdx.json"
        file.write_text(json.dumps(parts, indent=1) + "\n")
        _say(f"{name}: {len(parts['components'])} packages, written to {file}")
        for each in asked[name].known:
            _say(f"  known: {each}")
        _say(f"  not asked: {asked[name].unasked}" if asked[name].unasked else "  asked about all of them")
    if any(each.known for each in asked.values()):
        return 1
    return 2 if any(each.unasked for each in asked.values()) else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
