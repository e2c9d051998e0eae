"""Functions that mean harm, each in the view it would really have: contained, and the box goes on."""

import os
import socket
import time
from pathlib import Path

import hostile_functions as hostile
import pytest
from sessions import session_nice

from appliance.deeplens.containment import Containment, containment
from appliance.deeplens.guest.channel import ChannelGoneError
from appliance.deeplens.guest.messages import MessageError, Pong
from appliance.deeplens.project import Limits
from appliance.deeplens.view import NICE
from appliance.priority import LAST

pytestmark = pytest.mark.debian(reason="bubblewrap")

MEMORY_WORDS = "killed: it used more than 128 MB of memory"


@pytest.fixture(scope="module")
def contained() -> Containment:
    """What this system allows; a system that allows no view fails these tests, as it would a deployment."""
    found = containment()
    assert found.works, found.detail
    return found


# ---------------------------------------------------------------------- taking what everybody needs


def test_a_fork_bomb_stops_at_its_limit_and_ends_at_a_word(tmp_path: Path, contained: Containment) -> None:
    """It has no more processes than it may, and none is left when it is ended."""
    child = hostile.start(tmp_path / "f", hostile.FORK_BOMB, contained)
    try:
        told = hostile.attend(child, tmp_path / "log", until="refused")

        assert "Resource temporarily unavailable" == told.outcomes["refused"]
        assert hostile.SMALL.processes >= sum("refused" in each for each in told.lines)
        assert [] == child.alive()
    finally:
        child.close()


def test_many_that_spin_are_put_behind_everybody_else(tmp_path: Path, contained: Containment) -> None:
    """A crowd of processes gets what the loop leaves, and cannot climb back."""
    child = hostile.start(tmp_path / "f", hostile.SPINS, contained)
    try:
        deadline = time.monotonic() + hostile.LONGEST_S
        policies = {0}
        while policies != {os.SCHED_IDLE} and time.monotonic() < deadline:
            time.sleep(0.2)
            policies = {os.sched_getscheduler(each) for each in child.alive()}

        assert {os.SCHED_IDLE} == policies
        assert {LAST} == {session_nice(each) for each in child.alive()}
        assert 12 <= len(child.alive())
    finally:
        child.kill()
        child.close()


def test_a_session_of_its_own_gains_a_function_nothing(tmp_path: Path, contained: Containment) -> None:
    """Where the kernel shares processors out by session: it begins none, and what is set stays."""
    child = hostile.start(tmp_path / "f", hostile.CLIMBS, contained)
    try:
        deadline = time.monotonic() + hostile.LONGEST_S
        behind: list[int] = []
        while (len(behind) < 3 or min(behind) < NICE) and time.monotonic() < deadline:
            time.sleep(0.2)
            behind = [session_nice(each) for each in child.alive()]
        later = []
        for _ in range(20):
            time.sleep(0.02)
            later += [session_nice(each) for each in child.alive()]

        assert {NICE} == set(behind) | set(later)
        assert len(behind) >= 3
    finally:
        child.kill()
        child.close()


def test_an_endless_print_is_left_out_and_said(tmp_path: Path, contained: Containment) -> None:
    """The log stays small and says how much is missing."""
    told = hostile.run(tmp_path / "f", hostile.ENDLESS_PRINT, contained, until="left out: ")

    assert any("lines left out: the function prints too much" in each for each in told.lines)
    assert 2 << 20 > (tmp_path / "f.log").stat().st_size


def test_memory_beyond_the_limit_is_refused(tmp_path: Path, contained: Containment) -> None:
    """Two gigabytes in one piece are an error of the function's own."""
    assert "MemoryError" == hostile.run(tmp_path / "f", hostile.ALLOCATES, contained).outcomes["private"]


@pytest.mark.parametrize("source", [hostile.ALLOCATES_SHARED, hostile.ALLOCATES_IN_MANY])
def test_memory_by_other_ways_ends_the_function(source: str, tmp_path: Path, contained: Containment) -> None:
    """Shared memory, and many processes of little each, count as the function's: it is ended."""
    told = hostile.run(tmp_path / "f", source, contained)

    assert MEMORY_WORDS == told.ended
    assert {} == told.outcomes


