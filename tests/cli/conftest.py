"""A box after a morning's work: somebody enrolled, a few events, one sealed capture."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pull_office
import pytest
import stores
from captures import NOW, make_shot
from commands import Ended, call, run

from appliance.app.embedding import ENROLLED_MODELS
from appliance.camera import encode_jpeg
from appliance.cli.context import Context
from appliance.events import StrangerCaptured, StrangerSeen
from appliance.evidence import Spool, make_identity
from appliance.services import Layout, Services, open_services
from appliance.settings import EvidenceSettings, Settings
from appliance.store import NewEvent
from appliance.values import Grade


@dataclass(frozen=True)
class Box:
    """A state directory, what is in it, and the admin's key, which is not.

    Attributes:
        state: The state directory.
        identity: The file with the private key that opens the capture.
        subject: Id of the person enrolled, Ann.
        capture: Id of the capture.
    """

    state: Path
    identity: Path
    subject: str
    capture: str

    def call(self, *arguments: object) -> Ended:
        """A command on this box, in this process."""
        return call("--state", self.state, *arguments)

    def run(self, *arguments: object) -> Ended:
        """A command on this box, in a process of its own."""
        return run("--state", self.state, *arguments)

    def settings(self, text: str) -> None:
        """Write the settings file."""
        (self.state / "appliance.toml").write_text(text, encoding="utf-8")


def fill(services: Services, recipient: str) -> tuple[str, str]:
    """Ann, the door, Ann coming in, a stranger, and the stranger's capture; ids of Ann and of the capture."""
    subject = services.store.add_subject("Ann", consent=stores.AGREED)
    services.store.add_reference(subject.id, stores.face(models=ENROLLED_MODELS), quality=80.0, details={})
    stranger = stores.identified()
    spool = Spool(
        services.layout.spool, EvidenceSettings(recipients=(recipient,)), services.clock, encode_jpeg
    ).open()
    sealed = spool.store([make_shot()], {}, NOW)
    services.store.append_all(
        [
            NewEvent(stores.OPENED),
            NewEvent(stores.identified(subject.id, grade=Grade.CONFIRMED)),
            NewEvent(StrangerSeen(encounter="e", grade=Grade.CONFIRMED, facts=stranger.facts)),
            NewEvent(
                StrangerCaptured(
                    encounter="e",
                    capture=sealed.id,
                    file=sealed.file,
                    sha256=sealed.sha256,
                    size_bytes=sealed.size_bytes,
                    frames=sealed.frames,
                    recipients=sealed.recipients,
                    expires_at=sealed.expires_at,
                )
            ),
        ]
    )
    return str(subject.id), sealed.id


@pytest.fixture(scope="session")
def first_box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """The box that every test gets a copy of."""
    folder = tmp_path_factory.mktemp("box")
    recipient = make_identity(folder / "identity.txt")
    with open_services(Settings(), Layout(folder / "state"), create=True) as services:
        subject, capture = fill(services, recipient)
    box = Box(folder / "state", folder / "identity.txt", subject, capture)
    box.settings(f'[evidence]\nrecipients = ["{recipient}"]\n')
    return box


@pytest.fixture
def box(first_box: Box, tmp_path: Path) -> Box:
    """A box of the test's own."""
    shutil.copytree(first_box.state, tmp_path / "state")
    return replace(first_box, state=tmp_path / "state")


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder of the installed models."""
    return Path(__file__).parents[2] / "data" / "var" / "models"


@pytest.fixture
def one_wrong_byte(installed: Path, tmp_path: Path) -> Path:
    """The installed models, with one byte of the smallest flipped."""
    folder = tmp_path / "models"
    folder.mkdir()
    files = sorted(
        (path for path in installed.iterdir() if path.is_file()), key=lambda path: path.stat().st_size
    )
    for path in files[1:]:
        (folder / path.name).symlink_to(path)
    content = bytearray(files[0].read_bytes())
    content[len(content) // 2] ^= 1
    (folder / files[0].name).write_bytes(content)
    return folder


@pytest.fixture
def context(box: Box) -> Context:
    """What a command on this box is handed."""
    return Context(None, box.state)


running = pytest.fixture(scope="module")(pull_office.running)
office = pytest.fixture(pull_office.office)
put = pytest.fixture(pull_office.put)
