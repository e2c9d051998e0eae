"""The log in the browser: pages, filters, why on one click, setting a decision right, and what is new."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import stores
from browser import axe, open_page, overflow, shots
from logged import Day, a_day
from playwright.sync_api import Browser, Page, expect
from running_web import Running
from web_site import Site, open_site

from appliance.events import DecisionCorrected
from appliance.phrases import lasting
from appliance.services import Layout

CHROMIUM = pytest.mark.debian(reason="chromium")


@pytest.fixture
def day(site: Site) -> Day:
    """A morning at the door."""
    return a_day(site.services, datetime.now(UTC))


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Day]]:
    """The same, for tests that only look."""
    with open_site(Layout(tmp_path_factory.mktemp("morning") / "state")) as site:
        yield site, a_day(site.services, datetime.now(UTC))


def text(site: Site, path: str, role: str = "admin", status: int = 200) -> str:
    """A page's HTML."""
    answer = site.client(role).get(path)

    assert status == answer.status_code
    return str(answer.get_data(as_text=True))


def test_a_morning_is_told(morning: tuple[Site, Day]) -> None:
    """Who came, in which visit, and what else was; the newest first."""
    site, _ = morning
    html = text(site, "/log")
    told = [
        "Camera entrance gives no pictures any more",
        "Left open who it was",
        "A stranger",
        "Ann Archer",
        "no picture kept",
    ]

    places = [html.index(words, html.index('id="log-entries"')) for words in told]

    assert sorted(places) == places
    assert "open for 8 s" in html
    assert "Sealed, 90 kB" in html
    assert "In the last 30 days somebody came by 5 times" in " ".join(html.split())


def test_what_fits_nothing_leads_back(site: Site) -> None:
    """What fits nothing says so, and leads back to everything."""
    assert "was admitted to the admin pages" in text(site, "/log")
    assert "Nothing like that" in text(site, "/log?verdict=stranger")


@pytest.mark.parametrize(
    ("query", "there", "missing"),
    [
        ("kind=people", "Ann Archer", "Camera entrance"),
        ("kind=machine", "Camera entrance", "A stranger"),
        ("verdict=stranger", "A stranger", "Ann Archer</a>"),
        ("verdict=identified", "Ann Archer", "A stranger"),
        ("corrected=1", "Nothing like that", "A stranger"),
        ("door=main", "Ann Archer", "Nothing like that"),
        ("until=2001-01-01", "Nothing like that", "A stranger"),
        ("since=2001-01-01&kind=people", "Ann Archer", "Nothing like that"),
    ],
)
def test_filters(morning: tuple[Site, Day], query: str, there: str, missing: str) -> None:
    """What fits is there, the rest is not."""
    site, _ = morning
    html = text(site, f"/log?{query}")

    assert there in html
    assert missing not in html.partition('id="log-entries"')[2]


def test_one_person_is_asked_for_by_id(morning: tuple[Site, Day]) -> None:
    """The address names nobody."""
    site, day = morning
    html = text(site, f"/log?kind=people&person={day.ann.id}").partition('id="log-entries"')[2]

    assert "Ann Archer" in html
    assert "A stranger" not in html


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=9999-12-31", "until"),
        ("since=2026-02-02&until=2026-02-01", "until"),
        ("verdict=friend", "verdict"),
        ("person=nobody", "person"),
        ("door=unknown", "door"),
    ],
)
def test_what_fits_no_filter_is_told_at_its_field(morning: tuple[Site, Day], query: str, field: str) -> None:
    """The filter stays open, and the rest of it holds."""
    site, _ = morning
    html = text(site, f"/log?kind=people&{query}", status=422)

    assert 1 == html.count('class="fault"')
    assert f'id="f-{field}-told"' in html
    assert 'details class="filters" open' in html
    assert "Camera entrance" not in html
    assert "Ann Archer</a>" in html


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("type=door", "The log has no filter of this name: type."),
        ("from=2026-01-01&verdict=stranger", "The log has no filter of this name: from."),
        ("kind=cats", "There is nothing of that name to show."),
        ("corrected=maybe", "This is 1 or nothing."),
        ("before=-1", "Not a place in the log; these are the newest."),
    ],
)
def test_what_has_no_field_is_told_above(morning: tuple[Site, Day], query: str, words: str) -> None:
    """And left out; the rest of the address holds."""
    site, _ = morning
    html = text(site, f"/log?{query}", status=422)

    assert words in html
    assert "A stranger" in html
    assert ("Ann Archer</a>" in html) == ("stranger" not in query)


def test_a_list_with_a_fault_does_not_follow(morning: tuple[Site, Day]) -> None:
    """It would be refused again with everything that happens."""
    reader = morning[0].client("admin")

    assert "data-live" in reader.get("/log").text
    assert "data-live" not in reader.get("/log?person=nobody-enrolled").text


def test_a_door_that_was_there_once_can_be_asked_for(morning: tuple[Site, Day]) -> None:
    """It stands in the log, though no longer in the settings."""
    site, _ = morning
    html = text(site, "/log?door=main")

    assert "main (no longer there)" in html
    assert "Ann Archer" in html


