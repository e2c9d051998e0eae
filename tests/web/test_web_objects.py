"""Every route with an id, tried with the ids of real things: of the box, and of another operator.

The table is drawn from the URL map. A route with a new kind of id fails here until it is said whose that is.
"""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from catalogue_things import picture, thing
from desks import CONSENT
from hosting_at_hand import hosting_at_hand
from logged import a_day
from pydantic import SecretStr
from recorded import a_recording, recording_at_hand
from ruled import a_failure
from web_site import Browser, Site, open_site
from werkzeug.routing import Rule

from appliance.events import SongStarted
from appliance.permissions import GRANTED, Permission, Role
from appliance.services import Layout
from appliance.settings import CameraSettings, DoorSettings, LockSettings, Settings, WebhookSettings
from appliance.store import TOKEN_SCOPES
from web.access import PUBLIC, declared, for_tokens

SETTINGS = Settings(
    cameras=(CameraSettings(id="entrance", source="scene:door"),),
    doors=(DoorSettings(id="main", camera="entrance"),),
    locks=(LockSettings(id="front", door="main"),),
    webhooks=(
        WebhookSettings(
            id="chat", url=SecretStr("https://chat.example/hook"), secret=SecretStr("0123456789abcdef")
        ),
    ),
)
PRIVATE = ("session", "draft")
"""These are their owner's alone; whatever else has an id is the box's, and every admin's to look after."""
_ID = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
_PICTURE = b"\x89PNG\r\n\x1a\n"
_BODIES: dict[str, dict[str, Any]] = {
    "face": {"face": 1},
    "answer": {"although": "alike"},
    "add-to": {"person": "0190a5c2-0000-7000-8000-000000000000"},
    "snapshot": {"camera": "entrance"},
}
_NONE = "0190a5c2-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Caller:
    """Who tries a route.

    Attributes:
        may: What they may do at pages, or, with `token`, at the API.
    """

    name: str
    browser: Browser
    may: frozenset[Permission]
    token: str = ""


@dataclass(frozen=True)
class Box:
    """A box with two admins: Ada, and Zoe, whose things are tried.

    Attributes:
        real: An id of each kind, by the word that stands for it in an address; of Zoe where it is private.
        programs: Likewise at the API, where it is another one.
        zoe: Her browser.
        token: Hers.
        strangers: Everybody but Zoe.
    """

    site: Site
    real: dict[str, str]
    programs: dict[str, str]
    zoe: Browser
    token: str
    strangers: tuple[Caller, ...]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """It, with something of everything."""
    layout = Layout(tmp_path / "state")
    with (
        open_site(layout, SETTINGS) as site,
        hosting_at_hand(layout),
        recording_at_hand(site.services) as recording,
    ):
        secret = site.admit("Zoe", Role.ADMIN)

        def zoe(operation: str, *, with_: str = secret, **arguments: Any) -> Any:
            return site.desk.ask(operation, arguments, credential=with_).result

        day = a_day(site.services, datetime.now(UTC))
        scopes = sorted(each.value for each in TOKEN_SCOPES)
        made = zoe("tokens.create", label="Zoe's", scopes=scopes)
        adas = site.ask("tokens.create", label="Ada's", scopes=scopes)["secret"]
        rule, row = a_failure(site.services)
        song = site.ask("songs.choose", sound="ding-dong")["id"]
        real = {
            "session": zoe("session.check")["session"],
            "draft": zoe("enrol.begin", name="Cem", consent=CONSENT)["draft"],
            "photo": "1",
            "token": made["token"]["id"],
            "screen": site.ask("screens.list")[0]["id"],
            "lock": "front",
            "keypad": site.ask("keypads.list")[0]["id"],
            "operator": zoe("session.check")["operator"],
            "person": str(day.ann.id),
            "keep": str(day.ann.id),
            "other": str(day.ben.id),
            "reference": _NONE,
            "event": day.identified.id,
            "capture": day.capture,
            "camera": "entrance",
            "door": "main",
            "kind": "device",
            "room": "screen",
            "rule": rule,
            "webhook": "chat",
            "group": site.ask("groups.add", label="Night shift")["id"],
            "row": str(row),
            "song": song,
            "name": "dogs",
            "clip": a_recording(site.services, datetime.now(UTC), clips=recording.clips, seconds=1).clip,
            "piece": "0.m4s",
            "view": "x1",
            "sound": "ding-dong",
            **a_catalogue(site),
            "key": a_screen_song(site, song),
        }
        draft = zoe("enrol.begin", with_=made["secret"], name="Cem", consent=CONSENT)["draft"]
        admin = GRANTED[Role.ADMIN]
        strangers = (
            Caller("nobody", site.client(), frozenset()),
            Caller("a screen", site.client(Role.SCREEN), GRANTED[Role.SCREEN]),
            Caller("a viewer", site.client(Role.VIEWER), GRANTED[Role.VIEWER]),
            Caller("an admin", site.client(Role.ADMIN), admin),
            Caller("an admin's token", site.client(), frozenset(map(Permission, scopes)), adas),
        )
        programs = {**real, "draft": draft}
        yield Box(site, real, programs, site.client(Role.ADMIN, secret=secret), made["secret"], strangers)


