"""`appliance enroll …`: real pictures, real networks, a real database; and what is none of these."""

import io
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from commands import Ended, run
from PIL import Image

from appliance.services import Layout, open_services
from appliance.settings import Settings
from enroll.consent import PURPOSES, TEXT, TEXT_VERSION
from enroll.photos import REASONS

CONSENT = ("--consent", "signed form 2026-01-05")


def people(enrol: Any) -> list[dict[str, Any]]:
    """Who is enrolled; nobody where there is no database yet."""
    done: Ended = enrol("list", "--json")
    return json.loads(done.out) if done.code == 0 else []


def png(width: int, height: int) -> bytes:
    """A whole, valid PNG of black pixels: a hundred kilobytes for a hundred megapixels."""
    row = b"\0" * (1 + width)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    )


def plain(size: tuple[int, int] = (640, 480)) -> bytes:
    """A gray JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "gray").save(buffer, "JPEG")
    return buffer.getvalue()


def test_somebody_is_enrolled_listed_shown_and_removed(enrol: Any, portraits: Path) -> None:
    """The whole life of an enrolment, at the command line."""
    added = enrol("add", " Ann Example ", portraits / "obama.jpg", *CONSENT, "--initials", "AE")
    (person,) = people(enrol)
    shown = json.loads(enrol("show", "Ann Example", "--json").out)
    words = enrol("show", person["id"]).out
    removed = enrol("remove", person["id"][:13], "--yes")

    assert (0, "") == (added.code, added.err)
    assert ("Ann Example", "AE", "active", 1) == tuple(
        person[key] for key in ("name", "initials", "state", "references")
    )
    assert ["greet", "identify"] == sorted(person["purposes"])
    (consent,) = shown["consents"]
    assert (TEXT_VERSION, CONSENT[1], None) == (
        consent["text_version"],
        consent["given_by"],
        consent["withdrawn_at"],
    )
    assert ["dlib", "dlib-mirror", "sface"] == sorted(shown["reference_list"][0]["models"])
    assert f"consent {consent['id']} to greet, identify: {CONSENT[1]}" in words
    assert f"reference {shown['reference_list'][0]['id']}" in words
    assert (0, "") == (removed.code, removed.err)
    assert [] == people(enrol)
    assert 6 == enrol("show", "Ann Example").refusal[0]
    assert "nobody is enrolled" in enrol("list").out


def test_what_became_of_each_picture_is_told(enrol: Any, portraits: Path, tmp_path: Path) -> None:
    """One accepted, one the same again, one without a face: the person is enrolled with what was usable."""
    (tmp_path / "wall.jpg").write_bytes(plain())
    (tmp_path / "copy.jpg").write_bytes((portraits / "obama.jpg").read_bytes())
    done = enrol(
        "add",
        "Ann",
        portraits / "obama.jpg",
        tmp_path / "copy.jpg",
        tmp_path / "wall.jpg",
        *CONSENT,
        "--json",
    )
    told = [(each["photo"], each["accepted"], each["reasons"]) for each in json.loads(done.out)["photos"]]

    assert 0 == done.code
    assert [
        ("obama.jpg", True, []),
        ("copy.jpg", False, ["SAME_PHOTO"]),
        ("wall.jpg", False, ["NO_FACE"]),
    ] == told
    assert 1 == people(enrol)[0]["references"]


def only(enrol: Any) -> str:
    """Id of the one person enrolled."""
    (person,) = people(enrol)
    return str(person["id"])


def test_a_further_picture_goes_to_whoever_is_named_by_id(enrol: Any, portraits: Path) -> None:
    """With --to; the picture given before is known again, and there is still one Ann."""
    enrol("add", "Ann", portraits / "obama.jpg", *CONSENT)
    to = ("--to", only(enrol)[:13])
    again = enrol("add", "Ann", portraits / "obama.jpg", *CONSENT, *to)
    further = enrol("add", "Ann", portraits / "astronaut.jpg", *CONSENT, *to, "--although-different")

    assert 11 == again.code
    assert f"no picture can be used: {REASONS['SAME_PHOTO'].words} (1)" in again.errors
    assert 0 == further.code
    assert [("Ann", 2)] == [(person["name"], person["references"]) for person in people(enrol)]


@pytest.mark.parametrize("name", ["Zo\u00eb", "Zoe\u0308", " Zo\u00eb "])
def test_a_name_alone_never_adds_a_face_to_somebody_enrolled(enrol: Any, portraits: Path, name: str) -> None:
    """Two people may have one name, however its letters are composed; the hint names both ways on."""
    enrol("add", "Zo\u00eb", portraits / "obama.jpg", *CONSENT)
    enrolled = only(enrol)
    refused = enrol("add", name, portraits / "astronaut.jpg", *CONSENT)

    assert (11, "somebody of that name is enrolled already") == refused.refusal
    assert f"--to {enrolled}" in refused.hints[0]
    assert "--namesake" in refused.hints[0]
    assert [1] == [person["references"] for person in people(enrol)]


def test_two_people_may_have_one_name(enrol: Any, portraits: Path) -> None:
    """With --namesake they are two, each with a key, a consent and a face of their own."""
    enrol("add", "Ann", portraits / "obama.jpg", *CONSENT)
    done = enrol("add", "Ann", portraits / "astronaut.jpg", "--consent", "by mail", "--namesake")
    both = people(enrol)
    given = [json.loads(enrol("show", each["id"], "--json").out)["consents"] for each in both]

    assert (0, "") == (done.code, done.err)
    assert [("Ann", 1), ("Ann", 1)] == [(each["name"], each["references"]) for each in both]
    assert [[CONSENT[1]], ["by mail"]] == [[each["given_by"] for each in consents] for consents in given]


def test_an_id_that_goes_with_another_name_is_refused(enrol: Any, portraits: Path) -> None:
    """A slip in the id does not put a face under somebody else's name; an unknown id names nobody."""
    enrol("add", "Ann", portraits / "obama.jpg", *CONSENT)
    to = ("--to", only(enrol))
    slip = enrol("add", "Bob", portraits / "astronaut.jpg", *CONSENT, *to)
    nobody = enrol("add", "Ann", portraits / "astronaut.jpg", *CONSENT, "--to", "00000000")
    both = enrol("add", "Ann", portraits / "astronaut.jpg", *CONSENT, *to, "--namesake")

    assert (11, "whoever has the id given with --to has another name") == slip.refusal
    assert 6 == nobody.refusal[0]
    assert 11 == both.refusal[0]
    assert [("Ann", 1)] == [(person["name"], person["references"]) for person in people(enrol)]


