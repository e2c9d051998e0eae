"""The running appliance: its processes, what others may ask of it, and how it stops."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
from commands import call

from appliance.app.embedding import ModelsClient
from appliance.errors import ApplianceError, WireError
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Consent, Store
from appliance.wire import Client
from appliance.wire.messages import Status, StatusRequest, SupervisorStatus, SupervisorStatusRequest

PORTRAITS = Path(__file__).parents[2] / "data" / "portraits" / "enrol"
PATIENCE_S = 60.0
ANY_PORT = "[web]\nport = 0\n"
"""Settings of a box that runs beside others."""

pytestmark = pytest.mark.slow


def appliance(state: Path, *command: str) -> list[str]:
    """A command line of ours on a state directory."""
    return [sys.executable, "-m", "appliance", "--state", str(state), *command]


def fresh(state: Path) -> Path:
    """A state directory before the first boot, with no more in it than settings."""
    state.mkdir(mode=0o700)
    (state / "appliance.toml").write_text(ANY_PORT, encoding="utf-8")
    return state


def until(met: Callable[[], Any], what: str) -> Any:
    """Wait until something is true and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if found := met():
                return found
        except ApplianceError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"never: {what}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The appliance on the rendered door, from its first boot; its state directory."""
    state = fresh(tmp_path_factory.mktemp("running") / "state")
    process = subprocess.Popen(appliance(state, "run", "--camera", "scene:door"))
    try:
        until(lambda: frames(state), "a first frame")
        yield state
    finally:
        process.terminate()
        code = process.wait(30)
    assert 0 == code


def loop_status(state: Path) -> Status:
    """What the loop says of itself."""
    return Client(Layout(state).socket("loop")).call(StatusRequest(), Status).message


def frames(state: Path) -> int:
    """How many frames the loop has looked at; 0 while it has not opened its camera."""
    cameras = loop_status(state).details["cameras"]
    return int(cameras["camera"]["frames"]) if cameras else 0


def children(state: Path) -> SupervisorStatus:
    """What the supervisor says of its children."""
    client = Client(Layout(state).socket("supervisor"))
    return client.call(SupervisorStatusRequest(), SupervisorStatus).message


def test_it_runs_every_process(running: Path) -> None:
    """Models, dispatch, functions, video, desk, web and loop, each a process of its own."""
    well = until(
        lambda: {"running"} == {child.state for child in children(running).children}, "every child running"
    )

    assert well
    assert ["models", "dispatch", "functions", "desk", "web", "loop", "video"] == [
        child.name for child in children(running).children
    ]


def test_another_process_sees_the_newest_frame(running: Path, tmp_path: Path) -> None:
    """Raw as the camera gave it, and annotated over a copy."""
    for name, options in (("raw", []), ("seen", ["--annotated"])):
        subprocess.run(
            appliance(running, "view", "--out", str(tmp_path / f"{name}.jpg"), *options), check=True
        )
    raw, seen = (cv2.imread(str(tmp_path / f"{name}.jpg")) for name in ("raw", "seen"))

    assert raw is not None
    assert seen is not None
    assert (720, 1280, 3) == raw.shape == seen.shape


def test_two_appliances_on_one_state_directory_are_refused(running: Path) -> None:
    """The second says so in one sentence and leaves the first alone."""
    second = subprocess.run(
        appliance(running, "run", "--camera", "scene:door"), capture_output=True, text=True, check=False
    )

    assert 9 == second.returncode
    assert "appliance: error:" in second.stderr
    assert loop_status(running).pid


def test_somebody_enrolled_is_in_the_running_loops_gallery(running: Path, models: ModelsClient) -> None:
    """The loop takes the new reference up by itself; how fast is printed."""
    before = loop_status(running).details["gallery"]["references"]
    found = models.embed((PORTRAITS / "obama.jpg").read_bytes())
    with open_services(Settings(), Layout(running)) as services:
        subject = services.store.add_subject("Ann", consent=Consent(("identify",), "test", "test"))
        services.store.add_reference(subject.id, found.templates, quality=found.quality, details={})
        began = time.monotonic()
        until(lambda: loop_status(running).details["gallery"]["references"] == before + 1, "a new reference")
        took = time.monotonic() - began
    print(f"a new reference reached the running loop after {took:.2f} s")

    assert loop_status(running).details["gallery"]["subjects"] >= 1