def a_catalogue(site: Site) -> dict[str, str]:
    """An item with its picture, and an import of one row."""
    site.services.store.put_item(thing("cup"), [picture(1)])
    table = b"id,title\npot,Pot\n"
    begun = site.desk.ask(
        "catalogue.import_begin", {}, credential=site.secrets[Role.ADMIN], blob=table
    ).result
    kept = site.ask("catalogue.item", item="cup")["pictures"][0]["picture"]
    return {"item": "cup", "picture": kept, "number": str(begun["number"]), "index": "0"}


def a_screen_song(site: Site, song: str) -> str:
    """What the screens are told of a song that begins there."""
    site.services.store.append(SongStarted(song=song, output="screen"))
    return str(site.ask("screen.now", as_=Role.SCREEN)["state"]["song"]["key"])


@dataclass(frozen=True)
class Try:
    """A method of a rule that has an id in it."""

    method: str
    rule: Rule
    needs: Permission
    for_programs: bool

    def __str__(self) -> str:
        """As it stands in a failure."""
        return f"{self.method} {self.rule.rule}"

    @property
    def ids(self) -> list[str]:
        """What stands for an id."""
        return _ID.findall(self.rule.rule)

    def made(self, ids: dict[str, str]) -> str:
        """An address with these."""
        return _ID.sub(lambda match: ids[match.group(1)], self.rule.rule)


def tries(site: Site) -> list[Try]:
    """Every route with an id that is not for everybody."""
    found = []
    for rule in site.app.url_map.iter_rules():
        needs = declared(site.app, rule)
        if needs is None or needs == PUBLIC or not _ID.search(rule.rule):
            continue
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        programs = for_tokens(site.app, rule)
        found += [Try(method, rule, Permission(needs), programs) for method in sorted(methods)]
    return found


def ask(browser: Browser, method: str, path: str, *, token: str = "") -> tuple[int, str]:
    """The status, and what a script is told; an answer without end is left at its head.

    What such an address needs besides goes along, so that it is the id that decides.
    """
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    last = path.rpartition("/")[2]
    data: Any = None
    if method == "POST" and last == "photos":
        data = {"photo": (io.BytesIO(_PICTURE), "a.png"), "file": (io.BytesIO(_PICTURE), "a.png")}
    elif method == "POST" and last == "look" and "enrol" in path:
        data, headers["Content-Type"] = _PICTURE, "image/png"
    elif method == "POST" and last in _BODIES:
        data, headers["Content-Type"] = json.dumps(_BODIES[last]).encode(), "application/json"
    response = browser.send(method, path, data, headers=headers, buffered=False)
    try:
        told = response.get_data(as_text=True) if response.status_code >= 400 else ""
        return response.status_code, told
    finally:
        response.close()


def things(box: Box) -> list[Any]:
    """All that Zoe and the box have."""
    hers = [
        ask(box.zoe, "GET", f"/people/enrol/{box.real['draft']}")[0],
        ask(box.zoe, "GET", f"/api/v1/enrolments/{box.programs['draft']}", token=box.token)[0],
    ]
    names = (
        *("operators.list", "screens.list", "tokens.list", "people.list", "captures.list"),
        *("rules.list", "groups.list", "outbox.list"),
    )
    return [
        hers,
        [[each["id"] for each in box.site.ask("session.list")]],
        [_kept(box.site.ask(name)) for name in names],
        len(box.site.services.store.subjects()),
    ]


