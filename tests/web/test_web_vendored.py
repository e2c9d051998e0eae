"""Bundles that are not ours: what they are, that nobody changed them, and under which licence they stand."""

import hashlib
import re
import tomllib
from typing import Any

import pytest
from web_site import Site

from web.static_files import FOLDER, StaticFiles

VENDOR = FOLDER / "vendor"


def packages() -> list[dict[str, Any]]:
    """As they are written down."""
    found: list[dict[str, Any]] = tomllib.loads((VENDOR / "vendored.toml").read_text("utf-8"))["package"]
    return found


def test_every_vendored_file_is_written_down() -> None:
    """Nothing stands there of which nobody says whence it came, and nothing written down is missing."""
    there = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    known = {name for package in packages() for name in package["files"]}

    assert {"vendored.toml"} | known == there


@pytest.mark.parametrize("package", packages(), ids=lambda package: str(package["name"]))
def test_vendored_files_are_as_they_were_published(package: dict[str, Any]) -> None:
    """Each has the hash that was written down; its version, its licence's text and its package's hash too."""
    found = {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in package["files"]}

    assert package["files"] == found
    assert any(name.endswith("/LICENSE") for name in package["files"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
    assert re.fullmatch(r"sha512-[\w+/]{86}==", package["integrity"])
    assert package["licence"] in {"MIT", "Apache-2.0", "BSD-3-Clause", "ISC"}


def test_vendored_scripts_need_no_wider_policy() -> None:
    """None makes code of text or writes style into the page: the content policy forbids both."""
    forbidden = re.compile(r"\bnew Function\b|\beval\(|setAttribute\(.style")
    scripts = [path for path in VENDOR.rglob("*") if path.suffix in {".js", ".mjs"}]

    assert 2 == len(scripts)
    assert [] == [path.name for path in scripts if forbidden.search(path.read_text("utf-8"))]


@pytest.mark.parametrize("name", ["vendor/hls/hls.light.min.mjs", "vendor/uplot/uPlot.iife.min.js"])
def test_a_vendored_script_is_served_as_a_script(site: Site, name: str) -> None:
    """With the type without which browsers run no module, and gzipped."""
    build = StaticFiles.read().build
    found = site.client().get(f"/static/{build}/{name}", headers={"Accept-Encoding": "gzip"})

    assert "text/javascript; charset=utf-8" == found.headers["Content-Type"]
    assert "gzip" == found.headers["Content-Encoding"]
