"""The overlay: what the UI changes of the settings, laid over the file that people write."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import FormError, SettingsError
from appliance.settings import Settings, load
from appliance.settings.keys import scope_of
from appliance.settings.merging import merge
from appliance.settings.overlay import SettingsFiles, overlaid_keys, proposed, read_overlay, rendered
from appliance.settings.source import parse_text

FILE = """\
site = "hq"

[[cameras]]
id = "entrance"
source = "rtsp://admin:hunter2@10.0.0.5/main"

[[doors]]
id = "front"
camera = "entrance"
tolerance = 9

[recognition]
fpir = 0.0005
"""

IDS = st.sampled_from(["entrance", "yard", "back"])
PLAIN = st.one_of(st.integers(-9, 9), st.text("ab", max_size=3), st.booleans())
TABLES = st.dictionaries(st.sampled_from(["fpir", "margin", "deep"]), PLAIN)


@st.composite
def raws(draw: st.DrawFn, *, removals: bool = False) -> dict[str, Any]:
    """Settings as TOML may give them: right or wrong, but every element with an id of its own."""
    raw: dict[str, Any] = draw(st.dictionaries(st.sampled_from(["site", "odd"]), PLAIN))
    for name in draw(st.sets(st.sampled_from(["cameras", "doors"]))):
        ids = draw(st.lists(IDS, unique=True, max_size=3))
        rows = [{"id": own, **draw(TABLES)} for own in ids]
        if removals:
            rows = [{**row, "removed": True} if draw(st.booleans()) else row for row in rows]
        raw[name] = rows
    for name in draw(st.sets(st.sampled_from(["faces", "recognition"]))):
        raw[name] = draw(TABLES)
    return raw


@pytest.fixture
def files(tmp_path: Path) -> SettingsFiles:
    """A settings file, and a place for the overlay."""
    file = tmp_path / "appliance.toml"
    file.write_text(FILE, encoding="utf-8")
    return SettingsFiles(file, tmp_path / "overlay.toml")


def save(files: SettingsFiles, changes: dict[str, Any], *, resets: tuple[str, ...] = ()) -> Settings:
    """Change settings as the UI does; says what a new start would read."""
    files.overlay.write_text(proposed(files, changes, resets=resets).text, encoding="utf-8")
    return files.read().settings


@given(raws())
def test_no_overlay_changes_nothing(raw: dict[str, Any]) -> None:
    """An empty overlay is the identity."""
    assert raw == merge(raw, {}).raw


@given(raws(), raws(removals=True))
def test_an_overlay_over_its_own_result_changes_nothing(base: dict[str, Any], over: dict[str, Any]) -> None:
    """Merging twice is merging once: no element doubled, nothing removed comes back."""
    once = merge(base, over).raw

    assert once == merge(once, over).raw


@given(raws(), raws(removals=True))
def test_what_the_overlay_says_holds_and_what_it_does_not_say_stays(
    base: dict[str, Any], over: dict[str, Any]
) -> None:
    """Key by key, elements by id."""
    merged = merge(base, over).raw

    for name in ("cameras", "doors"):
        theirs = {row["id"]: row for row in over.get(name, [])}
        ours = {row["id"]: row for row in base.get(name, [])}
        gone = {own for own, row in theirs.items() if row.get("removed")}
        expected = {own: {**ours.get(own, {}), **theirs.get(own, {})} for own in {*ours, *theirs} - gone}

        assert expected == {row["id"]: row for row in merged.get(name, [])}
    for name in ("faces", "recognition"):
        assert {**base.get(name, {}), **over.get(name, {})} == merged.get(name, {})
    assert over.get("site", base.get("site")) == merged.get("site")


@given(raws(), raws(removals=True))
def test_every_element_is_found_where_it_was_written(base: dict[str, Any], over: dict[str, Any]) -> None:
    """A fault can be told with the line in the file it came from: both places hold the same id."""
    merged = merge(base, over)

    for name in ("cameras", "doors"):
        for number, row in enumerate(merged.raw.get(name, [])):
            places = [merged.in_base((name, number)), merged.in_over((name, number))]
            found = [
                text[name][int(place[1])]["id"]
                for text, place in zip((base, over), places, strict=True)
                if place is not None
            ]

            assert found
            assert {row["id"]} == set(found)


@given(raws(removals=True))
def test_the_text_of_an_overlay_is_read_back_as_what_it_was(raw: dict[str, Any]) -> None:
    """Writing and reading lose nothing, and writing again gives the same text."""
    text = rendered(raw)
    again = parse_text(text, "overlay.toml").raw

    assert raw == {**{name: [] for name in raw if raw[name] == []}, **again}
    assert text == rendered(again)


def test_a_changed_key_holds_beside_what_the_file_says(files: SettingsFiles) -> None:
    """One key of one door is replaced; everything else is the file's."""
    settings = save(files, {"doors.front.seed": [0.4, 0.1]})

    assert (0.4, 0.1) == settings.doors[0].seed
    assert 9 == settings.doors[0].tolerance
    assert 0.0005 == settings.recognition.fpir
    assert ("doors.front.seed",) == overlaid_keys(read_overlay(files.overlay))