def _kept(told: Any) -> Any:
    """Without when something was last used."""
    if isinstance(told, dict):
        return {name: _kept(value) for name, value in told.items() if name not in {"used_at", "expires_at"}}
    return [_kept(each) for each in told] if isinstance(told, list) else told


def test_each_kind_of_id_is_tried(box: Box) -> None:
    """Nothing has an id in its address of which there is no real one here."""
    used = {each for route in tries(box.site) for each in route.ids}

    assert used <= set(box.real)
    assert used >= set(PRIVATE)


def test_who_may_not_is_told_nothing_of_what_there_is(box: Box) -> None:
    """Without the permission a real id gets the answer of one that nobody has, and nothing is done to it."""
    before = things(box)
    none = dict.fromkeys(box.real, _NONE)
    wrong = []
    for route in tries(box.site):
        real = box.programs if route.for_programs else box.real
        for who in box.strangers:
            if route.needs in who.may and (who.token or not route.for_programs):
                continue  # theirs to do; a token does at pages too what it may
            found = ask(who.browser, route.method, route.made(real), token=who.token)
            if found[0] not in {401, 403}:
                wrong.append(f"{route} as {who.name}: {found}")
            if found != ask(who.browser, route.method, route.made(none), token=who.token):
                wrong.append(f"{route} as {who.name}: a real id is answered otherwise")

    assert [] == wrong
    assert before == things(box)


def test_what_is_somebody_elses_is_for_nobody_else(box: Box) -> None:
    """Another admin's session and enrolment: to whoever may have their own they are as if there were none."""
    before = things(box)
    none = dict.fromkeys(box.real, _NONE)
    wrong, tried = [], 0
    for route in tries(box.site):
        if not set(PRIVATE) & set(route.ids):
            continue
        real = box.programs if route.for_programs else box.real
        for who in box.strangers:
            if route.needs not in who.may or (route.for_programs and not who.token):
                continue
            tried += 1
            found = ask(who.browser, route.method, route.made(real), token=who.token)
            if found[0] != 404 and "this enrolment is over" not in found[1]:
                wrong.append(f"{route} as {who.name}: {found}")
            if found != ask(who.browser, route.method, route.made(none), token=who.token):
                wrong.append(f"{route} as {who.name}: it is told that there is one")

    assert [] == wrong
    assert tried > 20
    assert before == things(box)


@pytest.mark.parametrize("what", ["draft", "session"])
def test_its_owner_reaches_it(box: Box, what: str) -> None:
    """The same addresses do something for Zoe: the tables above are not about addresses that never answer."""
    if what == "draft":
        found = [
            ask(box.zoe, "GET", f"/people/enrol/{box.real['draft']}")[0],
            ask(box.zoe, "DELETE", f"/people/enrol/{box.real['draft']}")[0],
            ask(box.zoe, "GET", f"/people/enrol/{box.real['draft']}")[0],
        ]

        assert [200, 200, 422] == found
    else:
        found = [
            ask(box.zoe, "POST", f"/account/sessions/{box.real['session']}/end")[0],
            ask(box.zoe, "GET", "/account")[0],
        ]

        assert [303, 401] == found


def test_an_admin_looks_after_what_is_the_boxs(box: Box) -> None:
    """A lost screen, and a token of another admin's, are taken back by whoever is there, and good no more."""
    ada = box.site.client(Role.ADMIN)
    before = [
        ask(box.site.client(Role.SCREEN), "GET", "/screen/state")[0],
        ask(box.zoe, "GET", "/api/v1/people", token=box.token)[0],
    ]
    ask(ada, "POST", f"/devices/screens/{box.real['screen']}/revoke")
    ask(ada, "POST", f"/devices/tokens/{box.real['token']}/revoke")
    after = [
        ask(box.site.client(Role.SCREEN), "GET", "/screen/state")[0],
        ask(box.zoe, "GET", "/api/v1/people", token=box.token)[0],
    ]

    assert [200, 200] == before
    assert [401, 401] == after
