"""Moments: what an address asks for, what stands in bars and lists, and where each leads."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logged import a_day
from recorded import a_recording, index, now, recording_at_hand, three_days
from web_site import Browser, Site, open_site

from appliance.permissions import Role
from appliance.services import Layout
from web.moments import charts
from web.moments.span import LONGEST, SHORTEST, USUAL_DAYS, Span, address, span_of
from web.moments.stretches import GAP_MS, together

NOW = datetime(2026, 5, 6, 15, 20, 30, tzinfo=UTC)
_TIMES = st.datetimes(datetime(2000, 1, 2), datetime(2090, 1, 1)).map(  # noqa: DTZ001 - the box's own
    lambda at: at.replace(second=0, microsecond=0, fold=0).astimezone()
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three days in an office, a morning at the door, and a recording."""
    layout = Layout(Path(tmp_path_factory.mktemp("moments")) / "state")
    with open_site(layout) as site, recording_at_hand(site.services) as at_hand:
        three_days(site.services, now() - timedelta(hours=1))
        a_day(site.services, now())
        a_recording(site.services, now() - timedelta(minutes=20), clips=at_hand.clips, seconds=8)
        index(site.services)
        yield site


@pytest.fixture
def admin(office: Site) -> Browser:
    """Who may see all of it."""
    return office.client(Role.ADMIN)


# ---------------------------------------------------------------- time


def test_three_days_are_looked_at_unless_something_else_is_asked() -> None:
    """As the dashboard of the DeepLens project did; the end is now."""
    span, faults = span_of({}, NOW)

    assert {} == faults
    assert USUAL_DAYS == span.days
    assert timedelta(days=3) == span.until - span.since
    assert timedelta() <= span.until - NOW < timedelta(minutes=1)
    assert {"days": "3"} == span.address()


@given(since=_TIMES, lasts=st.timedeltas(SHORTEST, LONGEST))
def test_a_time_that_stands_in_an_address_is_read_back(since: datetime, lasts: timedelta) -> None:
    """To the minute, by the box's clock; so a link shows the same again."""
    until = (since + lasts).replace(second=0, microsecond=0)
    until = datetime.fromtimestamp(until.timestamp()).astimezone()
    if until - since < SHORTEST:
        until += SHORTEST
    told = address(since, until)
    span, faults = span_of(told, NOW)

    assert {} == faults
    assert told == span.address()
    assert span.days is None


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The box's clock is that of Berlin, where summer ended on 25 October 2026 at three in the morning."""
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_bars_of_the_hour_that_comes_twice_lead_to_their_own() -> None:
    """At the end of summer there are two hours from two to three, and a bar that ends before it begins."""
    begin = datetime(2026, 10, 24, 23, tzinfo=UTC)
    edges = [begin + timedelta(minutes=15 * each) for each in range(17)]
    found = [span_of(address(*each), NOW) for each in pairwise(edges)]

    assert [({}, *each) for each in pairwise(edges)] == [(f, span.since, span.until) for span, f in found]
    assert len({tuple(address(*each).values()) for each in pairwise(edges)}) == len(found)
    assert ["2026-10-25T02:45"] * 2 == [found[each][0].fields()["since"] for each in (7, 11)]


@given(st.dictionaries(st.sampled_from(["days", "since", "until"]), st.text(max_size=20)))
def test_whatever_stands_in_an_address_something_is_shown(given_: dict[str, str]) -> None:
    """What cannot be taken is named, and the usual is in its place; bars are never too many."""
    span, faults = span_of(given_, NOW)

    assert set(faults) <= {"since", "until"}
    assert SHORTEST <= span.until - span.since <= LONGEST + timedelta(days=1)
    assert (span.until - span.since) / timedelta(seconds=span.width_s) <= 150


@pytest.mark.parametrize(
    ("lasts", "words"),
    [
        (timedelta(minutes=30), "a minute"),
        (timedelta(hours=3), "5 minutes"),
        (timedelta(days=1), "30 minutes"),
        (timedelta(days=3), "an hour"),
        (timedelta(days=7), "3 hours"),
        (timedelta(days=30), "a day"),
        (timedelta(days=365), "a week"),
    ],
)
def test_bars_are_as_wide_as_fits(lasts: timedelta, words: str) -> None:
    """Some sixty of them, each of a time that people use."""
    assert words == Span(NOW - lasts, NOW).width


# ---------------------------------------------------------------- bars


