"""Server and client over real sockets: between processes and accounts, at paths, and what handlers do."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import PeerGoneError, PeerRefusedError, PhotoError, WireError
from appliance.wire import MAX_BLOB, Client, Reply, Request, Server
from appliance.wire.framing import Deadline, Parcel, receive, send
from appliance.wire.messages import (
    Done,
    EmbedPhoto,
    FramesShared,
    PhotoEmbedded,
    Ping,
    Pong,
    Status,
    StatusRequest,
    WakeDispatch,
    WatchFrames,
)

Spawn = Callable[..., subprocess.Popen[str]]
Wait = Callable[[Callable[[], bool]], None]
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
NO_FACES = PhotoEmbedded(width=1, height=1, faces_found=0, faces=())


def echo(request: Request[EmbedPhoto]) -> Reply[PhotoEmbedded]:
    """Send the blob back."""
    return Reply(NO_FACES, request.blob)


def open_fds() -> int:
    """Descriptors this process holds."""
    return len(list(Path("/proc/self/fd").iterdir()))


# ------------------------------------------------------------- between real processes


def test_a_process_answers_another(peer: subprocess.Popen[str], path: Path) -> None:
    """Typed question, typed answer, over a socket between two processes."""
    got = Client(path).call(StatusRequest(), Status).message

    assert Status(process="peer", pid=peer.pid, uptime_s=1.5, details={"cameras": ["front"]}) == got


def test_every_server_answers_ping(peer: subprocess.Popen[str], path: Path) -> None:
    """A probe needs no handler."""
    assert peer.pid == Client(path).call(Ping(), Pong).message.pid


def test_an_error_is_raised_here_as_it_was_there(peer: subprocess.Popen[str], path: Path) -> None:
    """Class, reason and hint of the handler's error arrive."""
    with pytest.raises(PhotoError, match="3 bytes, then nothing") as caught:
        Client(path).call(EmbedPhoto(), blob=b"abc")

    assert ("truncated", "send it again") == (caught.value.reason, caught.value.hint)


def test_memory_is_shared_by_descriptor(peer: subprocess.Popen[str], path: Path) -> None:
    """A descriptor made there reads here, is not inherited by children, and comes with its blob."""
    reply = Client(path).call(WatchFrames(camera="front"), FramesShared)

    (fd,) = reply.fds
    assert b"front" == os.pread(fd, 100, 0)
    assert not os.get_inheritable(fd)
    assert (b"\xff", "front") == (reply.blob, reply.message.camera)
    os.close(fd)


def test_a_slow_answer_is_given_up(peer: subprocess.Popen[str], path: Path) -> None:
    """The call's time-out covers the other side's work."""
    began = time.monotonic()

    with pytest.raises(PeerGoneError):
        Client(path).call(WakeDispatch(), timeout_s=0.3)

    assert time.monotonic() - began < 2


def test_a_killed_peer_is_gone(peer: subprocess.Popen[str], path: Path) -> None:
    """A call in the middle of which the other process dies says so."""
    threading.Timer(0.3, peer.kill).start()

    with pytest.raises(PeerGoneError):
        Client(path).call(WakeDispatch(), timeout_s=10)


def test_a_dead_servers_file_is_replaced(peer: subprocess.Popen[str], path: Path) -> None:
    """After kill -9 the socket's file stays; nobody listens, and the next server takes its place."""
    peer.kill()
    peer.wait()
    with pytest.raises(PeerGoneError, match="nobody listens") as caught:
        Client(path).call(Ping())
    assert "appliance run" in caught.value.hint

    with Server(path, {}):
        assert os.getpid() == Client(path).call(Ping(), Pong).message.pid


def test_sigterm_ends_a_serving_process_and_removes_its_file(peer: subprocess.Popen[str], path: Path) -> None:
    """`serve(stop)` comes back soon, and in good order."""
    peer.send_signal(signal.SIGTERM)

    assert 0 == peer.wait(10)
    assert not path.exists()


