"""Heads of a box's log that come along: none is lost, and a box cannot fill the admin's disk with them."""

from pathlib import Path

import pytest
from captures import head
from hypothesis import given
from hypothesis import strategies as st

from appliance.evidence.pulled_heads import HeadsCame, keep_heads

HEAD = len(head(100)) + 1


def come(folder: Path, *lines: str | bytes, most_bytes: int = 1_000_000) -> HeadsCame:
    """These arrive."""
    raw = [line if isinstance(line, bytes) else line.encode() for line in lines]
    (folder / "arrived").write_bytes(b"".join(each + b"\n" for each in raw))
    return keep_heads(folder / "arrived", folder / "kept", most_bytes=most_bytes)


def kept(folder: Path) -> list[str]:
    """The lines that are here."""
    return (folder / "kept").read_text(encoding="utf-8").splitlines()


@given(turns=st.lists(st.lists(st.integers(0, 9), max_size=8), max_size=5))
def test_each_is_kept_once_in_the_order_of_its_coming(
    turns: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the box says in each call."""
    folder = tmp_path_factory.mktemp("heads")
    new = [come(folder, *map(head, turn)).new for turn in turns]
    every = list(dict.fromkeys(head(each) for turn in turns for each in turn))

    assert len(every) == sum(new)
    assert every == (kept(folder) if turns else [])
    assert not (folder / "arrived").exists()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"first",
        b"[" * 4000,
        b"\xff" * 300,
        b"x" * 100_000,
        head(1)[:-9],
        head(1).replace("box", "b" * 5000),
        head(1).replace("{", '{"more":1,'),
        head(1).replace("ffff", "FFFF"),
        head(1).replace(":1,", ":-1,"),
    ],
    ids=["empty", "a word", "deep", "no text", "long", "torn", "long device", "more", "capitals", "before"],
)
def test_what_is_no_head_is_not_kept(tmp_path: Path, line: str | bytes) -> None:
    """It does not keep the good one after it, either."""
    came = come(tmp_path, head(0), line, head(2))

    assert HeadsCame(2, is_full=False) == came
    assert [head(0), head(2)] == kept(tmp_path)


def test_a_box_cannot_add_for_ever(tmp_path: Path) -> None:
    """So many bytes in all, over any number of calls; what was there stays, and that it is full is said."""
    room = 10 * HEAD
    came = [come(tmp_path, *map(head, range(n, n + 4)), most_bytes=room) for n in range(100, 200, 4)]

    assert [4, 4, 2, 0] == [each.new for each in came[:4]]
    assert [False, False] + [True] * 23 == [each.is_full for each in came]
    assert [head(number) for number in range(100, 110)] == kept(tmp_path)
    assert (tmp_path / "kept").stat().st_size <= room
    assert HeadsCame(0, is_full=False) == come(tmp_path, head(100), most_bytes=room)


def test_what_is_too_much_to_be_read_is_said(tmp_path: Path) -> None:
    """A box that puts nonsense before its heads does not hide that there are any."""
    assert HeadsCame(1, is_full=True) == come(tmp_path, head(0), b"x" * 9000, head(1), most_bytes=5000)


def test_a_line_that_was_torn_here_does_not_take_the_next_with_it(tmp_path: Path) -> None:
    """It stays as a line of its own, and its head is added again."""
    (tmp_path / "kept").write_text(f"{head(1)}\n{head(2)[:40]}")
    came = come(tmp_path, head(1), head(2))

    assert 1 == came.new
    assert [head(1), head(2)[:40], head(2)] == kept(tmp_path)