def test_a_killed_process_is_restarted_and_said_so(running: Path) -> None:
    """Each child in turn: back with another pid, logged, and the loop's frames go on."""
    for name in ("models", "dispatch", "functions", "video", "desk", "web", "loop"):
        before = next(child for child in children(running).children if child.name == name)
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
        until(lambda name=name, pid=before.pid: _pid(running, name) not in {None, pid}, f"{name} restarted")
        until(lambda: frames(running) > 5, "frames again")
    with open_services(Settings(), Layout(running)) as services:
        restarted = until(lambda: _restarts(services.store), "the restarts in the log")

    assert {"models", "dispatch", "functions", "video", "desk", "web", "loop"} <= restarted


NAMES: dict[tuple[str, ...], set[str]] = {
    ("captures", "list"): {"capture", "sealed_at", "size_bytes"},
    ("doctor",): {"subject", "health", "words", "hint", "command", "place"},
    ("enroll", "list"): {
        *("id", "name", "initials", "alias", "state", "references", "strictness", "purposes", "created_at"),
    },
    ("enroll", "report"): {
        *("people", "references", "fpir", "margin", "expected", "levels", "leave_one_out", "alike"),
        *("one_reference", "low_quality", "no_reference", "stricter"),
    },
    ("enroll", "show", "Jsonia"): {
        *("id", "name", "initials", "alias", "state", "references", "strictness", "purposes", "created_at"),
        *("consents", "reference_list"),
    },
    ("enroll", "text"): {"text", "version", "purposes"},
    ("events", "head"): {"device", "position", "hash", "at", "public_key", "signature"},
    ("events", "list", "--limit", "1"): {"position", "id", "type", "at", "device", "hash", "body"},
    ("events", "show", "1"): {
        *("position", "id", "type", "at", "device", "hash", "body"),
        *("previous", "boot"),
    },
    ("events", "verify"): {
        *("ok", "device", "first", "last", "head", "signed_up_to", "checked_against", "kept_head"),
        *("dropped", "pruned_by", "checkpoints", "heads", "heads_before", "damaged_head_lines"),
    },
    ("models", "list"): {
        *("id", "file", "purpose", "licence", "size_bytes", "sha256", "input", "output"),
        *("sources", "converted_from", "converter", "optional"),
    },
    ("outbox", "list"): {
        *("number", "action", "state", "delivery", "attempts", "event", "not_before", "deadline"),
        *("started_at", "finished_at", "last_error", "idempotency_key", "rule"),
    },
}
"""What each command that lists or shows says with --json: the names of an answer, or of a row of it."""


@pytest.mark.parametrize("command", NAMES)
def test_commands_with_json_speak_json(running: Path, command: tuple[str, ...]) -> None:
    """They end with 0, say nothing else on standard output, and the names in it are stable."""
    with open_services(Settings(), Layout(running)) as services:
        if not any(subject.name == "Jsonia" for subject in services.store.subjects()):
            services.store.add_subject("Jsonia", consent=Consent(("identify",), "test", "test"))
    done = call("--state", running, *command, "--json")
    try:
        answer = json.loads(done.out)
    except ValueError:
        answer = [json.loads(line) for line in done.out.splitlines()]
    rows = answer if isinstance(answer, list) else [answer]

    assert (0, "") == (done.code, done.err)
    assert [] == [sorted(row) for row in rows if NAMES[command] != set(row)]


@dataclass(frozen=True)
class Stopped:
    """A box that ran, was asked something, and was ended by a SIGTERM.

    Attributes:
        state: Its state directory.
        pids: Of its processes, by name.
        code: It ended with.
        told: What it was asked.
    """

    state: Path
    pids: dict[str, int]
    code: int
    told: Any