def counted(**series: list[int]) -> dict[str, Any]:
    """As the desk answers, of hours from nine on."""
    begin = int(datetime(2026, 5, 6, 9, tzinfo=UTC).timestamp())
    many = max(map(len, series.values()), default=2)
    return {
        "starts": [begin + 3600 * each for each in range(many)],
        "until": begin + 3600 * many,
        "series": [{"key": key, "total": sum(of), "many": of} for key, of in series.items()],
        "rest": None,
    }


def test_bars_add_up_what_is_told_apart() -> None:
    """Each leads to its own time; one without anything leads nowhere."""
    rows = charts.rows(counted(main=[2, 0, 1], side=[1, 0, 0]), lambda since, until: f"{since:%H}-{until:%H}")
    hours = [f"{datetime.fromisoformat(row.since).astimezone(UTC):%H}" for row in rows]

    assert ["3", "0", "1"] == [row.shown for row in rows]
    assert ["09", "10", "11"] == hours
    assert [True, False, True] == [bool(row.href) for row in rows]


def test_a_share_is_of_all_who_came() -> None:
    """In percent; an hour in which nobody came says that, and none is said to be nothing of nothing."""
    shown = charts.shares(counted(stranger=[1, 0, 0], identified=[3, 2, 0]), "stranger", lambda *_: "there")

    assert [25.0, 0, 0] == [row.value for row in shown]
    assert ["1 of 4", "0 of 2", "nobody"] == [row.shown for row in shown]
    assert ["there", "", ""] == [row.href for row in shown]
    assert [] == [row.href for row in charts.shares(counted(), "stranger", lambda *_: "") if row.value]


@settings(max_examples=15)
@given(st.lists(st.lists(st.integers(0, 10**6), min_size=24, max_size=24), min_size=7, max_size=7))
def test_busiest_hours_are_the_darkest(days: list[list[int]]) -> None:
    """Hours are rows and days columns; what is more is never lighter, and nothing has no shade."""
    table = charts.week(days)
    cells = sorted((cell for row in table for cell in row), key=lambda cell: cell.many)

    assert (24, {7}) == (len(table), {len(row) for row in table})
    assert days == [[table[hour][day].many for hour in range(24)] for day in range(7)]
    assert [cell.shade for cell in cells] == sorted(cell.shade for cell in cells)
    assert all((cell.shade > 0) == (cell.many > 0) for cell in cells)
    assert bool(charts.busiest(days)) == any(map(any, days))


# ---------------------------------------------------------------- lists


def seen(at_ms: int, label: str = "dog", score: float = 0.9, clip: str | None = None) -> dict[str, Any]:
    """As the desk has it."""
    return {
        "id": f"{label}-{at_ms}",
        "at": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
        "at_ms": at_ms,
        "camera": "kitchen",
        "kind": "seen",
        "source": None,
        "labels": {label: score},
        "door": None,
        "verdict": None,
        "person": None,
        "event": None,
        "clip": None if clip is None else {"id": clip},
    }


@given(st.lists(st.tuples(st.integers(0, 600_000), st.sampled_from(["dog", "cat"])), max_size=40))
def test_looks_that_follow_each_other_are_one_line(looks: list[tuple[int, str]]) -> None:
    """Of each label by itself: no two lines of it lie closer than the gap, and none is lost."""
    found = together([seen(at, label) for at, label in sorted(looks, reverse=True)])
    wrong = [
        (one, other)
        for one in found
        for other in found
        if one is not other and one.scores.keys() == other.scores.keys()
        if one.at_ms <= other.at_ms and other.at_ms - one.end_ms <= GAP_MS
    ]

    assert [] == wrong
    assert [each.at_ms for each in found] == sorted((each.at_ms for each in found), reverse=True)
    for at, label in looks:
        assert any(each.at_ms <= at <= each.end_ms and label in each.scores for each in found)


def test_a_line_says_the_best_and_begins_where_it_began() -> None:
    """What is played is its first moment; the best score is said, and how long it was seen."""
    (line,) = together([seen(9_000, score=0.7), seen(5_000, score=0.93, clip="c1"), seen(4_000, clip="c1")])

    assert ("dog 93 %", 4_000, "c1", "5 s") == (line.words, line.at_ms, line.clip, line.lasted)


# ---------------------------------------------------------------- pages


