"""Who is to be enrolled from which files: folders of folders, tables, and what people make of them."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import EnrolmentError, InputError
from appliance.picture_files import pictures_in
from appliance.writing import writable
from enroll.files import MOST_PICTURES, digest, photos, picture_files, read_photo
from enroll.names import checked_name, shown, usable_name
from enroll.roster import FAULTS, read_roster


def pictures(folder: Path, *names: str) -> list[Path]:
    """Files of these names; what is in them is not looked at here."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(name.encode())
    return [folder / name for name in names]


def faults(source: Path) -> dict[str, str]:
    """What is wrong with whom."""
    return {entry.name: entry.fault for entry in read_roster(source).entries}


# ---------------------------------------------------------------------- names

JOINED = (
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "\u0936\u094d\u200d\u0930\u0940",
    "\U0001f469\u200d\U0001f4bb",
    "\U0001f468\U0001f3fd\u200d\U0001f680",
    "\u2764\ufe0f\u200d\U0001f525",
)
"""As people write themselves: Persian, Hindi, joined emoji, some with a colour of skin."""
STRAY = (
    *("\u200c", "\u200d\u0639", "\u0639\u200d", "\u0639\u200c\u200d\u0639", "\u0639 \u200c\u0639"),
    *("A\u200dnn", "An\u200cn", "\u0639\u200e\u0639", "\u0639\u2066\u0639", "\ufeffAnn"),
)
"""Joiners that join nothing, and other characters that nobody sees."""


@pytest.mark.parametrize(
    "name",
    [
        "Ann",
        "Zo\u00eb",
        "\u5c71\u7530\u592a\u90ce",
        "Ann 'the' O\u2019Neil",
        "\U0001f600",
        "x" * 120,
        *JOINED,
    ],
)
def test_names_of_all_scripts_are_names(name: str) -> None:
    """As they were written, composed."""
    assert name == usable_name(f" {name} ") == checked_name(name)


@pytest.mark.parametrize(
    "name", ["", " ", "a\nb", "\x1b[31mred", "x" * 121, "\u202eevil", "\udcff", "a\u200b", "\x00", *STRAY]
)
def test_what_moves_a_cursor_is_no_name(name: str) -> None:
    """Nothing that a terminal would act upon, nothing invisible, no bytes that are not text."""
    assert usable_name(name) is None
    with pytest.raises(EnrolmentError, match="a name is 1 to 120"):
        checked_name(name)


@given(st.text())
def test_what_is_shown_can_be_printed(text: str) -> None:
    """Whatever somebody called a file; what can be printed stays as it is."""
    assert writable(shown(text))
    assert text == shown(text) or not writable(text)
    assert shown(text) == shown(shown(text))


# ---------------------------------------------------------------------- files


def test_a_folder_stands_for_the_pictures_in_it(tmp_path: Path) -> None:
    """By name, whatever the case of the ending; not hidden ones, not what else lies there."""
    pictures(tmp_path / "ann", "b.JPG", "a.webp", ".hidden.jpg", "notes.txt", "c.png")
    (tmp_path / "ann" / "inner.jpg").mkdir()

    assert ["a.webp", "b.JPG", "c.png"] == [path.name for path in pictures_in(tmp_path / "ann")]
    assert ["x.gif", "a.webp", "b.JPG", "c.png"] == [
        path.name for path in picture_files([tmp_path / "x.gif", tmp_path / "ann"])
    ]


def test_so_many_pictures_are_not_taken_of_one_person(tmp_path: Path) -> None:
    """Each is held against each; the hint says what does better."""
    many = pictures(tmp_path / "ann", *(f"{number}.jpg" for number in range(MOST_PICTURES + 1)))

    assert MOST_PICTURES == len(picture_files(many[1:]))
    with pytest.raises(InputError, match="are more than") as caught:
        picture_files(many)
    assert "a handful" in caught.value.hint


