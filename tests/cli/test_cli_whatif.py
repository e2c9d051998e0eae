"""`appliance whatif`: what it lists, what it counts, and what it says when nothing differs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import decided
import pytest
import stores
from commands import call

from appliance.app.replaying import REPLAYED, START
from appliance.cli.parameters import Moment
from appliance.clock import ManualClock
from appliance.decision import DECIDED
from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.store import NewEvent, sqlite_url

BEN = "ben"


@pytest.fixture
def full(box: Any) -> Any:
    """The box after more encounters, one by each rule; Ann is enrolled, Ben's id is unknown."""
    with open_services(Settings(), Layout(box.state)) as services:
        services.store.append_all([NewEvent(event) for event in decided.events(box.subject, BEN)])
    return box


def document(box: Any, *options: object) -> dict[str, Any]:
    """What `--json` says."""
    found: dict[str, Any] = json.loads(box.call("whatif", "--json", *options).out)
    return found


def test_at_unchanged_settings_every_decision_is_reproduced(full: Any) -> None:
    """Exit code 0, in so many words; those of the box's beginning have no frames and are counted."""
    made = len(decided.events(full.subject, BEN))
    for options in ((), ("--check",)):
        done = full.call("whatif", *options)

        assert 0 == done.code
        assert f"{made} decision(s) of 10 encounter(s) are reproduced exactly from what is stored" in done.out
        assert "2 cannot be recomputed: stored without frames" in done.out


def test_what_is_not_reproduced_is_listed_with_exit_code_1(full: Any) -> None:
    """A changed score in the database: which event, and what of it differs."""
    stores.sql(
        sqlite_url(full.state / "appliance.db"),
        "UPDATE events SET body = replace(body, :was, :now) WHERE position = 8",
        was='"score":0.5,',
        now='"score":0.6,',
    )
    done = full.call("whatif", "--check")

    assert 1 == done.code
    assert done.out.startswith("#8 ")
    assert "are NOT reproduced" in done.out
    assert "candidates" in done.out.splitlines()[0]


def test_a_higher_threshold_lists_whoever_would_not_be_named(full: Any) -> None:
    """Number, time, was and would be, score and both thresholds; names as `events explain` shows them."""
    out = full.call("whatif", "--threshold", 0.65).out
    first = out.splitlines()[0]

    assert "greeting: Ann → undecided" in first
    assert "score +0.500, threshold +0.061 → +0.650; score_and_margin → too_few_frames" in first
    assert "identified → undecided: 2" in out
    assert "identified → stranger: 2" in out
    assert "encounter(s)" in out


def test_the_list_is_cut_unless_all_is_asked_for(full: Any) -> None:
    """The first forty; how many more there are is said."""
    with open_services(Settings(), Layout(full.state)) as services:
        services.store.append_all([NewEvent(decided.events(full.subject, BEN)[0])] * 60)
    options = ("whatif", "--threshold", 0.55)
    short, whole = (full.call(*options, *more).out.splitlines() for more in ((), ("--all",)))

    assert 40 == sum(text.startswith("#") for text in short)
    assert any("more: --all lists them" in text for text in short)
    assert sum(text.startswith("#") for text in whole) > 60


def test_json_has_stable_names_and_names_nobody(full: Any) -> None:
    """Counts, the changes asked for, and each difference with both outcomes, by id."""
    found = document(full, "--fpir", 0.00001, "--margin", 0.2)

    assert {
        "reproducing", "changes", "decisions", "examined", "encounters", "differing", "differing_encounters",
        "was", "would", "turned", "not_recomputed", "other_tables", "differences",
    } == set(found)  # fmt: skip
    assert {"fpir": 0.00001, "margin": 0.2} == found["changes"]
    assert {"no_frames": 2} == found["not_recomputed"]
    assert found["differing"] == len(found["differences"]) > 0
    assert {"identified", "stranger", "undecided"} == set(found["was"]) == set(found["would"])
    assert {"position", "id", "at", "encounter", "grade", "was", "would", "fields"} == set(
        found["differences"][0]
    )
    assert {
        "verdict", "subject", "rule", "composition", "score", "threshold", "stricter_threshold", "margin",
        "margin_wanted",
    } == set(found["differences"][0]["was"])  # fmt: skip
    assert full.subject in {each["was"]["subject"] for each in found["differences"]}
    assert "Ann" not in json.dumps(found)


