"""Which things count: labels, thresholds, places, and names that are wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from object_things import HEIGHT, WIDTH, thing, watch_settings

from appliance.objects.regions import counting, inside
from appliance.values import Box, DetectedObject

SIZE = (WIDTH, HEIGHT)
LEFT_HALF = {"region": (0.0, 0.0, 0.5, 1.0)}


def counted(things: list[DetectedObject], **settings: object) -> list[str]:
    """The labels that count, in order."""
    return [each.label for each in counting(things, watch_settings(**settings), SIZE)]


def at(x: float, label: str = "dog", score: float = 0.9) -> DetectedObject:
    """A small thing whose middle is at x, in the frame's middle row."""
    return thing(label, score, (x - 10, HEIGHT / 2 - 10, 20, 20))


@pytest.mark.parametrize(
    ("score", "settings", "expected"),
    [
        (0.50, {}, ["dog"]),
        (0.49, {}, []),
        (0.49, {"thresholds": {"dog": 0.4}}, ["dog"]),
        (0.60, {"thresholds": {"dog": 0.7}}, []),
        (0.60, {"thresholds": {"cat": 0.7}}, ["dog"]),
        (0.30, {"threshold": 0.3}, ["dog"]),
        (0.90, {"labels": ["dog", "cat"]}, ["dog"]),
        (0.90, {"labels": ["cat"]}, []),
    ],
)
def test_a_label_counts_from_its_own_threshold(
    score: float, settings: dict[str, object], expected: list[str]
) -> None:
    """The general one holds where a label has none; a label that is not asked for never counts."""
    assert expected == counted([thing("dog", score)], **settings)


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        ([{"kind": "ignore", **LEFT_HALF}], ["right"]),
        ([{"kind": "include", **LEFT_HALF}], ["left"]),
        ([{"kind": "ignore", "labels": ["right"], **LEFT_HALF}], ["left", "right"]),
        ([{"kind": "include", "labels": ["right"], **LEFT_HALF}], ["left"]),
        ([{"kind": "include", "labels": ["left"], **LEFT_HALF}], ["left", "right"]),
        ([{"kind": "include"}, {"kind": "ignore", **LEFT_HALF}], ["right"]),
        ([], ["left", "right"]),
    ],
)
def test_a_thing_counts_where_it_is_watched(regions: list[dict[str, object]], expected: list[str]) -> None:
    """To ignore goes before to include; a region for other labels is none."""
    assert expected == counted([at(100, "left"), at(500, "right")], regions=regions)


def test_a_puppy_that_is_called_a_cat_too_is_a_puppy() -> None:
    """Of two names for one place the more certain is right, even if only the other was asked for."""
    dog, cat = thing("dog", 0.9, (100, 100, 200, 150)), thing("cat", 0.8, (104, 98, 196, 155))

    assert ["dog"] == counted([dog, cat])
    assert [] == counted([dog, cat], labels=["cat"])
    assert ["cat"] == counted([cat], labels=["cat"])


def test_a_cup_before_a_person_is_both() -> None:
    """Things in one another's way are not one thing with two names."""
    assert ["person", "cup"] == counted(
        [thing("person", 0.9, (100, 50, 200, 300)), thing("cup", 0.8, (180, 150, 40, 50))]
    )


@given(
    x=st.floats(0, WIDTH - 1),
    y=st.floats(0, HEIGHT - 1),
    scale=st.integers(1, 8),
    edge=st.floats(0.01, 0.99),
)
def test_a_region_holds_at_any_resolution(x: float, y: float, scale: int, edge: float) -> None:
    """Fractions mean the same part of a larger picture of the same scene."""
    region = (0.0, 0.0, edge, edge)
    small = inside(Box(x, y, 1, 1), region, SIZE)
    large = inside(Box(x * scale, y * scale, scale, scale), region, (WIDTH * scale, HEIGHT * scale))
    near = abs((x + 0.5) / WIDTH - edge) < 1e-9 or abs((y + 0.5) / HEIGHT - edge) < 1e-9

    assert near or small == large
