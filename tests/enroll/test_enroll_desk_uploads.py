"""What is sent to the desk as pictures: the real models process looks at it, hostile or not, and goes on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desks import CONSENT, Asking, desk_of
from factories import PictureFrame, stamp
from hostile_pictures import HOSTILE, PORTRAIT, polyglot, turned

from appliance.app.embedding import ModelsClient
from appliance.app.viewing import Showcase
from appliance.errors import CameraLostError, PeerGoneError, PhotoError
from appliance.faces import decode_photo
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings
from appliance.values import ImageArray
from appliance.wire import Client, Reply, Request, Server
from appliance.wire.messages import EmbedPhoto, PhotoEmbedded
from enroll.desk.looking import MOST_BYTES, Models
from enroll.desk.snapshots import LoopCameras, png


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A box."""
    with open_services(Settings(), Layout(tmp_path / "box"), create=True) as opened:
        yield opened


@pytest.fixture
def ask(services: Services, models_socket: Path) -> Asking:
    """An admin at its desk, with a models process."""
    return desk_of(services.store, models=Models(Client(models_socket)))


@pytest.fixture
def draft(ask: Asking) -> str:
    """An enrolment."""
    return str(ask("enrol.begin", name="Ann", consent=CONSENT)["draft"])


def judge(ask: Asking, draft: str, content: bytes) -> dict[str, Any]:
    """The verdict on a file."""
    told = ask("enrol.judge", draft=draft, blob=content)
    return next(each for each in told["photos"] if each["photo"] == told["added"])


def reasons(photo: dict[str, Any]) -> list[str]:
    """By code."""
    return [each["code"] for each in photo["reasons"]]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_refused_with_words(ask: Asking, draft: str, name: str) -> None:
    """By its reason; and the next picture is looked at as if nothing had been."""
    content, expected = HOSTILE[name]
    photo = judge(ask, draft, content())

    assert len(reasons(photo)) == 1
    assert set(reasons(photo)) <= expected
    assert "refused" == photo["verdict"]
    assert photo["words"]
    assert photo["advice"]
    assert "accepted" == judge(ask, draft, PORTRAIT.read_bytes())["verdict"]


def test_a_file_of_fifty_megabytes_is_refused(ask: Asking, draft: str) -> None:
    """Unread: it never reaches the models process."""
    assert ["too_many_bytes"] == reasons(judge(ask, draft, bytes(50_000_000)))


def test_a_file_of_just_the_size_is_looked_at(ask: Asking, draft: str) -> None:
    """The bound is the bound; what lies behind the picture in its file is not read."""
    whole = PORTRAIT.read_bytes()

    assert "accepted" == judge(ask, draft, whole + bytes(MOST_BYTES - len(whole)))["verdict"]


def test_of_a_polyglot_only_the_picture_counts(ask: Asking, draft: str, services: Services) -> None:
    """And nothing of the file is kept, so there is nothing left to be another thing as."""
    assert "accepted" == judge(ask, draft, polyglot())["verdict"]
    ask("enrol.commit", draft=draft)
    everything = b"".join(each.read_bytes() for each in services.layout.state.rglob("*") if each.is_file())

    assert b"<script>" not in everything
    assert polyglot()[1000:1400] not in everything


def test_a_picture_is_turned_as_its_camera_says(ask: Asking, draft: str) -> None:
    """The face lies where it is seen in the browser, which turns the picture, too."""
    upright = judge(ask, draft, PORTRAIT.read_bytes())
    ask("enrol.drop_photo", draft=draft, photo=upright["photo"])
    found = judge(ask, draft, turned())

    assert upright["size"] == found["size"]
    assert np.allclose(upright["faces"][0]["box"], found["faces"][0]["box"], atol=6)


def test_nothing_of_a_file_is_kept_but_its_digest(ask: Asking, draft: str, services: Services) -> None:
    """Neither its name, nor its metadata, nor the place where it was taken."""
    judge(ask, draft, turned())
    ask("enrol.commit", draft=draft)
    (reference,) = services.store.references()

    assert {"origin", "sha256"} == set(reference.details or {})


