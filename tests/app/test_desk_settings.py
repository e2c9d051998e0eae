"""Settings at the desk: what there is, what holds and why, what a change would do; and the machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.app.desk.applying import Applying, Source
from appliance.app.desk.describing import ROOMS, closed, rooms
from appliance.app.desk.operations import Desk
from appliance.app.desk.settings import SettingsPages
from appliance.app.desk.system import System, doctor
from appliance.cli.check import described
from appliance.errors import ApplianceError, DeniedError, FormError, SettingsError
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.services import Services
from appliance.settings import Settings, load
from appliance.settings.overlay import SettingsFiles
from appliance.wire import Reply, Request, Server
from appliance.wire.messages import ChildStatus, SupervisorStatus, SupervisorStatusRequest

CALLERS = {
    "ada": Caller("operator", "ada", Role.ADMIN, GRANTED[Role.ADMIN], "ada", "s"),
    "token": Caller("token", "t", Role.ADMIN, frozenset({Permission.SETTINGS}), "ada"),
    "vera": Caller("operator", "vera", Role.VIEWER, GRANTED[Role.VIEWER], "vera", "s"),
}
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
def files(services: Services) -> SettingsFiles:
    """A file that somebody wrote, and no overlay yet."""
    services.layout.settings_file.write_text(FILE)
    return SettingsFiles(services.layout.settings_file, services.layout.overlay_file)


@pytest.fixture
def desk(services: Services, files: SettingsFiles) -> Desk:
    """The settings' operations, asked by an admin or a viewer."""
    source = Source(files, lambda: files.read().settings)
    pages = SettingsPages(source, Applying(services, source))
    system = System(services, lambda: [{"subject": "clock", "health": "note", "words": "w", "hint": ""}])
    return Desk(CALLERS.get, [*pages.operations(), *system.operations()], services.store.acting)


def ask(desk: Desk, operation: str, who: str = "ada", **arguments: Any) -> Any:
    """What an operation answers, an admin unless somebody else is named."""
    return desk.ask(operation, arguments, credential=who).result


def values(desk: Desk) -> dict[str, Any]:
    """What holds."""
    found: dict[str, Any] = ask(desk, "settings.read")["values"]
    return found


def test_every_setting_is_described() -> None:
    """The same ones as on the command line, each with words, a scope and a kind of value."""
    found = {
        ".".join(filter(None, [f"{room['name']}[]" if room["list"] else room["name"], field["name"]])): field
        for room in rooms()
        for field in room["fields"]
    }

    rows = {row["key"]: row["scope"] for row in described(Settings)}
    tables = {key for key in found if any(row.startswith(f"{key}[].") for row in rows)}

    assert {"objects[].regions", "objects[].triggers"} <= tables
    assert {"tables"} == {found[key]["kind"] for key in tables}
    assert {key: rows[key] for key in rows if not key.startswith(tuple(f"{each}[]." for each in tables))} == {
        key: field["scope"] for key, field in found.items() if key not in tables
    }
    assert all(field["words"] for field in found.values())
    assert {
        "switch",
        "integer",
        "number",
        "choice",
        "numbers",
        "lines",
        "secret",
        "path",
        "text",
        "tables",
    } == {field["kind"] for field in found.values()}
    assert {room["name"] for room in rooms()} == set(ROOMS)


@pytest.mark.parametrize(
    ("room", "name", "expected"),
    [
        ("cameras", "source", {"kind": "secret", "required": True}),
        ("cameras", "when", {"kind": "choice", "choices": ["door", "approach", "always"]}),
        ("doors", "region", {"kind": "numbers", "many": 4}),
        ("recognition", "fpir", {"kind": "number", "least": 0.00001, "most": 0.1}),
        ("evidence", "expire_days", {"kind": "number", "above": 0, "most": 3650, "unit": "days"}),
        ("evidence", "recipients", {"kind": "lines"}),
        ("log", "json_lines", {"kind": "switch"}),
        ("store", "url", {"kind": "secret", "optional": True}),
    ],
)
def test_what_a_value_may_be(room: str, name: str, expected: dict[str, Any]) -> None:
    """For a page to show the right control, with its limits."""
    field = next(f for r in rooms() if r["name"] == room for f in r["fields"] if f["name"] == name)

    assert expected == {key: field[key] for key in expected}


