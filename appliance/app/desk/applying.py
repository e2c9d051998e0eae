"""Settings changed in the UI, put in force: checked, logged, written as the overlay, and read anew.

Every page that changes settings saves through here, so that two of them never write at once.

    applying.propose({"recognition.fpir": 0.0005}).differences   what would change, for a person to see
    applying.save({"recognition.fpir": 0.0005}, revision=…)       makes it so

The loop and the others read settings when they start. What is asked to restart is told; the desk and web go
last and a moment later, so that the answer to whoever saved still gets out.

The overlay is written before the log, and what was there is put back if the log cannot take it: nothing is in
the log that did not happen, and nothing holds that is not in it.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import private_files
from appliance.app.checking import faults
from appliance.app.desk.foreign import foreign_targets
from appliance.app.desk.in_person import decides_a_lock, only_in_person
from appliance.app.desk.sources import foreign_sources
from appliance.errors import ApplianceError, FormError, SettingsError, UnknownProcessError, WireError
from appliance.events import Event, SettingsChanged
from appliance.permissions import Caller
from appliance.services import Services
from appliance.settings import Settings
from appliance.settings.keys import key_of
from appliance.settings.overlay import Difference, Proposal, SettingsFiles, proposed
from appliance.store import NewEvent, StoredEvent
from appliance.wire import Client
from appliance.wire.messages import Done, RestartChild

ORDER = ("models", "dispatch", "loop", "functions", "video", "search", "desk", "web")
"""Everything that a change with the scope `all` restarts, in this order."""
WHOLE = ("store", "vault", "processes.models", "web.enabled", "video.enabled", "search.enabled")
"""Settings that the supervisor itself goes by: they hold once the whole appliance was started anew."""

_OURS = ("desk", "web")
_LATER_S = 0.5
Changes = Mapping[str, Any] | Callable[[Settings], Mapping[str, Any]]
"""Key → value; or what makes that of the settings as they are when nobody else changes them."""

_CHANGED = "somebody else has changed the settings meanwhile; look at them again"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the settings come from.

    Attributes:
        files: What people and the UI wrote.
        running: The settings as processes that start now read them: of a run with `--camera`, its camera
            is in them. Raises SettingsError if they are wrong.
    """

    files: SettingsFiles
    running: Callable[[], Settings]


