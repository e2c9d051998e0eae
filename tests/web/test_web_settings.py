"""Settings in the browser: found, looked at before they are saved, put back; and how the machine is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import axe, overflow, shots
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from running_web import Running
from web_site import Site, open_site

from appliance.app.desk.describing import rooms
from appliance.services import Layout
from appliance.settings import load
from web.machine import called, ended, step
from web.settings import typed_value
from web.words import sentence

FILE = """\
site = "attic"

[[cameras]]
id = "entrance"
source = "rtsp://admin:hunter2@camera/1"

[[doors]]
id = "main"
camera = "entrance"

[recognition]
fpir = 0.002

[[actions]]
id = "song"
on = ["subject_identified"]
kind = "command"
argv = ["play", "--token", "swordfish"]
"""


@pytest.fixture
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose settings somebody wrote into a file."""
    layout = Layout(tmp_path_factory.mktemp("box") / "state")
    layout.state.mkdir(mode=0o700)
    layout.settings_file.write_text(FILE)
    with open_site(layout) as site:
        yield site


def test_a_change_is_told_in_words(written: Site) -> None:
    """Looked at, saved and listed: what the setting is called, and which part of the box starts again."""
    admin = written.client("admin")
    changed = {"shown:recognition.fpir": "1", "recognition.fpir": "0.003"}
    before = admin.post("/settings/recognition", {**changed, "step": "review"}).text
    admin.post("/settings/recognition", {**changed, "step": "save"})
    after = admin.get("/settings/recognition").text
    front = admin.get("/settings").text

    assert "Strangers taken for somebody<br>" in before
    assert "Starts again: the part that watches the door" in before
    assert "Restarts: loop" not in before
    assert "Saved: Strangers taken for somebody." in after
    assert "the part that watches the door" in after
    assert ">Strangers taken for somebody</a>" in front


def test_what_is_for_experts_is_folded_away_until_it_matters(written: Site) -> None:
    """A page begins with what an office needs; a fold opens where something in it was typed wrongly."""
    page = text(written, "/settings/cameras")
    plain, _, folded = page.partition("<summary>For experts</summary>")
    wrong = written.client("admin").post(
        "/settings/cameras",
        {"shown:cameras.entrance.fps": "1", "cameras.entrance.fps": "many", "step": "review"},
    )

    assert 'id="s-cameras.entrance.when"' in plain
    assert 'id="s-cameras.entrance.fps"' in folded
    assert '<details class="experts" data-experts>' in page
    assert '<details class="experts" data-experts open>' in wrong.text


def test_no_title_is_a_bare_inside_name() -> None:
    """Nobody has to guess what Max, Ring, Tail or Frames are."""
    bare = {"Max", "Min free", "Expire", "Frames", "Tail", "Ring", "Debounce", "Min quality", "Stall", "Fpir"}
    words = [field for room in rooms() for field in room["fields"] if not field["closed"]]

    assert [] == [field["title"] for field in words if field["title"] in bare]
    inside = ("V4L2", "embedder", "spool", "ray levels", "same vectors", "face_recognition")
    assert [] == [field["words"] for field in words if any(each in field["words"] for each in inside)]


def text(site: Site, path: str) -> str:
    """A page's HTML, as an admin sees it."""
    answer = site.client("admin").get(path)

    assert 200 == answer.status_code
    return str(answer.get_data(as_text=True))


def form(box: Site, room: str, /, **typed: str) -> dict[str, str]:
    """What a browser sends of a part's form where only this was typed: everything else as it holds."""
    read = box.ask("settings.read")
    sent = {"revision": read["revision"]}
    described = next(each for each in rooms() if (each["name"] or "site") == room)
    for key, each in read["values"].items():
        name = key.rpartition(".")[2]
        field = next((f for f in described["fields"] if f["name"] == name), None)
        inside = key.startswith(f"{described['name']}.") if described["name"] else "." not in key
        if field is None or not inside or field["closed"] or each["secret"]:
            continue
        sent[f"shown:{key}"] = "1"
        value = each["value"]
        if value is True:
            sent[key] = "1"
        elif isinstance(value, list):
            sent[key] = "\n".join(str(part) for part in value)
        elif value is not None and value is not False:
            sent[key] = str(value)
    return {**sent, **{key.replace("__", "."): value for key, value in typed.items()}}


