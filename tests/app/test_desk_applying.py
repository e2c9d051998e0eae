"""What is set up in the pages is written, logged and put in force, or none of it."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from desk_setting_up import FILE, PATIENCE_S, WHOLE, Here

from appliance.app.desk.applying import Applying, Source
from appliance.errors import SettingsError, StoreError
from appliance.services import Layout, Services
from appliance.settings.overlay import SettingsFiles


def saved(here: Here, **changes: Any) -> str:
    """Save the door front; what is said of its picture."""
    given = {**WHOLE, "door": "front", "camera": "entrance", **changes}
    return str(here.ask("doors.save", **given)["picture"])


def test_a_change_is_kept_where_no_supervisor_is(alone: Here) -> None:
    """Processes that are units of their own: who saved is told that they have to be restarted."""
    saved = alone.ask("cameras.save", camera="entrance", when="approach")

    assert (["loop"], []) == (saved["pending"], saved["restarting"])
    assert "approach" == alone.settings.cameras[0].when.value


def test_what_cannot_be_written_is_not_in_the_log(services: Services, file: Path, tmp_path: Path) -> None:
    """A disk that is full, a folder that is gone: an event tells of what happened only."""
    files = SettingsFiles(file, tmp_path / "gone" / "overlay.toml")
    applying = Applying(services, Source(files, lambda: files.read().settings))
    with pytest.raises(SettingsError, match="cannot be written"):
        applying.save({"recognition.margin": 0.2})

    assert [] == services.store.events(types=("settings_changed",))


def test_what_cannot_be_logged_does_not_hold(quiet: Here, layout: Layout) -> None:
    """What was there before is put back, nothing if there was nothing, and nobody restarts."""
    with sqlite3.connect(layout.database) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StoreError):
        quiet.applying.save({"recognition.margin": 0.2})
    at_first = quiet.files.overlay.exists()
    with sqlite3.connect(layout.database) as database:
        database.execute("DROP TRIGGER full")
    quiet.applying.save({"recognition.margin": 0.3})
    before = quiet.files.overlay.read_text()
    with sqlite3.connect(layout.database) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(StoreError):
        quiet.applying.save({"recognition.margin": 0.2})

    assert not at_first
    assert before == quiet.files.overlay.read_text()
    assert ["loop"] == quiet.box.restarted


def test_everything_restarts_where_everything_reads_it(quiet: Here) -> None:
    """The desk and web last and a moment later, so that the answer gets out."""
    saved = quiet.applying.save({"log.level": "warning"})
    deadline = time.monotonic() + PATIENCE_S
    while len(quiet.box.restarted) < 7 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert ("models", "dispatch", "loop", "functions", "video", "desk", "web") == saved.restarting
    assert ["models", "dispatch", "loop", "functions", "video"] == quiet.box.restarted[:5]
    assert {"desk", "web"} == set(quiet.box.restarted[5:])
    assert not saved.whole


def test_with_models_in_the_loop_the_loop_restarts(quiet: Here) -> None:
    """There is no other process to ask."""
    quiet.file.write_text(FILE + '\n[processes]\nmodels = "loop"\n', encoding="utf-8")

    assert ("loop",) == quiet.applying.save({"processes.models_memory_mib": 4096}).restarting


def test_what_the_supervisor_goes_by_holds_after_a_new_start(quiet: Here) -> None:
    """It is written and said."""
    assert quiet.applying.save({"vault.key": "passphrase"}).whole


def test_a_fault_of_the_file_does_not_keep_another_thing_from_being_mended(quiet: Here) -> None:
    """A camera whose file is away today is not in the way of changing a threshold."""
    quiet.file.write_text(
        FILE.replace("rtsp://admin:hunter2@10.0.0.5/main", "/nonexistent.mp4"), encoding="utf-8"
    )
    saved = quiet.applying.save({"recognition.margin": 0.2})

    assert ["recognition.margin"] == [each.key for each in saved.differences]


def test_a_broken_file_is_told_and_nothing_written(quiet: Here) -> None:
    """Its line, as at the start."""
    quiet.file.write_text("site = 3", encoding="utf-8")
    with pytest.raises(SettingsError, match=f"{quiet.file}:1: site"):
        quiet.applying.save({"recognition.margin": 0.2})

    assert not quiet.files.overlay.exists()
