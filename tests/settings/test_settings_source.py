"""Settings: what is accepted, and how a mistake is said."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.errors import SettingsError
from appliance.settings import Settings, load, parse
from appliance.settings.relations import relations
from appliance.settings.source import key_lines, nested_model

GOOD = """
site = "hq"

[[cameras]]
id = "entrance"
source = "rtsp://admin:hunter2@10.0.0.5/main"   # with a password
when = "door"

[[doors]]
id = "front"
camera = "entrance"
region = [
  0.3, 0.0,
  0.7, 0.3,
]
seed = [0.5, 0.1]

[faces]
min_width_px = 70
"""


def fault(text: str) -> str:
    """The message that a settings text is refused with."""
    with pytest.raises(SettingsError) as caught:
        parse(text, origin="appliance.toml")
    return caught.value.message


def test_a_good_file_is_read() -> None:
    """Values arrive typed; what is not said has its default."""
    settings = parse(GOOD)

    assert "hq" == settings.site
    assert 70 == settings.faces.min_width_px
    assert (0.3, 0.0, 0.7, 0.3) == settings.doors[0].region
    assert "fused" == settings.recognition.composition


def test_a_password_is_never_shown() -> None:
    """A camera's source may carry a password; neither repr nor str of the settings shows it."""
    settings = parse(GOOD)

    assert "hunter2" not in repr(settings) + str(settings)
    assert "rtsp://admin:hunter2@10.0.0.5/main" == settings.cameras[0].source.get_secret_value()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("min_width_px", "min_widht_px"),
            "appliance.toml:19: faces.min_widht_px: unknown key; did you mean 'min_width_px'?",
        ),
        (("when =", "whenn ="), "appliance.toml:7: cameras[0].whenn: unknown key; did you mean 'when'?"),
        (
            ("min_width_px = 70", "min_width_px = 7"),
            "appliance.toml:19: faces.min_width_px: a whole number from 20 to 1000 is needed",
        ),
        (("[faces]", "[facess]"), "appliance.toml:18: facess: unknown key; did you mean 'faces'?"),
        (
            ('camera = "entrance"', 'camera = "back"'),
            "appliance.toml:11: doors[0].camera: there is no camera 'back'; there are: entrance",
        ),
        (
            ("seed = [0.5, 0.1]", "seed = [0.9, 0.1]"),
            "appliance.toml:9: doors[0]: seed must lie inside region",
        ),
        (('site = "hq"', "site = "), "appliance.toml:2: not valid TOML: Invalid value (at line 2, column 8)"),
        (('id = "entrance"\n', ""), "appliance.toml:4: cameras[0].id: required, but not there"),
    ],
)
def test_a_mistake_is_named_with_line_key_and_nearest_key(change: tuple[str, str], expected: str) -> None:
    """Each kind of mistake is found where it stands in the file."""
    assert expected in fault(GOOD.replace(*change))


def test_every_mistake_is_listed_in_the_order_of_the_file() -> None:
    """One run shows all of them."""
    text = fault(GOOD.replace("when =", "whenn =").replace("min_width_px", "minimum"))

    assert [":7:", ":19:"] == [line[line.index(":") : line.index(": ") + 1] for line in text.splitlines()]