def test_every_part_has_a_page_that_sends_back_what_holds(written: Site) -> None:
    """Each of them is shown, and sent as it was shown nothing would change."""
    admin = written.client("admin")
    names = [each["name"] or "site" for each in rooms()]
    for name in names:
        assert f'href="/settings/{name}"' in text(written, "/settings")
        answer = admin.post(f"/settings/{name}", {**form(written, name), "step": "review"})
        html = admin.get(f"/settings/{name}").get_data(as_text=True)

        assert (name, 200) == (name, answer.status_code)
        assert "Nothing would change" in answer.get_data(as_text=True), name
        assert [] == [word for word in ("hunter2", "swordfish") if word in html]
    assert 404 == admin.get("/settings/nonsense").status_code


def test_where_a_value_comes_from(written: Site) -> None:
    """Of the file with its line."""
    assert "appliance.toml, line 12" in text(written, "/settings/recognition")
    assert "appliance.toml, line 9" in text(written, "/settings/doors")


def test_a_change_is_looked_at_then_saved_then_put_back(written: Site) -> None:
    """Before and after; nothing is written by looking; the file is never touched."""
    admin = written.client("admin")
    sent = form(written, "recognition", recognition__fpir="0.0005")
    looked = admin.post("/settings/recognition", {**sent, "step": "review"})
    untouched = written.services.layout.overlay_file.exists()
    saved = admin.post("/settings/recognition", {**sent, "step": "save"})
    html = text(written, "/settings/recognition")
    back = form(written, "recognition")
    admin.post("/settings/recognition", {**back, "resets": "recognition.fpir", "step": "save"})

    assert 200 == looked.status_code
    assert ("This would change" in (shown := looked.get_data(as_text=True)), "0.002</del>" in shown) == (
        True,
        True,
    )
    assert not untouched
    assert (303, "/settings/recognition") == (saved.status_code, saved.headers["Location"])
    assert "Changed here" in html
    assert "word</button>" in html
    assert (
        0.002
        == load(written.services.layout.settings_file, written.services.layout.overlay_file).recognition.fpir
    )
    assert FILE == written.services.layout.settings_file.read_text()


def test_a_reset_is_looked_at_too(written: Site) -> None:
    """Its button shows what would hold; the change that was typed beside it is not lost."""
    admin = written.client("admin")
    written.ask("settings.save", changes={"recognition.fpir": 0.0005})
    sent = form(written, "recognition", recognition__margin="0.2")
    html = admin.post("/settings/recognition", {**sent, "reset": "recognition.fpir"}).get_data(as_text=True)

    assert "0.0005</del>" in html
    assert "0.002</ins>" in html
    assert "0.2</ins>" in html
    assert '<input type="hidden" name="resets" value="recognition.fpir">' in html


