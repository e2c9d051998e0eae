"""The broker and the webhooks in the browser: set up, tried, taken away; what is secret stays in the box."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import axe, overflow, shots
from hook_server import HookServer, Reply
from html_forms import sent
from mosquitto import Mosquitto
from playwright.sync_api import Page, expect
from web_site import Site, open_site

from appliance.permissions import Role
from appliance.services import Layout

FILE = """\
[mqtt]
host = "127.0.0.1"
port = 1
tls = false
username = "box"
password = "swordfish of the box"

[[webhooks]]
id = "near"
url = "{url}"
secret = "a key of sixteen or more"
allow_private = true
"""
KEY = "a key that somebody typed"
URL = "https://chat.example/hook?token=swordfish"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HookServer]:
    """A receiver on this machine."""
    server = HookServer(tmp_path_factory.mktemp("hooks"), tls=False, name="127.0.0.1")
    yield server
    server.close()


@pytest.fixture
def written(tmp_path: Path, filled: tuple[Path, dict[Role, str]], hooks: HookServer) -> Iterator[Site]:
    """A site whose settings file has a broker that is not there, and a webhook to this machine."""
    state = tmp_path / "state"
    shutil.copytree(filled[0], state, ignore=shutil.ignore_patterns("run"))
    layout = Layout(state)
    layout.settings_file.write_text(FILE.format(url=hooks.url), encoding="utf-8")
    with open_site(layout, secrets=filled[1]) as opened:
        yield opened


def overlay(site: Site) -> str:
    """What pages have said, as it is kept."""
    file = site.services.layout.overlay_file
    return file.read_text(encoding="utf-8") if file.exists() else ""


def held(site: Site, key: str) -> object:
    """What holds of a setting."""
    return site.ask("settings.read")["values"][key]["value"]


def test_a_broker_is_set_up(site: Site) -> None:
    """What was typed and ticked holds afterwards; the password is kept, and on no page."""
    admin = site.client("admin")
    form = sent(admin.get("/connections").text, "broker")
    form.setlist("host", ["broker.example"])
    form.setlist("username", ["box"])
    form.setlist("password", ["hunter2 of the broker"])
    form.setlist("pictures", ["1"])
    form.poplist("coffees")
    answer = admin.post("/connections/broker", form)
    shown = admin.get("/connections").text

    assert 303 == answer.status_code
    assert ("broker.example", "box") == (held(site, "mqtt.host"), held(site, "mqtt.username"))
    assert (True, False) == (held(site, "mqtt.pictures"), held(site, "mqtt.coffees"))
    assert 'password = "hunter2 of the broker"' in overlay(site)
    assert "hunter2" not in shown
    assert "One is set, and shown to nobody" in shown
    assert "Starting again now" in shown or "somebody starts these again" in shown


def test_the_form_sent_back_as_it_stands_changes_nothing(written: Site) -> None:
    """Whoever looks and saves has changed nothing, the password left empty included."""
    admin = written.client("admin")
    admin.post("/connections/broker", sent(admin.get("/connections").text, "broker"))

    assert "Nothing was changed" in admin.get("/connections").text
    assert "" == overlay(written)


def test_another_broker_is_not_given_the_password_of_the_first(written: Site) -> None:
    """The password field says that it is needed again; the rest of the form stays filled in."""
    admin = written.client("admin")
    form = sent(admin.get("/connections").text, "broker")
    form.setlist("host", ["evil.example"])
    refused = admin.post("/connections/broker", form)
    form.setlist("password", ["another one"])
    taken = admin.post("/connections/broker", form)

    assert (422, 303) == (refused.status_code, taken.status_code)
    assert re.search(r'id="f-password"[^>]*aria-invalid="true"', refused.text)
    assert 'value="evil.example"' in refused.text
    assert "swordfish" not in refused.text
    assert "evil.example" == held(written, "mqtt.host")


@pytest.mark.parametrize(
    ("field", "typed"),
    [("host", "no host"), ("port", "many"), ("port", "70000"), ("prefix", "a/#"), ("picture_s", "0")],
)
def test_what_cannot_be_is_marked_at_its_field(site: Site, field: str, typed: str) -> None:
    """With what was typed still in it, and nothing saved; a password that was typed beside it is left out."""
    admin = site.client("admin")
    form = sent(admin.get("/connections").text, "broker")
    form.setlist(field, [typed])
    form.setlist("username", ["box"])
    form.setlist("password", ["hunter2"])
    answer = admin.post("/connections/broker", form)

    assert 422 == answer.status_code
    assert re.search(rf'id="f-{field}"[^>]*value="{typed}"[^>]*aria-invalid="true"', answer.text)
    assert "hunter2" not in answer.text
    assert "" == overlay(site)


@pytest.mark.parametrize(("field", "typed"), [("username", ""), ("port", ""), ("forget", "1")])
def test_what_the_file_says_is_not_taken_back_here(written: Site, field: str, typed: str) -> None:
    """Leaving it empty would look saved and change nothing; it is said where it can be done."""
    admin = written.client("admin")
    form = sent(admin.get("/connections").text, "broker")
    form.setlist(field, [typed])
    answer = admin.post("/connections/broker", form)

    assert 422 == answer.status_code
    assert "settings file on the machine" in answer.text
    assert "" == overlay(written)


def test_a_password_set_here_is_forgotten_here(site: Site) -> None:
    """With its tick; a name cannot go while there is a password."""
    admin = site.client("admin")
    form = {"host": "broker.example", "username": "box", "password": "hunter2"}
    admin.post("/connections/broker", form)
    nameless = admin.post("/connections/broker", {"username": ""})
    admin.post("/connections/broker", {"username": "", "forget": "1"})

    assert 422 == nameless.status_code
    assert "a password needs a name" in nameless.text.lower()
    assert "hunter2" not in overlay(site)
    assert held(site, "mqtt.username") is None


@pytest.mark.debian(reason="mosquitto")
def test_the_broker_is_tried_and_the_answer_is_told_once(site: Site, tmp_path: Path) -> None:
    """In words, beside the broker; not again when the page is loaded again."""
    real = Mosquitto(tmp_path)
    real.start()
    try:
        admin = site.client("admin")
        form = {"host": "127.0.0.1", "port": str(real.port), "tls": "", "shown": "1"}
        admin.post("/connections/broker", form)
        answer = admin.post("/connections/broker/try")
    finally:
        real.stop()
    shown = admin.get(answer.headers["Location"]).text
    again = admin.get(answer.headers["Location"]).text

    assert answer.headers["Location"].endswith("#mqtt")
    assert "It works." in shown
    assert "The broker confirmed a message on appliance/" in shown
    assert "It works." not in again


def test_without_a_broker_a_try_says_so(site: Site) -> None:
    """As an answer on the page, and no fault of the site."""
    answer = site.client("admin").post("/connections/broker/try", follow_redirects=True)

    assert 200 == answer.status_code
    assert "No broker is set" in answer.text


@pytest.mark.parametrize(("status", "words"), [(204, "It works."), (500, "It did not work.")])
def test_a_webhook_is_tried(written: Site, hooks: HookServer, status: int, words: str) -> None:
    """A test is really posted; what the server answered is told in words."""
    hooks.answers.append(Reply(status))
    before = len(hooks.posted)
    shown = written.client("admin").post("/connections/webhooks/near/try", follow_redirects=True).text

    assert words in shown
    assert str(status) in shown
    assert before + 1 == len(hooks.posted)
    assert b"webhook_test" in hooks.posted[-1].body


def test_a_key_is_made_and_shown_once(site: Site) -> None:
    """To the browser that added the webhook alone, never in an address; the box keeps it to sign with."""
    admin = site.client("admin")
    answer = admin.post("/connections/add-webhook", {"id": "chat", "url": URL, "aliases": "1"})
    where = answer.headers["Location"]
    other = site.client(secret=site.admit("Zoe", Role.ADMIN))
    theirs = other.get(where).text
    first, again = admin.get(where).text, admin.get(where).text
    made = re.search(r'id="made-key"[^>]*value="([^"]{32,})"', first)

    assert 303 == answer.status_code
    assert made is not None
    assert f'secret = "{made.group(1)}"' in overlay(site)
    assert made.group(1) not in where
    assert made.group(1) not in theirs + again
    assert "swordfish" not in first + again
    assert held(site, "webhooks.chat.aliases") is True


def test_a_key_that_was_typed_is_not_shown(site: Site) -> None:
    """Whoever typed it has it already."""
    admin = site.client("admin")
    form = {"id": "chat", "url": URL, "secret": KEY}
    shown = admin.post("/connections/add-webhook", form, follow_redirects=True).text

    assert "chat" in shown
    assert KEY not in shown
    assert f'secret = "{KEY}"' in overlay(site)


@pytest.mark.parametrize(
    ("wrong", "typed"),
    [
        ("id", {"id": "No Name"}),
        ("id", {"id": "a.b"}),
        ("id", {"id": "near"}),
        ("url", {"url": "http://chat.example/hook?token=swordfish"}),
        ("url", {"url": "chat.example/swordfish"}),
        ("secret", {"secret": "hunter2"}),
    ],
)
def test_a_webhook_that_cannot_be_is_marked(written: Site, wrong: str, typed: dict[str, str]) -> None:
    """At the field; neither address nor key come back, and nothing is saved."""
    form = {"id": "chat", "url": URL, "secret": KEY, **typed}
    answer = written.client("admin").post("/connections/add-webhook", form)

    assert 422 == answer.status_code
    assert re.search(rf'id="f-{wrong}"[^>]*aria-invalid="true"', answer.text)
    assert not {secret for secret in ("swordfish", KEY, "hunter2") if secret in answer.text}
    assert "" == overlay(written)


def test_what_is_left_empty_of_a_webhook_stays(site: Site) -> None:
    """Its address is changed without its key, its key is made anew without its address."""
    admin = site.client("admin")
    admin.post("/connections/add-webhook", {"id": "chat", "url": URL, "secret": KEY})
    admin.post("/connections/webhooks/chat", {"url": "https://b.example/", "aliases": "1"})
    moved = overlay(site)
    both = admin.post("/connections/webhooks/chat", {"secret": KEY, "fresh": "1"})
    fresh = admin.post("/connections/webhooks/chat", {"fresh": "1"}, follow_redirects=True).text
    made = re.search(r'id="made-key"[^>]*value="([^"]{32,})"', fresh)

    assert "https://b.example/" in moved
    assert KEY in moved
    assert "aliases = true" in moved
    assert 422 == both.status_code
    assert made is not None
    assert made.group(1) in overlay(site)
    assert "https://b.example/" in overlay(site)


def test_a_webhook_of_the_private_network_stays_where_it_is(written: Site) -> None:
    """Its form has no address; one that is sent all the same is refused, as is taking it away."""
    admin = written.client("admin")
    shown = admin.get("/connections/webhooks/near").text
    moved = admin.post("/connections/webhooks/near", {"url": "http://10.0.0.1/admin"})
    gone = admin.post("/connections/webhooks/near/remove")

    assert 'name="url"' not in shown
    assert (422, 422) == (moved.status_code, gone.status_code)
    assert "settings file" in gone.text
    assert "" == overlay(written)


def test_a_webhook_is_removed(site: Site) -> None:
    """Address and key are gone with it; there is nothing to look at or to remove any more."""
    admin = site.client("admin")
    admin.post("/connections/add-webhook", {"id": "chat", "url": URL, "secret": KEY})
    answer = admin.post("/connections/webhooks/chat/remove", follow_redirects=True)

    assert "chat is gone" in answer.text
    assert {404} == {
        admin.get("/connections/webhooks/chat").status_code,
        admin.post("/connections/webhooks/chat/remove").status_code,
        admin.post("/connections/webhooks/chat/try").status_code,
    }
    assert "swordfish" not in overlay(site)


def test_a_change_of_what_somebody_else_changed_is_looked_at_again(site: Site) -> None:
    """The form that was loaded before is not taken; the page says why."""
    admin = site.client("admin")
    form = sent(admin.get("/connections").text, "broker")
    site.ask("settings.save", changes={"mqtt.prefix": "office"})
    form.setlist("host", ["broker.example"])
    answer = admin.post("/connections/broker", form)

    assert 422 == answer.status_code
    assert "somebody else has changed the settings" in answer.text.lower()
    assert "" == held(site, "mqtt.host")


@pytest.mark.debian(reason="chromium")
def test_a_webhook_is_added_in_a_browser(page: Page) -> None:
    """From the navigation to the key; readable at every width, by everybody."""
    page.goto("/")
    page.get_by_role("link", name="Connections").click()
    empty = axe(page)
    page.get_by_role("link", name="Add a webhook").click()
    page.get_by_label("Name").fill("chat")
    page.get_by_label("Address").fill("https://chat.invalid/hook")
    added = axe(page)
    shots(page, "targets-add", widths=("phone", "desktop"))
    page.get_by_role("button", name="Add the webhook").click()

    expect(page.get_by_role("textbox", name="The key")).to_have_value(re.compile(r"^[\w-]{43}$"))
    page.set_viewport_size({"width": 390, "height": 844})
    assert [] == empty + added + axe(page)
    assert 0 == overflow(page)

    shots(page, "targets", widths=("phone", "desktop"))
    page.get_by_role("link", name="Change chat").click()
    page.get_by_text("Remove chat").first.click()
    shots(page, "targets-change", widths=("phone", "desktop"))
    page.get_by_role("button", name="Remove chat").click()
    expect(page.get_by_text("chat is gone")).to_be_visible()
