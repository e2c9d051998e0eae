"""Moments at the desk and on the command line: pages, bars by the clock on the wall, who is told of whom."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from desk_box import DeskBox, desk_box
from hypothesis import given
from hypothesis import strategies as st
from stores import OPENED, identified

from appliance.app.desk.bar_edges import WIDTHS, edges_of, width_for
from appliance.app.desk.moments import percent
from appliance.cli import appliance
from appliance.clock import ManualClock
from appliance.errors import DeniedError, FormError
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import Consent, Seen

MONDAY = datetime(2026, 7, 27, 9, 30, tzinfo=UTC)
BERLIN = "Europe/Berlin"


class Office:
    """A box with an admin and a viewer, and a dog in the office on two days.

    Args:
        box: Its desk.
    """

    def __init__(self, box: DeskBox) -> None:
        self.box = box
        self.store = box.services.store
        self.admin = box.first_admin()
        self.viewer = box.admit(self.admin, "vera")
        self.people = {
            name: str(self.store.add_subject(name, consent=Consent(("identify", *more), "1", "paper")).id)
            for name, more in (("Ann", ()), ("Bob", ("last_seen",)))
        }
        hours = [0, 0, 1, 25]
        self.store.note_seen(
            [
                Seen(MONDAY + timedelta(hours=hour, minutes=i), "hall", {"dog": 0.5 + 0.1 * i, "cup": 0.25})
                for i, hour in enumerate(hours)
            ]
        )
        for i, who in enumerate(self.people.values()):
            at = MONDAY + timedelta(minutes=i)
            self.store.append(identified(who, encounter=f"e{i}"), at=at)
        self.store.append(OPENED, at=MONDAY)
        while self.store.follow_log():
            pass

    def ask(self, operation: str, **arguments: Any) -> Any:
        """What the admin is answered."""
        return self.box.ask(f"moments.{operation}", self.admin, **arguments)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all of these tests, which only read."""
    layout = Layout(tmp_path_factory.mktemp("office") / "state")
    clock = ManualClock(MONDAY + timedelta(days=2))
    with (
        open_services(Settings(), layout, create=True, clock=clock) as services,
        desk_box(services) as box,
    ):
        yield Office(box)


WEEK = {"since": MONDAY - timedelta(days=1), "until": MONDAY + timedelta(days=6)}


def test_pages_follow_one_another(office: Office) -> None:
    """`next` leads to where the page before ended, and is None at the end; nothing comes twice."""
    first = office.ask("page", labels=["dog"], limit=3)
    second = office.ask("page", labels=["dog"], limit=3, before=first["next"])

    assert (3, 1, None) == (len(first["moments"]), len(second["moments"]), second["next"])
    assert 4 == len({each["id"] for each in first["moments"] + second["moments"]})


def test_a_moment_says_what_was_asked_for_first(office: Office) -> None:
    """The score of the label that was asked for; without one, the best."""
    (cup,) = office.ask("page", labels=["cup"], limit=1)["moments"]
    (best,) = office.ask("page", labels=["cup", "dog"], limit=1)["moments"]

    assert {"label": "cup", "score": 0.25} == cup["best"]
    assert {"label": "dog", "score": 0.8} == best["best"]


def test_scores_are_taken_in_hundredths(office: Office) -> None:
    """0.7 is 0.7, however a computer writes it; what lies below is not among them."""
    assert 2 == len(office.ask("page", labels=["dog"], min_score=0.7)["moments"])
    assert [29, 30, 100, 0, 1] == [percent(each) for each in (0.29, 0.295, 1.0, 0.0, 0.001)]


def test_bars_are_of_the_days_of_somebodys_clock(office: Office) -> None:
    """Midnight is theirs: what was seen in the evening in one zone is of the next day in another."""
    berlin = office.ask("bars", **WEEK, labels=["dog"], width_s=86_400, zone=BERLIN)
    far = office.ask("bars", **WEEK, labels=["dog"], width_s=86_400, zone="Pacific/Kiritimati")

    def days(told: Any, zone: str) -> dict[str, int]:
        (series,) = told["series"]
        starts = [datetime.fromtimestamp(each, ZoneInfo(zone)) for each in told["starts"]]
        assert {0} == {each.hour for each in starts}
        return {f"{at:%d}": many for at, many in zip(starts, series["many"], strict=True) if many}

    assert {"27": 3, "28": 1} == days(berlin, BERLIN)
    assert {"27": 2, "28": 1, "29": 1} == days(far, "Pacific/Kiritimati")


