"""The whole loop on a filmed crowd: two of them enrolled, the others not.

`test_stories_scene.py` is this story's twin on the rendered scene, which runs everywhere.
"""

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.app.embedding import ModelsClient
from appliance.app.replaying import Replayed, replay
from appliance.events import PersonUndecided, StrangerCaptured, StrangerSeen, SubjectIdentified
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Consent
from appliance.values import Grade, ImageArray

CLIP = "testdata/videos/facenet_pytorch_video.mp4"
FIRST_SECOND = 25
"""Frames of the clip that people are enrolled from; the story is told by the rest."""

PORTRAITS = {
    "man": ((20, 610, 520, 840, 770), (24, 575, 520, 800, 770)),
    "boy": ((15, 940, 600, 1080, 810), (24, 965, 600, 1120, 810)),
}
"""Who: pictures to enrol from, as (frame, left, top, right, bottom)."""

MIDDLES = {
    "man": ((20, 720), (40, 655), (60, 566), (80, 494), (100, 430)),
    "boy": ((20, 1023), (40, 1047), (60, 954), (80, 849), (100, 790)),
}
"""Who: (frame, pixels from the left) of the middle of the face, read off the clip by eye."""

REACH_PX = 45
"""Half a face: nearer to the middle than this, it is them; the next face is never that near."""


def frames(clip: Path) -> Iterator[tuple[int, ImageArray]]:
    """Every frame of the clip with its number."""
    with av.open(str(clip)) as container:
        for number, decoded in enumerate(container.decode(video=0)):
            yield number, decoded.to_ndarray(format="bgr24")


def middle(who: str, frame: int) -> float:
    """Where the middle of somebody's face is in a frame, pixels from the left."""
    marks = np.array(MIDDLES[who])
    return float(np.interp(frame, marks[:, 0], marks[:, 1]))


def at(who: str, event: SubjectIdentified | StrangerSeen) -> bool:
    """Whether every frame of a decision, of which there is one at least, shows this person."""
    return bool(event.facts.frames) and all(
        abs(frame.box[0] + frame.box[2] / 2 - middle(who, FIRST_SECOND + _clip_frame(frame.media_s)))
        < REACH_PX
        for frame in event.facts.frames
    )


def _clip_frame(media_s: float | None) -> int:
    """Frame of the rest of the clip at a position; it plays 25 frames a second."""
    return round((media_s or 0.0) * 25)


@pytest.fixture(scope="module")
def story(
    material: Path, models: ModelsClient, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Replayed, dict[str, str], Path, Path]:
    """Two people enrolled from the first second, the rest replayed: log, who is who, state, key."""
    folder = tmp_path_factory.mktemp("story")
    key = Ed25519PrivateKey.generate()
    identity = folder / "id_ed25519"
    identity.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    identity.chmod(0o600)
    recipient = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    rest = folder / "rest"
    rest.mkdir()
    early: dict[int, ImageArray] = {}
    for number, picture in frames(material / CLIP):
        if number < FIRST_SECOND:
            early[number] = picture
        else:
            cv2.imwrite(str(rest / f"{number:04}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
    settings = Settings.model_validate(
        {
            "cameras": [{"id": "arcade", "source": str(rest), "when": "always", "fps": 25}],
            "faces": {"detect_width_px": 960},
            "evidence": {"recipients": [recipient]},
        }
    )
    ids: dict[str, str] = {}
    with open_services(settings, Layout(folder / "box"), create=True) as services:
        for who, pictures in PORTRAITS.items():
            consent = Consent(purposes=("identify",), text_version="test", given_by="test")
            subject = services.store.add_subject(who, consent=consent)
            ids[who] = subject.id
            for number, left, top, right, bottom in pictures:
                crop = early[number][top:bottom, left:right]
                found = models.embed(cv2.imencode(".png", crop)[1].tobytes())
                assert (1, ()) == (found.faces, found.reasons)
                services.store.add_reference(subject.id, found.templates, quality=found.quality, details={})
        done = replay(settings, services, folder / "replayed", seals=True)
    return done, ids, folder / "replayed", identity


@pytest.mark.material
def test_both_are_identified_and_nobody_is_named_wrongly(
    story: tuple[Replayed, dict[str, str], Path, Path],
) -> None:
    """Every decision that names somebody was made where that person walks; both are confirmed."""
    done, ids, _, _ = story
    named = [stored.event for stored in done.events if isinstance(stored.event, SubjectIdentified)]
    names = {subject: who for who, subject in ids.items()}

    assert all(event.facts.frames for event in named)
    assert [] == [event for event in named if not at(names[event.subject], event)]
    assert set(ids.values()) == {event.subject for event in named if event.grade is Grade.CONFIRMED}


@pytest.mark.material
def test_the_others_are_strangers_and_neither_of_the_two_is(
    story: tuple[Replayed, dict[str, str], Path, Path],
) -> None:
    """Whoever is not one of the two ends as a stranger, or was seen in one good frame only."""
    done, _, _, _ = story
    events = [stored.event for stored in done.events]
    strangers = [event for event in events if isinstance(event, StrangerSeen)]
    undecided = [event for event in events if isinstance(event, PersonUndecided)]

    assert {"below_threshold"} == {event.facts.rule for event in strangers}
    assert {"too_few_frames"} >= {event.facts.rule for event in undecided}
    assert len({event.encounter for event in strangers}) >= 2
    assert [] == [event for event in strangers if at("man", event) or at("boy", event)]


@pytest.mark.material
@pytest.mark.debian
@pytest.mark.skipif(shutil.which("age") is None, reason="needs the Debian package age")
def test_a_capture_opens_with_age_and_the_admins_ssh_key(
    story: tuple[Replayed, dict[str, str], Path, Path],
) -> None:
    """What the box sealed, the ordinary program opens with the SSH key made in this test."""
    done, _, state, identity = story
    captured = next(stored.event for stored in done.events if isinstance(stored.event, StrangerCaptured))
    opened = subprocess.run(
        ["age", "-d", "-i", str(identity), str(state / "spool" / captured.file)],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(opened)) as tar:
        names = tar.getnames()

    assert {"metadata.json", "frame-1.jpg", "face-1.jpg"} <= set(names)