def test_an_element_is_added_changed_and_taken_away_again(files: SettingsFiles) -> None:
    """One that only the overlay has leaves nothing behind when it goes."""
    added = save(files, {"cameras.yard": {"source": "/dev/video2", "when": "always"}})
    changed = save(files, {"cameras.yard.fps": 5})
    gone = save(files, {"cameras.yard": None})

    assert ["entrance", "yard"] == [each.id for each in added.cameras]
    assert 5 == changed.cameras[1].fps
    assert ["entrance"] == [each.id for each in gone.cameras]
    assert {} == read_overlay(files.overlay)


def test_an_element_of_the_file_can_be_taken_away_and_brought_back(files: SettingsFiles) -> None:
    """The file is never written, so the overlay says that it is gone; a reset brings it back."""
    gone = save(files, {"doors.front": None, "cameras.entrance.when": "always"})
    keys = overlaid_keys(read_overlay(files.overlay))
    back = save(files, {}, resets=("doors.front",))

    assert () == gone.doors
    assert ("cameras.entrance.when", "doors.front") == keys
    assert ["front"] == [each.id for each in back.doors]
    assert FILE == (files.file or Path()).read_text(encoding="utf-8")


def test_a_key_taken_away_and_then_set_is_there_again(files: SettingsFiles) -> None:
    """Whoever changes a door that was removed wants it."""
    save(files, {"doors.front": None, "cameras.entrance.when": "always"})
    settings = save(files, {"doors.front.tolerance": 20})

    assert [20] == [each.tolerance for each in settings.doors]


def test_a_reset_brings_the_files_word_back(files: SettingsFiles) -> None:
    """A key, and a table with all in it."""
    save(files, {"recognition.fpir": 0.01, "recognition.margin": 0.2, "site": "elsewhere"})
    settings = save(files, {}, resets=("recognition", "site"))

    assert (0.0005, 0.05, "hq") == (settings.recognition.fpir, settings.recognition.margin, settings.site)
    assert {} == read_overlay(files.overlay)


def test_the_difference_says_what_changes_and_what_has_to_restart(files: SettingsFiles) -> None:
    """Before and after as TOML would have it; of a new element what is not its default."""
    proposal = proposed(
        files, {"doors.front.seed": [0.4, 0.1], "cameras.yard": {"source": "x", "when": "always", "fps": 5}}
    )
    told = [(each.key, each.before, each.after) for each in proposal.differences]

    assert ("doors.front.seed", "[0.5, 0.15]", "[0.4, 0.1]") in told
    assert ("cameras.yard.fps", None, "5.0") in told
    assert not any(key == "cameras.yard.stall_s" for key, _, _ in told)
    assert {"loop"} == proposal.scopes


def test_the_same_value_is_no_difference(files: SettingsFiles) -> None:
    """Saving a form as it was shown restarts nothing."""
    assert () == proposed(files, {"doors.front.tolerance": 9}).differences


