"""Styles, scripts and symbols: what a page asks for, how long it is kept, and that nothing else is served."""

import re
from pathlib import Path

import pytest
from web_site import Site

from appliance.permissions import Role
from web import cookies
from web.icons import FILE, icon, symbols
from web.static_files import FOLDER, TOGETHER, StaticFiles


def test_static_files_are_kept_for_long_under_their_hash(site: Site) -> None:
    """An address with the present hash is for ever; another one is never kept."""
    files = StaticFiles.read()
    now = site.client().get(f"/static/{files.build}/css/tokens.css")
    before = site.client().get("/static/0000000000000000/css/tokens.css")

    assert "immutable" in now.headers["Cache-Control"]
    assert "no-store" == before.headers["Cache-Control"]
    assert now.data == before.data


@pytest.mark.parametrize("name", sorted(TOGETHER))
def test_the_style_of_a_page_is_one_file(name: str) -> None:
    """Its parts one after the other, what others build on first; so it is asked for once."""
    made = StaticFiles.read().files[name].body

    assert b"".join((FOLDER / part).read_bytes() for part in TOGETHER[name]) == made
    assert "css/tokens.css" == TOGETHER[name][0]


@pytest.mark.parametrize("path", ["/", "/log", "/doors/new", "/people/enrol", "/account", "/nothing-here"])
def test_a_page_asks_for_one_style(site: Site, path: str) -> None:
    """And for no more at once than a browser has connections to a host: six, one of which is the page's."""
    text = site.client(Role.ADMIN).get(path).text
    styles = re.findall(r'<link rel="stylesheet" href="/static/[0-9a-f]+/([^"]+)">', text)
    scripts = set(re.findall(r"/static/[0-9a-f]+/(js/[^\"]+)", text))

    assert 1 == len(styles)
    assert styles[0] in TOGETHER
    assert path == "/people/enrol" or len(styles) + len(scripts) <= 6


def test_symbols_are_in_the_page(site: Site) -> None:
    """Drawn there, so that none is asked for; what a label says stays words."""
    text = site.client(Role.ADMIN).get("/").text

    assert str(icon("home")) in text
    assert "<use" not in text
    assert 'role="img" aria-label="&lt;b&gt;"' in icon("home", "<b>")


def test_every_symbol_is_read() -> None:
    """None is missed for how its line is written."""
    written = FILE.read_text(encoding="utf-8").count("<symbol")

    assert written == len(symbols())


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
        and "vendor" not in path.parts  # held to their hashes, and looked at when they were taken
        and re.search(r"https?://(?!www\.w3\.org/)", remark.sub("", path.read_text(encoding="utf-8")))
    ]

    assert [] == found
