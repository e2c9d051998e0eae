"""`appliance vault rekey`: the device key changed for another, on a box that is at rest.

Introduces the vault's change of keys, the database and the settings to each other. Each step is on the disk
before the next begins; after every one of them the old key or the new opens everything, and a run that was
broken off is brought to its end by the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance import private_files
from appliance.app.video_rekeying import rewrap_video
from appliance.errors import StoreError, VaultError
from appliance.events import DeviceKeyChanged
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.settings.overlay import SettingsFiles, proposed
from appliance.vault import KeyChange, KeySource, Place


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is on the disk now.

    Attributes:
        name: `joined`, `signing`, `wrapped`, `placed`, `settings`, `discarded`, `finished`.
        done: Of `wrapped`: keys looked at so far.
        total: Of how many.
    """

    name: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """From where to where the key goes.

    Attributes:
        was: Where it rests now, as `vault.key` says it.
        source: That place.
        to: Where the new key is to rest.
        target: That place.
        new: The new key, where somebody else made it: that of a credential; None: random.
    """

    was: Place
    source: KeySource
    to: Place
    target: KeySource
    new: bytes | None = None


def rekey(settings: Settings, files: SettingsFiles, layout: Layout, places: Places) -> Iterator[Step]:
    """Change the device key. Nothing is done until the first step is asked for.

    Raises:
        StoreError: Other boxes use the database, or it refuses; or another program reads it, so that what
            the old key opens cannot be overwritten: the change is not at its end.
        VaultError: Another process has the present key in memory; it cannot be had; something sealed opens
            under neither key; or a key cannot be written.
        SettingsError: The settings are wrong.
    """
    with open_services(settings, layout, source=places.source, alone=True) as services:
        store = services.store
        if store.shares():
            raise StoreError(
                "other boxes keep their log in this database, under the same device key",
                hint="the key of a shared database is not changed by this program",
            )
        change = KeyChange.begin(layout.state, places.source, places.to, new=places.new)
        yield Step("joined")
        change.reseal_signing_key()
        yield Step("signing")
        for done, total in store.rewrap(change.rewrapped):
            yield Step("wrapped", done, total)
        rewrap_video(layout, services.vault, change.rewrapped)
        places.target.put(change.new)
        if places.target.load(create=False) != change.new:
            raise VaultError(
                "the new key did not come to rest where it was put",
                hint="hand over the credential that was encrypted from this key",
            )
        yield Step("placed")
        if files.read().settings.vault.key != places.to:
            text = proposed(files, {"vault.key": places.to}).text
            private_files.replace(files.overlay, text.encode())
            yield Step("settings")
        if places.was != places.to:
            places.source.discard()
            yield Step("discarded")
        # Of an earlier version that takes no hold of the key, and added somebody meanwhile.
        keys = sum(1 for _ in store.rewrap(change.rewrapped))
        if not store.forget_overwritten():
            raise StoreError(
                "another program reads the database, and while it does, what the old key opens stays in it",
                hint="everything opens with the new key already; end that program (a backup, or a shell of "
                "SQLite), then give the same command again, so that the old key opens nothing any more",
            )
        store.append(DeviceKeyChanged(to=places.to))
        change.finish()
        yield Step("finished", keys, keys)