class Fragile:
    """A models process that is gone whenever it is asked for a certain picture, and is back in a moment."""

    def __init__(self, socket: Path, *, always: bool) -> None:
        self._socket = socket
        self._always = always
        self.asked = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the end of the block, restarted as the supervisor would."""
        over = threading.Event()
        thread = threading.Thread(target=self._keep_up, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _keep_up(self, over: threading.Event) -> None:
        while not over.is_set():
            died = threading.Event()
            with Server(self._socket, {EmbedPhoto: lambda request, died=died: self._embed(request, died)}):
                while not over.is_set() and not died.is_set():
                    time.sleep(0.01)

    def _embed(self, request: Request[EmbedPhoto], died: threading.Event) -> Reply[PhotoEmbedded]:
        self.asked += 1
        if request.blob == b"poison" and (self._always or self.asked == 1):
            died.set()
            time.sleep(0.3)  # what comes after, nobody hears: the connections are cut
        return Reply(PhotoEmbedded(width=9, height=9, faces_found=0, faces=()))


@pytest.mark.parametrize(("always", "refused"), [(False, False), (True, True)])
def test_a_models_process_that_dies_is_waited_for(tmp_path: Path, *, always: bool, refused: bool) -> None:
    """A picture is tried once more; one that it always dies of is refused, and the next one is read."""
    socket = tmp_path / "models.sock"
    fragile = Fragile(socket, always=always)
    models = Models(Client(socket))
    with fragile.running():
        if refused:
            with pytest.raises(PhotoError) as caught:
                models.embed(b"poison")
            assert "unreadable" == caught.value.reason
        else:
            assert 0 == models.embed(b"poison").faces

        assert 2 == fragile.asked
        assert 0 == models.embed(b"fine").faces


def test_without_a_models_process_it_is_said(tmp_path: Path) -> None:
    """And it is not taken for the picture's fault."""
    models = Models(Client(tmp_path / "nobody.sock"), patience_s=0.2)
    with pytest.raises(PeerGoneError, match="cannot be looked at"):
        models.embed(b"picture")


def noise(height: int = 90, width: int = 120, seed: int = 4) -> ImageArray:
    """A picture nobody can shorten."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (90, 120), (719, 1281)])
def test_a_frame_as_a_file_is_the_frame(size: tuple[int, int]) -> None:
    """Written down and decoded as the models process does: every point is what it was."""
    frame = noise(*size)

    assert np.array_equal(frame, decode_photo(png(frame)))


def test_the_loop_gives_its_newest_picture(tmp_path: Path) -> None:
    """Over its socket, as shared memory, while it goes on; a camera that is not there is said."""
    showcase = Showcase()
    camera = showcase.camera("door")
    frames = [noise(seed=each) for each in range(3)]
    over = threading.Event()

    def loop() -> None:
        sequence = 0
        while not over.is_set():
            camera.show(PictureFrame(frames[min(sequence, 2)], stamp(sequence, camera="door")), dict)
            sequence += 1
            time.sleep(0.02)

    thread = threading.Thread(target=loop)
    with Server(tmp_path / "loop.sock", showcase.handlers()):
        thread.start()
        try:
            time.sleep(0.2)
            cameras = LoopCameras(Client(tmp_path / "loop.sock"))
            picture = decode_photo(cameras.snapshot("door"))
            with pytest.raises(CameraLostError, match="no camera"):
                cameras.snapshot("window")
        finally:
            over.set()
            thread.join()

    assert np.array_equal(frames[2], picture)


def test_the_same_judgement_as_the_command(
    ask: Asking, draft: str, models_socket: Path, services: Services
) -> None:
    """The same file has the same templates at the desk as by `appliance enroll add`."""
    judge(ask, draft, PORTRAIT.read_bytes())
    ask("enrol.commit", draft=draft)
    by_client = ModelsClient(Client(models_socket)).embed(PORTRAIT.read_bytes()).templates
    kept = {row.model: row.embedding for row in services.store.template_rows(tuple(by_client))}

    assert set(by_client) == set(kept)
    assert all(np.array_equal(template.embedding, kept[model]) for model, template in by_client.items())
