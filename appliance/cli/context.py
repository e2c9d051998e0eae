"""What every command is handed: where the settings and the state are.

Opens nothing until asked; each command opens only what it needs.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from appliance import logs
from appliance.errors import SettingsError
from appliance.layout import CAMERA_VARIABLE, Layout
from appliance.settings import ActionSettings, DoorSettings, Settings, When
from appliance.settings.overlay import SettingsFiles
from appliance.settings.wording import in_words

if TYPE_CHECKING:
    from appliance.services import Services

SYSTEM_SETTINGS = Path("/etc/appliance.toml")
WHEN_VARIABLE = "APPLIANCE_WHEN"
"""When faces are read on that source."""
TERMINAL_ACTION: Mapping[str, Any] = {
    "id": "terminal",
    "kind": "line",
    "on": (
        *("door_opened", "door_shut", "subject_identified", "stranger_seen", "stranger_retracted"),
        *("stranger_captured", "capture_skipped", "person_undecided", "camera_lost", "camera_recovered"),
        *("door_held_open", "camera_moved", "camera_covered", "camera_dark", "camera_frozen", "camera_clear"),
    ),
}
"""What a run with `--camera` says where no action is configured."""
TERMINAL_VARIABLE = "APPLIANCE_TERMINAL"
"""Set for the processes of a run with `--camera`: to `names` where a person looks on, else to `ids`."""
_MODELS_PART: Mapping[str, Any] = {
    **dict.fromkeys(("faces", "models", "processes", "log"), True),
    "search": {"model", "networks", "detector"},
}
"""What the models process is handed of the settings."""
SCENE_DOOR: Mapping[str, Any] = {
    "region": (0.33, 0.05, 0.67, 0.3),
    "seed": (0.45, 0.15),
    "shut_fraction": 0.92,
}
"""Where the door of the bundled scene is; on a real camera the settings say it."""


class Context:
    """Settings and state, found when first needed.

    Args:
        settings: The file named on the command line, if any.
        state: The directory named on the command line, if any.
        part: A part of the settings as JSON, instead of any file: for a process that must not see the rest.

    Raises:
        SettingsError: The directory's path is not text; the database's address has to be.
    """

    def __init__(self, settings: Path | None, state: Path | None, part: str | None = None) -> None:
        if state is not None and not _is_text(state):
            raise SettingsError(
                "--state: the path is not UTF-8 text", hint="choose a directory whose path is"
            )
        self._named = settings
        self.layout = Layout(state.resolve() if state is not None else _default_state())
        self._settings: Settings | None = None if part is None else parse_part(part)

    @property
    def settings_file(self) -> Path | None:
        """The file the settings are read from, or None when there is none and defaults hold."""
        if self._named is not None:
            return self._named
        candidates = (self.layout.settings_file, SYSTEM_SETTINGS)
        return next((path for path in candidates if path.exists()), None)

    @property
    def settings_files(self) -> SettingsFiles:
        """The file and the overlay that the UI writes."""
        return SettingsFiles(self.settings_file, self.layout.overlay_file)

    @property
    def settings(self) -> Settings:
        """The settings: the file, and what was changed in the UI.

        Raises:
            SettingsError: One of both is wrong, or the file named is not there.
        """
        if self._settings is None:
            settings = self.settings_files.read().settings
            source = os.environ.get(CAMERA_VARIABLE)
            if source:
                settings = with_camera(settings, source, os.environ.get(WHEN_VARIABLE))
            self._settings = with_terminal(settings, os.environ.get(TERMINAL_VARIABLE))
        return self._settings

    def renewed(self) -> Settings:
        """The settings, read again: they may have changed in the UI meanwhile.

        Raises:
            SettingsError: They are wrong.
        """
        self._settings = None
        return self.settings

    def use(self, settings: Settings) -> None:
        """Put other settings in their place, for a command that builds its own."""
        self._settings = settings

    def log_as(self, process: str) -> None:
        """Set up diagnostics for this process."""
        logs.configure(process, level=self.settings.log.level, json_lines=self.settings.log.json_lines)

    @contextmanager
    def services(self, *, create: bool = False) -> "Iterator[Services]":
        """Database and vault, opened; closed at the end of the block.

        Args:
            create: Make keys and database where there are none: the first boot.
        """
        # Here, for the half of our processes that have no database, and the commands that look at none.
        from appliance.services import open_services

        with open_services(self.settings, self.layout, create=create) as services:
            yield services

    def process_command(self, name: str) -> list[str]:
        """The command line that starts one of our processes with these settings and this state.

        The models and the web process are handed their own part of the settings instead of the file,
        which may hold a camera's password.
        """
        command = [sys.executable, "-m", "appliance", "--state", str(self.layout.state)]
        if name == "models":
            part = self.settings.model_dump_json(include=_MODELS_PART)
            return [*command, "--settings", os.devnull, "process", name, "--part", part]
        if name == "web":
            part = self.settings.model_dump_json(include={"site", "web", "log"})
            return [*command, "--settings", os.devnull, "--part", part, "web", "serve"]
        if self.settings_file is not None:
            command += ["--settings", str(self.settings_file)]
        return [*command, *(("enroll", "serve") if name == "desk" else ("process", name))]

    def renewed_command(self, name: str) -> list[str]:
        """The same, with the settings read again: they may have changed in the UI meanwhile.

        Raises:
            SettingsError: They are wrong.
        """
        self.renewed()
        return self.process_command(name)

    def need_settings_file(self) -> Path:
        """The settings file; where there is none, the UI's overlay.

        Raises:
            SettingsError: There is neither.
        """
        path = self.settings_file
        if path is None and self.layout.overlay_file.exists():
            path = self.layout.overlay_file
        if path is None:
            raise SettingsError(
                f"there is no settings file, neither {self.layout.settings_file} nor {SYSTEM_SETTINGS}",
                hint="name one with --settings FILE, or a camera with: appliance run --camera /dev/video0",
            )
        return path


def with_terminal(settings: Settings, show: str | None) -> Settings:
    """The settings with an action that prints what happens, if they have none and it is wanted.

    Args:
        settings: As read.
        show: `names` or `ids`; None leaves the settings as they are.
    """
    if show is None or settings.actions:
        return settings
    action = ActionSettings.model_validate({**TERMINAL_ACTION, "names": show == "names"})
    return settings.model_copy(update={"actions": (action,)})


def parse_part(text: str) -> Settings:
    """Settings from the JSON of a part of them, as `Context.process_command` makes it.

    Raises:
        SettingsError: It is not that.
    """
    try:
        return Settings.model_validate_json(text)
    except ValidationError as error:
        raise SettingsError("--part is not a part of the settings as JSON") from error


def with_camera(settings: Settings, source: str, when: str | None) -> Settings:
    """The settings with one camera, `camera`, that reads `source`.

    It takes over what is configured of the first camera, its door, if there is one, and the things looked for
    there; a source without a door reads faces always. Coffees are counted before it if they are before the
    first camera, or if it is the rendered coffee corner.

    Raises:
        SettingsError: `when` asks for a door, and there is none.
    """
    first = settings.cameras[0] if settings.cameras else None
    doors = [door for door in settings.doors if first is not None and door.camera == first.id]
    things = [each for each in settings.objects if first is not None and each.camera == first.id]
    if source.startswith("scene:door") and not doors:
        doors = [DoorSettings(id="door", camera="camera", **SCENE_DOOR)]
    camera = {**(first.model_dump() if first is not None else {}), "id": "camera", "source": source}
    camera["when"] = when or (When.DOOR if doors else When.ALWAYS)
    corner = (first is not None and first.id in settings.coffee.cameras) or source == "scene:coffee"
    watched = ["camera"] if corner and camera["when"] != When.DOOR else []
    changed = {
        "coffee": {**settings.coffee.model_dump(), "cameras": watched},
        "cameras": [camera],
        "doors": [{**door.model_dump(), "camera": "camera"} for door in doors],
        "objects": [{**each.model_dump(), "camera": "camera"} for each in things],
    }
    try:
        kept = settings.model_dump(exclude=set(changed))
        return Settings.model_validate({**kept, **changed})
    except ValidationError as error:
        fault = in_words(error.errors(include_input=False)[0], Settings)
        raise SettingsError(f"--camera: {fault}") from None


def _is_text(path: Path) -> bool:
    """Whether a path can be written as UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _default_state() -> Path:
    """The StateDirectory of systemd where there is one, else data/var/state of the checkout."""
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.partition(":")[0])
    return Path(__file__).parents[2] / "data" / "var" / "state"
