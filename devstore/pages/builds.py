"""What Shopify's CLI built: the bundles that the pages run, their locales and what they declare."""

import json
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

EXTENSION = "checkout-offers"
PIXEL = "web-pixel"
THEME = "storefront-embed"
PURPOSES = ("analytics", "marketing", "preferences")  # sale_of_data is declared by another word
READ: Mapping[str, Callable[[str], Any]] = {
    "boolean": lambda text: text in ("1", "true"),
    "number_integer": lambda text: int(text) if text.isdecimal() else None,
}


@dataclass(frozen=True, slots=True)
class Builds:
    """The folder of each extension of the app, by its handle."""

    folders: Mapping[str, Path]
    theme: Path | None = None  # the folder of its theme extension, which needs no bundle
    moved: tuple[str, str] | None = None  # the address of the app that is built in, and the one it has here

    @property
    def paths(self) -> dict[str, Path]:
        """Return where each bundle is or will be."""
        return {name: folder / "dist" / f"{name}.js" for name, folder in self.folders.items()}

    def is_built(self, name: str) -> bool:
        return name in self.folders and self.paths[name].is_file()

    def answer(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """Return the route that serves a bundle as it was built, calling the app where it is."""

        async def bundle(request: Request) -> Response:
            if not self.is_built(name):
                return PlainTextResponse(f"{name} is not built yet", status_code=404)
            if self.moved:
                code = self.paths[name].read_text().replace(*self.moved)
                return Response(code, media_type="text/javascript")
            return FileResponse(self.paths[name], media_type="text/javascript")

        return bundle

    def version(self, name: str) -> str:
        """Return a word that changes with each build, so that browsers fetch it anew."""
        return format(self.paths[name].stat().st_mtime_ns, "x")


def script_url(builds: Builds, name: str) -> str:
    return f"/extensions/{name}.js?v={builds.version(name)}"


@dataclass(frozen=True, slots=True)
class Texts:
    """An extension's texts in one locale, and those it falls back on."""

    locale: str
    translations: Mapping[str, Any]
    fallback: Mapping[str, Any]


def texts(folder: Path, locale: str) -> Texts:
    """Return the texts of a locale, or of its language, or the default ones."""
    found_files = (path for path in (folder / "locales").glob("*.json") if ".schema" not in path.name)
    files = {path.name.split(".")[0]: path for path in found_files}
    default = next((name for name, path in files.items() if ".default" in path.name), "en")
    found = next((name for name in (locale, locale.split("-")[0]) if name in files), default)
    return Texts(found, _read(files.get(found)), _read(files.get(default)))


def _read(path: Path | None) -> Mapping[str, Any]:
    """Return the texts in a file; an extension without locales has none."""
    read: Mapping[str, Any] = json.loads(path.read_text()) if path else {}
    return read


def required_purposes(folder: Path) -> list[str]:
    """Return the purposes without which Shopify does not run this pixel, as consent spells them."""
    privacy = _declared(folder).get("customer_privacy", {})
    wanted = [purpose for purpose in PURPOSES if privacy.get(purpose)]
    return [*wanted, "saleOfData"] if privacy.get("sale_of_data") == "enabled" else wanted


def capabilities(folder: Path) -> list[str]:
    """Return the capabilities that a UI extension declares, as Shopify names them to it."""
    return list(_flat(_ui_extension(folder).get("capabilities", {})))


def metafields(folder: Path) -> list[dict[str, str]]:
    """Return the namespace and the key of each metafield that a UI extension is to be told of."""
    declared: list[dict[str, str]] = _ui_extension(folder).get("metafields", [])
    return [{name: each[name] for name in ("namespace", "key")} for each in declared]


def settings(folder: Path, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the merchant's settings that are asked for, by their keys, each of its declared type."""
    fields = _ui_extension(folder).get("settings", {}).get("fields", [])
    return {
        field["key"]: READ.get(field["type"], str)(asked[field["key"]])
        for field in fields
        if field["key"] in asked
    }


def _flat(declared: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for name, value in declared.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif value:
            yield prefix + name


def _ui_extension(folder: Path) -> Mapping[str, Any]:
    """Return the first extension of a file that may hold several."""
    extensions: list[Mapping[str, Any]] = _declared(folder).get("extensions", [{}])
    return extensions[0]


def _declared(folder: Path) -> Mapping[str, Any]:
    """Return the extension's configuration; one without a file declares nothing."""
    path = folder / "shopify.extension.toml"
    return tomllib.loads(path.read_text()) if path.is_file() else {}