def test_a_message_never_repeats_a_secret() -> None:
    """A source of the wrong type is refused without being quoted."""
    assert "hunter2" not in fault(GOOD.replace('"rtsp://admin:hunter2@10.0.0.5/main"', '["hunter2"]'))


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """No file is an error with a hint, not a traceback."""
    with pytest.raises(SettingsError, match="there is no settings file") as caught:
        load(tmp_path / "none.toml")

    assert "--settings" in caught.value.advice


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are named as such."""
    path = tmp_path / "a.toml"
    path.write_bytes(b'site = "\xff"')
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(path)


@given(st.text(max_size=200))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    """No text leads to anything but settings or a SettingsError."""
    try:
        outcome: object = parse(text)
    except SettingsError as error:
        outcome = error

    assert isinstance(outcome, Settings | SettingsError)


def test_lines_are_found_behind_multi_line_values() -> None:
    """A key after an array or string of several lines has its own line, and text in a string is no key."""
    text = 'a = """\n[b]\nc = 1\n"""\nd = [\n 1,\n]\n[e.f]\n"g h" = 2\n[[e.i]]\nj = 1\n[[e.i]]\nj = 2\n'

    lines = key_lines(text)

    assert 1 == lines["a",]
    assert 5 == lines["d",]
    assert 9 == lines["e", "f", "g h"]
    assert 13 == lines["e", "i", 1, "j"]
    assert ("b",) not in lines


def test_every_setting_is_described_and_scoped() -> None:
    """The settings page and SETTINGS.md are made from these; none may be missing."""
    rooms = [inner for field in Settings.model_fields.values() if (inner := nested_model(field.annotation))]
    fields = [(key, field) for model in (Settings, *rooms) for key, field in model.model_fields.items()]
    undescribed = [
        key
        for key, field in fields
        if not field.description
        or not isinstance(field.json_schema_extra, dict)
        or "scope" not in field.json_schema_extra
    ]

    assert [] == undescribed


TWICE = """
[[cameras]]
id = "entrance"
source = "scene:door"
when = "sometimes"

[[cameras]]
id = "entrance"
source = "scene:door"

[[doors]]
id = "front"
camera = "entrace"

[[doors]]
id = "front"
camera = "entrance"
tolerance = 0

[[actions]]
id = "song"
on = ["door_opened"]

[[actions]]
on = ["door_opened"]
id = "song"
"""


def test_what_does_not_go_together_is_told_with_all_else_and_its_line() -> None:
    """Equal ids and a door at no camera stand in line with wrong values: all can be mended at once."""
    assert [
        "appliance.toml:5: cameras[0].when: one of these is needed: door, approach, always",
        "appliance.toml:8: cameras[1].id: cameras[0] has the id 'entrance' already",
        "appliance.toml:13: doors[0].camera: there is no camera 'entrace'; there are: entrance",
        "appliance.toml:16: doors[1].id: doors[0] has the id 'front' already",
        "appliance.toml:18: doors[1].tolerance: a whole number from 1 to 100 is needed",
        "appliance.toml:26: actions[1].id: actions[0] has the id 'song' already",
    ] == fault(TWICE).splitlines()


def test_a_camera_that_waits_for_a_door_in_vain_is_told_by_its_line() -> None:
    """At its table when `when` is not written, for `door` is what it means then."""
    camera = '[[cameras]]\nid = "{}"\nsource = "scene:door"\n'

    assert [
        "appliance.toml:1: cameras[0].when: camera 'a' reads",
        "appliance.toml:7: cameras[1].when: camera 'b' reads",
    ] == [
        line.split(" faces")[0]
        for line in fault(f'{camera.format("a")}{camera.format("b")}when = "door"\n').splitlines()
    ]


@given(
    st.dictionaries(
        st.sampled_from(["cameras", "doors", "actions"]),
        st.recursive(
            st.none() | st.text(max_size=3) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["id", "camera", "when"]), inner, max_size=3)
            ),
            max_leaves=12,
        ),
    )
)
def test_whatever_stands_in_the_lists_is_looked_at_without_falling(raw: dict[str, Any]) -> None:
    """Types are checked elsewhere and may all be wrong; every place named is one that is there."""
    for place, words in relations(raw):
        assert words
        assert isinstance(raw[str(place[0])][place[1]], dict)


@pytest.mark.parametrize("text", [GOOD, TWICE])
def test_what_is_found_in_the_text_is_found_in_the_settings(text: str) -> None:
    """Whoever builds settings without a file (a command line) is held to the same."""
    raw = tomllib.loads(text)
    rows = {name: raw.get(name, []) for name in ("cameras", "doors", "actions")}
    for table in rows["cameras"]:
        if table.get("when") == "sometimes":
            table["when"] = "always"
    rows["doors"] = [
        {key: value for key, value in door.items() if key != "tolerance"} for door in rows["doors"]
    ]
    found = [relation.words for relation in relations(rows)]
    if not found:
        Settings.model_validate(rows)
        return
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(rows)

    (error,) = caught.value.errors()
    assert f"Value error, {'; '.join(found)}" == error["msg"]
