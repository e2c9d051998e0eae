"""The whole loop on the rendered scene: two people enrolled from portraits, one stranger.

Runs everywhere; its twin on a filmed crowd is `test_stories_clip.py`.
"""

import io
import json
import re
import tarfile
import tomllib
from pathlib import Path

import pyrage
import pytest

from appliance.app.embedding import ModelsClient
from appliance.app.error_tables import read_tables
from appliance.app.replaying import Replayed, replay
from appliance.app.whatif import what_if
from appliance.camera import Scene
from appliance.cli.demo import SETTINGS
from appliance.decision import Changes
from appliance.dispatch.wording import describe
from appliance.events import StrangerCaptured, StrangerSeen, SubjectIdentified
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Consent
from appliance.values import Grade

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits" / "enrol"

UNCERTAIN = re.compile(r"\d+ KiB.*")
"""Sealing is random, and goes by the day: of what was sealed neither size nor end is the same again."""

Story = tuple[Replayed, tuple[Replayed, Replayed], dict[str, str], Path, pyrage.x25519.Identity]


@pytest.fixture(scope="module")
def story(models: ModelsClient, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The demo's scene replayed, once sealing and twice not; who is who; the state; the admin's key."""
    folder = tmp_path_factory.mktemp("scene")
    key = pyrage.x25519.Identity.generate()
    demo = tomllib.loads(SETTINGS.format(recipient=json.dumps(str(key.to_public())), port=0, output="none"))
    settings = Settings.model_validate(
        {"cameras": demo["cameras"][:1], "doors": demo["doors"], "evidence": demo["evidence"]}
    )
    ids: dict[str, str] = {}
    with open_services(settings, Layout(folder / "box"), create=True) as services:
        for who in ("obama", "astronaut"):
            consent = Consent(purposes=("identify",), text_version="test", given_by="public domain")
            subject = services.store.add_subject(who, consent=consent)
            ids[subject.id] = who
            found = models.embed((PORTRAITS / f"{who}.jpg").read_bytes())
            services.store.add_reference(subject.id, found.templates, quality=found.quality, details={})
        kept = replay(settings, services, folder / "kept", seals=True)
        first, second = (replay(settings, services, folder / name) for name in ("first", "second"))
    return kept, (first, second), ids, folder / "kept", key


def test_everybody_is_told_as_the_scene_tells_it(story: Story) -> None:
    """Each visit is one person: door, greeting, confirmation, shut; the third is sealed."""
    done, _, ids, _, _ = story
    told = []
    for stored in done.events:
        event = stored.event
        if isinstance(event, SubjectIdentified):
            told.append(f"{event.grade.value} {ids[event.subject]}")
        elif event is not None:
            told.append(stored.type)

    assert [
        "door_shut",
        *("door_opened", "greeting obama", "confirmed obama", "door_shut", "final obama"),
        *("door_opened", "greeting astronaut", "confirmed astronaut", "door_shut", "final astronaut"),
        *("door_opened", "stranger_seen", "stranger_captured", "door_shut", "stranger_seen"),
    ] == told


def test_the_readme_shows_what_is_said_of_the_scene(story: Story) -> None:
    """Its lines of doors, faces and the sealed stranger: every word and figure, in this order."""
    done, _, ids, _, _ = story
    names = {"obama": "Barack Obama", "astronaut": "Eileen Collins"}
    said = [
        UNCERTAIN.sub("", describe(stored.event, lambda subject: names[ids[subject]]))
        for stored in done.events
        if stored.event is not None
    ]
    text = (PORTRAITS.parents[2] / "README.md").read_text(encoding="utf-8").partition("## First run")[2]
    lines = text.partition("```text")[2].partition("```")[0].splitlines()
    shown = [UNCERTAIN.sub("", line[10:]) for line in lines if re.search(r"\bfront\b", line)]
    rest = iter(said)

    assert 8 == len(shown)
    assert [] == [line for line in shown if line not in rest]


def test_nobody_is_named_who_was_not_there(story: Story) -> None:
    """Held against the scene's own truth, frame by frame."""
    done, _, ids, _, _ = story
    scene = Scene()
    wrong = [
        event
        for stored in done.events
        if isinstance(event := stored.event, SubjectIdentified)
        for frame in event.facts.frames
        if ids[event.subject] not in {seen.person for seen in scene.truth(frame.media_s or 0.0).people}
    ]

    assert [] == wrong


def test_the_same_recording_gives_the_same_log(story: Story) -> None:
    """Ids, times, decisions and the chain of hashes: equal to the last bit."""
    first, second = story[1]

    assert [stored.hash for stored in first.events] == [stored.hash for stored in second.events]
    assert first == second


def test_every_decision_of_the_replay_is_reproduced_exactly(story: Story) -> None:
    """Concluded again from the log alone, at unchanged settings: equal in every number."""
    with open_services(Settings(), Layout(story[3])) as services:
        found = what_if(services.store, read_tables(), Changes())

    assert (8, 8, 0) == (found.decisions, found.examined, found.differing)


def test_the_admin_opens_what_the_box_sealed(story: Story) -> None:
    """Three frames of the stranger with their reasons; the box holds no key that opens it."""
    done, _, _, state, key = story
    captured = next(stored.event for stored in done.events if isinstance(stored.event, StrangerCaptured))
    sealed = (state / "spool" / captured.file).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(sealed, [key]))) as tar:
        names = sorted(tar.getnames())
        metadata = json.loads(tar.extractfile("metadata.json").read())  # type: ignore[union-attr]

    assert [
        "face-1.jpg",
        "face-2.jpg",
        "face-3.jpg",
        "frame-1.jpg",
        "frame-2.jpg",
        "frame-3.jpg",
        "metadata.json",
    ] == names
    assert captured.encounter in json.dumps(metadata)
    assert "office" in json.dumps(metadata)


def test_a_decision_keeps_what_explains_it(story: Story) -> None:
    """Scores per model and frame, threshold, margin and gallery are in the log."""
    done, _, _, _, _ = story
    confirmed = next(
        event
        for stored in done.events
        if isinstance(event := stored.event, StrangerSeen) and event.grade is Grade.CONFIRMED
    )

    assert "below_threshold" == confirmed.facts.rule
    assert 3 == len(confirmed.facts.frames)
    assert {"sface", "dlib-mirror"} == set(next(iter(confirmed.facts.frames[0].scores.values())))
    assert 2 == confirmed.facts.gallery_size
