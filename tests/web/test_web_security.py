"""What every answer says to browsers, and what an unsafe request must bring along."""

import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import request
from hypothesis import given
from hypothesis import strategies as st
from logged import Day, a_day
from web_site import PASSWORD, SITE, Browser, Site, open_site

from appliance.errors import CameraLostError
from appliance.permissions import Permission, Role
from appliance.services import Layout
from appliance.settings import load
from web import cookies, forms, requests
from web.access import PUBLIC, declared, for_tokens, permission, public
from web.application import create_app
from web.desk import DeskClient
from web.forms import redirected_to, token_for
from web.static_files import FOLDER, StaticFiles

JSON = "application/json"
_UNSAFE = {"DELETE", "PATCH", "POST", "PUT"}


FILE = """\
[[cameras]]
id = "entrance"
source = "scene:door"

[[doors]]
id = "main"
camera = "entrance"
"""
NO_PAGES = {
    "/static/<build>/<path:name>",
    "/people/enrol/<draft>",
    "/live/<camera>/<kind>.mjpeg",
    "/live/<camera>/<kind>.jpg",
    "/live/<camera>/<kind>/seen",
    "/captures/<capture>.age",
}
"""Addresses with something in them that answer no page."""


@dataclass(frozen=True)
class House:
    """A site where there is something of everything.

    Attributes:
        site: It.
        day: What is in its log.
    """

    site: Site
    day: Day

    def reader(self, path: str) -> Browser:
        """Who reads a page: the screen its own, an admin all others."""
        rule, _ = self.site.app.url_map.bind("").match(path.partition("?")[0], return_rule=True)
        screen = declared(self.site.app, rule) is Permission.SCREEN
        return self.site.client(Role.SCREEN if screen else Role.ADMIN)

    def with_something(self) -> dict[str, list[str]]:
        """By rule, addresses of pages with something in them."""
        ann, ben = self.day.ann.id, self.day.ben.id
        rooms = [each["name"] or "site" for each in self.site.ask("settings.describe")["rooms"]]
        decisions = (self.day.identified, self.day.stranger, self.day.undecided)
        return {
            "/people/<person>": [f"/people/{ann}", f"/people/{ben}"],
            "/people/<person>/merge": [f"/people/{ann}/merge?other={ben}"],
            "/log/<event>": [f"/log/{each.id}" for each in decisions],
            "/settings/<room>": [f"/settings/{each}" for each in rooms],
            "/cameras/<camera>": ["/cameras/entrance"],
            "/doors/<door>": ["/doors/main"],
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
    with open_site(layout, load(layout.settings_file)) as site:
        yield House(site, a_day(site.services, datetime.now(UTC)))


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


def test_cookies_are_bound_to_this_host(site: Site) -> None:
    """A session cookie is out of reach of scripts, of plain HTTP, of other sites and of other hosts."""
    response = site.client().post("/sign-in", {"name": "Ada", "password": PASSWORD})
    cookie = next(each for each in response.headers.getlist("Set-Cookie") if cookies.SESSION in each)

    assert 303 == response.status_code
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} == set(cookie.split("; ")[1:])
    assert cookie.startswith("__Host-")


def test_every_unsafe_view_wants_the_form_token(site: Site) -> None:
    """Generated from the map: without the token of this very browser an unsafe request changes nothing."""
    let_through = []
    for rule in site.app.url_map.iter_rules():
        for method in sorted(_UNSAFE & (rule.methods or set())):
            needs = declared(site.app, rule)
            role = Role.SCREEN if needs == "screen" else None if needs == PUBLIC else Role.ADMIN
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            for token in ("", token_for("of somebody else")):
                headers = {"Accept": "application/json", **({forms.HEADER: token} if token else {})}
                response = site.client(role).send(method, path, form=False, headers=headers)
                # Where cookies count for nothing, a browser is nobody, whatever token its form has.
                if response.status_code != (401 if for_tokens(site.app, rule) else 403):
                    let_through.append((method, rule.rule, token, response.status_code))

    assert [] == let_through


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    """Even with a token that somebody leaked: the browser says where it came from."""
    response = site.client(Role.ADMIN).post("/sign-out", headers=headers)

    assert 403 == response.status_code
    assert 200 == site.client(Role.ADMIN).get("/account").status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": SITE},
        {"Origin": SITE},
        {},
    ],
)
def test_a_form_of_our_own_is_taken(site: Site, headers: dict[str, str]) -> None:
    """As browsers send it under our referrer policy, and as older ones do."""
    assert 303 == site.client(Role.ADMIN).post("/sign-out", headers=headers).status_code


