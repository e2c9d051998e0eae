"""Sources that are missing, broken, cut off, too large or not what they say."""

import shutil
import struct
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest
from camera_clips import MIDDLE, jpeg, number_of, write_clip, write_pictures
from camera_servers import MjpegCamera
from camera_sources import settings_for

import appliance
from appliance.camera import Source, open_source
from appliance.camera.container import ContainerAddress, ContainerSource
from appliance.clock import SystemClock
from appliance.errors import CameraError, CameraLostError, CameraRefusedError

RIGHT = "right"


def source_of(address: object, **more: object) -> Source:
    """The source of that address."""
    return open_source(settings_for(address, **more), SystemClock())


def numbers(source: Source) -> list[int]:
    """Which pictures a recording gives."""
    source.open()
    try:
        return [number_of(shot.picture.gray(MIDDLE)) for shot in iter(source.read, None)]
    finally:
        source.close()


def test_a_missing_file_is_refused_with_a_hint(tmp_path: Path) -> None:
    """The message says what is missing, the hint what a source can be."""
    with pytest.raises(CameraRefusedError, match=r"no file or folder .*gone\.mp4") as caught:
        source_of(tmp_path / "gone.mp4")

    assert "scene:door" in caught.value.hint


@pytest.mark.parametrize(
    "address", ["ftp://host/a.mp4", "file:///etc/hostname", "concat:a|b", "lavfi:testsrc"]
)
def test_unknown_kinds_of_source_are_refused(address: str) -> None:
    """Only the schemes on the list reach libav."""
    with pytest.raises(CameraRefusedError, match="no source of kind"):
        source_of(address)


def test_an_unknown_scene_is_refused_with_the_choice() -> None:
    """The hint lists the scenes there are."""
    with pytest.raises(CameraRefusedError, match="no scene") as caught:
        source_of("scene:window")

    assert "scene:door-white" in caught.value.hint


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    """Text with a video's name is refused when opened."""
    path = tmp_path / "clip.mp4"
    path.write_text("not a video at all\n" * 100)
    source = source_of(path)

    with pytest.raises(CameraRefusedError, match=r"clip\.mp4"):
        source.open()


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """A recording of no bytes is refused, not an endless wait."""
    path = tmp_path / "clip.mjpeg"
    path.touch()
    source = source_of(path)

    with pytest.raises(CameraRefusedError):
        source.open()


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    """A file that libav opens but that has no video says so."""
    path = tmp_path / "sound.wav"
    rate, samples = 8000, bytes(1600)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + len(samples),
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate,
        rate * 2,
        2,
        16,
        b"data",
        len(samples),
    )
    path.write_bytes(head + samples)
    source = source_of(path)

    with pytest.raises(CameraRefusedError, match="no video"):
        source.open()


@pytest.mark.parametrize("share", [0.8, 0.9, 0.97])
def test_a_cut_off_recording_gives_what_there_is_and_ends(tmp_path: Path, share: float) -> None:
    """The pictures before the cut come in order, the end is an ordinary one, and the damage is counted."""
    whole = write_clip(
        tmp_path / "whole.mp4", options={"g": "3", "bf": "0"}, container={"movflags": "faststart"}
    )
    cut = tmp_path / "cut.mp4"
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    source = source_of(cut)
    found = numbers(source)

    assert list(range(len(found))) == found
    assert 0 < len(found) < 12
    assert source.damaged > 0


def test_a_cut_off_mjpeg_recording_loses_only_its_last_picture(tmp_path: Path) -> None:
    """A JPEG without its end is passed over and counted."""
    path = tmp_path / "clip.mjpeg"
    path.write_bytes(b"".join(jpeg(i) for i in range(4))[:-300])
    source = source_of(path)

    assert [0, 1, 2] == numbers(source)
    assert source.damaged > 0


