"""Packing, sealing, opening: what goes in comes out, for the right key only."""

import io
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyrage
import pytest
from captures import NOW, KeyPair, jpeg, make_shot
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from appliance.errors import EvidenceError, IdentityError
from appliance.evidence import (
    open_capture,
    pack_capture,
    parse_identities,
    parse_recipient,
    parse_recipients,
    save_opened,
    seal,
)
from appliance.values import Box

CAPTURE = "019b8d9e-5d80-7000-8000-000000000001"


def sealed_for(pair: KeyPair, content: bytes | None = None) -> bytes:
    """A capture of two pictures, or any other content, sealed to one key."""
    packed = pack_capture(CAPTURE, [make_shot(0), make_shot(1)], {"door": "front"}, NOW, jpeg)
    return seal(content if content is not None else packed, [parse_recipient(pair.public)])


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar with whatever members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, content in members:
            member.size = member.size or len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_what_is_sealed_opens_again(key_pair: KeyPair) -> None:
    """Each kind of key opens what was sealed to it: metadata, then frame and face of each picture."""
    opened = open_capture(sealed_for(key_pair), parse_identities(key_pair.private, where="key"))

    assert ["metadata.json", "frame-1.jpg", "face-1.jpg", "frame-2.jpg", "face-2.jpg"] == list(opened)
    assert jpeg(make_shot(1).bgr, 92) == opened["frame-2.jpg"]


def test_every_recipient_opens_alone(key_pairs: dict[str, KeyPair]) -> None:
    """Sealed to three keys, each of the three is enough."""
    recipients = parse_recipients(pair.public for pair in key_pairs.values())
    sealed = seal(pack_capture(CAPTURE, [make_shot()], {}, NOW, jpeg), recipients)

    opened = [open_capture(sealed, parse_identities(p.private, where="key")) for p in key_pairs.values()]

    assert opened[0] == opened[1] == opened[2]


def test_the_metadata_says_what_the_pictures_are(key_pairs: dict[str, KeyPair]) -> None:
    """Camera, frame number, time, box and quality of each picture, and what the caller added."""
    pair = key_pairs["age"]
    about = json.loads(
        open_capture(sealed_for(pair), parse_identities(pair.private, where="k"))["metadata.json"]
    )

    assert (CAPTURE, "2026-01-05T09:00:00+00:00") == (about["capture"], about["sealed_at"])
    assert {"door": "front"} == about["metadata"]
    assert {
        "frame": "frame-2.jpg",
        "face": "face-2.jpg",
        "camera": "entrance",
        "sequence": 1,
        "taken_at": "2026-01-05T09:00:00+00:00",
        "media_s": None,
        "width": 160,
        "height": 120,
        "box": {"x": 40.0, "y": 30.0, "width": 50.0, "height": 60.0},
        "quality": 80.0,
    } == about["frames"][1]


def test_packing_twice_gives_the_same_bytes() -> None:
    """Nothing of the machine, the account or the moment of packing is in a capture."""
    packed = [pack_capture(CAPTURE, [make_shot()], {"b": 1, "a": 2}, NOW, jpeg) for _ in range(2)]

    assert packed[0] == packed[1]


def test_the_frame_is_sealed_as_the_camera_gave_it() -> None:
    """Evidence is never drawn on: the encoder is handed the very array, which is not changed."""
    seen: list[np.ndarray] = []
    shot = make_shot()
    before = shot.bgr.copy()

    pack_capture(CAPTURE, [shot], {}, NOW, lambda picture, _: seen.append(picture) or b"jpeg")

    assert seen[0] is shot.bgr
    assert np.array_equal(before, shot.bgr)


def test_the_face_has_a_margin() -> None:
    """40 % of the face's size on every side."""
    shot = make_shot(box=Box(60, 40, 40, 30))
    packed = tarfile.open(fileobj=io.BytesIO(pack_capture(CAPTURE, [shot], {}, NOW, jpeg)))  # noqa: SIM115 - in memory

    face = Image.open(io.BytesIO(packed.extractfile("face-1.jpg").read()))

    assert (40 + 2 * 16, 30 + 2 * 12) == face.size