def test_an_api_token_needs_no_form_token(site: Site) -> None:
    """No browser adds an Authorization header by itself, so nothing has to be proved."""
    site.app.add_url_rule(
        "/change", "change", permission(Permission.PEOPLE)(lambda: "done"), methods=["POST"]
    )
    secret = site.ask("tokens.create", label="t", scopes=["people"])["secret"]
    response = site.client().send(
        "POST", "/change", form=False, headers={"Authorization": f"Bearer {secret}"}
    )

    assert "done" == response.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8443", 200),
        ("192.168.1.20:8443", 200),
        ("[fe80::1]:8443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_another_name_is_not_answered(site: Site, host: str, status: int) -> None:
    """A name of somebody else's that leads here would let their page read this one (DNS rebinding)."""
    assert status == site.client().get("/sign-in", headers={"Host": host}).status_code


def test_names_of_ours_are_answered() -> None:
    """Whatever the machine is called, and what the admin added; no other."""
    names = {"door.office.example", "localhost"}

    assert requests.is_ours("Door.Office.Example.:443", names)
    assert not requests.is_ours("office.example", names)


@given(st.text())
def test_nobody_is_sent_elsewhere(path: str) -> None:
    """Whatever stands in `next`, the way back stays on this site."""
    target = redirected_to(path, "/")

    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert "\\" not in target
    assert target in {"/", path}


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/\\evil.example", "/a\nb", "x", "", None]
)
def test_other_ways_back_are_not_taken(path: str | None) -> None:
    """Addresses, other hosts, and what browsers read as such."""
    assert "/home" == redirected_to(path, "/home")


def test_a_way_back_is_taken(site: Site) -> None:
    """Who wanted to see a page sees it after signing in."""
    browser = site.client()
    there = browser.get("/account").headers["Location"]
    response = browser.post("/sign-in", {"name": "Ada", "password": PASSWORD, "next": "/account"})

    assert "/sign-in?next=%2Faccount" == there
    assert "/account" == response.headers["Location"]


