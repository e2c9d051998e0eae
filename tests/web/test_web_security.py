"""What every answer says to browsers, and what an unsafe request must bring along."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hosting_at_hand import hosting_at_hand
from logged import Day, a_day
from recorded import a_recording, recording_at_hand
from ruled import a_failure
from web_site import Browser, Site, open_site

from appliance.permissions import Permission, Role
from appliance.services import Layout
from appliance.settings import load
from web.access import declared
from web.application import create_app
from web.desk import DeskClient

FILE = """\
[[cameras]]
id = "entrance"
source = "scene:door"

[[doors]]
id = "main"
camera = "entrance"

[[webhooks]]
id = "chat"
url = "https://chat.example/hook"
secret = "0123456789abcdef"
"""
NO_PAGES = {
    "/static/<build>/<path:name>",
    "/people/enrol/<draft>",
    "/live/<camera>/<kind>.mjpeg",
    "/live/<camera>/<kind>.jpg",
    "/live/<camera>/<kind>/seen",
    "/captures/<capture>.age",
    "/clips/<clip>/index.m3u8",
    "/clips/<clip>/<piece>",
    "/clips/<clip>/outside/<view>/<piece>",
    "/functions/<name>/now",
    "/functions/<name>/project.mjpeg",
    "/rules/<rule>/try/<event>",
    "/songs/<song>.mp3",
    "/songs/sounds/<sound>.mp3",
    "/screen/songs/<key>",
    "/search/import/<number>/rows",
    "/search/pictures/<picture>",
}
"""Addresses with something in them that answer no page."""


@dataclass(frozen=True)
class House:
    """A site where there is something of everything.

    Attributes:
        site: It.
        day: What is in its log.
        clip: A recording.
    """

    site: Site
    day: Day
    clip: str

    def reader(self, path: str) -> Browser:
        """Who reads a page: a device its own, an admin all others."""
        rule, _ = self.site.app.url_map.bind("").match(path.partition("?")[0], return_rule=True)
        devices = {Permission.SCREEN: Role.SCREEN, Permission.KEYPAD: Role.KEYPAD}
        return self.site.client(devices.get(declared(self.site.app, rule), Role.ADMIN))

    def with_something(self) -> dict[str, list[str]]:
        """By rule, addresses of pages with something in them."""
        ann, ben = self.day.ann.id, self.day.ben.id
        rooms = [each["name"] or "site" for each in self.site.ask("settings.describe")["rooms"]]
        rule = self.site.services.store.rules()[0].id
        group = self.site.services.store.groups()[0].id
        decisions = (self.day.identified, self.day.stranger, self.day.undecided)
        return {
            "/people/<person>": [f"/people/{ann}", f"/people/{ben}"],
            "/people/<person>/merge": [f"/people/{ann}/merge?other={ben}"],
            "/log/<event>": [f"/log/{each.id}" for each in decisions],
            "/settings/<room>": [f"/settings/{each}" for each in rooms],
            "/cameras/<camera>": ["/cameras/entrance"],
            "/doors/<door>": ["/doors/main"],
            "/connections/webhooks/<webhook>": ["/connections/webhooks/chat"],
            "/rules/<rule>": [f"/rules/{rule}"],
            "/rules/<rule>/dry-run": [f"/rules/{rule}/dry-run?days=30"],
            "/rules/<rule>/try": [f"/rules/{rule}/try"],
            "/groups/<group>": [f"/groups/{group}"],
            "/clips/<clip>": [f"/clips/{self.clip}"],
            "/functions/<name>": ["/functions/dogs", "/functions/birds"],
        }

    def pages(self) -> list[str]:
        """Every page, those with something in them too, and what is shown for none."""
        found = []
        for rule in self.site.app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and not rule.arguments and not rule.rule.startswith("/api/v"):
                response = self.reader(rule.rule).get(rule.rule, buffered=False)
                if response.status_code == 200 and response.mimetype == "text/html":
                    found.append(rule.rule)
                response.close()
        return found + [each for examples in self.with_something().values() for each in examples]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests that only look."""
    layout = Layout(tmp_path_factory.mktemp("house") / "state")
    layout.state.mkdir(mode=0o700)
    layout.settings_file.write_text(FILE, encoding="utf-8")
    with (
        open_site(layout, load(layout.settings_file)) as site,
        hosting_at_hand(layout),
        recording_at_hand(site.services) as recording,
    ):
        day = a_day(site.services, datetime.now(UTC))
        clip = a_recording(site.services, datetime.now(UTC), clips=recording.clips, seconds=1).clip
        a_failure(site.services)
        site.services.store.add_group("Night shift")
        yield House(site, day, clip)