def test_a_listening_server_is_not_replaced(peer: subprocess.Popen[str], path: Path) -> None:
    """Two of the same process cannot run; the first goes on."""
    with pytest.raises(WireError, match="another process listens"), Server(path, {}):
        pass

    assert peer.pid == Client(path).call(Ping(), Pong).message.pid


# ------------------------------------------------------------- accounts


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that other accounts can get to, if its own mode lets them."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


@as_root
def test_another_account_cannot_reach_the_socket(outside: Path, spawn: Spawn) -> None:
    """Mode 0600 in 0700: the file system refuses before we do."""
    with Server(outside / "p", {}):
        out, _ = spawn(outside / "p", "ping", NOBODY).communicate(timeout=20)

    assert out.startswith("PeerRefusedError: no access")


@as_root
def test_another_account_is_refused_even_if_it_reaches_the_socket(outside: Path, spawn: Spawn) -> None:
    """The server asks the kernel who is there, and says why it hangs up."""
    with Server(outside / "p", {}):
        outside.chmod(0o755)
        (outside / "p").chmod(0o666)
        out, _ = spawn(outside / "p", "ping", NOBODY).communicate(timeout=20)

    assert out.startswith("PeerRefusedError: process")
    assert f"account {NOBODY}" in out


@as_root
def test_a_server_of_another_account_is_not_believed(outside: Path, spawn: Spawn, wait_for: Wait) -> None:
    """Whoever puts a socket where ours should be gets no message from us."""
    os.chown(outside, NOBODY, NOBODY)
    spawn(outside / "p", "serve", NOBODY)
    wait_for((outside / "p").exists)

    with pytest.raises(PeerRefusedError, match=f"account {NOBODY}"):
        Client(outside / "p").call(EmbedPhoto(), blob=b"a face")


def test_the_socket_is_private(path: Path) -> None:
    """Folder 0700, file 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        with Server(path, {}):
            modes = [stat.S_IMODE(p.stat().st_mode) for p in (path.parent, path)]
    finally:
        os.umask(before)

    assert [0o700, 0o600] == modes


def test_a_folder_open_to_others_is_refused(path: Path) -> None:
    """We do not change the mode of a folder that we did not make; we say what to do."""
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)

    with pytest.raises(WireError, match="other accounts") as caught, Server(path, {}):
        pass

    assert "chmod 700" in caught.value.hint


# ------------------------------------------------------------- paths


def test_a_path_longer_than_the_system_allows_works(tmp_path: Path) -> None:
    """sockaddr_un takes 107 bytes; folders may be deeper."""
    path = tmp_path / ("d" * 100) / ("e" * 100) / "loop.sock"

    with Server(path, {}):
        assert os.getpid() == Client(path).call(Ping(), Pong).message.pid

    assert not path.exists()


def test_a_name_that_cannot_be_bound_is_a_wire_error(tmp_path: Path) -> None:
    """A file name too long for any socket is refused in words."""
    path = tmp_path / "run" / ("n" * 150)

    with pytest.raises(WireError, match="cannot listen"), Server(path, {}):
        pass
    with pytest.raises(PeerGoneError):
        Client(path).call(Ping())


def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    """What is not ours is not deleted."""
    path.parent.mkdir(mode=0o700)
    path.write_text("notes")

    with pytest.raises(WireError, match="not a socket"), Server(path, {}):
        pass

    assert "notes" == path.read_text()


def test_a_server_can_be_started_again(path: Path) -> None:
    """Leaving frees the path; entering takes it."""
    server = Server(path, {})
    for _ in range(2):
        with server:
            assert os.getpid() == Client(path).call(Ping(), Pong).message.pid
        assert not path.exists()


# ------------------------------------------------------------- handlers


def test_a_fault_in_a_handler_does_not_stop_the_server(path: Path) -> None:
    """The caller gets a WireError without the fault's text; the next caller is served."""

    def fault(_: Request[WakeDispatch]) -> Reply[Done]:
        raise KeyError("Ann Example")

    with Server(path, {WakeDispatch: fault}):
        with pytest.raises(WireError, match="KeyError") as caught:
            Client(path).call(WakeDispatch())
        assert os.getpid() == Client(path).call(Ping(), Pong).message.pid

    assert "Ann" not in str(caught.value)