def test_a_difference_never_shows_a_secret(files: SettingsFiles) -> None:
    """Neither the address that was nor the one that comes."""
    proposal = proposed(files, {"cameras.entrance.source": "rtsp://root:swordfish@10.0.0.6/"})
    (difference,) = proposal.differences

    assert difference.secret
    assert "hunter2" not in str(proposal.differences)
    assert "swordfish" not in str(proposal.differences) + repr(proposal.settings)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"recognition.fpir": 5}, "recognition.fpir", "from 0.00001 to 0.1"),
        ({"doors.front.seed": [2, 0.1]}, "doors.front.seed", "from 0 to 1"),
        ({"doors.front.seed": [0.9, 0.1]}, "doors.front", "seed must lie inside region"),
        ({"doors.side.tolerance": 5}, "doors.side.camera", "required"),
        ({"cameras.entrance": None}, "doors.front.camera", "no camera 'entrance'"),
        ({"cameras.No Id": {"source": "x", "when": "always"}}, "cameras.No Id.id", "lower-case letters"),
        ({"recognition.fprr": 1}, "recognition.fprr", "no such setting"),
        ({"cameras": []}, "cameras", "no such setting"),
        ({"site.name": 1}, "site.name", "no such setting"),
        ({"doors.front": 3}, "doors.front", "a table of settings"),
        ({"doors..seed": 3}, "doors..seed", "no such setting"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    files: SettingsFiles, changes: dict[str, Any], field: str, words: str
) -> None:
    """The form's field is named by the key that was sent, and nothing is proposed."""
    with pytest.raises(FormError) as caught:
        proposed(files, changes)

    assert words in caught.value.fields[field]


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("[recognition]\nfprr = 1\n", ":2: recognition.fprr: unknown key; did you mean 'fpir'?"),
        ('[[doors]]\nid = "front"\nseed = [3, 3]\n', ":3: doors[0].seed[0]"),
        ('[[doors]]\nid = "side"\ncamera = "yard"\n', ":3: doors[1].camera: there is no camera 'yard'"),
        ("site = \n", ":1: not valid TOML"),
        ('[[cameras]]\nid = "entrance"\nremoved = "yes"\n', ":3: cameras[0].removed: unknown key"),
    ],
)
def test_a_broken_overlay_is_told_with_its_own_line(
    files: SettingsFiles, overlay: str, expected: str
) -> None:
    """At start, like the file, and with how to be rid of it; the line is the overlay's own."""
    files.overlay.write_text(overlay, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        files.read()

    assert f"{files.overlay}{expected}" in caught.value.message
    assert "without it the settings file alone holds" in caught.value.hint


def test_a_fault_of_the_file_is_told_with_the_files_line(files: SettingsFiles) -> None:
    """An overlay that adds elements before and after does not move it."""
    file = files.file or Path()
    save(files, {"cameras.yard": {"source": "x", "when": "always"}})
    file.write_text(FILE.replace("tolerance = 9", "tolerance = 900"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(file, files.overlay)

    assert f"{file}:10: doors[0].tolerance" in caught.value.message
    assert str(files.overlay) not in caught.value.message + caught.value.hint


def test_an_overlay_alone_is_enough(tmp_path: Path) -> None:
    """An appliance that was set up in the browser has no file that anybody wrote."""
    files = SettingsFiles(None, tmp_path / "overlay.toml")
    settings = save(files, {"cameras.entrance": {"source": "scene:door", "when": "always"}})

    assert ["entrance"] == [each.id for each in settings.cameras]


def test_the_revision_names_what_both_files_say(files: SettingsFiles) -> None:
    """It tells that somebody else has changed something between looking and saving."""
    first = files.revision()
    based_on = proposed(files, {"site": "elsewhere"}).revision
    save(files, {"site": "elsewhere"})
    second = files.revision()
    (files.file or Path()).write_text(FILE + "# a remark\n", encoding="utf-8")

    assert first == based_on
    assert len({first, second, files.revision()}) == 3


def test_every_setting_has_a_scope() -> None:
    """A key of each kind: plain, of a table, of an element, of an element as a whole."""
    keys = [
        "site",
        "recognition.fpir",
        "cameras.entrance.source",
        "doors.front",
        "processes.models_memory_mib",
    ]

    assert ["all", "loop", "loop", "loop", "models"] == [scope_of(key) for key in keys]