def test_the_page_shows_presence_and_leads_to_its_moments(admin: Browser) -> None:
    """Behind the bars stands a table whose links lead to what was counted."""
    text = admin.get("/moments?label=dog&days=7").text
    table = text.partition('id="presence-table"')[2].partition("</table>")[0]
    links = [
        unescape(each)
        for each in re.findall(r'<a href="([^"]+)">(\d+)</a>', table)
        and re.findall(r'<a href="([^"]+)"', table)
    ]
    counts = [int(each) for each in re.findall(r"<a href=[^>]+>(\d+)</a>", table)]
    first = admin.get(links[0]).text

    assert sum(counts) == int(re.findall(r"(\d+) moments, a bar", text)[0])
    assert {"/moments/list"} == {urlsplit(each).path for each in links}
    assert {"dog"} == {parse_qs(urlsplit(each).query)["label"][0] for each in links}
    assert "dog" in first
    assert "Nothing like that" not in first


def test_a_link_keeps_what_was_chosen(admin: Browser) -> None:
    """Camera, label, how sure and the time stand in each address that leads on."""
    text = admin.get("/moments?label=dog&camera=kitchen&sure=70&days=7").text
    whole = unescape(re.findall(r'href="(/moments/list[^"]+)"', text)[-1])
    zoom = unescape(re.findall(r'data-zoom="([^"]+)"', text)[0])

    for address_ in (whole, zoom):
        query = parse_qs(urlsplit(address_).query)
        assert (["dog"], ["kitchen"], ["70"]) == (query["label"], query["camera"], query["sure"])


def test_no_name_stands_in_an_address(office: Site, admin: Browser) -> None:
    """A person is chosen by the id that pages have for them."""
    ann = next(each for each in office.ask("people.list")["people"] if each["name"] == "Ann Archer")["id"]
    text = admin.get("/moments?days=1").text + admin.get(f"/moments/list?person={ann}&days=1").text
    addresses = re.findall(r'(?:href|data-zoom)="([^"]+)"', text)

    assert "Ann Archer" in text
    assert [] == [each for each in addresses if "Ann" in each or "Archer" in each]


def test_of_a_person_there_is_a_list_and_no_bars(office: Site, admin: Browser) -> None:
    """Choosing somebody leads to the list of that time; its way back to the bars leaves the person out."""
    ann = next(each for each in office.ask("people.list")["people"] if each["name"] == "Ann Archer")["id"]
    led = admin.get(f"/moments?person={ann}&camera=entrance&days=1")
    there = urlsplit(led.headers["Location"])
    listed = admin.get(led.headers["Location"]).text
    back = unescape(re.findall(r'href="(/moments\?[^"]*)"', listed)[0])

    assert (303, "/moments/list") == (led.status_code, there.path)
    assert {"person": [ann], "camera": ["entrance"], "days": ["1"]} == parse_qs(there.query)
    assert {"camera": ["entrance"], "days": ["1"]} == parse_qs(urlsplit(back).query)
    assert "data-chart" not in listed


def test_strangers_are_counted_among_all_who_came(admin: Browser) -> None:
    """One of three: the chart says so, and its bar leads to them."""
    text = admin.get("/moments?days=1").text
    link = unescape(re.findall(r'href="(/moments/list[^"]*verdict=stranger[^"]*)"', text)[0])
    listed = admin.get(link).text

    assert re.search(r"1 of \d+ who came by", text)
    assert "A stranger" in listed


@pytest.mark.parametrize("query", ["since=yesterday", "sure=99", "until=2020-01-01&since=2021-01-01"])
def test_what_cannot_be_asked_is_said(admin: Browser, query: str) -> None:
    """On the page, which shows the rest; a list does the same."""
    page, listed = admin.get(f"/moments?{query}"), admin.get(f"/moments/list?{query}")

    assert [422, 422] == [page.status_code, listed.status_code]
    assert 'role="alert"' in page.text
    assert 'id="presence-title"' in page.text


def test_a_viewer_reads_moments_and_plays_none(office: Site) -> None:
    """Counts and labels, people as the log tells them, no recording."""
    viewer = office.client(Role.VIEWER)
    listed = viewer.get("/moments/list?label=dog&days=1").text

    assert 200 == viewer.get("/moments").status_code
    assert "dog" in listed
    assert "/clips/" not in listed
    assert listed.count('<li id="moment-') > listed.count("Not recorded")
    assert "Ann Archer" not in viewer.get("/moments").text


def test_a_box_that_has_seen_nothing_says_what_to_do(site: Site) -> None:
    """No bars, and no table without lines."""
    text = site.client(Role.ADMIN).get("/moments").text

    assert "Nothing was seen so far." in text
    assert "data-chart" not in text