def test_a_message_nobody_answers_is_a_wire_error(path: Path) -> None:
    """Silence is not an answer."""
    with (
        Server(path, {}),
        pytest.raises(WireError, match=r"nothing at peer\.sock answers 'watch_frames'"),
    ):
        Client(path).call(WatchFrames(camera="yard"))


def test_an_answer_of_another_class_is_a_wire_error(path: Path) -> None:
    """The caller never sees a message that it did not ask for."""
    with (
        Server(path, {WatchFrames: lambda _: Reply(Done())}),
        pytest.raises(WireError, match="not 'pong'"),
    ):
        Client(path).call(WatchFrames(camera="yard"), Pong)


def test_an_answer_that_is_too_large_is_an_error_at_the_caller(path: Path) -> None:
    """Nothing of it is sent, and the caller is told why."""
    with (
        Server(path, {EmbedPhoto: lambda _: Reply(NO_FACES, bytes(MAX_BLOB + 1))}),
        pytest.raises(WireError, match="too large"),
    ):
        Client(path).call(EmbedPhoto())


def test_calls_do_not_wait_for_each_other(path: Path) -> None:
    """While one handler works, another answers."""
    release = threading.Event()

    def hold(_: Request[WakeDispatch]) -> Reply[Done]:
        release.wait(10)
        return Reply(Done())

    with Server(path, {WakeDispatch: hold}):
        slow = threading.Thread(target=Client(path).call, args=(WakeDispatch(),))
        slow.start()
        Client(path).call(Ping(), Pong, timeout_s=5)
        release.set()
        slow.join(10)

    assert not slow.is_alive()


def test_descriptors_travel_both_ways_and_none_leaks(path: Path, tmp_path: Path, wait_for: Wait) -> None:
    """A handler may keep a copy; what it was lent and what the caller closes is gone afterwards."""
    (tmp_path / "note").write_text("hello")
    seen: list[bytes] = []

    def read(request: Request[WakeDispatch]) -> Reply[Done]:
        seen.extend(os.pread(fd, 100, 0) for fd in request.fds)
        return Reply(Done())

    with Server(path, {WakeDispatch: read}), (tmp_path / "note").open("rb") as note:
        Client(path).call(WakeDispatch(), fds=[note.fileno(), note.fileno()])
        before = open_fds()
        for _ in range(20):
            Client(path).call(WakeDispatch(), fds=[note.fileno()])
        wait_for(lambda: open_fds() <= before)

    assert [b"hello"] * 22 == seen


@settings(max_examples=25, deadline=None)
@given(blob=st.binary(max_size=3000), size=st.integers(0, 3))
def test_a_parcel_survives_the_wire(blob: bytes, size: int) -> None:
    """Message, blob and descriptors come out as they went in, also when larger than a socket's buffer."""
    here, there = socket.socketpair()
    sent = Parcel(
        FramesShared(camera="c" * (size + 1), width=1, height=1), blob * (100 * size + 1), (0,) * size
    )

    with here, there:
        writer = threading.Thread(target=send, args=(here, sent, Deadline(10)))
        writer.start()
        got = receive(there, Deadline(10))
        writer.join()

    assert got is not None
    assert (sent.message, sent.blob, size) == (got.message, got.blob, len(got.fds))
    for fd in got.fds:
        os.close(fd)


def test_the_largest_blob_passes(path: Path) -> None:
    """64 MiB there and back."""
    picture = bytes(range(256)) * (MAX_BLOB // 256)

    with Server(path, {EmbedPhoto: lambda r: Reply(NO_FACES, r.blob)}):
        assert picture == Client(path, timeout_s=60).call(EmbedPhoto(), blob=picture).blob


def test_a_request_above_the_servers_own_limit_is_refused_in_words(path: Path) -> None:
    """The client reads the reason even though it was cut off while it still sent."""
    with (
        Server(path, {EmbedPhoto: echo}, max_blob=1000),
        pytest.raises(WireError, match="too large"),
    ):
        Client(path).call(EmbedPhoto(), blob=bytes(30 << 20))