def test_a_disk_that_is_filled_is_its_own(tmp_path: Path, contained: Containment) -> None:
    """What it may write has a size, file by file and together."""
    told = hostile.run(tmp_path / "f", hostile.FILLS, contained, limits=Limits(tmp_mb=16, artifacts_mb=24))

    sizes = [line for line in told.lines if "No space left on device" in line]
    assert 2 == len(sizes), told.lines
    assert 24 << 20 >= told.outcomes["size"]


def test_what_it_left_in_its_tmp_is_gone(tmp_path: Path, contained: Containment) -> None:
    """The next run begins with an empty one, and nothing of it was the box's."""
    mark = f"left-by-{os.getpid()}"
    source = "tell(had=os.listdir('/tmp'))\nopen('/tmp/' + GIVEN, 'w').close()\ntell(has=os.listdir('/tmp'))"
    for _ in range(2):
        told = hostile.run(tmp_path / "f", source, contained, given=mark)

        # Where Python itself is installed below /tmp, the way to it is there.
        assert {mark} == set(told.outcomes["has"]) - set(told.outcomes["had"])
    assert not Path("/tmp", mark).exists()


def test_files_without_end_end_the_function(tmp_path: Path, contained: Containment) -> None:
    """Empty files take memory too: too many are too many."""
    told = hostile.run(tmp_path / "f", hostile.MANY_FILES, contained)

    assert "killed: it made more than 100,000 files" == told.ended
    assert "made_all" not in told.outcomes


def test_recursion_without_end_is_its_own_end(tmp_path: Path, contained: Containment) -> None:
    """A stack that overflows ends the function alone, and says so."""
    told = hostile.run(tmp_path / "f", hostile.RECURSES, contained)

    assert told.ended in {"killed by SIGSEGV", "exit 1", MEMORY_WORDS}


# ---------------------------------------------------------------------- not letting itself be ended


def test_a_function_that_stops_itself_is_ended(tmp_path: Path, contained: Containment) -> None:
    """SIGSTOP keeps nobody from ending it."""
    told = hostile.run(tmp_path / "f", hostile.STOPS_ITSELF, contained, until="begun")

    assert "went_on" not in told.outcomes
    assert "killed by SIGKILL" == told.ended


def test_a_function_that_closes_everything_is_ended(tmp_path: Path, contained: Containment) -> None:
    """It is silent then, and its host sees that its channel is gone."""
    child = hostile.start(tmp_path / "f", hostile.CLOSES_ALL, contained)
    try:
        with pytest.raises(ChannelGoneError):
            child.channel.receive(wait_s=hostile.LONGEST_S)
        assert child.ended() is None
        child.kill()

        assert "killed by SIGKILL" == child.ended()
    finally:
        child.close()


def test_nobody_it_left_behind_survives(tmp_path: Path, contained: Containment) -> None:
    """Grandchildren of a session of their own that heed no signal end with the function."""
    child = hostile.start(tmp_path / "f", hostile.LEAVES_CHILDREN, contained)
    try:
        told = hostile.attend(child, tmp_path / "log")

        assert told.outcomes["left"]
        assert "exit 0" == told.ended
        assert [] == child.alive()
    finally:
        child.close()


def test_killing_all_it_sees_reaches_nobody_else(tmp_path: Path, contained: Containment) -> None:
    """It sees its own processes alone; a function beside it and its host live on."""
    beside = hostile.start(tmp_path / "beside", "time.sleep(60)", contained)
    try:
        told = hostile.run(tmp_path / "f", hostile.KILLS_ALL, contained)

        assert [1] == told.outcomes["seen"]
        assert told.outcomes["lives"]
        assert beside.ended() is None
    finally:
        beside.kill()
        beside.close()


# ---------------------------------------------------------------------- getting at what is not its own


def test_writing_anywhere_else_is_refused(tmp_path: Path, contained: Containment) -> None:
    """It can write where DeepLens let it and nowhere else: no code, no model, nothing of the system."""
    model = tmp_path / "model.xml"
    model.write_text("weights")
    told = hostile.run(tmp_path / "f", hostile.WRITES, contained, artifacts={"model.xml": model})

    assert ["/tmp", "/opt/awscam/artifacts", "/home/aws_cam", "/dev/shm"] == told.outcomes["written"]
    assert "Read-only file system" == told.outcomes["own_code"]
    assert None not in {told.outcomes[each] for each in ("removed", "moded", "model", "gone")}
    assert "weights" == model.read_text()
    assert ["hostile.py"] == [each.name for each in (tmp_path / "f").iterdir()]


