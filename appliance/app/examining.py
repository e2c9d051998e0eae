"""`appliance doctor`: looks at everything the appliance needs and says in plain words how it is.

Mends nothing. Opening a database that an older version wrote brings it up to date, as every
command does. Each look is a function that returns findings; one that fails becomes a finding
itself and the others go on.
"""

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from appliance.app.embedding import ENROLLED_MODELS
from appliance.camera import open_source
from appliance.clock import SystemClock
from appliance.errors import ApplianceError, WireError
from appliance.evidence import parse_recipients
from appliance.models.folder import ModelFolder
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.wire import Client
from appliance.wire.messages import Status, StatusRequest, SupervisorStatus, SupervisorStatusRequest

Health = Literal["ok", "note", "problem"]

_LOW_DISK_MIB = 500
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that says it is earlier has not been set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is.

    Attributes:
        subject: What was looked at.
        health: ok, note (works, worth knowing) or problem.
        words: What was found.
        hint: What to do, if anything.
    """

    subject: str
    health: Health
    words: str
    hint: str = ""


def examine(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    looks: tuple[tuple[str, Callable[[Settings, Layout], Iterator[Finding]]], ...] = (
        ("python", _python),
        ("models", _models),
        ("state", _state),
        ("log", _log),
        ("recipients", _recipients),
        ("cameras", _cameras),
        ("clock", _clock),
        ("processes", _processes),
    )
    for subject, look in looks:
        try:
            yield from look(settings, layout)
        except ApplianceError as error:
            yield Finding(subject, "problem", error.message, error.hint)


def _python(settings: Settings, layout: Layout) -> Iterator[Finding]:
    del settings, layout
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", "ok", f"Python {version}, {os.cpu_count()} processor(s)")


def _models(settings: Settings, layout: Layout) -> Iterator[Finding]:
    del layout
    folder = ModelFolder(settings.models.directory)
    findings = folder.verify()
    for finding in findings:
        finding.raise_if_unusable(folder.directory)
    yield Finding("models", "ok", f"{len(findings)} files, every byte as the manifest says")


def _state(settings: Settings, layout: Layout) -> Iterator[Finding]:
    if not layout.state.exists():
        yield Finding("state", "note", f"{layout.state} is not there yet", "the first run makes it")
        return
    mode = layout.state.stat().st_mode & 0o077
    if mode:
        yield Finding(
            "state", "problem", f"{layout.state} is open to other users", f"chmod 700 {layout.state}"
        )
    free = shutil.disk_usage(layout.state).free // 2**20
    enough = free >= _LOW_DISK_MIB + settings.evidence.min_free_mib
    yield Finding(
        "disk",
        "ok" if enough else "problem",
        f"{free} MiB free",
        "" if enough else "free some space; below evidence.min_free_mib no capture is stored",
    )
    if settings.vault.key == "file":
        yield Finding(
            "key",
            "note",
            "the device key is a file: it protects copies of the database, not a stolen box",
            "vault.key = 'passphrase' or 'credential' protects both",
        )


def _log(settings: Settings, layout: Layout) -> Iterator[Finding]:
    if not layout.database.exists() and settings.store.url is None:
        yield Finding("log", "note", "there is no database yet", "the first run makes it")
        return
    with open_services(settings, layout) as services:
        report = services.store.verify()
        yield Finding("log", "ok", f"the chain of {report.last} event(s) holds")
        people = services.store.subjects()
        if not any(person.references for person in people):
            yield Finding(
                "people", "note", "nobody is enrolled", 'appliance enroll add "Name" photo.jpg --consent "…"'
            )
        else:
            yield Finding("people", "ok", f"{len(people)} enrolled")
        for reference in services.store.gallery(ENROLLED_MODELS).damaged:
            yield Finding(
                "people",
                "problem",
                f"reference {reference} is damaged and left out: nobody is recognised by it",
                f"appliance enroll remove-reference {reference}, and add the photo again",
            )


def _recipients(settings: Settings, layout: Layout) -> Iterator[Finding]:
    del layout
    found = parse_recipients(settings.evidence.recipients)
    if found:
        yield Finding("recipients", "ok", f"captures are sealed to {', '.join(r.fingerprint for r in found)}")
    else:
        yield Finding(
            "recipients",
            "note",
            "no recipient: strangers are logged without a picture",
            "put your SSH public key into evidence.recipients",
        )


def _cameras(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Open each camera and wait for a frame, unless the appliance runs and has them."""
    if not settings.cameras:
        yield Finding("cameras", "note", "none is configured", "try: appliance run --camera /dev/video0")
        return
    if _answers(layout):
        yield Finding("cameras", "ok", "left to the running appliance; see: appliance view --out frame.jpg")
        return
    for camera in settings.cameras:
        began = time.monotonic()
        try:
            with contextlib.closing(open_source(camera, SystemClock())) as source:
                source.open()
                shot = source.read()
        except ApplianceError as error:
            yield Finding(f"camera {camera.id}", "problem", error.message, error.hint)
            continue
        if shot is None:
            yield Finding(f"camera {camera.id}", "problem", "it gives no picture")
            continue
        took = time.monotonic() - began
        size = f"{shot.picture.width} x {shot.picture.height}"
        yield Finding(f"camera {camera.id}", "ok", f"{size}, first picture after {took:.1f} s")


def _clock(settings: Settings, layout: Layout) -> Iterator[Finding]:
    del settings, layout
    now = datetime.now(UTC)
    if now < _BUILT:
        yield Finding("clock", "problem", f"it says {now:%Y-%m-%d}", "set it, or let NTP do it")
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def _processes(settings: Settings, layout: Layout) -> Iterator[Finding]:
    del settings
    if not _answers(layout):
        yield Finding("processes", "note", "the appliance does not run", "start it with: appliance run")
        return
    status = Client(layout.socket("supervisor")).call(SupervisorStatusRequest(), SupervisorStatus).message
    yield from _records(layout)
    for child in status.children:
        well = child.state == "running"
        words = f"{child.state}, restarted {child.restarts} time(s)"
        if child.last_exit:
            words += f", last ended: {child.last_exit}"
        yield Finding(f"process {child.name}", "ok" if well else "problem", words)


def _records(layout: Layout) -> Iterator[Finding]:
    """Whether the running loop can write what it decides."""
    try:
        status = Client(layout.socket("loop"), timeout_s=2.0).call(StatusRequest(), Status).message
    except WireError:
        return  # the loop's own line says how it is
    records = status.details.get("records", {})
    if records.get("failing"):
        yield Finding(
            "recording",
            "problem",
            f"the database takes nothing; {records.get('waiting', 0)} record(s) wait in memory",
            "free some space on the state directory's disk",
        )


def _answers(layout: Layout) -> bool:
    try:
        Client(layout.socket("supervisor"), timeout_s=2.0).call(SupervisorStatusRequest(), SupervisorStatus)
    except WireError:
        return False
    return True