def test_pages_reach_the_oldest(site: Site, day: Day) -> None:
    """Through the links, each entry once; a position that is none is the beginning."""
    for i in range(60):
        site.services.store.append(stores.OPENED.model_copy(update={"visit": f"more{i}", "door": "main"}))
    first = text(site, "/log")
    path = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    second = text(site, path)

    assert "before=" in path
    assert "Ann Archer" not in first.partition('id="log-entries"')[2]
    assert "Ann Archer" in second.partition('id="log-entries"')[2]
    assert "data-live" in first
    assert "data-live" not in second
    assert "more59" in text(site, "/log?before=-1", status=422)


def test_why_is_told_in_words(morning: tuple[Site, Day]) -> None:
    """Headline, sentences, the line of likeness; the exact account is folded away."""
    site, day = morning
    html = text(site, f"/log/{day.identified.id}")
    plain, _, exact = html.partition("The exact account")

    assert "It was Ann Archer." in plain
    assert "Ben Bauer came second, far behind Ann Archer." in plain
    assert "<svg viewBox" in plain
    assert not [word for word in ("threshold", "cosine", "embedding", "score") if word in plain]
    assert "lead over the second" in exact
    assert "That was somebody else" in html


def test_a_viewer_reads_why_without_who(morning: tuple[Site, Day]) -> None:
    """The same sentences of somebody enrolled; no name and no id on the page, and nothing to correct."""
    site, day = morning
    html = text(site, f"/log/{day.identified.id}", "viewer") + text(site, "/log?kind=people", "viewer")

    assert "It was somebody enrolled." in html
    assert "Somebody enrolled" in html
    assert [] == [each for each in ("Archer", "Bauer", day.ann.id, day.ben.id) if each in html]
    assert "That was somebody else" not in html


def test_a_decision_is_corrected(site: Site, day: Day) -> None:
    """The page says what is true now, what was decided stays, and the next step is offered."""
    browser = site.client("admin")
    answer = browser.post(
        f"/log/{day.stranger.id}/correct",
        {"verdict": "identified", "person": day.ben.id, "note": "His new beard"},
    )
    html = text(site, f"/log/{day.stranger.id}")
    event = site.services.store.events(types=("decision_corrected",))[-1]

    assert (303, f"/log/{day.stranger.id}") == (answer.status_code, answer.headers["Location"])
    assert isinstance(event.event, DecisionCorrected)
    assert ("stranger", str(day.ben.id)) == (event.event.was.value, event.event.subject)
    assert "<title>It was Ben Bauer. ·" in html
    assert "<h1>It was Ben Bauer.</h1>" in html
    assert "The box said <strong>a stranger</strong>" in html
    assert "It was a stranger." not in html
    assert "His new beard" in html
    assert f"/people/enrol?to={day.ben.id}" in html
    assert "His new beard" not in text(site, f"/log/{day.stranger.id}", "viewer")
    assert "1 decision was wrong" in " ".join(text(site, "/log").split())
    assert "Ben Bauer" in text(site, "/log?corrected=1").partition('id="log-entries"')[2]


@pytest.mark.parametrize(
    ("decision", "verdict", "told"),
    [
        ("identified", "stranger", ("It was a stranger.", "The box said <strong>Ann Archer</strong>.")),
        (
            "identified",
            "unknown",
            ("Nobody can say who it was.", "The box said <strong>Ann Archer</strong>."),
        ),
        ("undecided", "stranger", ("It was a stranger.", "The box left it open.")),
    ],
)
def test_what_was_set_right_is_the_headline(
    site: Site, day: Day, decision: str, verdict: str, told: tuple[str, str]
) -> None:
    """The page says one thing, in its title and its heading; what the box said is told as what it said."""
    event, (headline, box) = getattr(day, decision), told
    site.ask("log.correct", event=event.id, verdict=verdict)
    html = text(site, f"/log/{event.id}")

    assert f"<title>{headline} ·" in html
    assert f"<h1>{headline}</h1>" in html
    assert box in html
    assert "It was Ann Archer." not in html


def test_a_viewer_reads_what_was_set_right_without_who(site: Site, day: Day) -> None:
    """Not in the headline, either."""
    site.ask("log.correct", event=day.stranger.id, verdict="identified", person=day.ben.id)
    html = text(site, f"/log/{day.stranger.id}", "viewer")

    assert "<h1>It was somebody enrolled.</h1>" in html
    assert "Bauer" not in html


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"verdict": "identified", "person": ""}, "choose who it was"),
        ({"verdict": "stranger", "note": "x"}, "a note is sealed with the person"),
        ({}, "verdict"),
    ],
)
def test_what_cannot_be_said_is_told_in_the_form(
    morning: tuple[Site, Day], form: dict[str, str], words: str
) -> None:
    """The form is open again, with what is wrong; nothing was logged."""
    site, day = morning
    answer = site.client("admin").post(f"/log/{day.identified.id}/correct", form)

    assert 422 == answer.status_code
    assert words in answer.get_data(as_text=True).lower()
    assert [] == site.services.store.events(types=("decision_corrected",))