def test_another_composition_counts_what_it_cannot_judge(full: Any) -> None:
    """One of the fused models alone can be asked for; dlib without its mirror was never compared."""
    made = len(decided.events(full.subject, BEN))

    assert made == document(full, "--composition", "sface")["examined"]
    out = full.call("whatif", "--composition", "dlib").out
    assert "a model that this composition needs was not compared then" in out


def test_only_the_time_asked_for(full: Any) -> None:
    """Today's are found since an hour ago and until today; none since tomorrow nor until yesterday."""
    today, tomorrow = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
    yesterday = today - timedelta(days=1)

    assert document(full, "--since", "1h")["decisions"] == document(full)["decisions"] > 0
    assert document(full, "--until", f"{tomorrow:%Y-%m-%d}")["decisions"] > 0
    assert 0 == document(full, "--since", f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}")["decisions"]
    assert 0 == document(full, "--until", f"{yesterday:%Y-%m-%dT%H:%M:%SZ}")["decisions"]
    assert "no decision in that time" in full.call("whatif", "--until", "2020-01-01").out


def test_where_the_decisions_lie_is_said_when_none_is_of_that_time(full: Any) -> None:
    """First and last decision of the log, in local time; beside the document, on standard error."""
    with open_services(Settings(), Layout(full.state)) as services:
        told = [
            f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}"
            for newest in (False, True)
            for each in services.store.events(types=DECIDED, limit=1, newest_first=newest)
        ]
    missed = full.call("whatif", "--until", "2020-01-01")
    for_programs = full.call("whatif", "--until", "2020-01-01", "--json")

    said = f"no decision in that time: those of this log are from {told[0]} to {told[1]}\n"
    assert (0, said) == (missed.code, missed.out)
    assert said == for_programs.err
    assert 0 == json.loads(for_programs.out)["decisions"]


def test_a_log_without_any_decision_says_so(tmp_path: Path) -> None:
    """Whatever the time asked for."""
    with open_services(Settings(), Layout(tmp_path), create=True):
        pass
    done = call("--state", tmp_path, "whatif", "--since", "7d")

    assert (0, "no decision was ever logged here\n") == (done.code, done.out)


def test_how_long_ago_does_not_reach_a_replay(tmp_path: Path) -> None:
    """Its time began at the same moment whenever it was run: what to ask instead is said."""
    clock = ManualClock(START)
    with open_services(Settings(), Layout(tmp_path), create=True, clock=clock, boot=REPLAYED) as services:
        services.store.append_all([NewEvent(event) for event in decided.events("ann", BEN)])
    done = call("--state", tmp_path, "whatif", "--since", "7d")

    assert 0 == done.code
    assert "this is the log of a replay" in done.out
    assert "give a date instead of how long ago" in done.out
    assert (
        "reproduced exactly"
        in call("--state", tmp_path, "whatif", "--since", f"{START:%Y-%m-%dT%H:%M:%SZ}").out
    )


def test_a_time_that_ends_before_it_begins_is_refused(full: Any) -> None:
    """Instead of nothing found."""
    done = full.call("whatif", "--since", "2026-11-07", "--until", "2026-11-01")

    assert 2 == done.code
    assert "--since is not before --until" in done.err


def test_a_day_as_the_end_counts_whole() -> None:
    """Until a day is until the next begins; since a day is since it begins."""
    begin, end = (Moment(end=end).convert("2026-11-01", None, None) for end in (False, True))

    assert timedelta(hours=24) == end - begin
    assert (0, 0) == (begin.astimezone().hour, begin.astimezone().minute)


@pytest.mark.parametrize("text", ["yesterday", "7y", "2026-13-01", "", "-3d", "99999w9", "1e3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With how to write one."""
    with pytest.raises(click.BadParameter, match="is no time: write 2026-11-01"):
        Moment().convert(text, None, None)


@pytest.mark.parametrize(
    "options",
    [
        ("--check", "--margin", "0.1"),
        ("--fpir", "0"),
        ("--margin", "-0.1"),
        ("--threshold", "nan"),
        ("--fpir", "nan"),
        ("--since", "soon"),
        ("--composition", "arcface"),
    ],
)
def test_a_wrong_option_is_one_sentence(full: Any, options: tuple[str, ...]) -> None:
    """In the form of every other error, with where to look."""
    done = full.call("whatif", *options)

    assert 2 == done.refusal[0]
    assert ["see: appliance whatif --help"] == done.hints