@given(
    st.floats(-500, 500), st.floats(-500, 500), st.floats(0.1, 1000), st.floats(0.1, 1000), st.integers(1, 40)
)
def test_a_face_anywhere_gives_a_picture(x: float, y: float, width: float, height: float, size: int) -> None:
    """A box over the edge, or beyond it, still gives a crop inside the frame of at least one pixel."""
    shapes: list[tuple[int, ...]] = []
    shot = make_shot(size=(size, size), box=Box(x, y, width, height))

    pack_capture(CAPTURE, [shot], {}, NOW, lambda picture, _: shapes.append(picture.shape) or b"")

    assert 1 <= shapes[1][0] <= size
    assert 1 <= shapes[1][1] <= size


@pytest.mark.parametrize("count", [0, 4])
def test_one_to_three_frames(count: int) -> None:
    """No picture, or more than a capture holds, is refused before anything is sealed."""
    with pytest.raises(EvidenceError) as refused:
        pack_capture(CAPTURE, [make_shot()] * count, {}, NOW, jpeg)

    assert "no_frame" == refused.value.reason


def test_metadata_that_is_not_json_is_refused() -> None:
    """A NaN or an object is an error at sealing, not a file that no one can read."""
    for value in (float("nan"), object()):
        with pytest.raises(EvidenceError, match="JSON"):
            pack_capture(CAPTURE, [make_shot()], {"value": value}, NOW, jpeg)


def test_without_a_recipient_nothing_is_sealed() -> None:
    """There is no default key."""
    with pytest.raises(EvidenceError) as refused:
        seal(b"picture", ())

    assert "no_recipient" == refused.value.reason


def test_another_key_does_not_open(key_pairs: dict[str, KeyPair]) -> None:
    """A key that it was not sealed to is told so, with a hint."""
    other = parse_identities(str(pyrage.x25519.Identity.generate()).encode(), where="other.txt")

    with pytest.raises(IdentityError, match=r"not sealed to other\.txt"):
        open_capture(sealed_for(key_pairs["age"]), other)


def test_no_key_does_not_open(key_pairs: dict[str, KeyPair]) -> None:
    """Forgetting the key is an IdentityError."""
    with pytest.raises(IdentityError, match="no private key"):
        open_capture(sealed_for(key_pairs["age"]), ())


@given(place=st.floats(0, 1, exclude_max=True), bit=st.one_of(st.none(), st.integers(0, 7)))
def test_a_damaged_capture_never_opens(place: float, bit: int | None, key_pairs: dict[str, KeyPair]) -> None:
    """Cut anywhere, or one bit flipped anywhere: ours is the error, and no content comes out."""
    pair = key_pairs["age"]
    sealed = bytearray(sealed_for(pair, b"x" * 200))
    identities = parse_identities(pair.private, where="key")
    at = int(place * len(sealed))
    if bit is None:
        del sealed[at:]
    else:
        sealed[at] ^= 1 << bit

    with pytest.raises((EvidenceError, IdentityError)):
        open_capture(bytes(sealed), identities)


@given(content=st.binary(max_size=300))
def test_any_bytes_are_not_a_capture(content: bytes, key_pairs: dict[str, KeyPair]) -> None:
    """A file that is no age file is refused with our error."""
    with pytest.raises(EvidenceError):
        open_capture(content, parse_identities(key_pairs["age"].private, where="key"))


def _named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = link
    return member