def test_what_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    """Gone, a folder, a pipe, a link to itself, too large: the next one is read."""
    (good,) = pictures(tmp_path, "good.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with (tmp_path / "video.jpg").open("wb") as file:
        file.truncate(3_000_000_000)
    given_ = [tmp_path / name for name in ("gone.jpg", "loop.jpg", "pipe.jpg", "video.jpg", "good.jpg")]

    assert ["no_file", "no_file", "no_file", "too_many_bytes", ""] == [
        photo.fault for photo in photos([*given_])
    ]
    assert "no_file" == read_photo(tmp_path).fault
    assert (None, True) == (digest(tmp_path / "gone.jpg"), digest(good) is not None)


def test_a_files_name_cannot_move_a_cursor(tmp_path: Path) -> None:
    """It is shown with its codes."""
    (path,) = pictures(tmp_path, "\x1b[2Jann.jpg")

    assert "\\x1b[2Jann.jpg" == read_photo(path).label


# ---------------------------------------------------------------------- folders


def test_a_folder_of_folders_is_a_folder_of_people(tmp_path: Path) -> None:
    """In order of name, each with their pictures; loose files are counted, not guessed at."""
    pictures(tmp_path / "Zo\u00eb", "2.jpg", "1.jpg")
    pictures(tmp_path / "Ann Example", "a.png")
    pictures(tmp_path, "group.jpg", "readme.txt", ".DS_Store")
    pictures(tmp_path / ".git", "x.jpg")
    pictures(tmp_path / "__MACOSX", "x.jpg")
    roster = read_roster(tmp_path)

    assert [("Ann Example", ["a.png"]), ("Zo\u00eb", ["1.jpg", "2.jpg"])] == [
        (entry.name, [file.name for file in entry.files]) for entry in roster.entries
    ]
    assert ({""}, 2) == ({entry.fault for entry in roster.entries}, roster.beside)


def test_what_cannot_be_a_person_is_told(tmp_path: Path) -> None:
    """Empty, only folders, a name that cannot be, the same name in other characters; the others are taken."""
    pictures(tmp_path / "Ann", "a.jpg")
    (tmp_path / "empty").mkdir()
    pictures(tmp_path / "departments" / "Ben", "b.jpg")
    pictures(tmp_path / "\x1b[31mred", "c.jpg")
    pictures(tmp_path / "Zo\u00eb", "d.jpg")
    pictures(tmp_path / "Zoe\u0308", "e.jpg")
    pictures(tmp_path / "many", *(f"{number}.jpg" for number in range(MOST_PICTURES + 1)))
    found = [(entry.name, entry.fault) for entry in read_roster(tmp_path).entries]

    assert sorted(
        [
            ("Ann", ""),
            ("empty", "no_pictures"),
            ("departments", "only_folders"),
            ("\\x1b[31mred", "name_unusable"),
            ("Zo\u00eb", ""),
            ("Zo\u00eb", "name_twice"),
            ("many", "too_many_pictures"),
        ]
    ) == sorted(found)
    assert {fault for _, fault in found if fault} <= set(FAULTS)


def test_a_name_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    """As an old archive leaves it; it can be shown, and is no name."""
    folder = os.fsencode(tmp_path) + b"/M\xfcller"
    try:
        Path(os.fsdecode(folder)).mkdir()
    except OSError:
        pytest.skip("this file system takes no such names")

    assert {"M\\udcfcller": "name_unusable"} == faults(tmp_path)


def test_links_in_circles_end(tmp_path: Path) -> None:
    """A folder that links to itself or to the folder of all is looked into once, and not below."""
    pictures(tmp_path / "Ann", "a.jpg")
    (tmp_path / "Ann" / "again").symlink_to(tmp_path / "Ann")
    (tmp_path / "all").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")

    assert {"Ann": "", "all": "only_folders"} == faults(tmp_path)
    assert 1 == read_roster(tmp_path).beside


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_is_not_ours_to_read(tmp_path: Path) -> None:
    """One person's is told; that of everybody ends it."""
    pictures(tmp_path / "all" / "Ann", "a.jpg")
    (tmp_path / "all" / "Ann").chmod(0)
    assert {"Ann": "folder_unreadable"} == faults(tmp_path / "all")
    (tmp_path / "all").chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        read_roster(tmp_path / "all")
    (tmp_path / "all").chmod(0o700)
    (tmp_path / "all" / "Ann").chmod(0o700)


@pytest.mark.parametrize(("loose", "words"), [(True, "but no folder per person"), (False, "holds no folder")])
def test_a_folder_of_nobody(tmp_path: Path, *, loose: bool, words: str) -> None:
    """Pictures without folders are a mistake that is made often: the hint shows both ways."""
    if loose:
        pictures(tmp_path, "a.jpg")
    with pytest.raises(InputError, match=words) as caught:
        read_roster(tmp_path)

    assert "appliance enroll add" in caught.value.advice


# ---------------------------------------------------------------------- tables


def table(folder: Path, text: str | bytes) -> Path:
    """A table beside the files a.jpg, b.jpg and sub/c.jpg."""
    pictures(folder, "a.jpg", "b.jpg")
    pictures(folder / "sub", "c.jpg")
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "Ann,a.jpg\nBen,b.jpg,BX\nAnn,sub/c.jpg\n",
        "name,file,initials\r\nAnn,a.jpg,\r\nBen,b.jpg,BX\r\nAnn,sub/c.jpg,\r\n",
        "\ufeffName;File;Initials\nAnn;a.jpg;\n\nBen;b.jpg;BX\nAnn;sub/c.jpg;\n",
        'Ann\ta.jpg\n"Ben"\t"b.jpg"\tBX\n Ann \tsub/c.jpg',
    ],
    ids=["plain", "heading", "excel", "tabs"],
)
def test_a_table_names_people_and_files(tmp_path: Path, text: str) -> None:
    """With or without a heading, divided by commas, semicolons or tabs; lines of one name are one person."""
    entries = read_roster(table(tmp_path, text)).entries

    assert [("Ann", ["a.jpg", "c.jpg"], None), ("Ben", ["b.jpg"], "BX")] == [
        (entry.name, [file.name for file in entry.files], entry.initials) for entry in entries
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Ann", "1 column"),
        ("Ann,a.jpg,AX,more", "4 column"),
        (",a.jpg", "the name is empty"),
        ("\x1b[2J,a.jpg", "cannot be printed"),
        ("Ann,", "no file is named"),
        ("Ann,gone.jpg", "there is no such file"),
        ("Ann,sub", "there is no such file"),
        ("Ann,/etc/passwd", "beside the table"),
        ("Ann,../a.jpg", "beside the table"),
        ("Ann,sub/../../a.jpg", "beside the table"),
        ("Ann,a.jpg,ABCDE", "initials have 1 to 4"),
        ("Ben,b.jpg,BY", "other initials"),
        ("Ben,b.jpg,BX", "a second time"),
        ('Ann,"a.jpg', "no CSV"),
        ("Ann,a\x00.jpg", ""),
    ],
)
def test_a_fault_of_a_table_is_told_with_its_line(tmp_path: Path, line: str, fault: str) -> None:
    """And nobody is named in it, for it may be logged. One wrong line, and nobody is enrolled."""
    path = table(tmp_path, f"name,file,initials\nBen,b.jpg,BX\n{line}\n")
    with pytest.raises(InputError) as caught:
        read_roster(path)

    assert "line 3: " in caught.value.message or "line 4: no CSV" in caught.value.message
    assert fault in caught.value.message
    assert not {"Ann", "Ben"} & set(caught.value.message.replace(":", " ").split())


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Up to twenty, and how many more: nobody mends a table line by line."""
    path = table(tmp_path, "Ann,a.jpg\n" + "Ann\n" * 30)
    with pytest.raises(InputError) as caught:
        read_roster(path)
    lines = caught.value.message.splitlines()

    assert (21, "line 2: ", "and 10 lines more") == (len(lines), lines[0][:8], lines[-1])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "names nobody"),
        (b"name,file\n", "names nobody"),
        (b"Ann,a.jpg\nM\xfcller,b.jpg\n", "line 2: not UTF-8"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    """Empty, a heading only, saved in another encoding."""
    with pytest.raises(InputError, match=words):
        read_roster(table(tmp_path, content))


def test_a_table_too_large_or_gone(tmp_path: Path) -> None:
    """A film by mistake is not read; a pipe is not waited for."""
    path = table(tmp_path, "Ann,a.jpg\n")
    with path.open("r+b") as file:
        file.truncate(11_000_000)
    os.mkfifo(tmp_path / "pipe.csv")
    for each in (path, tmp_path / "pipe.csv", tmp_path / "gone.csv"):
        with pytest.raises(InputError, match="no ordinary file"):
            read_roster(each)


@given(st.binary(max_size=300))
def test_whatever_is_in_a_table_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """No bytes make it fail in any other way."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert all(entry.files for entry in read_roster(path).entries)