def test_every_consent_is_recorded(enrol: Any, portraits: Path, tmp_path: Path) -> None:
    """Beside a further picture too, to the same purposes or to others: none that was given is dropped."""
    Image.open(portraits.parent / "scene" / "biden.png").save(tmp_path / "other.png")
    enrol("add", "Ann", portraits / "obama.jpg", *CONSENT)
    to = ("--to", only(enrol))
    song = ("--purpose", "identify", "--purpose", "song")
    knowingly = ("--although-different", "--although-alike")
    enrol("add", "Ann", portraits / "astronaut.jpg", "--consent", "by mail", *to, *knowingly)
    enrol("add", "Ann", tmp_path / "other.png", "--consent", "at the desk", *to, *song, *knowingly)

    assert {"greet", "identify", "song"} == set(people(enrol)[0]["purposes"])
    assert [CONSENT[1], "by mail", "at the desk"] == [
        consent["given_by"] for consent in json.loads(enrol("show", "Ann", "--json").out)["consents"]
    ]


def test_a_folder_stands_for_its_pictures(enrol: Any, portraits: Path, tmp_path: Path) -> None:
    """Those directly in it, by name, whatever else lies there; folders and dangling links are no pictures."""
    folder = tmp_path / "ann"
    (folder / "folder.jpg").mkdir(parents=True)
    (folder / "gone.jpg").symlink_to(tmp_path / "none")
    (folder / "notes.txt").touch()
    (folder / "b.JPG").write_bytes((portraits / "obama.jpg").read_bytes())
    (folder / "a.jpg").write_bytes(plain())
    done = enrol("add", "Ann", folder, *CONSENT, "--json")

    assert ["a.jpg", "b.JPG"] == [each["photo"] for each in json.loads(done.out)["photos"]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("truncated", "truncated"),
        ("megapixels", "too_many_pixels"),
        ("pdf", "not_a_picture"),
        ("empty", "not_a_picture"),
        ("gif", "unsupported_format"),
        ("wall", "NO_FACE"),
    ],
)
def test_a_bad_picture_enrols_nobody(
    enrol: Any, portraits: Path, tmp_path: Path, name: str, reason: str
) -> None:
    """One sentence with the file's name and what is wrong with it; the next picture is read as ever."""
    good = (portraits / "obama.jpg").read_bytes()
    content = {
        "truncated": lambda: good[: len(good) // 2],
        "megapixels": lambda: png(10_000, 10_000),
        "pdf": lambda: b"%PDF-1.7\n" + b"x" * 1000,
        "empty": lambda: b"",
        "gif": lambda: b"GIF89a" + b"\0" * 100,
        "wall": plain,
    }[name]()
    (tmp_path / "ann.jpg").write_bytes(content)
    done = enrol("add", "Ann", tmp_path / "ann.jpg", *CONSENT)

    assert (11, [f"no picture can be used: {REASONS[reason].words} (1)"]) == (done.code, done.errors)
    assert [REASONS[reason].advice] == done.hints
    assert f"  ann.jpg: {REASONS[reason].words}\n      {REASONS[reason].advice}\n" == done.out
    assert [] == people(enrol)
    assert 0 == enrol("add", "Ann", portraits / "obama.jpg", *CONSENT).code


def test_a_file_too_large_is_not_read(enrol: Any, tmp_path: Path) -> None:
    """A video given by mistake, a hundred times as large as any picture."""
    with (tmp_path / "ann.jpg").open("wb") as file:
        file.truncate(3_000_000_000)
    done = enrol("add", "Ann", tmp_path / "ann.jpg", *CONSENT)

    assert (11, [f"no picture can be used: {REASONS['too_many_bytes'].words} (1)"]) == (
        done.code,
        done.errors,
    )
    assert [] == people(enrol)


def test_a_folder_without_pictures(enrol: Any, tmp_path: Path) -> None:
    """It says which of those given, by number since its name may be a person's, and what it looked for."""
    (folder := tmp_path / "Zachariasmus").mkdir()
    for each in (tmp_path, folder):
        (each / "notes.txt").touch()
    done = enrol("add", "Ann", tmp_path / "notes.txt", folder, *CONSENT)

    assert (3, "number 2 of what was given is a folder that holds no pictures") == done.refusal
    assert "Zachariasmus" not in done.err
    assert ".jpg" in done.hints[0]


def test_a_pipe_is_not_waited_for(enrol: Any, tmp_path: Path) -> None:
    """Nobody may ever write to it."""
    os.mkfifo(tmp_path / "ann.jpg")

    done = enrol("add", "Ann", tmp_path / "ann.jpg", *CONSENT)

    assert (11, [f"no picture can be used: {REASONS['no_file'].words} (1)"]) == (done.code, done.errors)


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "\x1b[31mred", "x" * 121, "\u202eevil"])
def test_a_name_that_is_none(enrol: Any, portraits: Path, name: str) -> None:
    """Empty, of several lines, moving a terminal's cursor, too long, written backwards."""
    done = enrol("add", name, portraits / "obama.jpg", *CONSENT)

    assert (11, "a name is 1 to 120 visible characters") == done.refusal
    assert [] == people(enrol)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 2),
        (("--consent",), 2),
        (("--consent", " "), 11),
        (("--consent", "not \udcff text"), 11),
        (("--consent", "two\nlines"), 11),
        (("--consent", "x" * 501), 11),
        ((*CONSENT, "--purpose", "greet"), 11),
        ((*CONSENT, "--purpose", "payroll"), 2),
        ((*CONSENT, "--initials", "ABCDE"), 11),
    ],
)
def test_without_a_consent_nobody_is_enrolled(
    enrol: Any, portraits: Path, options: tuple[str, ...], code: int
) -> None:
    """None, an empty one, one that does not cover being identified, one to something unheard of."""
    done = enrol("add", "Ann", portraits / "obama.jpg", *options)

    assert code == done.refusal[0]
    assert [] == people(enrol)


