"""A box with a real OpenSSH server on loopback, and an admin who fetches what is sealed on it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from captures import NOW, jpeg, make_shot
from commands import Ended, call
from ssh_server import SshBox, make_key, needs_server, ssh_box

from appliance.clock import SystemClock
from appliance.evidence import Spool
from appliance.evidence.spool_folder import SpoolFolder
from appliance.settings import EvidenceSettings

BIG = "019b8d9e-5d80-7000-8000-0000000000ff"
FACTS = {"rule": "below_threshold", "score": 0.11, "threshold": 0.35}


@dataclass(frozen=True)
class Office:
    """A box with a server, and an admin with a key.

    Attributes:
        box: The box.
        key: The admin's private key; captures are sealed to it, and it signs in.
        other: Another admin's: signs in, and nothing is sealed to it.
        spool: Seals to the first.
    """

    box: SshBox
    key: Path
    other: Path
    spool: Spool

    def seal(self, count: int) -> list[str]:
        """Seal so many strangers; their ids."""
        about = {"door": "entrance", "camera": "lobby", "facts": FACTS}
        return [self.spool.store([make_shot(n)], about, NOW + timedelta(minutes=n)).id for n in range(count)]

    def pull(self, into: Path, *more: object, host: str | None = None, key: Path | None = None) -> Ended:
        """Fetch as the admin."""
        where = ("--account", self.box.account, "--ssh-config", self.box.config, "--key", key or self.key)
        return call("captures", "pull", host or self.box.host, "--into", into, *where, *more)


def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One server for all tests of the module."""
    needs_server()
    admin = tmp_path_factory.mktemp("admin") / 'their "own" keys, 100%h \\'  # as OpenSSH would not like it
    admin.mkdir()
    public, other = make_key(admin / "key"), make_key(admin / "other")
    with ssh_box([public, other]) as box:
        settings = EvidenceSettings(recipients=(public,))
        yield Office(
            box, admin / "key", admin / "other", Spool(box.spool, settings, SystemClock(), jpeg).open()
        )


def office(running: Office) -> Iterator[Office]:
    """The office with an empty spool."""
    yield running
    running.box.know_right()
    for path in running.box.spool.iterdir():
        path.unlink()


def put(office: Office) -> Callable[[bytes], str]:
    """Puts bytes into the spool that are no real capture."""

    def write(content: bytes) -> str:
        SpoolFolder(office.box.spool).write(BIG, content, NOW)
        return BIG

    return write


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def told(ended: Ended) -> dict[str, list[str]]:
    """The report, as JSON."""
    report: dict[str, list[str]] = json.loads(ended.out)
    return report