def test_bars_lead_to_as_many_moments(office: Office) -> None:
    """The moments between the ends of a bar are as many as it is high."""
    told = office.ask("bars", **WEEK, width_s=3600, zone=BERLIN)
    (series,) = told["series"]
    ends = [*told["starts"], told["until"]]
    for start, end, many in zip(ends, ends[1:], series["many"], strict=False):
        span = {"since": datetime.fromtimestamp(start, UTC), "until": datetime.fromtimestamp(end, UTC)}

        assert many == len(office.ask("page", limit=200, **span)["moments"])
    assert 7 == series["total"]


def test_what_is_beyond_the_largest_series_is_added_up(office: Office) -> None:
    """No more series than were asked for, and none is lost."""
    told = office.ask("bars", **WEEK, by="label", top=1)

    assert ([("cup", 4)], 4) == (
        [(each["key"], each["total"]) for each in told["series"]],
        told["rest"]["total"],
    )


def test_several_labels_are_told_apart(office: Office) -> None:
    """A frame with both is in both series; by anything else they are not asked together."""
    told = office.ask("bars", **WEEK, labels=["dog", "cup"])
    with pytest.raises(FormError) as raised:
        office.ask("bars", **WEEK, labels=["dog", "cup"], by="camera")

    assert {("dog", 4), ("cup", 4)} == {(each["key"], each["total"]) for each in told["series"]}
    assert {"by"} == set(raised.value.fields)


def test_stays_and_doors_have_their_bars(office: Office) -> None:
    """Strangers and others by verdict, openings by door."""
    stays = office.ask("bars", **WEEK, kinds=["encounter"], by="verdict")
    doors = office.ask("bars", **WEEK, kinds=["door_opened"], by="door")

    assert [("identified", 2)] == [(each["key"], each["total"]) for each in stays["series"]]
    assert [("main", 1)] == [(each["key"], each["total"]) for each in doors["series"]]


def test_busiest_hours_are_of_the_clock_on_the_wall(office: Office) -> None:
    """Half past nine in the morning in UTC is half past eleven in Berlin in summer."""
    told = office.ask("hours", **WEEK, labels=["dog"], zone=BERLIN)

    assert {11: 2, 12: 2} == {hour: many for hour, many in enumerate(told["hours"]) if many}
    assert [3, 1, 0, 0, 0, 0, 0] == told["weekdays"]
    assert 2 == told["days"][0][11]


def test_what_there_is_to_choose(office: Office) -> None:
    """Labels with how often and where; people of whom the caller is told alone."""
    told = office.ask("choices")
    viewers = office.box.ask("moments.choices", office.viewer)

    assert {"dog": 4, "cup": 4} == {each["label"]: each["many"] for each in told["labels"]}
    assert (["Ann", "Bob"], ["Bob"]) == (
        [each["name"] for each in told["people"]],
        [each["name"] for each in viewers["people"]],
    )
    assert 7 == told["moments"]


def test_who_did_not_agree_is_nobody_to_others_than_admins(office: Office) -> None:
    """Neither in a page nor by asking for them; an admin sees whom the box took for whom."""
    box, people = office.box, office.people
    shown = box.ask("moments.page", office.viewer, kinds=["encounter"])["moments"]
    with pytest.raises(FormError, match="not told"):
        box.ask("moments.page", office.viewer, person=people["Ann"])
    agreed = box.ask("moments.page", office.viewer, person=people["Bob"])["moments"]

    assert ["Bob", None] == [each["person"] and each["person"]["name"] for each in shown]
    assert people["Ann"] not in json.dumps(shown)
    assert 1 == len(agreed)
    assert ["Bob", "Ann"] == [
        each["person"]["name"] for each in office.ask("page", kinds=["encounter"])["moments"]
    ]


@pytest.mark.parametrize("operation", ["bars", "hours"])
def test_of_a_person_there_is_a_list_and_no_bars(office: Office, operation: str) -> None:
    """Nobody's presence is drawn up, for an admin neither; the list is there."""
    with pytest.raises(FormError) as raised:
        office.ask(operation, person=office.people["Ann"], **WEEK)
    listed = office.ask("page", person=office.people["Ann"])["moments"]

    assert {"person"} == set(raised.value.fields)
    assert ["Ann"] == [each["person"]["name"] for each in listed]