@pytest.mark.parametrize(
    ("room", "key", "value", "words"),
    [
        ("recognition", "recognition.fpir", "0.5", "A number from 0.00001 to 0.1 is needed."),
        ("recognition", "recognition.fpir", "often", "A number from 0.00001 to 0.1 is needed."),
        ("doors", "doors.main.tolerance", "1.5", "A whole number from 1 to 100 is needed."),
        ("doors", "doors.main.region", "0.3, 0.0, nan", "A number from 0 to 1 is needed."),
        ("evidence", "evidence.recipients", "nonsense", "not a public key"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(
    written: Site, room: str, key: str, value: str, words: str
) -> None:
    """What was typed stays, what is wrong stands at it, and nothing is written."""
    sent = {**form(written, room), key: value}
    answer = written.client("admin").post(f"/settings/{room}", {**sent, "step": "save"})
    html = answer.get_data(as_text=True)

    assert 422 == answer.status_code
    assert words in html
    assert f'id="w-{key}"' in html or 'role="alert"' in html
    assert not written.services.layout.overlay_file.exists()


def test_every_wrong_field_is_counted_and_linked_where_they_are_told(written: Site) -> None:
    """Two faults are not mended one after the other: the banner names both and leads to their fields."""
    sent = {**form(written, "recognition"), "recognition.fpir": "often", "recognition.margin": "7"}
    html = written.client("admin").post("/settings/recognition", {**sent, "step": "review"}).text
    banner = html[html.index('role="alert"') : html.index("</div>", html.index('role="alert"'))]

    assert 'value="7"' in html
    assert "2 fields cannot be taken" in banner
    assert 'href="#f-recognition.fpir"' in banner
    assert 'href="#f-recognition.margin"' in banner
    assert all(f'id="f-recognition.{name}"' in html for name in ("fpir", "margin"))


def test_a_page_of_settings_names_no_command(written: Site) -> None:
    """What is tried out in a terminal is told in the terminal; the browser has no shell."""
    words = [field["words"] for room in rooms() for field in room["fields"]]

    assert [] == [each for each in words if re.search(r"\bappliance \w+ -", each)]
    assert "whatif" not in text(written, "/settings/recognition")


def test_what_is_closed_is_not_changed_by_a_forged_form(written: Site) -> None:
    """A command's field is not on the page, and sending one changes nothing."""
    admin = written.client("admin")
    html = text(written, "/settings/actions")
    sent = {"shown:actions.song.argv": "1", "actions.song.argv": "sh\n-c\nid", "step": "save"}
    answer = admin.post("/settings/actions", sent)
    reset = admin.post("/settings/actions", {"reset": "actions.song.argv"})

    assert "would have a shell on it" in html
    assert 'name="actions.song.argv"' not in html
    assert 303 == answer.status_code
    assert 422 == reset.status_code
    assert not written.services.layout.overlay_file.exists()


def test_somebody_elses_change_is_not_overwritten_unseen(written: Site) -> None:
    """The revision of what was seen goes with the form."""
    sent = form(written, "site", site="cellar")
    written.ask("settings.save", changes={"recognition.margin": 0.2})
    answer = written.client("admin").post("/settings/site", {**sent, "step": "save"})

    assert 422 == answer.status_code
    assert "Somebody else has changed the settings meanwhile" in answer.get_data(as_text=True)
    assert "attic" == written.ask("settings.read")["values"]["site"]["value"]


def test_a_setting_is_found_by_what_it_does(written: Site) -> None:
    """By words of its description; what is not there leads back."""
    assert "#s-held_open_s" in text(written, "/settings?q=open+after+seconds")
    assert "No such setting" in text(written, "/settings?q=teleport")


def test_the_machine_is_looked_at(written: Site) -> None:
    """What the doctor says, problems first; before that, how to have him look."""
    admin = written.client("admin")
    before = text(written, "/system")
    admin.post("/system/examine")
    after = text(written, "/system")

    assert "Have it looked at" in before
    assert "What was found" in after
    assert "Python 3." in after
    assert "The chain of" in after


FIELDS = st.sampled_from([field for room in rooms() for field in room["fields"]])


@given(field=FIELDS, typed=st.text(max_size=40))
def test_whatever_is_typed_is_a_value_or_is_left_as_typed(field: dict[str, Any], typed: str) -> None:
    """Never an error of ours: what is none is told by the desk, at its field."""
    value = typed_value(field, typed)

    assert isinstance(value, str | int | float | bool | list | None)
    assert not isinstance(value, float) or abs(value) < float("inf")


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ({"kind": "number"}, " 0.5 ", 0.5),
        ({"kind": "integer"}, "12", 12),
        ({"kind": "integer"}, "1.5", "1.5"),
        ({"kind": "number"}, "nan", "nan"),
        ({"kind": "number", "optional": True}, "", None),
        ({"kind": "numbers"}, "0.1, 0.2 0.3", [0.1, 0.2, 0.3]),
        ({"kind": "lines"}, "a\n\n b \r\n", ["a", "b"]),
        ({"kind": "switch"}, "1", True),
        ({"kind": "switch"}, "", False),
        ({"kind": "text"}, " attic ", "attic"),
    ],
)
def test_what_is_typed_becomes_a_value(kind: dict[str, Any], typed: str, value: Any) -> None:
    """By the kind of value it is to be."""
    assert value == typed_value(kind, typed)


# ---------------------------------------------------------------- in Chromium


@pytest.mark.debian(reason="chromium")
@pytest.mark.slow
def test_a_setting_is_changed_by_keyboard(page: Page, running_web: Running) -> None:
    """Enter looks at the change and begins at what would change; Save is a Tab away; axe finds nothing."""
    page.goto("/settings")
    assert [] == axe(page)
    shots(page, "settings")
    page.goto("/settings/encounters")
    assert [] == axe(page)
    page.get_by_text("For experts").press("Enter")
    field = page.get_by_label("A stay is over after")
    field.fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This would change")).to_be_visible()
    assert [] == axe(page)
    shots(page, "change")
    page.set_viewport_size({"width": 390, "height": 844})
    assert 0 == overflow(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved: A stay is over after.")).to_be_visible()

    assert 4.0 == running_web.context.settings_files.read().settings.encounters.end_after_s
    page.goto("/system")
    assert [] == axe(page)


def test_the_machine_speaks_no_inside_word(written: Site) -> None:
    """Neither of files and manifests, nor of how a process is called by the program."""
    written.client("admin").post("/system/examine")
    html = text(written, "/system")

    assert [] == [word for word in ("manifest", "(s)", "Outbox", "on request", "exit 0") if word in html]
    assert f"<strong>{sentence(called('models')).rstrip('.')}</strong>" in html
    assert "models" != called("models")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("restarted on request (exit 0)", ""),
        ("", ""),
        ("exit 0", "it had ended by itself"),
        ("killed by SIGKILL", "it had failed (killed by SIGKILL)"),
    ],
)
def test_how_a_process_ended_is_told_where_it_matters(reason: str, words: str) -> None:
    """What somebody wanted is no news."""
    assert words == ended(reason)
    assert "The part that watches the door" == sentence(called("process loop")).rstrip(".")


