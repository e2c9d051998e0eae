"""The device key changed for another: whatever breaks it off, the old key or the new opens everything."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import rekeyer
import stores

import appliance
from appliance.app.rekeying import Places, rekey
from appliance.app.stream_folders import folder_of
from appliance.app.video_streams import SpoolSealing
from appliance.errors import StoreError, VaultError
from appliance.permissions import Role
from appliance.services import Layout, Services, open_services
from appliance.settings import Settings, load
from appliance.settings.overlay import SettingsFiles
from appliance.store import Store
from appliance.values import SFACE
from appliance.vault import KeyFile, KeySource, PassphraseKey
from appliance.video.clip import About
from appliance.video.clip_folder import ClipFolder
from appliance.video.clips import Clips
from appliance.video.retention import Limits

SUPPORT = Path(__file__).parents[1] / "support"
NAMES = [f"Ann {number}" for number in range(201)]
"""One more than is rewrapped in a transaction."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a box lies that many are enrolled on."""
    folder = tmp_path_factory.mktemp("rekey")
    with open_services(Settings(), Layout(folder / "state"), create=True) as services:
        for name in NAMES:
            services.store.add_subject(name, consent=stores.AGREED)
        first = services.store.subjects()[0]
        services.store.add_reference(first.id, stores.face(0.25), quality=80.0, details={})
        services.store.add_operator("Ada", Role.ADMIN)
        clip = clips_of(services).begin("hall", 640, 360, About(), 1_000)
        ClipFolder(services.layout.clips, clip.id, services.vault).add(0, 1_000, 2_000, b"a dog")
        waiting = folder_of(services.layout.kvs, "office-hall")
        waiting.mkdir(parents=True)
        (waiting / "waits").write_bytes(SpoolSealing(waiting, services.vault).seal("row", b"a cat"))
    (folder / "state" / "appliance.toml").write_text("", encoding="utf-8")
    return folder


@pytest.fixture
def state(folder: Path, tmp_path: Path) -> Path:
    """A copy of that box."""
    return Path(shutil.copytree(folder / "state", tmp_path / "state"))


def change(state: Path, places: Places) -> list[str]:
    """Change the key; the names of the steps."""
    files = SettingsFiles(state / "appliance.toml", state / "overlay.toml")
    return [step.name for step in rekey(files.read().settings, files, Layout(state), places)]


def opened(state: Path, source: KeySource) -> tuple[list[str | None], list[float], list[str | None], int]:
    """Everything sealed on a box: names, a template's first number, logins; and the log's end, verified."""
    with open_services(Settings(), Layout(state), source=source) as services:
        return sealed_in(services.store)


def sealed_in(store: Store) -> tuple[list[str | None], list[float], list[str | None], int]:
    """The same of a store."""
    rows = store.gallery((SFACE,)).rows
    logins = [each.login for each in store.operators()]
    names = sorted(str(each.name) for each in store.subjects())
    return list(names), [float(row.embedding[0]) for row in rows], logins, store.verify().last


def clips_of(services: Services) -> Clips:
    """The clips of a box at rest."""
    kept = Limits(None, 1 << 30, 0)
    clips = Clips(
        services.layout.clips, services.vault, kept, lambda _: None, clock=services.clock, ids=services.ids
    )
    clips.open()
    return clips


def video(state: Path, source: KeySource) -> list[bytes]:
    """What is recorded on a box, and what waits to be sent, in clear."""
    with open_services(Settings(), Layout(state), source=source) as services:
        clips = clips_of(services)
        waiting = folder_of(services.layout.kvs, "office-hall")
        sent = SpoolSealing(waiting, services.vault).unseal("row", (waiting / "waits").read_bytes())
        return [*(clips.read(each.id, 0)[1] for each in clips.clips()), sent]


def new(state: Path) -> KeySource:
    """Where the new key rests after the change."""
    return rekeyer.places(state).target


def run_rekeyer(folder: Path, *names: str) -> str:
    """What `support/rekeyer.py` says."""
    path = os.pathsep.join([str(Path(appliance.__file__).parents[1]), str(SUPPORT)])
    return subprocess.run(
        [sys.executable, SUPPORT / "rekeyer.py", folder, *names],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    ).stdout


@pytest.fixture(scope="module")
def killed(folder: Path) -> list[Path]:
    """Copies of the box, killed after each step; the last was not."""
    return [folder / str(number) for number in range(int(run_rekeyer(folder)) + 1)]


def test_killed_after_any_step_the_old_key_or_the_new_opens_everything(killed: list[Path]) -> None:
    """By -9: names, templates, logins, the log. Never neither."""
    for state in killed:
        whole = []
        for source in (KeyFile(state / "device.key"), new(state)):
            if source.exists():
                found = opened(state, source)
                whole.append((sorted(NAMES), [0.25], ["Ada"]) == found[:3])

        assert whole, state.name
        assert all(whole), state.name
    assert len(killed) >= 8