class Body(io.RawIOBase):
    """A body that counts what is read of it.

    Attributes:
        taken: Bytes that were read.
    """

    def __init__(self, size: int) -> None:
        self._left = size
        self.taken = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read."""
        many = min(len(buffer), self._left)
        buffer[:many] = b"x" * many
        self._left -= many
        self.taken += many
        return many


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_a_large_body_is_refused_unread(site: Site, kind: str) -> None:
    """A form is 64 kB at most; more is refused by its announced length, before a byte of it is read."""
    body = Body(1 << 20)
    answer = site.client(Role.ADMIN).send(
        "POST",
        "/account/password",
        content_type=kind,
        environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(1 << 20)},
    )

    assert (413, 0) == (answer.status_code, body.taken)


def test_a_body_longer_than_it_says_is_cut_where_it_said(site: Site) -> None:
    """Its real size does not count: what comes after the announced bytes is read by nobody."""

    @public
    def count() -> str:
        return str(len(request.get_data()))

    site.app.add_url_rule("/count", view_func=count, methods=["POST"])
    body = Body(1 << 20)
    answer = site.client().send(
        "POST", "/count", environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": "1000"}
    )

    assert ("1000", 1000) == (answer.text, body.taken)


@pytest.mark.parametrize("sent", ['{"door": "\\ud800"}', '{"door": "x", "region": ["\\udfff"]}'])
def test_half_a_character_is_refused_in_words(site: Site, sent: str) -> None:
    """JSON can write what is no text; nothing could keep it, and it is nobody's fault but the sender's."""
    answer = site.client(Role.ADMIN).send(
        "POST", "/doors/save", sent.encode(), content_type="application/json", headers={"Accept": JSON}
    )

    assert (422, "input") == (answer.status_code, answer.json["error"]["code"])


def test_a_camera_at_fault_is_no_fault_of_the_pages(site: Site) -> None:
    """Whatever is wrong with it, it is told in its words, and as something that may pass."""

    @public
    def blind() -> str:
        raise CameraLostError("entrance: no frame for 10 s", hint="is it on?")

    site.app.add_url_rule("/blind", view_func=blind)
    page = site.client().get("/blind")
    answer = site.client().get("/blind", headers={"Accept": JSON})

    assert (503, 503) == (page.status_code, answer.status_code)
    assert "no frame for 10 s" in page.text
    assert ("camera_lost", "is it on?") == (answer.json["error"]["code"], answer.json["error"]["hint"])


def test_files_never_touch_the_disk(site: Site) -> None:
    """An upload of megabytes is kept in memory: it is a picture of somebody."""

    @public
    @requests.takes(requests.UPLOAD_BYTES)
    def take() -> str:
        return type(request.files["photo"].stream).__name__

    site.app.add_url_rule("/take", view_func=take, methods=["POST"])
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
    body = head + bytes(3 << 20) + b"\r\n--x--\r\n"
    answer = site.client().send("POST", "/take", body, content_type="multipart/form-data; boundary=x")

    assert "BytesIO" == answer.text


def test_faults_are_told_in_words_and_without_a_trace(site: Site) -> None:
    """What breaks says neither where nor with which values."""

    @public
    def broken() -> str:
        raise RuntimeError("Ann's secret")

    site.app.add_url_rule("/broken", view_func=broken)
    page = site.client().get("/broken")
    answer = site.client().get("/broken", headers={"Accept": "application/json"})

    assert (500, 500) == (page.status_code, answer.status_code)
    assert "secret" not in page.text + answer.text
    assert "RuntimeError" not in page.text + answer.text
    assert "internal" == answer.json["error"]["code"]


def test_the_desk_away_is_told_calmly(site: Site) -> None:
    """Pages say what goes on without it, scripts and tools hear when to come again; nothing is decided."""
    site.desk.away = True
    page = site.client(Role.ADMIN).get("/account")
    answer = site.client(Role.ADMIN).get("/account", headers={"Accept": "application/json"})

    assert (503, 503) == (page.status_code, answer.status_code)
    assert "The door is watched and logged as always" in page.text
    assert "3" == answer.headers["Retry-After"]


def test_static_files_are_kept_for_long_under_their_hash(site: Site) -> None:
    """An address with the present hash is for ever; another one is never kept."""
    files = StaticFiles.read()
    now = site.client().get(f"/static/{files.build}/css/tokens.css")
    before = site.client().get("/static/0000000000000000/css/tokens.css")

    assert "immutable" in now.headers["Cache-Control"]
    assert "no-store" == before.headers["Cache-Control"]
    assert now.data == before.data


def test_what_every_page_needs_is_one_file() -> None:
    """The style of every page is its parts one after the other, what others build on first."""
    made = StaticFiles.read().files["css/site.css"].body

    assert (
        b"".join((FOLDER / "css" / f"{part}.css").read_bytes() for part in ("tokens", "layout", "parts"))
        == made
    )


def test_a_page_names_all_its_modules(site: Site) -> None:
    """No script is learnt of from another one: a browser would wait for the one to ask for the other."""
    wrong = []
    for path in ("/", "/log", "/people/enrol", "/account"):
        text = site.client(Role.ADMIN).get(path).text
        named = set(re.findall(r"/static/[0-9a-f]+/(js/[\w-]+\.js)", text))
        wanted = {
            f"js/{name}"
            for each in named
            for name in re.findall(r'from "\./([\w-]+\.js)"', (FOLDER / each).read_text(encoding="utf-8"))
        }
        wrong += [(path, each) for each in wanted - named]

    assert [] == wrong


def test_a_module_leads_to_what_its_imports_import(tmp_path: Path) -> None:
    """However deep, each once, in the order in which it is met; a circle comes to an end."""
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "page.js").write_text('import { a } from "./a.js";\nimport "./b.js";\n')
    (tmp_path / "js" / "a.js").write_text('import {\n  c,\n} from "./c.js";\nexport * from "./b.js";\n')
    (tmp_path / "js" / "b.js").write_text('import { page } from "./page.js";\n')
    (tmp_path / "js" / "c.js").write_text('// import { no } from "./no.js";\n')
    found = StaticFiles.read(tmp_path).imports

    assert ("js/a.js", "js/b.js", "js/c.js") == found["js/page.js"]
    assert () == found["js/c.js"]


@pytest.mark.parametrize("chosen", ["dark", "light"])
def test_the_theme_that_was_chosen_comes_with_the_page(site: Site, chosen: str) -> None:
    """Light or dark stand in the page itself, so that it is never painted in the other one first."""
    browser = site.client(Role.ADMIN)
    browser.sign(cookies.THEME, chosen)

    assert f'<html lang="en" data-theme="{chosen}">' in browser.get("/account").text


@pytest.mark.parametrize("chosen", ["", "pink", "dark light", "light>"])
def test_no_other_word_is_a_theme(site: Site, chosen: str) -> None:
    """Whatever else stands in that cookie leaves the page as it is."""
    browser = site.client(Role.ADMIN)
    browser.sign(cookies.THEME, chosen)

    assert '<html lang="en">' in browser.get("/account").text


def test_nothing_but_static_files_is_served(site: Site) -> None:
    """Paths are names in a table, not ways on the disk."""
    build = StaticFiles.read().build
    paths = ("../application.py", "css/../../application.py", "%2e%2e/application.py", "css", "")
    found = {site.client().get(f"/static/{build}/{path}").status_code for path in paths}

    assert {404} == found


def test_another_style_has_another_address(tmp_path: Path) -> None:
    """Any change anywhere in the tree changes the hash, so that no browser shows half of an update."""
    (tmp_path / "a.css").write_text("a{}")
    first = StaticFiles.read(tmp_path).build
    (tmp_path / "a.css").write_text("b{}")
    second = StaticFiles.read(tmp_path).build
    (tmp_path / "b.css").write_text("")

    assert 3 == len({first, second, StaticFiles.read(tmp_path).build})


def test_scripts_and_styles_refer_to_nothing_elsewhere() -> None:
    """No address of another host is used by what we serve; remarks may name one, and SVG's own vocabulary."""
    remark = re.compile(r"^\s*(?://|/?\*).*$", re.MULTILINE)
    found = [
        path.name
        for path in FOLDER.rglob("*")
        if path.suffix in {".css", ".js", ".html", ".svg"}
        and re.search(r"https?://(?!www\.w3\.org/)", remark.sub("", path.read_text(encoding="utf-8")))
    ]

    assert [] == found