def test_a_file_that_is_not_there(enrol: Any, tmp_path: Path) -> None:
    """Named, before anything is opened."""
    done = enrol("add", "Ann", tmp_path / "none.jpg", *CONSENT)

    assert 2 == done.refusal[0]
    assert "none.jpg" in done.errors[0]


def test_removing_without_an_answer_removes_nobody(enrol: Any, state: Path, portraits: Path) -> None:
    """Standard input at its end is no yes."""
    enrol("add", "Ann", portraits / "obama.jpg", *CONSENT)
    done = run("--state", state, "enroll", "remove", "Ann")

    assert 130 == done.code
    assert "Traceback" not in done.err
    assert 1 == len(people(enrol))


def test_the_text_is_printed_with_its_version(enrol: Any) -> None:
    """To be put on the form that people sign; it needs no database."""
    assert (0, f"{TEXT}\nversion {TEXT_VERSION}\n", "") == tuple(vars(enrol("text")).values())
    assert {"text": TEXT, "version": TEXT_VERSION, "purposes": PURPOSES} == json.loads(
        enrol("text", "--json").out
    )


def test_names_are_nowhere_in_the_clear(enrol: Any, state: Path, portraits: Path) -> None:
    """Neither in the database nor in any other file of the state directory; nor is the file's name."""
    enrol("add", "Zachariasmus", portraits / "obama.jpg", "--consent", "on a napkin, honestly")
    kept = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())

    assert kept
    assert b"SQLite" in kept
    for secret in (b"Zachariasmus", b"on a napkin", b"obama"):
        assert secret not in kept


def test_the_whole_way_in_a_process_of_its_own(state: Path, portraits: Path) -> None:
    """As it is typed; and the box then has exactly that person."""
    done = run("--state", state, "enroll", "add", "Ann", portraits / "obama.jpg", *CONSENT)
    with open_services(Settings(), Layout(state)) as services:
        names = [subject.name for subject in services.store.subjects()]

    assert (0, "") == (done.code, done.err)
    assert ["Ann"] == names