def test_killed_after_any_step_what_was_recorded_opens(killed: list[Path]) -> None:
    """Clips, and what waits to be sent: by the old key or the new, and by the new one at the end."""
    for state in killed:
        sources = [each for each in (KeyFile(state / "device.key"), new(state)) if each.exists()]

        assert [[b"a dog", b"a cat"]] * len(sources) == [video(state, source) for source in sources], (
            state.name
        )


def test_broken_off_it_is_brought_to_its_end_by_the_next(killed: list[Path], tmp_path: Path) -> None:
    """From wherever the key rests then; afterwards the old key is nowhere and nothing opens with it."""
    for left in killed:
        state = Path(shutil.copytree(left, tmp_path / left.name))
        places = rekeyer.places(state)
        old = KeyFile(killed[0] / "device.key").load(create=False)
        now = load(state / "overlay.toml").vault.key if (state / "overlay.toml").exists() else "file"
        if now == "passphrase":
            places = Places("passphrase", places.target, "passphrase", places.target)
            if not (state / "rekey.json").exists():
                continue
        steps = change(state, places)

        assert "finished" == steps[-1]
        assert (sorted(NAMES), [0.25], ["Ada"]) == opened(state, new(state))[:3]
        assert not (state / "rekey.json").exists()
        assert not (state / "device.key").exists()
        KeyFile(tmp_path / "old.key").put(old)
        with pytest.raises(VaultError):
            opened(state, KeyFile(tmp_path / "old.key"))


def test_no_step_leaves_the_old_key_when_it_came_to_its_end(killed: list[Path]) -> None:
    """Neither its file nor a value wrapped under it, in no file of the state directory."""
    state = killed[-1]
    old_line = (killed[0] / "device.key").read_bytes()
    old = KeyFile(killed[0] / "device.key").load(create=False)
    kept = b"".join(path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file())
    with open_services(Settings(), Layout(killed[0]), source=KeyFile(killed[0] / "device.key")) as services:
        wrapped = stores.sql(f"sqlite:///{killed[0] / 'appliance.db'}", "SELECT wrapped_key FROM subjects")
        del services

    assert old not in kept
    assert old_line.strip() not in kept
    assert [] == [1 for (value,) in wrapped if value in kept]
    assert 'key = "passphrase"' in (state / "overlay.toml").read_text()


def test_killed_while_a_key_is_written_it_does_not_stay_beside(folder: Path) -> None:
    """In the clear, under a name nobody knows: when the change comes to its end, no such file is there."""
    names = ("rekey.json", "signing.key", "device.passphrase.json")
    run_rekeyer(folder, *names)
    for name in names:
        state = folder / name
        (state / ".device.key.abcdefgh").write_bytes((state / "device.key").read_bytes())
        beside = {path.name.rpartition(".")[0] for path in state.iterdir() if path.name.startswith(".")}
        steps = change(state, rekeyer.places(state))

        assert {".device.key", f".{name}"} == beside
        assert "finished" == steps[-1]
        assert [] == [path.name for path in state.iterdir() if path.name.startswith(".")]
        assert sorted(NAMES) == opened(state, new(state))[0]


def test_while_another_program_reads_the_database_it_is_not_said_to_be_done(state: Path) -> None:
    """SQLite keeps what the old key opens for that reader: the change waits for the next call to end it."""
    place = KeyFile(state / "device.key")
    places = Places("file", place, "file", place)
    with contextlib.closing(sqlite3.connect(state / "appliance.db", isolation_level=None)) as reader:
        (old,) = reader.execute("SELECT wrapped_key FROM subjects").fetchone()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(StoreError, match="another program reads the database"):
            change(state, places)
    during = (state / "rekey.json").exists()
    steps = change(state, places)
    kept = b"".join(path.read_bytes() for path in sorted(state.rglob("*")) if path.is_file())

    assert during
    assert "finished" == steps[-1]
    assert not (state / "rekey.json").exists()
    assert old not in kept
    with open_services(Settings(), Layout(state)) as services:
        newest = services.store.events(limit=2, newest_first=True)
        assert 1 == [each.type for each in newest].count("device_key_changed")


def test_a_key_file_is_changed_for_another(state: Path) -> None:
    """In its place: settings say nothing new, and the change is in the log."""
    old = (state / "device.key").read_bytes()
    place = KeyFile(state / "device.key")
    steps = change(state, Places("file", place, "file", place))

    assert ["joined", "signing", "wrapped", "wrapped", "wrapped", "placed", "finished"] == steps
    assert old != (state / "device.key").read_bytes()
    assert not (state / "overlay.toml").exists()
    with open_services(Settings(), Layout(state)) as services:
        assert "device_key_changed" == services.store.events(limit=1, newest_first=True)[0].type
        assert (sorted(NAMES), [0.25], ["Ada"]) == sealed_in(services.store)[:3]