def test_what_to_do_about_a_finding_is_a_link(written: Site) -> None:
    """The doctor's next step is a page here, and a command only in the terminal."""
    written.client("admin").post("/system/examine")
    html = text(written, "/system")
    shown = html[html.index("What was found") :]

    assert 'href="/recipients"' in shown
    assert 'href="/people"' in shown
    assert not re.search(r"\bappliance (run|enroll|door|view|doctor|check)\b", shown)


@pytest.mark.parametrize(
    ("place", "href"),
    [
        ("door:front", "/doors/front"),
        ("camera:entrance", "/cameras/entrance"),
        ("setting:site", "/settings/site#s-site"),
        ("setting:recognition.fpir", "/settings/recognition#s-fpir"),
        ("setting:doors.front.seed", "/settings/doors#s-doors.front.seed"),
        ("camera:../x", "/cameras/..%2Fx"),
        ("", ""),
        ("unheard-of", ""),
    ],
)
def test_where_a_finding_is_seen_to(place: str, href: str) -> None:
    """Each place has its page; what is done on the machine has none."""
    found = step({"place": place})

    assert href == ("" if found is None else found.href)


def page_of(box: Site, path: str, name: str) -> str:
    """What stands in a field of a page."""
    found = re.search(
        rf'data-name maxlength="32" value="([^"]*)"|name="{name}" value="([^"]+)"', text(box, path)
    )

    assert found
    return found.group(1) or found.group(2)


def test_a_new_door_is_given_a_name_that_is_free(written: Site) -> None:
    """What the page proposes can be saved as it is."""
    before = page_of(written, "/doors/new", "door")
    written.ask("settings.save", changes={"doors.front": {"camera": "entrance"}})
    then = page_of(written, "/doors/new", "door")
    changes = {f"doors.{name}": {"camera": "entrance"} for name in ("back", "kitchen", "door-1")}
    written.ask("settings.save", changes=changes)

    assert ("front", "back", "door-2") == (before, then, page_of(written, "/doors/new", "door"))


@pytest.mark.parametrize(("path", "kind"), [("/doors/main", "doors"), ("/cameras/entrance", "cameras")])
def test_what_somebody_else_changed_meanwhile_is_not_taken_away_unseen(
    written: Site, path: str, kind: str
) -> None:
    """The page's revision goes with the removal; refused, it says so, and what there is now is shown."""
    admin = written.client("admin")
    seen = re.findall(r'name="revision" value="([^"]+)"', text(written, path))[-1:]
    seen = seen or [written.ask("settings.read")["revision"]]
    written.ask("settings.save", changes={"doors.main.tolerance": 20})
    refused = admin.post(f"{path}/remove", {"revision": seen[0]})
    told = admin.get(path).text
    fresh = re.findall(r'name="revision" value="([^"]+)"', told)[-1]
    done = admin.post(f"{path}/remove", {"revision": fresh})

    assert (303, path) == (refused.status_code, refused.headers["Location"])
    assert "Somebody else has changed the settings meanwhile" in told
    assert (303, f"/{kind}") == (done.status_code, done.headers["Location"])
    assert [] == written.ask("settings.read")["elements"][kind]
