"""The drill: a stranger comes, and what the box keeps of them is found by the admin, and by nobody else.

Everything is real: the appliance's processes on the rendered door, an OpenSSH server with the account as it
is prepared, the system's sftp, the `age` program, an S3 server behind a wire that fails.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import state_search
from s3_server import Fault, FaultyS3, faulty_s3
from ssh_server import SshBox, make_key, needs_server, ssh_box

from appliance.cli.demo import SETTINGS
from appliance.services import Layout, open_services
from appliance.settings import load
from appliance.values import DLIB, DLIB_MIRROR, SFACE

pytestmark = [pytest.mark.slow, pytest.mark.debian(reason="openssh-server"), pytest.mark.timeout(300)]

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits" / "enrol"
NAMES = {"Barack Obama": "obama.jpg", "Eileen Collins": "astronaut.jpg"}
PATIENCE_S = 120.0
BUCKET = """
[captures.s3]
bucket = "{bucket}"
endpoint = "{endpoint}"
addressing = "path"
credentials_file = "{credentials}"
wait_s = 0
"""


def call(box: SshBox, settings: Path, *command: object) -> "subprocess.CompletedProcess[str]":
    """A command of the appliance, on its box."""
    line = [sys.executable, "-m", "appliance", "--settings", settings, "--state", box.folder / "state"]
    return subprocess.run([*line, *command], capture_output=True, text=True, check=False, timeout=120)


@contextmanager
def running(box: SshBox, settings: Path) -> Iterator[None]:
    """The whole appliance until the end of the block, ended in good order."""
    line = [sys.executable, "-m", "appliance", "--settings", settings, "--state", box.folder / "state"]
    with subprocess.Popen([*line, "run"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            assert 0 == process.wait(60)


def sealed(folder: Path) -> dict[str, bytes]:
    """What was sealed, by the name of its file."""
    return {path.name: path.read_bytes() for path in folder.glob("*.age")}


def copies(s3: FaultyS3) -> Counter[str]:
    """How often each sealed file is in the bucket, every version counted."""
    return Counter(Path(key).name for key, _ in s3.versions() if key.endswith(".age"))


def opened_with_age(capture: Path, key: Path) -> list[str]:
    """The names in a capture, opened by the program itself."""
    plain = subprocess.run(
        ["age", "-d", "-i", key, capture], capture_output=True, check=True, timeout=30
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return archive.getnames()


def test_a_stranger_comes_and_only_the_admin_learns_who(tmp_path: Path) -> None:
    """Sealed, copied through three faults without loss or double, fetched over SSH, opened; else nothing."""
    needs_server()
    if shutil.which("age") is None:
        pytest.skip("Debian package age")
    key, credentials = tmp_path / "id_ed25519", tmp_path / "credentials"
    public = make_key(key)
    credentials.write_text("[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = of-a-test\n")
    credentials.chmod(0o600)
    settings = tmp_path / "appliance.toml"
    with faulty_s3() as s3, ssh_box([public]) as box:
        s3.make_bucket()
        s3.faults = [Fault("500"), Fault("lost"), Fault("cut")]
        bucket = BUCKET.format(bucket=s3.bucket, endpoint=s3.endpoint, credentials=credentials)
        settings.write_text(
            SETTINGS.format(recipient=f'"{public}"', port=0, output="off") + bucket, encoding="utf-8"
        )
        state = box.folder / "state"
        for name, picture in NAMES.items():
            call(
                box, settings, "enroll", "add", name, PORTRAITS / picture, "--consent", "of a test"
            ).check_returncode()
        with running(box, settings):
            until = time.monotonic() + PATIENCE_S
            while not copies(s3):
                assert time.monotonic() < until, "no stranger was copied"
                time.sleep(0.5)
        call(box, settings, "captures", "sync", "run").check_returncode()
        kept, copied = sealed(box.spool), copies(s3)
        again = {Path(key_).name: s3.content(key_) for key_, _ in s3.versions() if key_.endswith(".age")}
        account = ("--account", box.account, "--ssh-config", box.config, "--key", key)
        pulled = call(
            box, settings, "captures", "pull", box.host, "--into", tmp_path / "got", "--sealed", *account
        )
        got = {path.name: path for path in (tmp_path / "got").rglob("*.age")}
        inside = [opened_with_age(path, key) for path in got.values()]
        with open_services(load(settings), Layout(state)) as services:
            rows = services.store.gallery((DLIB, DLIB_MIRROR, SFACE)).rows
        wanted = {
            **state_search.of_text("Barack Obama", "Barack", "Eileen Collins", "Eileen"),
            **state_search.of_vectors("template", [row.embedding for row in rows]),
        }
        found = [*state_search.places(state, wanted), *state_search.pictures(state)]

    assert [0, 0, 0] == [fault.times for fault in s3.faults]
    assert dict.fromkeys(kept, 1) == dict(copied)
    assert kept == again
    assert 0 == pulled.returncode, pulled.stderr
    assert kept == {name: path.read_bytes() for name, path in got.items()}
    assert all("metadata.json" in names and any(name.endswith(".jpg") for name in names) for names in inside)
    assert len(rows) >= len(NAMES) * 3
    assert [] == found