def test_damaged_frames_of_a_network_camera_are_passed_over_and_counted(mjpeg_camera: MjpegCamera) -> None:
    """Every third frame is cut short: the others come, the rest is counted."""
    mjpeg_camera.spoil = lambda index, data: data[:500] if index % 3 == 2 else data
    source = source_of(mjpeg_camera.url)
    source.open()
    found = [number_of(shot.picture.gray(MIDDLE)) for shot in (source.read() for _ in range(8)) if shot]
    damaged = source.damaged
    source.close()

    assert not [n for n in found if n % 3 == 2]
    assert damaged >= 2


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without pictures says what it needs."""
    (tmp_path / "notes.txt").write_text("nothing to see")
    source = source_of(tmp_path)

    with pytest.raises(CameraRefusedError, match="no picture") as caught:
        source.open()

    assert ".png" in caught.value.hint


def test_damaged_pictures_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    """A cut-off JPEG, a cut-off PNG and a text called .jpg are counted; the others keep their places."""
    folder = write_pictures(tmp_path / "pictures", frames=3)
    (folder / "0000a.jpg").write_bytes(jpeg(7)[:400])
    (folder / "0001a.jpg").write_text("words")
    png = write_pictures(tmp_path / "png", frames=1, suffix=".png") / "0000.png"
    (folder / "0001b.png").write_bytes(png.read_bytes()[:-40])
    source = source_of(folder)

    assert [0, 1, 2] == numbers(source)
    assert 3 == source.damaged


def test_pictures_larger_than_40_megapixels_are_not_decoded(tmp_path: Path) -> None:
    """The size is read from the header; a bomb of a picture costs nothing."""
    folder = write_pictures(tmp_path / "pictures", frames=1)
    bomb = bytearray((write_pictures(tmp_path / "png", frames=1, suffix=".png") / "0000.png").read_bytes())
    bomb[16:24] = struct.pack(">II", 50_000, 50_000)
    (folder / "bomb.png").write_bytes(bytes(bomb))
    large = bytearray(jpeg(0))
    at = large.index(b"\xff\xc0")
    large[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    (folder / "large.jpg").write_bytes(bytes(large))
    source = source_of(folder)

    assert [0] == numbers(source)
    assert 2 == source.damaged


def test_a_device_that_is_not_there_is_lost_not_refused() -> None:
    """A USB camera may yet be plugged in."""
    source = source_of("/dev/video250")

    with pytest.raises(CameraLostError, match="/dev/video250"):
        source.open()


def test_a_network_camera_that_is_off_is_lost(mjpeg_camera: MjpegCamera) -> None:
    """Nobody listens: worth trying again."""
    source = source_of(mjpeg_camera.url)
    mjpeg_camera.stop()

    with pytest.raises(CameraLostError):
        source.open()


def test_a_wrong_password_is_refused_and_not_repeated(mjpeg_camera: MjpegCamera) -> None:
    """Trying again cannot help; neither user nor password shows in message, hint, repr or cause."""
    mjpeg_camera.password = RIGHT
    address = mjpeg_camera.url.replace("://", "://watcher:wrongsecret@") + "?token=hushhush"
    source = source_of(address)

    with pytest.raises(CameraRefusedError) as caught:
        source.open()
    error: BaseException | None = caught.value
    said = source.address + repr(source)
    while error is not None:
        said += str(error) + repr(error) + getattr(error, "hint", "")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)

    assert "wrongsecret" not in said
    assert "hushhush" not in said
    assert "watcher" not in said


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_libav_prints_no_address(mjpeg_camera: MjpegCamera, scheme: str) -> None:
    """Neither our log nor libav's own, on standard error, shows a password when a camera cannot be opened."""
    address = f"{scheme}://watcher:wrongsecret@127.0.0.1:{mjpeg_camera.port}/video?token=hushhush"
    mjpeg_camera.password = RIGHT
    script = (
        "import sys, traceback; from appliance.camera import open_source; "
        "from appliance.clock import SystemClock; from appliance.settings import CameraSettings\n"
        "settings = CameraSettings(id='entrance', source=sys.stdin.read(), stall_s=2)\n"
        "try:\n    open_source(settings, SystemClock()).open()\n"
        "except Exception:\n    traceback.print_exc()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        input=address,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(appliance.__file__).parent.parent,
    )

    assert f"{scheme}://127.0.0.1" in ran.stderr
    assert "wrongsecret" not in ran.stdout + ran.stderr
    assert "hushhush" not in ran.stdout + ran.stderr


def test_the_right_password_opens(mjpeg_camera: MjpegCamera) -> None:
    """Credentials in the address reach the camera."""
    mjpeg_camera.password = RIGHT
    source = source_of(mjpeg_camera.url.replace("://", f"://watcher:{RIGHT}@"))
    source.open()
    shot = source.read()
    source.close()

    assert shot is not None


def test_a_web_page_is_not_a_camera(mjpeg_camera: MjpegCamera) -> None:
    """An address that answers with HTML gives one of our errors."""
    mjpeg_camera.body = b"<html><body>" + b"Welcome to your camera! " * 200 + b"</body></html>"
    source = source_of(mjpeg_camera.url)

    with pytest.raises(CameraError):
        source.open()


def test_a_silent_camera_is_lost_within_its_time(mjpeg_camera: MjpegCamera) -> None:
    """A connection on which nothing comes ends in an error that says how long nothing came."""
    source = source_of(mjpeg_camera.url, stall_s=1.0)
    source.open()
    mjpeg_camera.silent.set()

    with pytest.raises(CameraLostError, match="nothing came for 1 s"):
        deque(iter(source.read, None), maxlen=0)
    source.close()


def test_a_playlist_cannot_reach_the_network(tmp_path: Path, mjpeg_camera: MjpegCamera) -> None:
    """A recording that only points elsewhere is refused: files may open files, nothing else."""
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{mjpeg_camera.url}\n#EXT-X-ENDLIST\n")
    source = source_of(playlist)

    with pytest.raises(CameraRefusedError):
        source.open()


def test_a_video_of_more_than_40_megapixels_is_refused(tmp_path: Path) -> None:
    """Its stream says the size; not one picture is decoded."""
    path = tmp_path / "clip.avi"
    write_clip(path, codec="rawvideo", pixel_format="yuyv422", frames=2)
    data = path.read_bytes()
    at = data.index(b"strf") + 8
    large = struct.pack("<ii", 9_000, 9_000)
    path.write_bytes(data[: at + 4] + large + data[at + 12 :])
    source = ContainerSource(ContainerAddress(str(path), live=False), SystemClock(), timeout_s=None)

    with pytest.raises(CameraRefusedError, match="40 megapixels"):
        source.open()


def test_a_recording_that_vanishes_while_it_is_read_ends(tmp_path: Path) -> None:
    """An unplugged disk ends the recording; it does not crash the loop."""
    folder = write_pictures(tmp_path / "pictures")
    source = source_of(folder)
    source.open()
    first = source.read()
    shutil.rmtree(folder)
    rest = source.read()
    damaged = source.damaged
    source.close()

    assert first is not None
    assert (None, 11) == (rest, damaged)
