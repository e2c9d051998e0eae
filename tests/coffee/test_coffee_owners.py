"""Whose cup it is: the nearest hands' within reach, and nobody's where it is unclear."""

import pytest
from corners import cup, face
from hypothesis import given
from hypothesis import strategies as st

from appliance.coffee import owner, reach
from appliance.values import Box


def whose(faces: dict[str, Box], x: float, y: float = 330.0) -> str | None:
    """Whose a cup there is."""
    return owner(faces, cup(x, y).box)


def test_a_cup_before_the_chest_is_theirs() -> None:
    """And one beside, above or far below them is nobody's."""
    ann = {"ann": face(500)}

    assert "ann" == whose(ann, 560)
    assert [None] * 3 == [whose(ann, *place) for place in ((800, 330), (560, 110), (560, 700))]


def test_a_cup_between_two_is_nobodys() -> None:
    """Until it is nearer to one of them, by more than half a face."""
    people = {"ann": face(400), "ben": face(600)}

    assert ["ann", None, None, "ben"] == [whose(people, x) for x in (460, 535, 565, 640)]


def test_a_second_cup_is_not_the_neighbours() -> None:
    """Of two cups in one pair of hands neither is whose who stands beside and has none."""
    people = {"ann": face(400), "ben": face(560)}

    assert ["ben", "ben"] == [whose(people, x) for x in (570, 650)]


@pytest.mark.parametrize("width", [30.0, 340.0])
def test_a_cup_of_the_wrong_size_is_somebody_elses(width: float) -> None:
    """Of whoever stands nearer to the camera, or farther away, than this face."""
    assert whose({"ann": face(width=width)}, 500 + width / 2, 100 + width * 2) is None


def test_reach_is_measured_in_faces_and_stays_in_the_frame() -> None:
    """Two and a half widths of a face; moved into the picture, and never larger than it."""
    inside = reach(face(1200, 600, width=100), (1280, 720))
    small = reach(face(0, 0, width=400), (640, 480))

    assert (250.0, 250.0) == (inside.width, inside.height)
    assert (1030.0, 470.0) == (inside.x, inside.y)
    assert (0.0, 0.0, 640.0, 480.0) == small.corners


@given(
    st.lists(st.floats(0, 1180), min_size=1, max_size=5, unique=True),
    st.floats(0, 1280),
    st.floats(150, 600),
    st.permutations(range(5)),
)
def test_neither_order_nor_name_matters(xs: list[float], x: float, y: float, names: list[int]) -> None:
    """The same people in another order and by other keys: it is the same person's, and alone theirs, too."""
    people = {f"p{i}": face(at) for i, at in enumerate(xs)}
    renamed = {f"p{names[i]}": face(at) for i, at in reversed(list(enumerate(xs)))}
    mine, theirs = whose(people, x, y), whose(renamed, x, y)

    assert (None if mine is None else people[mine]) == (None if theirs is None else renamed[theirs])
    assert mine is None or mine == whose({mine: people[mine]}, x, y)