def source_of(services: Services) -> Source:
    """That of a box whose settings are where they are looked for, started without `--camera`."""
    layout = services.layout
    file = layout.settings_file if layout.settings_file.exists() else None
    files = SettingsFiles(file, layout.overlay_file)
    return Source(files, lambda: files.read().settings)


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it.

    Attributes:
        differences: What has changed of the settings; none: nothing of them was written.
        restarting: The processes that read it now.
        pending: Those that could not be asked to: they are not run by `appliance run`.
        whole: It holds once the whole appliance was started anew.
        revision: Of the settings as they are now.
    """

    differences: tuple[Difference, ...]
    restarting: tuple[str, ...]
    pending: tuple[str, ...]
    whole: bool
    revision: str

    def told(self) -> dict[str, Any]:
        """As JSON values, for answers of operations."""
        return {
            "changed": [each.key for each in self.differences],
            "restarting": list(self.restarting),
            "pending": list(self.pending),
            "whole": self.whole,
            "revision": self.revision,
        }


class Applying:
    """Puts changes of settings in force.

    Args:
        services: The log, and where the supervisor listens.
        source: Where settings are.
        later_s: Seconds after which the desk and web are asked to restart.
    """

    def __init__(self, services: Services, source: Source, *, later_s: float = _LATER_S) -> None:
        self._services = services
        self._source = source
        self._files = source.files
        self._supervisor = Client(services.layout.socket("supervisor"), timeout_s=5.0)
        self._later_s = later_s
        self._lock = threading.Lock()

    def propose(
        self, changes: Mapping[str, Any], *, resets: Iterable[str] = (), who: Caller | None = None
    ) -> Proposal:
        """What would be; see `appliance.settings.overlay.proposed`.

        Args:
            changes: Key → value.
            resets: Keys for which the file's word is to hold again.
            who: Who asks; None: whoever asks has been seen to be somebody who is signed in, or what is
                changed here never has a say in whom a lock opens for.

        Raises:
            FormError: It would be wrong, or the program does not know what it names.
            DeniedError: It has a say in whom a lock opens for, and no person asks who is signed in.
            SettingsError: The files are wrong already.
        """
        found = proposed(self._files, changes, resets=resets)
        keys = [each.key for each in found.differences]
        if who is not None and decides_a_lock(keys, self._files.read().settings, found.settings):
            only_in_person(who)
        raw = found.settings.model_dump()
        # First, so that no other fault says what there is on this machine.
        fields = foreign_sources(found.settings, self._known_sources(), self._services.layout)
        now = self._files.read()
        foreign = foreign_targets(now.settings, found.settings, changes, now.base.raw)
        if foreign:
            raise FormError(next(iter(foreign.values())), fields=foreign)
        for fault in faults(found.settings):
            # A fault of a camera begins with its name, which the key says already.
            words = fault.words.partition(": ")[2] if fault.words.startswith("camera ") else fault.words
            fields.setdefault(key_of(fault.place, raw), f"{words}; {fault.hint}".rstrip("; "))
        # What was wrong before somebody else's doing must not stand in the way of mending another thing.
        touched = {each.key for each in found.differences}
        mine = {key: words for key, words in fields.items() if key in touched}
        if mine:
            raise FormError(next(iter(mine.values())), fields=mine)
        return found

    def history(self, types: tuple[str, ...], limit: int) -> list[StoredEvent]:
        """What was logged of these types, the newest first."""
        return self._services.store.events(types=types, limit=limit, newest_first=True)

    def _known_sources(self) -> set[str]:
        """Addresses of cameras that were written on the machine itself, or hold already."""
        written = self._files.read()
        cameras = (*written.settings.cameras, *self._source.running().cameras)
        told = {camera.source.get_secret_value() for camera in cameras}
        return told | {str(row.get("source")) for row in written.base.raw.get("cameras", [])}

    def save(
        self,
        changes: Changes,
        *,
        resets: Iterable[str] = (),
        revision: str = "",
        events: Iterable[Event] = (),
        anew: Collection[str] = (),
        who: Caller | None = None,
    ) -> Saved:
        """Make it so: write, log, restart.

        Args:
            changes: Key → value. Whoever changes a part of a value (one line of a list) makes it of what is
                there, so that two who do so at once both get their way.
            resets: Keys for which the file's word is to hold again.
            revision: Of the settings that whoever saves has seen; empty: whatever they are now.
            events: Logged with the change, in the same transaction.
            anew: Processes that restart even where no setting is another: something else they read is.
            who: As for `propose`.

        Raises:
            FormError: It would be wrong, or the settings are not what was seen any more.
            DeniedError: As for `propose`.
            SettingsError: The files are wrong already, or the overlay cannot be written.
            StoreError: It cannot be logged; what was there before holds again then.
        """
        with self._lock:
            given = changes(self._files.read().settings) if callable(changes) else changes
            found = self.propose(given, resets=resets, who=who)
            if revision and revision != found.revision:
                raise FormError(_CHANGED, fields={"revision": _CHANGED})
            if not found.differences and not anew:
                return Saved((), (), (), whole=False, revision=found.revision)
            keys = tuple(each.key for each in found.differences)
            if keys:
                self._write_logged(found.text, [SettingsChanged(keys=keys), *events])
            else:
                self._services.store.append_all([NewEvent(event) for event in events])
            revision = self._files.revision()
        whole = any(key == part or key.startswith(f"{part}.") for key in keys for part in WHOLE)
        restarting, pending = self._restart(wanted(found, anew))
        return Saved(found.differences, restarting, pending, whole=whole, revision=revision)

    def _write_logged(self, text: str, events: Iterable[Event]) -> None:
        overlay = self._files.overlay
        before = _content(overlay)
        self._write(text.encode())
        try:
            self._services.store.append_all([NewEvent(event) for event in events])
        except ApplianceError:
            if before is None:
                overlay.unlink(missing_ok=True)
            else:
                self._write(before)
            raise

    def _write(self, content: bytes) -> None:
        try:
            private_files.replace(self._files.overlay, content)
        except OSError as error:
            raise SettingsError(
                f"{self._files.overlay} cannot be written: {error.strerror}",
                hint="is the disk full, or does the folder belong to another account?",
            ) from error

    def _restart(self, wanted: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ask the supervisor for what needs it; who was asked, and who could not be."""
        asked: list[str] = []
        pending: list[str] = []
        for name in wanted:
            if name in _OURS:
                timer = threading.Timer(self._later_s, self._ask, [name])
                timer.daemon = True
                timer.start()
                asked.append(name)
            else:
                (asked if self._ask(name) else pending).append(name)
        return tuple(asked), tuple(pending)

    def _ask(self, name: str) -> bool:
        """Whether the supervisor will restart it; one that does not run it has nothing to restart."""
        try:
            self._supervisor.call(RestartChild(child=name), Done)
        except UnknownProcessError:
            return True
        except WireError:
            return False
        return True


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def wanted(found: Proposal, anew: Collection[str] = ()) -> tuple[str, ...]:
    """The processes that have to restart, in the order in which they do."""
    scopes = {*found.scopes, *anew}
    if "all" in scopes:
        scopes.update(ORDER)
    if found.settings.processes.models == "loop" and "models" in scopes:
        scopes = scopes - {"models"} | {"loop"}
    if not found.settings.search.enabled:
        scopes = scopes - {"search"}  # unlike the others, few boxes run it
    return tuple(name for name in ORDER if name in scopes)