def test_what_is_not_there_is_not_found(morning: tuple[Site, Day]) -> None:
    """An event that never was, and one that is no decision: no page, and no fault of ours."""
    site, _ = morning
    admin = site.client("admin")
    door = site.services.store.events(types=("door_opened",), limit=1)[0]

    assert [404] * 4 == [
        admin.get("/log/0190ffff-0000-7000-8000-000000000000").status_code,
        admin.get("/log/nonsense").status_code,
        admin.get(f"/log/{door.id}").status_code,
        admin.post(f"/log/{door.id}/correct", {"verdict": "stranger"}).status_code,
    ]


@pytest.mark.parametrize("path", ["/log/nonsense", "/log/0190ffff"])
def test_what_is_not_there_is_told_as_a_page_tells_it(morning: tuple[Site, Day], path: str) -> None:
    """Nobody who followed a link is told what to type."""
    html = text(morning[0], path, status=404)

    assert "The log leads to each event." in html
    assert "Give " not in html


def test_a_viewer_corrects_nothing(morning: tuple[Site, Day]) -> None:
    """Not by the form that is not shown, either."""
    site, day = morning
    answer = site.client("viewer").post(f"/log/{day.identified.id}/correct", {"verdict": "stranger"})

    assert 403 == answer.status_code


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7169, "119 min"), (7199, "2.0 h"), (7200, "2.0 h")],
)
def test_how_long_something_lasted(seconds: float, words: str) -> None:
    """As people say it."""
    assert words == lasting(seconds)


# ---------------------------------------------------------------- in Chromium


@CHROMIUM
@pytest.mark.slow
def test_from_the_log_to_a_correction_by_keyboard(page: Page, at_the_door: Day) -> None:
    """Tab to the entry, Enter for why, Tab to the form, choose, send: told on the page; axe finds nothing."""
    page.goto("/log?kind=people")
    assert [] == axe(page)
    shots(page, "log")
    _tab_to(page, f'a[href="/log/{at_the_door.stranger.id}"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("It was a stranger.")
    assert [] == axe(page)
    shots(page, "explain")
    _tab_to(page, "details:has(form[action$=correct]) summary")
    page.keyboard.press("Enter")
    _tab_to(page, "#f-verdict-identified")
    _tab_to(page, "#f-person")
    page.keyboard.type("Ben")
    _tab_to(page, "form[action$=correct] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("It was Ben Bauer.")
    expect(page.get_by_text("The box said a stranger.")).to_be_visible()
    expect(page.get_by_role("link", name="Add photos of Ben Bauer")).to_be_visible()

    assert [] == axe(page)
    page.get_by_text("The exact account").click()
    shots(page, "account")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert 0 == overflow(page)


@CHROMIUM
@pytest.mark.slow
def test_what_is_new_appears_by_itself(page: Page, running_web: Running, at_the_door: Day) -> None:
    """Without a reload, on top, and what the reader has focused keeps the focus."""
    page.goto("/log")
    focused = page.locator(f'a[href="/log/{at_the_door.identified.id}"]')
    focused.focus()
    page.evaluate("window.untouched = true")
    with running_web.context.services() as services:
        seen = stores.identified(str(at_the_door.ben.id)).model_copy(
            update={"encounter": "new", "visit": "new", "door": "main"}
        )
        services.store.append(seen)
    expect(page.locator("#log-entries .said").first).to_have_text("Ben Bauer")

    assert page.evaluate("window.untouched")
    expect(focused).to_be_focused()
    assert [] == axe(page)


def _zone(offset: timedelta) -> str:
    """A zone of that many whole hours; its name has the sign the other way round."""
    return f"Etc/GMT{-round(offset / timedelta(hours=1)):+d}"


@CHROMIUM
@pytest.mark.slow
@pytest.mark.parametrize("ahead_h", [0, 7, -5])
def test_days_and_hours_are_the_box_s_wherever_the_reader_is(
    browser: Browser, running_web: Running, at_the_door: Day, ahead_h: int
) -> None:
    """A line's hour is of the day it stands under, and the page says whose clock it is if theirs differs."""
    assert at_the_door.capture
    offset = datetime.now().astimezone().utcoffset() or timedelta()
    zone, secret = _zone(offset + timedelta(hours=ahead_h)), running_web.secret()
    with open_page(browser, running_web.url, secret=secret, locale="en-GB", timezone_id=zone) as (page, _):
        page.goto("/log")
        note = page.locator("[data-clock-note]")
        expect(page.locator("#log-entries time[title]").first).to_be_visible()
        times = page.locator("#log-entries time[data-hour]").all()
        shown = [(each.get_attribute("datetime"), each.inner_text()) for each in times]

        assert shown
        assert [] == [(at, words) for at, words in shown if words != at_the_box(at or "")]
        expect(note).to_be_visible(visible=ahead_h != 0)
        shots(page, f"log-{ahead_h}-hours-ahead")


def at_the_box(at: str) -> str:
    """The hour that its clock showed."""
    return f"{datetime.fromisoformat(at).astimezone():%H:%M}"


def _tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press Tab until this is focused."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement?.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")