def _after_headers(kind: bytes, count: int) -> bytes:
    """A capture behind so many headers of one kind, each of which speaks of the next."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, 2
    one = header.tobuf(tarfile.USTAR_FORMAT) + b"a\0".ljust(512, b"\0")
    return one * count + tar_of((_named("metadata.json"), b"{}"))


@pytest.mark.parametrize(
    "content",
    [
        b"not a tar",
        b"",
        tar_of((_named("../metadata.json"), b"{}")),
        tar_of((_named("/metadata.json"), b"{}")),
        tar_of((_named("metadata.json", tarfile.SYMTYPE, "/etc/passwd"), b"")),
        tar_of((_named("metadata.json", tarfile.LNKTYPE, "frame-1.jpg"), b"")),
        tar_of((_named("metadata.json", tarfile.GNUTYPE_SPARSE), b"")),
        tar_of((_named("metadata.json", tarfile.DIRTYPE), b"")),
        tar_of((_named("metadata.json"), b"{}"), (_named("metadata.json"), b"{}")),
        tar_of((_named("metadata.json"), b"{}"), (_named("frame-4.jpg"), b"")),
        tar_of((_named("frame-1.jpg"), b"")),
        tar_of((_named("metadata.json"), b"{}"))[:512],
        tar_of((_named("metadata.json"), b"{}" * 600))[:1000],
        *(_after_headers(kind, count) for kind in (b"L", b"K", b"x", b"g", b"X") for count in (1, 3000)),
    ],
    ids=[
        "noise",
        "empty",
        "parent",
        "absolute",
        "symlink",
        "hardlink",
        "sparse",
        "folder",
        "twice",
        "unknown name",
        "no metadata",
        "cut after the header",
        "cut in the content",
        *(f"{count} {kind}" for kind in ("L", "K", "x", "g", "X") for count in (1, 3000)),
    ],
)
def test_what_opens_is_not_trusted(content: bytes, key_pairs: dict[str, KeyPair]) -> None:
    """Anybody who knows the public key can seal: foreign names, links, doubles, chains are refused."""
    pair = key_pairs["age"]

    with pytest.raises(EvidenceError):
        open_capture(sealed_for(pair, content), parse_identities(pair.private, where="key"))


@given(tail=st.binary(max_size=2000), at=st.integers(0, 1000), value=st.integers(0, 255))
def test_a_broken_tar_is_refused_with_our_error(
    tail: bytes, at: int, value: int, key_pairs: dict[str, KeyPair]
) -> None:
    """Whatever is changed inside before sealing, the result is ours or our error."""
    pair = key_pairs["age"]
    content = bytearray(tar_of((_named("metadata.json"), b"{}")))
    content[at] = value
    try:
        opened = open_capture(
            sealed_for(pair, bytes(content) + tail), parse_identities(pair.private, where="key")
        )
    except EvidenceError:
        return

    assert {"metadata.json"} == set(opened)


def test_opened_files_are_for_the_owner_only(tmp_path: Path) -> None:
    """Written beside each other, mode 0600, and never over a file that is there."""
    folder = tmp_path / "opened"
    written = save_opened({"metadata.json": b"{}", "frame-1.jpg": b"x"}, folder)

    assert [0o600, 0o600] == [path.stat().st_mode & 0o777 for path in written]
    with pytest.raises(EvidenceError, match="exists already"):
        save_opened({"metadata.json": b"new"}, folder)
    assert b"{}" == (folder / "metadata.json").read_bytes()


def test_a_foreign_name_is_never_written(tmp_path: Path) -> None:
    """Not even when a caller passes one."""
    with pytest.raises(EvidenceError):
        save_opened({"../escaped": b""}, tmp_path / "opened")

    assert not (tmp_path / "escaped").exists()


@pytest.mark.debian(reason="age")
def test_the_age_program_opens_it(key_pair: KeyPair, tmp_path: Path, program: Callable[[str], str]) -> None:
    """No program of ours is needed: `age -d -i KEY | tar x` gives the same files."""
    key = tmp_path / "key"
    key.write_bytes(key_pair.private)
    key.chmod(0o600)
    sealed = sealed_for(key_pair)
    opened = subprocess.run([program("age"), "-d", "-i", key], input=sealed, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", tmp_path], input=opened.stdout, check=True)

    assert jpeg(make_shot(0).bgr, 92) == (tmp_path / "frame-1.jpg").read_bytes()
