"""What a token may not do at the whole desk of a box with a lock: have it open for more people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import stores
from desk_box import DeskBox, desk_box
from desk_setting_up import WHOLE

from appliance.errors import DeniedError
from appliance.services import Layout, open_services
from appliance.settings import load
from appliance.store.api_tokens import TOKEN_SCOPES

FILE = """
[[cameras]]
id = "entrance"
source = "scene:door"
when = "approach"

[[cameras]]
id = "yard"
source = "scene:door"
when = "always"

[[cameras]]
id = "hall"
source = "scene:door"

[[doors]]
id = "main"
camera = "entrance"

[[doors]]
id = "back"
camera = "hall"

[[locks]]
id = "front"
door = "main"
policy = "{policy}"
argv = ["true"]

[[webhooks]]
id = "relay"
url = "http://127.0.0.1:9/on"
secret = "0123456789abcdef"
allow_private = true

[[locks]]
id = "gate"
door = "back"
camera = "yard"
"""
DENIED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("settings.save", {"changes": {"cameras.entrance.source": "rtsp://elsewhere.example/1"}}),
    ("settings.save", {"changes": {"cameras.entrance.when": "always"}}),
    ("settings.save", {"changes": {"cameras.entrance": {"width_px": 320}}}),
    ("settings.save", {"changes": {"doors.main.camera": "yard"}}),
    ("settings.save", {"changes": {"recognition.fpir": 0.01}}),
    ("settings.propose", {"changes": {"recognition.margin": 0.0}}),
    ("settings.save", {"changes": {"faces.min_quality": 1}}),
    ("settings.save", {"changes": {"encounters.confirm_frames": 2, "site": "x"}}),
    ("cameras.save", {"camera": "entrance", "source": "rtsp://elsewhere.example/1"}),
    ("cameras.save", {"camera": "entrance", "when": "always"}),
    ("doors.save", {"door": "main", "camera": "hall", **WHOLE}),
    ("doors.save", {"door": "main", "camera": "entrance", **WHOLE}),
)
"""What has a say in whom the lock at the front opens for."""
LET: tuple[tuple[str, dict[str, Any]], ...] = (
    ("settings.save", {"changes": {"site": "attic", "encounters.repeat_after_s": 60}}),
    ("cameras.save", {"camera": "hall", "when": "always"}),
    ("cameras.save", {"camera": "yard", "when": "approach"}),
    ("doors.save", {"door": "back", "camera": "hall", **WHOLE}),
)
"""What has none: the other lock is off."""


class Box(NamedTuple):
    """A box, its desk, and the secrets of an admin and of a token with all that a token may."""

    desk: DeskBox
    admin: str
    token: str


def box_at(state: Path, policy: str) -> Iterator[Box]:
    """A box whose lock at the front has this policy."""
    layout = Layout(state)
    state.mkdir()
    layout.settings_file.write_text(FILE.format(policy=policy), encoding="utf-8")
    settings = load(layout.settings_file)
    with open_services(settings, layout, create=True) as services, desk_box(services) as desk:
        admin = desk.first_admin()
        yield Box(desk, admin, desk.token(admin, *TOKEN_SCOPES))


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Its lock opens for a face and a PIN."""
    yield from box_at(tmp_path_factory.mktemp("locked") / "state", "face_and_pin")


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Both of its locks are off."""
    yield from box_at(tmp_path_factory.mktemp("off") / "state", "off")


@pytest.mark.parametrize(("operation", "arguments"), DENIED)
def test_a_token_has_no_say_in_whom_a_lock_opens_for(
    locked: Box, operation: str, arguments: dict[str, Any]
) -> None:
    """Its camera, its door, how sure it has to be: refused with words, and nothing is written."""
    before = locked.desk.ask("settings.read", locked.token)["revision"]
    with pytest.raises(DeniedError, match="not a program"):
        locked.desk.ask(operation, locked.token, **arguments)

    assert before == locked.desk.ask("settings.read", locked.token)["revision"]


@pytest.mark.parametrize(("operation", "arguments"), LET)
def test_what_has_no_say_is_a_tokens_as_before(
    locked: Box, operation: str, arguments: dict[str, Any]
) -> None:
    """Other cameras and doors, other settings: a lock that is off binds none of them."""
    assert locked.desk.ask(operation, locked.token, **arguments)["changed"]


def test_while_every_lock_is_off_a_token_sets_all_of_it_up(off: Box) -> None:
    """Nothing opens then; who switches a lock on looks at how it is set up."""
    for operation, arguments in DENIED:
        off.desk.ask(operation, off.token, **arguments)

    assert off.desk.ask("settings.read", off.token)["values"]["recognition.fpir"]["value"] == 0.01


def test_an_admin_who_is_signed_in_may_all_of_it(locked: Box) -> None:
    """The page of settings is theirs, lock or none."""
    said = locked.desk.ask("settings.save", locked.admin, changes={"faces.min_width_px": 70})

    assert ["faces.min_width_px"] == said["changed"]


def test_what_a_token_takes_back_is_guarded_as_what_it_sets(locked: Box) -> None:
    """A reset is a change, too."""
    locked.desk.ask("settings.save", locked.admin, changes={"recognition.margin": 0.2})
    with pytest.raises(DeniedError, match="not a program"):
        locked.desk.ask("settings.save", locked.token, resets=["recognition.margin"])

    assert locked.desk.ask("settings.read", locked.admin)["values"]["recognition.margin"]["value"] == 0.2


def test_a_webhook_into_a_private_network_is_not_tried_by_a_token(locked: Box) -> None:
    """A relay takes any post for an order, a test as well; who is signed in is told how it went."""
    with pytest.raises(DeniedError, match="not a program"):
        locked.desk.ask("webhooks.test", locked.token, webhook="relay")

    assert not locked.desk.ask("webhooks.test", locked.admin, webhook="relay")["ok"]


def test_the_way_round_by_a_group_is_no_tokens_either(locked: Box) -> None:
    """At the whole desk, with a token that may do everything a token may."""
    eve = locked.desk.services.store.add_subject("Eve", consent=stores.AGREED)
    group = locked.desk.ask("groups.add", locked.token, label="Staff")["id"]
    opens = {"name": "Open", "on": "subject_identified", "when": {"groups": [group]}}
    opens["actions"] = [{"kind": "unlock", "lock": "front"}]
    locked.desk.ask("rules.add", locked.admin, body=opens)
    with pytest.raises(DeniedError, match="not a program"):
        locked.desk.ask("groups.members", locked.token, group=group, members=[eve.id])

    assert [[]] == [each["members"] for each in locked.desk.ask("groups.list", locked.admin)["groups"]]
