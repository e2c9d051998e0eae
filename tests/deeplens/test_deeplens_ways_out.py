"""Every function's own way out: what one was granted is no other's, whatever they are called."""

import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.deeplens.grants import Grants
from appliance.deeplens.project import Project
from appliance.deeplens.proxy import GrantProxy
from appliance.deeplens.ways_out import WaysOut
from appliance.errors import FunctionError

ALIKE = ("uploads", "dog-detector-btgraasv")
"""Two names of functions with the same checksum."""
AT = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.fixture
def ways(tmp_path: Path) -> Iterator[WaysOut]:
    """None open yet."""
    made = WaysOut(tmp_path / "out", lambda _name, _line: None)
    yield made
    made.close()


def granted(name: str, *hosts: str) -> Project:
    """A function that was granted these hosts."""
    return Project(name=name, thing="deeplens_1", deployed_at=AT, network=hosts)


def refused(path: Path | None, host: str) -> bool:
    """Whether the proxy at a path says that a host is not granted."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(20)
        asking.connect(str(path))
        asking.sendall(f"CONNECT {host} HTTP/1.1\r\n\r\n".encode())
        return b"is not granted" in asking.recv(4096)


def test_names_that_are_alike_share_no_way(ways: WaysOut) -> None:
    """Neither reaches what the other was granted, and when one is forgotten the other goes on."""
    checksums = {zlib.crc32(name.encode()) for name in ALIKE}
    one, other = (ways.path(granted(name, f"{n}.invalid")) for n, name in enumerate(ALIKE))

    assert 1 == len(checksums)
    assert one != other
    assert (False, True) == (refused(one, "0.invalid:443"), refused(one, "1.invalid:443"))
    assert (True, False) == (refused(other, "0.invalid:443"), refused(other, "1.invalid:443"))

    ways.forget(ALIKE[0])

    assert (True, False) == (refused(other, "0.invalid:443"), refused(other, "1.invalid:443"))


def test_no_function_has_the_name_of_the_folder_of_ways(ways: WaysOut, tmp_path: Path) -> None:
    """The folders beside it bear functions' names and are shown in their views: it is none of them."""
    path = ways.path(granted("dog", "example.com"))
    (folder,) = (tmp_path / "out").iterdir()

    assert path is not None
    assert folder == path.parent
    with pytest.raises(ValueError, match="name"):
        granted(folder.name)


def test_a_way_is_the_same_until_it_is_forgotten_and_never_again(ways: WaysOut) -> None:
    """A restart goes the way that is shown already; another version gets one that the old one never had."""
    first, again = (ways.path(granted("dog", "a.invalid")) for _ in range(2))
    ways.forget("dog")
    later = ways.path(granted("dog", "b.invalid"))

    assert first is not None
    assert first == again
    assert not first.exists()
    assert later != first
    assert (True, False) == (refused(later, "a.invalid:443"), refused(later, "b.invalid:443"))


def test_what_a_killed_process_left_goes(ways: WaysOut) -> None:
    """Its sockets lie there under names that nobody makes again."""
    kept = ways.path(granted("dog", "example.com"))
    assert kept is not None
    left = kept.with_name("0123456789abcdef")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    after = WaysOut(kept.parent.parent, lambda _name, _line: None)
    found = after.path(granted("dog", "example.com"))
    names = [each.name for each in kept.parent.iterdir()]
    after.close()

    assert found is not None
    assert [found.name] == names


def test_a_proxy_takes_nobodys_place(tmp_path: Path) -> None:
    """Where a socket lies already none is made, and the one that lies there stays and goes on."""
    path = tmp_path / "way"
    first = GrantProxy(path, Grants(["a.invalid"]), told=lambda _line: None)
    second = GrantProxy(path, Grants(["b.invalid"]), told=lambda _line: None)
    first.open()
    try:
        with pytest.raises(FunctionError):
            second.open()
        second.close()
        answered = (refused(path, "a.invalid:443"), refused(path, "b.invalid:443"))
    finally:
        first.close()

    assert (False, True) == answered