def test_tables_within_a_part_are_shown_and_changed_as_a_whole(desk: Desk) -> None:
    """What is looked for in a camera's pictures, and where: lists without ids, and tables by label."""
    changes = {
        "objects.pets.camera": "entrance",
        "objects.pets.thresholds": {"dog": 0.7},
        "objects.pets.regions": [{"region": [0, 0, 0.5, 1]}],
        "objects.pets.triggers": [{"id": "dog-there", "label": "dog"}],
    }
    told = ask(desk, "settings.propose", changes=changes)["differences"]
    ask(desk, "settings.save", changes=changes)
    found = values(desk)

    assert {
        "objects.pets.camera",
        "objects.pets.thresholds",
        "objects.pets.regions",
        "objects.pets.triggers",
    } <= {each["key"] for each in told}
    assert {"loop"} == {each["scope"] for each in told if each["key"] != "objects.pets.id"}
    assert '[{"id": "dog-there", "label": "dog"}]' in {each["after"] for each in told}
    assert ({"dog": 0.7}, {}) == tuple(found["objects.pets.thresholds"][key] for key in ("value", "default"))
    assert [("dog-there", 60.0)] == [
        (each["id"], each["cool_down_s"]) for each in found["objects.pets.triggers"]["value"]
    ]
    assert "objects.pets.triggers.dog-there.score" not in found
    with pytest.raises(FormError, match="no setting"):
        ask(desk, "settings.save", changes={"objects.pets.triggers.dog-there.score": 0.9})


def test_where_each_value_comes_from(desk: Desk, files: SettingsFiles) -> None:
    """The file with its line, what was changed here, or nobody: then the default holds."""
    ask(desk, "settings.save", changes={"recognition.margin": 0.07, "site": "cellar"})
    found = values(desk)

    assert ("file", f"{files.file}:12", 0.002) == tuple(
        found["recognition.fpir"][key] for key in ("source", "where", "value")
    )
    assert ("overlay", 0.07, 0.05) == tuple(
        found["recognition.margin"][key] for key in ("source", "value", "default")
    )
    assert ("overlay", "cellar", True) == tuple(found["site"][key] for key in ("source", "value", "in_file"))
    assert "default" == found["encounters.end_after_s"]["source"]
    assert ("file", "entrance") == tuple(found["doors.main.camera"][key] for key in ("source", "value"))
    assert ["main"] == ask(desk, "settings.read")["elements"]["doors"]


def test_secrets_are_write_only(desk: Desk, services: Services) -> None:
    """A source may hold a password, a command a token: neither is in anything that is answered."""
    ask(desk, "settings.save", changes={"cameras.entrance.source": "rtsp://admin:correct-horse@camera/2"})
    shown = [ask(desk, "settings.read"), ask(desk, "settings.describe")]
    shown.append(ask(desk, "settings.propose", changes={"cameras.entrance.source": "rtsp://x:battery@c/3"}))
    shown.append([event.event.model_dump(mode="json") for event in services.store.events() if event.event])

    assert not [word for word in ("hunter2", "horse", "battery", "swordfish") if word in json.dumps(shown)]
    assert (True, True) == tuple(values(desk)["cameras.entrance.source"][key] for key in ("secret", "set"))
    assert (
        load(services.layout.settings_file, services.layout.overlay_file)
        .cameras[0]
        .source.get_secret_value()
        .endswith("horse@camera/2")
    )


