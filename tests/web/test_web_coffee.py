"""The page of coffees: who leads, what happened lately, corrections, and tables to take along."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_site import Site, open_site

from appliance.events import CoffeeTaken
from appliance.services import Layout
from appliance.settings import CameraSettings, CoffeeSettings, Settings
from appliance.store import Consent
from web.coffee import bars, cell

SETTINGS = Settings(
    cameras=(CameraSettings.model_validate({"id": "corner", "source": "scene:coffee", "when": "always"}),),
    coffee=CoffeeSettings(cameras=("corner",)),
)
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="1", given_by="paper")


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[Site]:
    """A site with a coffee corner."""
    with open_site(Layout(tmp_path / "state"), settings=SETTINGS) as opened:
        yield opened


def take(site: Site, name: str, many: int = 1, *, alias: str | None = None) -> tuple[str, str]:
    """Somebody takes coffees; their id, and the id of the last event."""
    store = site.services.store
    person = store.add_subject(name, consent=COUNTED, alias=alias)
    events = [store.append(CoffeeTaken(encounter=f"{name}{i}", subject=person.id)) for i in range(many)]
    return person.id, events[-1].id


def test_who_leads_is_on_the_page(kitchen: Site) -> None:
    """By alias or initials, with place and count; and who took one last, by name, for an admin."""
    take(kitchen, "Ann Archer", 3, alias="Annie")
    take(kitchen, "Ben Bauer")
    page = kitchen.client("admin").get("/coffee").get_data(as_text=True)

    assert page.index("Annie") < page.index("BB")
    assert "4 coffees by 2 people" in " ".join(page.split())
    assert "Ben Bauer" in page
    assert "4 coffees in the last 24 hours" in " ".join(page.split())


def test_viewers_see_places_and_not_who_took_one_when(kitchen: Site) -> None:
    """Nor can they put anything right."""
    take(kitchen, "Ann Archer", alias="Annie")
    viewer = kitchen.client("viewer")
    page = viewer.get("/coffee").get_data(as_text=True)

    assert "Annie" in page
    assert "Archer" not in page
    assert "/coffee/correct" not in page
    assert 403 == viewer.post("/coffee/add", {"person": "x"}).status_code


def test_a_correction_moves_the_coffee(kitchen: Site) -> None:
    """And one that says nothing new is refused where it was typed, and stays open."""
    ann, coffee = take(kitchen, "Ann Archer")
    ben, _ = take(kitchen, "Ben Bauer")
    admin = kitchen.client("admin")
    moved = admin.post("/coffee/correct", {"coffee": coffee, "person": ben})
    board = admin.get("/coffee/leaderboard.json").get_json()["rows"]
    again = admin.post("/coffee/correct", {"coffee": coffee, "person": ben})
    none = admin.post("/coffee/correct", {"coffee": coffee, "person": ""})
    added = admin.post("/coffee/add", {"person": ann})
    last = admin.get("/coffee/leaderboard.json").get_json()["rows"]

    assert [303, 422, 303, 303] == [each.status_code for each in (moved, again, none, added)]
    assert [(1, "BB", 2)] == [(row["place"], row["text"], row["count"]) for row in board]
    assert "That is what it says already." in again.get_data(as_text=True)
    assert [("AA", 1), ("BB", 1)] == [(row["text"], row["count"]) for row in last]


def test_the_table_is_safe_to_open(kitchen: Site) -> None:
    """What somebody is called is never taken for a formula; everything else is as it is."""
    take(kitchen, "Eve Evil", alias='=HYPERLINK("x")')
    take(kitchen, "Ann Archer", 2, alias="Annie")
    answer = kitchen.client("viewer").get("/coffee/leaderboard.csv?period=week")
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))

    assert "text/csv" == answer.mimetype
    assert "attachment" in answer.headers["Content-Disposition"]
    assert ["place", "name", "coffees", "period", "since"] == rows[0]
    assert ["1", "Annie", "2", "week"] == rows[1][:4]
    assert ["2", '\'=HYPERLINK("x")', "1", "week"] == rows[2][:4]


def test_namesakes_are_told_apart_in_tables_too(kitchen: Site) -> None:
    """As on the page."""
    for name, many in (("Ann Berg", 2), ("Alf Brandt", 2)):
        take(kitchen, name, many)
    viewer = kitchen.client("viewer")
    table = viewer.get("/coffee/leaderboard.csv").get_data().decode("utf-8-sig")

    assert ["AB", "AB 2"] == [
        row["text"] for row in viewer.get("/coffee/leaderboard.json").get_json()["rows"]
    ]
    assert ["AB", "AB 2"] == [row[1] for row in list(csv.reader(io.StringIO(table)))[1:]]
    assert '<span class="coffee-who">AB 2</span>' in viewer.get("/coffee").get_data(as_text=True)


@given(st.text(max_size=20))
def test_no_name_begins_a_formula(name: str) -> None:
    """Whatever it is; and what begins none stays as it is."""
    written = cell(name)

    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert written in {name, f"'{name}"}


@pytest.mark.parametrize(
    "sign",
    [
        "\uff1d",
        "\uff0b",
        "\uff0d",
        "\uff20",
        "\ufe62",
        "\ufe63",
        "\ufe66",
        "\ufe6b",
        " =",
        "\u3000\uff1d",
        "\u00a0@",
    ],
)
def test_a_sign_of_another_width_begins_no_formula_either(sign: str) -> None:
    """Spreadsheets of East Asia take a full-width sign for the narrow one; a name within stays as it is."""
    assert f"'{sign}1" == cell(f"{sign}1")
    assert f"Ann{sign}1" == cell(f"Ann{sign}1")


def test_of_many_people_the_first_are_shown_and_all_on_request(kitchen: Site) -> None:
    """The page says how many more there are."""
    for number in range(30):
        take(kitchen, f"P{number} Q", alias=f"Person {number}")
    admin = kitchen.client("admin")
    some = admin.get("/coffee").get_data(as_text=True)
    everybody = admin.get("/coffee?period=day&all=1").get_data(as_text=True)

    assert (25, 30) == (some.count('class="coffee-who"'), everybody.count('class="coffee-who"'))
    assert "And 5 more" in some


def test_more_of_the_last_activity_is_shown_on_request(kitchen: Site) -> None:
    """Fifteen, then more, up to as many as the desk tells; the rest is in the log."""
    take(kitchen, "Ann Archer", 210)
    admin = kitchen.client("admin")
    shown = {}
    for wanted in ("", "45", "135", "200", "9999", "-3", "x"):
        page = admin.get(f"/coffee?period=week&all=1&lately={wanted}").get_data(as_text=True)
        shown[wanted] = (page.count('<li id="coffee-'), "Show more" in page)

    assert [(15, True), (45, True), (135, True), (200, False)] == list(shown.values())[:4]
    assert [(200, False), (15, True), (15, True)] == list(shown.values())[4:]
    first = admin.get("/coffee?period=week&all=1").get_data(as_text=True)
    assert "/coffee?period=week&amp;all=1&amp;lately=45#coffee-" in first


def test_a_fault_is_told_at_a_coffee_further_down(kitchen: Site) -> None:
    """The page shows as many as it did before, and does so after it was put right."""
    ann, coffee = take(kitchen, "Ann Archer")
    take(kitchen, "Ben Bauer", 20)
    admin = kitchen.client("admin")
    address = "/coffee/correct?period=week&lately=45"
    refused = admin.post(address, {"coffee": coffee, "person": ann}).get_data(as_text=True)
    done = admin.post(address, {"coffee": coffee, "person": ""})

    assert "That is what it says already." in refused
    assert "period=week" in done.headers["Location"]
    assert "lately=45" in done.headers["Location"]


def test_everybody_is_on_the_page_once(kitchen: Site) -> None:
    """Not again with each coffee that may be put right; without scripts, with that which is asked for."""
    people = [take(kitchen, f"P{number} Quist") for number in range(12)]
    admin = kitchen.client("admin")
    page = admin.get("/coffee").get_data(as_text=True)
    coffee = people[-1][1]
    asked = admin.get(f"/coffee?correct={coffee}").get_data(as_text=True)

    assert [2, 3] == [each.count(f'value="{people[0][0]}"') for each in (page, asked)]
    assert '<details class="coffee-mend" open' in asked


def test_without_a_corner_the_page_says_what_to_do(site: Site) -> None:
    """And an unknown period is today's."""
    page = site.client("admin").get("/coffee?period=century").get_data(as_text=True)

    assert "No camera looks at a coffee corner" in page
    assert "Nobody yet today" in page


def test_bars_are_as_high_as_their_share() -> None:
    """The highest is 100; none is drawn of nothing."""
    drawn = bars([{"at": "", "count": each} for each in (0, 5, 10)])

    assert [0.0, 50.0, 100.0] == [each["height"] for each in drawn["bars"]]
    assert (10, 15) == (drawn["most"], drawn["total"])
    assert [0.0] == [each["height"] for each in bars([{"at": "", "count": 0}])["bars"]]
