"""Sealed pictures in the browser, and the keys that open them: pasted or made here, by public halves."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest
from browser import axe, overflow, shots
from captures import ssh_pair
from cryptography.hazmat.primitives.asymmetric import ed25519
from logged import Day, a_day
from playwright.sync_api import Page, Request, expect
from running_web import Running
from web_site import Site

from appliance.evidence import parse_recipients, seal

KEY = ssh_pair(ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def day(site: Site) -> Day:
    """A stranger among others, whose pictures are sealed."""
    return a_day(site.services, datetime.now(UTC))


def test_what_is_sealed_is_listed_downloaded_and_removed(site: Site, day: Day) -> None:
    """Size, until when, to whom; the file as it lies there, under a name that says nothing."""
    admin = site.client("admin")
    html = admin.get("/captures").get_data(as_text=True)
    file = admin.get(f"/captures/{day.capture}.age")
    removed = admin.post(f"/captures/{day.capture}/remove")

    assert "90 kB" in html
    assert "SHA256:x3fL8mZpVb0" in html
    assert "<img" not in html
    assert file.data.startswith(b"age-encryption.org/v1\n")
    assert (90_022, "application/octet-stream", f'attachment; filename="{day.capture}.age"') == (
        len(file.data),
        file.headers["Content-Type"],
        file.headers["Content-Disposition"],
    )
    assert 303 == removed.status_code
    assert "Nothing is sealed here" in admin.get("/captures").get_data(as_text=True)
    assert "by_admin" == site.services.store.events()[-1].event.reason  # type: ignore[union-attr]


def test_nobody_else_gets_at_them(site: Site, day: Day) -> None:
    """Not a viewer, not by the file's name."""
    for role in ("viewer", "screen"):
        assert site.client(role).get(f"/captures/{day.capture}.age").status_code in {303, 401, 403}
    admin = site.client("admin")
    for capture in ("..%2fdevice", "x", "0190ffff-0000-7000-8000-000000000000"):
        assert 404 == admin.get(f"/captures/{capture}.age").status_code
    assert 404 == admin.post("/captures/x/remove").status_code


def test_a_key_is_pasted_and_removed(site: Site) -> None:
    """Told by its fingerprint; the settings say it without its comment."""
    admin = site.client("admin")
    added = admin.post("/recipients", {"key": KEY.public})
    html = admin.get("/recipients").get_data(as_text=True)
    fingerprint = site.ask("recipients.list")[0]["fingerprint"]
    dropped = admin.post("/recipients/remove", {"fingerprint": fingerprint})

    assert (303, 303) == (added.status_code, dropped.status_code)
    assert fingerprint in html
    assert "admin@desk" not in site.services.layout.overlay_file.read_text()
    assert [] == site.ask("recipients.list")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=", "ECDSA key, which age cannot seal to"),
        ("sk-ssh-ed25519@openssh.com AAAAGnNr", "security-key SSH key"),
        (str(pyrage.x25519.Identity.generate()), "age private key; it does not belong on this box"),
    ],
    ids=["ecdsa", "hardware", "age-private"],
)
def test_what_is_no_key_is_told_and_not_repeated(site: Site, key: str, words: str) -> None:
    """A private key that was pasted by mistake is not in the page that comes back."""
    answer = site.client("admin").post("/recipients", {"key": key})
    html = answer.get_data(as_text=True)

    assert 422 == answer.status_code
    assert words in html
    assert key not in html


# ---------------------------------------------------------------- in Chromium


@pytest.fixture
def sent(page: Page) -> list[str]:
    """Everything that the page sends."""
    found: list[str] = []

    def note(request: Request) -> None:
        found.append(f"{request.url} {request.post_data or ''}")

    page.on("request", note)
    return found


@pytest.mark.debian(reason="chromium, age")
@pytest.mark.slow
def test_a_key_made_in_the_browser_opens_what_is_sealed_to_it(
    page: Page, running_web: Running, sent: list[str], tmp_path: Path
) -> None:
    """The public half is what age-keygen makes of the private one; the private one is never sent."""
    page.goto("/recipients")
    assert [] == axe(page)
    shots(page, "recipients")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make a key").click()
    file = tmp_path / "key.txt"
    download.value.save_as(file)
    file.chmod(0o600)
    private = file.read_text().splitlines()[-1]
    expect(page.locator("#f-made")).to_have_value(file.read_text().splitlines()[1].split()[-1])
    assert [] == axe(page)
    page.get_by_label("I have the file and will keep it").check()
    page.get_by_role("button", name="Seal to this key").click()
    expect(page.get_by_text("age key", exact=True)).to_be_visible()
    made = running_web.context.settings_files.read().settings.evidence.recipients
    told = subprocess.run(["age-keygen", "-y", file], capture_output=True, text=True, check=True)
    sealed = seal(b"a stranger", parse_recipients(made))
    opened = subprocess.run(["age", "-d", "-i", file], input=sealed, capture_output=True, check=True)

    assert (told.stdout.strip(),) == made
    assert b"a stranger" == opened.stdout
    assert str(pyrage.x25519.Identity.from_str(private).to_public()) == made[0]
    assert "office-door-key.txt" == download.value.suggested_filename
    assert [] == [each for each in sent if private[15:] in each.upper()]
    assert any(made[0] in each for each in sent)
    page.set_viewport_size({"width": 390, "height": 844})
    assert 0 == overflow(page)


@pytest.mark.debian(reason="chromium")
@pytest.mark.slow
def test_a_private_key_pasted_by_mistake_is_not_sent(page: Page, sent: list[str]) -> None:
    """The page says which half it is, and nothing leaves it."""
    page.goto("/recipients")
    private = str(pyrage.x25519.Identity.generate())
    pasted = page.locator("textarea[name=key]")
    pasted.fill(private)
    pasted.press("Tab")
    page.locator("form", has=pasted).get_by_role("button").click()

    assert "private half" in pasted.evaluate("field => field.validationMessage")
    assert [] == [each for each in sent if private[15:] in each.upper()]


@pytest.mark.debian(reason="chromium")
@pytest.mark.slow
def test_every_key_the_page_can_make_is_whole(page: Page) -> None:
    """Many of them, and the bytes at the edges: what age reads of each half is the same key."""
    page.goto("/recipients")
    address = page.locator('script[src*="recipients.js"]').get_attribute("src")
    module = str(address).replace("recipients.js", "age-key.js")
    made = page.evaluate(
        "async m => { const k = await import(m); const all = [];"
        " for (let i = 0; i < 50; i++) all.push(await k.makeKey());"
        " const full = b => k.bech32('age-secret-key-', new Uint8Array(32).fill(b));"
        " const edge = [0, 1, 127, 128, 255].map(full);"
        " return [all, edge.map(e => e.toUpperCase())]; }",
        module,
    )

    assert [each["recipient"] for each in made[0]] == [
        str(pyrage.x25519.Identity.from_str(each["identity"]).to_public()) for each in made[0]
    ]
    assert 50 == len({each["identity"] for each in made[0]})
    assert made[1] == [str(pyrage.x25519.Identity.from_str(each)) for each in made[1]]


@pytest.mark.debian(reason="chromium")
@pytest.mark.slow
@pytest.mark.usefixtures("at_the_door")
def test_sealed_pictures_by_keyboard(page: Page) -> None:
    """The question before removing is a dialog one can leave; axe finds nothing."""
    page.goto("/captures")
    assert [] == axe(page)
    shots(page, "captures")
    page.get_by_role("button", name="Remove the one").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert [] == axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing is sealed here")).to_be_visible()