@pytest.fixture(scope="module")
def pages(house: House) -> list[str]:
    """Every page of it."""
    return house.pages()


def test_every_page_is_looked_at(house: House, pages: list[str]) -> None:
    """The tests below know every address: a new one is tried with something in it, or said to be no page."""
    rules = {
        rule.rule
        for rule in house.site.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments and not rule.rule.startswith("/api/v")
    }
    wrong = {path: house.reader(path).get(path).status_code for path in pages}

    assert rules == NO_PAGES | set(house.with_something())
    assert {} == {path: status for path, status in wrong.items() if status != 200}
    assert {"/", "/screen", "/sign-in", "/doors/main", "/settings/site"} <= set(pages)


def test_every_answer_carries_the_headers(house: House, pages: list[str]) -> None:
    """Pages, redirects, faults and files alike forbid what is foreign, and keep to themselves."""
    wrong = []
    for path in (*pages, "/nothing-here", "/people/nobody", "/account?x=1", "/favicon.ico"):
        for browser in (house.site.client(), house.site.client(Role.ADMIN), house.site.client(Role.SCREEN)):
            headers = browser.get(path).headers
            policy = headers["Content-Security-Policy"]
            good = (
                policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
                and "unsafe" not in policy
                and "frame-ancestors 'none'" in policy
                and headers["X-Content-Type-Options"] == "nosniff"
                and headers["Referrer-Policy"] == "no-referrer"
                and "microphone=()" in headers["Permissions-Policy"]
                and "Strict-Transport-Security" not in headers
            )
            wrong += [] if good else [path]

    assert [] == wrong


def test_strict_transport_is_for_certificates_that_were_brought(tmp_path: Path) -> None:
    """With one made on the box, a browser that insists could be locked out by a new one."""
    desk = DeskClient(tmp_path / "desk.sock")
    found = [
        create_app(desk, strict=strict)
        .test_client()
        .get("/favicon.ico")
        .headers.get("Strict-Transport-Security")
        for strict in (False, True)
    ]

    assert [None, "max-age=2592000"] == found


def test_pages_are_kept_by_nobody(house: House, pages: list[str]) -> None:
    """What is behind the sign-in stays neither in a proxy nor in the browser's store."""
    kept = [path for path in pages if house.reader(path).get(path).headers["Cache-Control"] != "no-store"]

    assert [] == kept


def test_pages_have_nothing_inline(house: House, pages: list[str]) -> None:
    """No style, script or handler stands in a page: the policy would silence it."""
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)
    found = [path for path in pages if inline.search(house.reader(path).get(path).text)]

    assert [] == found


def test_pages_are_small(house: House, pages: list[str]) -> None:
    """A page with its style and scripts is at most 150 kB on the wire, before pictures."""
    packed = {"Accept-Encoding": "gzip"}
    files: dict[str, int] = {}
    sizes = {}
    for path in pages:
        page = house.reader(path).get(path, headers=packed)
        text = gzip.decompress(page.data).decode() if page.headers.get("Content-Encoding") else page.text
        needed = set(re.findall(r"/static/[^\"#]+", text))
        for address in needed - files.keys():
            files[address] = len(house.site.client().get(address, headers=packed).data)
        sizes[path] = len(page.data) + sum(files[address] for address in needed)

    assert {} == {path: total for path, total in sizes.items() if total > 150_000}


@pytest.mark.parametrize("elsewhere", ["https://evil.example/x", "javascript:evil.example"])
def test_no_page_links_to_where_it_is_told_to(house: House, pages: list[str], elsewhere: str) -> None:
    """Whatever stands in `next`, no page leads off this site with it."""
    found = []
    for path in pages:
        separator = "&" if "?" in path else "?"
        address = f"{path}{separator}{urlencode({'next': elsewhere})}"
        if "evil.example" in house.reader(path).get(address).text:
            found.append(path)

    assert [] == found
    assert 'href="/set-up"' in house.reader("/cameras/new").get("/cameras/new?next=/set-up").text


def test_the_camera_is_for_pages_that_say_so(site: Site) -> None:
    """No page may ask for the webcam by accident."""
    assert "camera=()" in site.client(Role.ADMIN).get("/account").headers["Permissions-Policy"]