def test_a_change_is_shown_before_it_is_made(desk: Desk, files: SettingsFiles) -> None:
    """Before, after, what restarts; proposing writes nothing, saving writes that and nothing else."""
    changes = {"recognition.fpir": 0.0005, "log.level": "debug"}
    proposed = ask(desk, "settings.propose", changes=changes)
    untouched = files.overlay.exists()
    saved = ask(desk, "settings.save", changes=changes, revision=proposed["revision"])

    assert [
        ("recognition.fpir", "0.002", "0.0005", "loop"),
        ("log.level", '"info"', '"debug"', "all"),
    ] == [tuple(row[key] for key in ("key", "before", "after", "scope")) for row in proposed["differences"]]
    assert not untouched
    assert ["models", "dispatch", "loop", "functions", "video", "desk", "web"] == proposed["restarts"]
    assert ["recognition.fpir", "log.level"] == saved["changed"]
    assert FILE == files.file.read_text()  # type: ignore[union-attr]
    assert 0.0005 == values(desk)["recognition.fpir"]["value"]


def test_a_key_goes_back_to_the_file(desk: Desk) -> None:
    """Taken out of the overlay, what the file says holds again."""
    ask(desk, "settings.save", changes={"recognition.fpir": 0.0005})
    ask(desk, "settings.save", resets=["recognition.fpir"])

    assert ("file", 0.002) == tuple(values(desk)["recognition.fpir"][key] for key in ("source", "value"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"recognition.fpir": 0.5}, "recognition.fpir"),
        ({"recognition.fpir": "often"}, "recognition.fpir"),
        ({"doors.main.seed": [0.9, 0.9]}, "doors.main"),
        ({"doors.main.camera": "back"}, "doors.main.camera"),
        ({"evidence.recipients": ["nonsense"]}, "evidence.recipients"),
        ({"recognition.colour": "red"}, "recognition.colour"),
        ({"x" * 300: 1}, "x" * 200),
    ],
)
def test_a_wrong_value_is_told_at_its_key(
    desk: Desk, files: SettingsFiles, changes: dict[str, Any], field: str
) -> None:
    """Proposed or saved, and nothing is written."""
    for operation in ("settings.propose", "settings.save"):
        with pytest.raises(FormError) as caught:
            ask(desk, operation, changes=changes)

        assert [field] == list(caught.value.fields)
    assert not files.overlay.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"actions.song.argv": ["sh", "-c", "id"]},
        {"actions.new": {"on": ["door_opened"], "kind": "command", "argv": ["sh"]}},
        {"actions.song": None},
        {"actions.song.timeout_s": 5},
        {"store.url": "postgresql+psycopg://elsewhere/db"},
        {"store": {"url": "postgresql+psycopg://elsewhere/db"}},
        {"vault.key_file": "/etc/shadow"},
        {"models.directory": "/tmp"},
        {"web.private_key": "/etc/shadow", "web.certificate": "/etc/passwd", "web.tls": "files"},
        {"web": {"tls": "proxy", "trusted_proxies": ["0.0.0.0/0"]}},
        {"web.enabled": False},
        {"web.names": ["evil.example"]},
        {"web": {"names": ["evil.example"]}},
        {"web.host": "192.0.2.1"},
        {"web.port": 1},
        {"web.trusted_proxies": ["0.0.0.0/0"]},
        {"processes.models": "loop"},
        {"processes": {"models": "loop"}},
    ],
)
@pytest.mark.parametrize("who", ["ada", "token"])
def test_the_pages_do_not_become_a_shell(
    desk: Desk, files: SettingsFiles, who: str, changes: dict[str, Any]
) -> None:
    """What runs commands, names files, or shuts everybody out is not changed from here, however put.

    Neither by an admin's form nor by a token for the settings; and it is refused because it is closed.
    """
    for operation in ("settings.propose", "settings.save"):
        with pytest.raises(FormError) as caught:
            ask(desk, operation, who, changes=changes)

        assert caught.value.fields
        assert {key: closed(key) for key in caught.value.fields} == caught.value.fields
    assert not files.overlay.exists()