def test_a_screen_is_told_nothing(office: Office) -> None:
    """What the office screen shows is none of this."""
    with pytest.raises(DeniedError):
        office.box.ask("moments.page", office.box.screen(office.admin))


def test_where_moments_go_is_not_said_over_the_network(office: Office) -> None:
    """Whoever gets into the pages sends them nowhere else, nor the password to another address."""
    for key in ("url", "password", "encounters"):
        with pytest.raises(FormError) as raised:
            office.box.ask("settings.save", office.admin, changes={f"index.opensearch.{key}": "https://a.b"})

        assert "said on the machine itself" in raised.value.fields[f"index.opensearch.{key}"]


@pytest.mark.parametrize(
    ("operation", "arguments", "field"),
    [
        ("page", {"kinds": ["seen"]}, "kinds"),
        ("page", {"since": MONDAY, "until": MONDAY}, "until"),
        ("page", {"before": "1;DROP TABLE moments"}, "before"),
        ("page", {"min_score": 1.5}, "min_score"),
        ("bars", {"since": MONDAY, "until": MONDAY}, "until"),
        ("bars", {**WEEK, "width_s": 60}, "width_s"),
        ("bars", {**WEEK, "zone": "Middle/Earth"}, "zone"),
        ("bars", {**WEEK, "zone": "../../etc/passwd"}, "zone"),
        ("bars", {"since": MONDAY - timedelta(days=2000), "until": MONDAY}, "since"),
        ("hours", {**WEEK, "labels": ["dog", "cup"]}, "labels"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field(
    office: Office, operation: str, arguments: dict[str, Any], field: str
) -> None:
    """In words, by the name of the argument."""
    with pytest.raises(FormError) as raised:
        office.ask(operation, **arguments)

    assert {field} == set(raised.value.fields)


ZONES = st.sampled_from(
    ["UTC", BERLIN, "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(since=MOMENTS, lasts=st.timedeltas(timedelta(minutes=1), timedelta(days=60)), zone=ZONES)
def test_edges_hold_all_of_a_time(since: datetime, lasts: timedelta, zone: str) -> None:
    """They ascend, hold all of it and no bar more, and a day begins at midnight, clocks changed or not."""
    until, where = since + lasts, ZoneInfo(zone)
    width = width_for(since, until)
    for each in {width, 86_400}:
        edges = edges_of(since, until, each, where)

        assert edges == sorted(set(edges))
        assert edges[0] <= since < edges[1]
        assert edges[-2] < until <= edges[-1]
        assert len(edges) <= 1001
        assert all(int(edge.timestamp()) % min(each, 900) == 0 for edge in edges)
        if each == 86_400:
            assert {0} == {edge.astimezone(where).hour for edge in edges}
    assert width in WIDTHS


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with two moments."""
    layout = Layout(tmp_path_factory.mktemp("cli") / "state")
    with open_services(Settings(), layout, create=True) as services:
        services.store.note_seen(
            [Seen(MONDAY, "hall", {"dog\x1b[2J": 0.9}), Seen(MONDAY, "hall", {"cup": 0.5})]
        )
        services.store.append(OPENED)
    return layout.state


def run(state: Path, *arguments: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(appliance, ["--state", str(state), "index", *arguments])
    assert 0 == done.exit_code, done.output
    return done.output


def test_the_command_line_searches(state: Path) -> None:
    """By label and score, as lines or as JSON; what a function calls a thing moves no cursor."""
    (found,) = [json.loads(line) for line in run(state, "search", "--label", "cup", "--json").splitlines()]

    assert {"cup": 0.5} == found["labels"]
    assert "\x1b" not in run(state, "search", "--min-score", "0.9")
    assert "no such moment is kept\n" == run(state, "search", "--label", "zebra")


def test_the_command_line_tells_how_far_it_is_and_makes_it_anew(state: Path) -> None:
    """Made anew, what the log says is there; the status says how far it was followed."""
    before = json.loads(run(state, "status", "--json"))
    made = run(state, "rebuild")
    after = json.loads(run(state, "status", "--json"))

    assert (2, 3) == (before["moments"], after["moments"])
    assert "there are 3 now" in made
    assert "the log was followed to 1 of 1" in run(state, "status")


def test_the_command_line_prints_the_template(state: Path) -> None:
    """For indices that others fill, under a name of theirs."""
    told = json.loads(run(state, "template", "--prefix", "dogs"))

    assert ["dogs-*"] == told["index_patterns"]
