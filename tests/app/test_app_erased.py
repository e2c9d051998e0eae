"""Whoever was removed: no byte of theirs is in the state directory, while other processes have it open."""

import base64
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import state_search
import stores

from appliance.events import Personal
from appliance.services import Layout, Services, open_services
from appliance.settings import ScreenSettings, Settings
from appliance.store import Consent
from appliance.values import DLIB, DLIB_MIRROR, EMBEDDING_SIZE, SFACE, FaceTemplate, Templates

NAME, ALIAS, GIVEN_BY = "Annabel Archerfield", "Annabelissima", "on paper, by herself, at the reception"
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by=GIVEN_BY)
SETTINGS = Settings(screen=ScreenSettings(leaderboard="greetings"))


def face() -> Templates:
    """Templates of somebody."""
    chance = np.random.default_rng(7)
    made = {}
    for model in (DLIB, DLIB_MIRROR, SFACE):
        vector = chance.normal(size=EMBEDDING_SIZE)
        made[model] = FaceTemplate(model, (vector / np.linalg.norm(vector)).astype(np.float32))
    return made


def wrapped_key(services: Services, subject: str) -> bytes:
    """Somebody's key, as it rests."""
    with sqlite3.connect(services.layout.database) as raw:
        (key,) = raw.execute("SELECT wrapped_key FROM subjects WHERE id = ?", (subject,)).fetchone()
    raw.close()
    return bytes(key)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box after its first boot, which another process has open as well."""
    layout = Layout(tmp_path / "state")
    with (
        open_services(SETTINGS, layout, create=True) as opened,
        open_services(SETTINGS, layout) as other,
    ):
        other.store.events()
        yield opened


def test_nothing_of_who_was_removed_is_in_any_byte(services: Services) -> None:
    """Name, alias, how they agreed, a note, templates, their key: nowhere. The chain holds."""
    store, state = services.store, services.layout.state
    ben = store.add_subject("Benjamin Bauernfeind", consent=stores.AGREED)
    ann = store.add_subject(NAME, consent=COUNTED)
    store.set_alias(ann.id, ALIAS)
    store.add_reference(ann.id, face(), quality=80.0, details={"file": "annabel-portrait.jpg"})
    store.append(
        stores.identified(ann.id), personal=Personal(subject=ann.id, payload={"note": "wore a red scarf"})
    )
    wrapped = wrapped_key(services, ann.id)
    key = services.vault._subject_key(wrapped, ann.id)
    wanted = {
        **state_search.of_text(NAME, ALIAS, GIVEN_BY, "annabel-portrait", "wore a red scarf"),
        **state_search.of_vectors("template", [each.embedding for each in face().values()]),
        **state_search.of_secret("key", key),
    }
    with (
        sqlite3.connect(services.layout.database) as raw,
        sqlite3.connect(state / "appliance.db.revision-0006") as copy,
    ):
        raw.backup(copy)  # as an upgrade leaves it
    raw.close()
    copy.close()
    before = state_search.places(state, {**wanted, **state_search.of_secret("wrapped key", wrapped)})
    store.remove_subject(ann.id)
    after = state_search.places(state, {**wanted, **state_search.of_secret("wrapped key", wrapped)})

    # Of what is sealed only the wrapped key ever stands there, and that goes.
    assert before
    assert {"wrapped key"} == {place.partition(": ")[2] for place in before}
    assert [] == after
    assert store.verify().last >= 7
    with sqlite3.connect(state / "appliance.db.revision-0006") as copy:
        left = copy.execute("SELECT id FROM subjects WHERE wrapped_key IS NOT NULL").fetchall()
    copy.close()
    assert [(ben.id,)] == left
    assert ["Benjamin Bauernfeind"] == [each.name for each in store.subjects()]
    assert 0 == len(store.standings("greetings", since=stores.NOON.date()))
    assert ben.id in state_search.places(state, {ben.id: [ben.id.encode()]})[0]


@pytest.mark.parametrize("form", ["<f4", ">f4", "<f2", "base64", "hex", "text"])
def test_the_search_finds_templates_in_every_form(tmp_path: Path, form: str) -> None:
    """A search that finds nothing because it cannot is no proof."""
    vector = face()[SFACE].embedding
    number = {"base64": "<f4", "hex": "<f4", "text": "<f4"}.get(form, form)
    plain = vector.astype(number).tobytes()
    content = {
        "base64": base64.b64encode(b"x" + plain),
        "hex": plain.hex().encode(),
        "text": str([float(each) for each in vector]).encode(),
    }.get(form, plain)
    (tmp_path / "file").write_bytes(b"before" + content + b"behind")

    assert ["file: t 0"] == state_search.places(tmp_path, state_search.of_vectors("t", [vector]))


@pytest.mark.parametrize("kind", [".jpg", ".png"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_search_finds_pictures(tmp_path: Path, kind: str, *, wrapped: bool) -> None:
    """In the middle of a file, as they are and in base64; and nothing in what only begins like one."""
    picture = np.random.default_rng(1).integers(0, 255, (32, 32, 3), np.uint8)
    content = cv2.imencode(kind, picture)[1].tobytes()
    written = base64.b64encode(content) if wrapped else content
    (tmp_path / "file").write_bytes(b"\xff\xd8\xff nothing " * 3 + written + b" behind")

    assert 1 == len(state_search.pictures(tmp_path))


@pytest.mark.parametrize("form", ["utf-8", "utf-16-le", "base64"])
def test_the_search_finds_names(tmp_path: Path, form: str) -> None:
    """However they are written."""
    name = NAME.encode() if form == "base64" else NAME.encode(form)
    (tmp_path / "file").write_bytes(b"..." + (base64.b64encode(name) if form == "base64" else name))

    assert [f"file: {NAME}"] == state_search.places(tmp_path, state_search.of_text(NAME))