def stopped(
    folder: Path, settings: str, *command: str, secrets: Mapping[str, str], ask: Callable[[Path], Any]
) -> Stopped:
    """Run a box with every process that its settings want, ask it something, and end it."""
    state, file = folder / "state", folder / "appliance.toml"
    file.write_text(f"{settings}{ANY_PORT}", encoding="utf-8")
    process = subprocess.Popen(
        [*appliance(state), "--settings", str(file), "run", *command], env={**os.environ, **secrets}
    )
    try:
        until(lambda: all(child.pid for child in children(state).children), "every process")
        told = ask(state)
        pids = {child.name: child.pid for child in children(state).children if child.pid is not None}
    finally:
        process.terminate()
        code = process.wait(30)
    return Stopped(state, pids, code, told)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A small box on the rendered door; how many faces it found in a picture."""

    def ask(state: Path) -> int:
        until(lambda: frames(state), "a first frame")
        photos = ModelsClient(Client(Layout(state).socket("models")))
        return photos.embed((PORTRAITS / "obama.jpg").read_bytes()).faces

    return stopped(
        tmp_path_factory.mktemp("small"),
        '[processes]\nmodels = "loop"\n',
        *("--camera", "scene:door"),
        secrets={},
        ask=ask,
    )


SECRETS = {"APPLIANCE_PASSPHRASE": "open sesame", "APPLIANCE_CAMERA": "rtsp://u:hunter2@127.0.0.1:9/x"}


@pytest.fixture(scope="module")
def secretive(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    """A box with two secrets in its environment; which process had which there, and the command lines."""

    def ask(state: Path) -> tuple[dict[str, set[str]], list[str]]:
        running = {child.name: child.pid for child in children(state).children}
        words = {"open sesame", "hunter2"}
        known = {name: {word for word in words if word in _environment(pid)} for name, pid in running.items()}
        everybody = (*running.values(), children(state).pid)
        return known, [Path(f"/proc/{pid}/cmdline").read_text() for pid in everybody]

    folder = tmp_path_factory.mktemp("secretive")
    return stopped(folder, '[vault]\nkey = "passphrase"\n', secrets=SECRETS, ask=ask)


def test_a_small_box_runs_loop_and_models_as_one_process(small: Stopped) -> None:
    """With `processes.models = "loop"` there is no models process, and pictures are still embedded."""
    assert ["dispatch", "functions", "desk", "web", "loop", "video"] == list(small.pids)
    assert 1 == small.told


def test_secrets_reach_only_who_needs_them(secretive: Stopped) -> None:
    """A passphrase to processes with keys, a camera's to loop and desk, neither to a command line."""
    known, lines = secretive.told
    both = {"open sesame", "hunter2"}
    keyless: set[str] = set()

    assert {
        "models": keyless,
        "dispatch": {"open sesame"},
        "functions": {"open sesame"},
        "video": {"open sesame"},
        "desk": both,
        "web": keyless,
        "loop": both,
    } == known
    assert [] == [line for line in lines if "sesame" in line or "hunter2" in line]


@pytest.mark.parametrize("box", ["small", "secretive"])
def test_nothing_is_left_of_it_when_it_stops(box: str, request: pytest.FixtureRequest) -> None:
    """SIGTERM ends every process, in order, with code 0; the sockets are gone. Of both boxes that end."""
    ended: Stopped = request.getfixturevalue(box)

    assert 0 == ended.code
    assert len(ended.pids) >= 5
    assert [] == [pid for pid in ended.pids.values() if Path(f"/proc/{pid}").exists()]
    assert [] == list((ended.state / "run").glob("*.sock"))


def test_no_camera_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Without --camera, and without pages on which one could be set up, it says what to do."""
    state = fresh(tmp_path / "state")
    (state / "appliance.toml").write_text("[web]\nenabled = false\n", encoding="utf-8")
    done = subprocess.run(appliance(state, "run"), capture_output=True, text=True, check=False)

    assert 2 == done.returncode
    assert "appliance: hint:" in done.stderr
    assert "Traceback" not in done.stderr


def _environment(pid: int | None) -> str:
    return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8", errors="replace")


def _pid(state: Path, name: str) -> int | None:
    try:
        return next(child.pid for child in children(state).children if child.name == name)
    except WireError:
        return None


def _restarts(store: Store) -> set[str]:
    found = {
        stored.event.process
        for stored in store.events(types=("process_restarted",))
        if stored.event is not None and hasattr(stored.event, "process")
    }
    return found if {"models", "dispatch", "functions", "video", "desk", "web", "loop"} <= found else set()