@pytest.mark.parametrize(
    "key", ["actions.song.argv", "web.names", "web.host", "web.port", "processes.models"]
)
def test_what_is_closed_is_not_reset_either(desk: Desk, files: SettingsFiles, key: str) -> None:
    """The file's word may be another: going back to it is a change like any."""
    with pytest.raises(FormError) as caught:
        ask(desk, "settings.save", resets=[key])

    assert {key: closed(key)} == caught.value.fields
    assert not files.overlay.exists()


def test_every_setting_that_names_a_file_is_closed() -> None:
    """A path that is added to the settings is not changed from here by being forgotten."""
    paths = [
        f"{room['name']}.{field['name']}"
        for room in rooms()
        for field in room["fields"]
        if field["kind"] == "path"
    ]

    assert paths
    assert [] == [key for key in paths if closed(key) is None]


def test_who_saves_has_seen_what_holds(desk: Desk) -> None:
    """Somebody else changed it in between: nothing is written over them unseen."""
    seen = ask(desk, "settings.read")["revision"]
    ask(desk, "settings.save", changes={"site": "cellar"}, revision=seen)
    with pytest.raises(FormError, match="somebody else") as caught:
        ask(desk, "settings.save", changes={"site": "roof"}, revision=seen)

    assert ["revision"] == list(caught.value.fields)
    assert "cellar" == values(desk)["site"]["value"]


def test_a_file_that_is_wrong_is_told_with_its_line(desk: Desk, files: SettingsFiles) -> None:
    """Somebody broke it by hand: the page can say where."""
    Path(str(files.file)).write_text("site = 5\n")
    with pytest.raises(SettingsError, match=r"appliance\.toml:1"):
        ask(desk, "settings.read")


def test_a_viewer_reads_no_settings(desk: Desk) -> None:
    """Nor what the doctor says."""
    for operation in ("settings.describe", "settings.read", "settings.propose", "settings.save"):
        with pytest.raises(DeniedError):
            desk.ask(operation, {}, credential="vera")
    for operation in ("system.state", "system.examine"):
        with pytest.raises(DeniedError):
            desk.ask(operation, {}, credential="vera")


def test_the_last_examination_is_kept(desk: Desk) -> None:
    """Without `appliance run` there are no processes to tell of; what was found stays to be looked at."""
    before = ask(desk, "system.state")
    ask(desk, "system.examine")
    after = ask(desk, "system.state")

    assert (False, [], None) == (before["supervised"], before["processes"], before["examined"])
    assert (0, 1) == (after["examined"]["problems"], after["examined"]["notes"])
    assert ["clock"] == [each["subject"] for each in after["examined"]["findings"]]


def test_the_parts_are_told_as_the_supervisor_knows_them(desk: Desk, services: Services) -> None:
    """Name, state and restarts of each, and for how long it has been so."""
    child = ChildStatus(name="loop", state="waiting", pid=None, restarts=3, last_exit="exit 2")
    status = SupervisorStatus(pid=1, uptime_s=60.0, children=(child,))

    def answer(_: Request[SupervisorStatusRequest]) -> Reply[SupervisorStatus]:
        return Reply(status)

    with Server(services.layout.socket("supervisor"), {SupervisorStatusRequest: answer}):
        told = ask(desk, "system.state")

    assert (True, 60.0) == (told["supervised"], told["uptime_s"])
    assert [("loop", "waiting", 3, "exit 2")] == [
        tuple(each[name] for name in ("name", "state", "restarts", "last_exit")) for each in told["processes"]
    ]


def test_the_doctor_is_asked_in_a_process_of_its_own(services: Services, files: SettingsFiles) -> None:
    """What he says of wrong settings comes as his own words; too slow is said, too."""
    files.file.write_text("site = 5\n")  # type: ignore[union-attr]
    with pytest.raises(ApplianceError, match="could not be looked at"):
        doctor(files, services.layout)
    with pytest.raises(ApplianceError, match="in time"):
        doctor(files, services.layout, longest_s=0.01)