def test_what_is_the_box_s_cannot_be_read(tmp_path: Path, contained: Containment) -> None:
    """State, keys, accounts, other processes and our variables are not in its view."""
    state = tmp_path / "state"
    state.mkdir()
    files = [state / each for each in ("door.sqlite", "vault.key", "spool")]
    for each in files:
        each.write_text("secret")
    places = [
        *map(str, files),
        "/etc/shadow",
        "/root/.ssh/id_ed25519",
        f"/proc/{os.getpid()}/environ",
        __file__,
    ]
    os.environ["DOOR_WORD"] = "told-to-nobody"
    try:
        told = hostile.run(tmp_path / "f", hostile.READS, contained, given={"places": places})
    finally:
        del os.environ["DOOR_WORD"]

    assert [] == [each for each in told.lines if '"fault": "read"' in each]
    assert len(places) == sum('"fault"' in each for each in told.lines)
    assert not any("told-to-nobody" in each for each in told.lines)
    assert {"DEEPLENS_CHANNEL", "HOME", "PATH"} < set(told.outcomes["names"])


def test_our_modules_cannot_be_imported(tmp_path: Path, contained: Containment) -> None:
    """Of the appliance it has what stands in for the device, and nothing that opens anything."""
    told = hostile.run(tmp_path / "f", hostile.IMPORTS, contained)

    assert [] == told.outcomes["found"]
    assert told.outcomes["guest"] is None


def test_no_socket_of_ours_and_no_network_is_reached(tmp_path: Path, contained: Containment) -> None:
    """Neither our sockets nor loopback nor the internet: it has a network of its own with nobody in it."""
    with (
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket() as tcp,
    ):
        unix.bind(str(tmp_path / "run.sock"))
        abstract.bind("\0a-door-of-ours")
        tcp.bind(("127.0.0.1", 0))
        for each in (unix, abstract, tcp):
            each.listen()
            each.settimeout(0)
        given = {
            "unix": str(tmp_path / "run.sock"),
            "abstract": "a-door-of-ours",
            "port": tcp.getsockname()[1],
        }
        told = hostile.run(tmp_path / "f", hostile.CONNECTS, contained, given=given)
        for each in (unix, abstract, tcp):
            with pytest.raises(BlockingIOError):
                each.accept()

    ways = ("unix", "abstract", "loopback", "internet", "metadata", "name", "vsock", "packet")
    assert [] == [each for each in ways if told.outcomes[each] is None]
    assert ["lo"] == told.outcomes["interfaces"]


def test_the_kernel_refuses_what_could_lead_out(tmp_path: Path, contained: Containment) -> None:
    """No mount, no namespace, no tracing, no other user, no device, no higher limit."""
    told = hostile.run(tmp_path / "f", hostile.KERNEL, contained, given={"root": contained.machine.root})

    facts = {"capabilities": 0, "new_privileges": "1", "filtered": "2"}
    assert facts == {each: told.outcomes[each] for each in facts}
    assert [] == [name for name, fault in told.outcomes.items() if fault is None]


def open_files() -> int:
    """How many files this process keeps open; those that a thread has open for a moment are not counted."""
    counted = []
    for _ in range(20):
        counted.append(len(list(Path("/proc/self/fd").iterdir())))
        time.sleep(0.01)
    return min(counted)


def test_noise_on_the_channel_is_refused_and_its_descriptors_closed(
    tmp_path: Path, contained: Containment
) -> None:
    """Datagrams of any kind and thousands of descriptors leave the host what it had, and able to listen."""
    child = hostile.start(tmp_path / "f", hostile.FLOODS_CHANNEL, contained)
    try:
        before = open_files()
        faults = 0
        deadline = time.monotonic() + hostile.LONGEST_S
        heard = None
        while heard is None and time.monotonic() < deadline:
            try:
                heard = child.channel.receive(wait_s=1.0)
            except MessageError:
                faults += 1

        assert heard is not None
        assert Pong(7) == heard[0]
        assert 7 <= faults
        assert before == open_files()
    finally:
        child.kill()
        child.close()