def test_a_passphrase_is_changed_for_another_with_the_key_behind_it(state: Path) -> None:
    """Once the new key is in its place, the new passphrase is the present one, and brings it to its end."""
    change(state, rekeyer.places(state))
    path = state / "device.passphrase.json"
    old = PassphraseKey(path, rekeyer.NEW, log2_n=rekeyer.CHEAP)
    another = PassphraseKey(path, b"another staple battery", log2_n=rekeyer.CHEAP)
    files = SettingsFiles(state / "appliance.toml", state / "overlay.toml")
    key = old.load(create=False)
    going = rekey(
        files.read().settings, files, Layout(state), Places("passphrase", old, "passphrase", another)
    )
    while next(going).name != "placed":
        pass
    going.close()

    with pytest.raises(VaultError, match="does not open"):
        opened(state, old)
    assert sorted(NAMES) == opened(state, another)[0]
    assert "finished" == change(state, Places("passphrase", another, "passphrase", another))[-1]
    assert key != another.load(create=False)


def test_while_it_is_broken_off_the_box_works_and_seals_under_the_new_key(state: Path) -> None:
    """Somebody enrolled meanwhile is there after the end, as is everybody else."""
    place = KeyFile(state / "device.key")
    files = SettingsFiles(state / "appliance.toml", state / "overlay.toml")
    going = rekey(Settings(), files, Layout(state), Places("file", place, "file", place))
    assert ["joined", "signing"] == [next(going).name, next(going).name]
    going.close()
    with open_services(Settings(), Layout(state)) as services:
        services.store.add_subject("Ben", consent=stores.AGREED)
    change(state, Places("file", place, "file", place))

    assert sorted([*NAMES, "Ben"]) == opened(state, place)[0]


def test_what_holds_the_key_is_not_rekeyed_beside_it(state: Path) -> None:
    """It would seal under the old key: nothing is written, and whom it enrols is there after a change."""
    place = KeyFile(state / "device.key")
    before = sorted(path.name for path in state.iterdir())
    with open_services(Settings(), Layout(state), source=place) as services:
        during = sorted(path.name for path in state.iterdir())
        with pytest.raises(VaultError, match="holds the present key"):
            change(state, rekeyer.places(state))

        assert during == sorted(path.name for path in state.iterdir())
        services.store.add_subject("Ben", consent=stores.AGREED)
    assert before == sorted(path.name for path in state.iterdir())
    assert "finished" == change(state, rekeyer.places(state))[-1]
    assert sorted([*NAMES, "Ben"]) == opened(state, new(state))[0]


def test_a_key_that_opens_no_more_is_removed_by_id_and_the_change_goes_on(state: Path) -> None:
    """It is said whose it is; once that person is removed, the same command comes to its end."""
    place = KeyFile(state / "device.key")
    places = Places("file", place, "file", place)
    with open_services(Settings(), Layout(state)) as services:
        last = services.store.subjects()[-1]
    stores.sql(
        f"sqlite:///{state / 'appliance.db'}",
        "UPDATE subjects SET wrapped_key = x'01' WHERE id = :id",
        id=last.id,
    )
    with pytest.raises(VaultError, match=f"subjects/{last.id}/wrapped_key opens neither"):
        change(state, places)
    with open_services(Settings(), Layout(state)) as services:
        services.store.remove_subject(services.store.subject_unopened(last.id).id)

    assert "finished" == change(state, places)[-1]
    assert sorted(set(NAMES) - {str(last.name)}) == opened(state, place)[0]


def test_another_change_does_not_begin_before_the_first_has_ended(state: Path) -> None:
    """It would lead to a third key; it says what to do."""
    files = SettingsFiles(state / "appliance.toml", state / "overlay.toml")
    going = rekey(Settings(), files, Layout(state), rekeyer.places(state))
    next(going)
    going.close()
    place = KeyFile(state / "device.key")

    with pytest.raises(VaultError, match="broken off, and led to 'passphrase'"):
        change(state, Places("file", place, "file", place))


def test_a_key_of_another_box_does_not_take_part(state: Path, tmp_path: Path) -> None:
    """Neither the old nor the new key of the change: refused before anything is opened."""
    files = SettingsFiles(state / "appliance.toml", state / "overlay.toml")
    going = rekey(Settings(), files, Layout(state), rekeyer.places(state))
    next(going)
    going.close()
    other = KeyFile(tmp_path / "other.key")
    other.load(create=True)

    with pytest.raises(VaultError, match="neither the old nor the new"):
        opened(state, other)


def test_a_damaged_bridge_is_said(state: Path) -> None:
    """It is no reason to guess: the state directory comes from one backup."""
    (state / "rekey.json").write_text("{}")
    (state / "rekey.json").chmod(0o600)

    with pytest.raises(VaultError, match="is damaged"):
        opened(state, KeyFile(state / "device.key"))


def test_the_passphrase_s_cost_is_what_is_promised(tmp_path: Path) -> None:
    """Scrypt with N = 2^17, r = 8, p = 1, unless a test says otherwise."""
    PassphraseKey(tmp_path / "p.json", b"three blind mice").put(bytes(32))
    kept = (tmp_path / "p.json").read_text()

    assert '"log2_n": 17' in kept
    assert '"r": 8' in kept
    assert '"p": 1' in kept
