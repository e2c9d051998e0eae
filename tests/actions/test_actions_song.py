"""The action `song`: which one, whether it may be heard, where; what becomes of it is on record, once."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from song_sounds import HeldOutput, as_wav, tone

from appliance.actions.song_action import SongAction, SongInfo
from appliance.actions.song_preparing import prepare
from appliance.errors import ActionError, NoAudioError, StoreError, UnknownSongError
from appliance.events import DoorChanged, Event, SongSkipped, SongStarted, SongStopped, SubjectChanged
from appliance.settings import AudioSettings, QuietHours
from appliance.values import DoorState

NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)
AUDIO = prepare(as_wav(tone(1)), 0, 1).audio


@dataclass
class Shelf:
    """A library.

    Attributes:
        themes: Whose song is which.
        agreeing: Who agreed to have one played.
    """

    themes: dict[str, str] = field(default_factory=dict)
    agreeing: set[str] = field(default_factory=set)
    songs: tuple[str, ...] = ("fanfare", "waltz", "chime")

    def info(self, song: str) -> SongInfo:
        """See `Library`."""
        if song not in self.songs:
            raise UnknownSongError("there is no such song")
        return SongInfo(song, song.title(), 1.0, "audio/mpeg", "0" * 64)

    def audio(self, song: str) -> bytes:
        """See `Library`."""
        self.info(song)
        return AUDIO

    def theme(self, subject: str) -> str | None:
        """See `Library`."""
        return self.themes.get(subject)

    def agreed(self, subject: str) -> bool:
        """See `Library`."""
        return subject in self.agreeing


@dataclass(frozen=True)
class Row:
    """What is to be done about somebody who came."""

    event: Event
    parameters: dict[str, Any]
    event_id: str = "the event"
    at: datetime = NOON


def came(subject: str, **parameters: str) -> Row:
    """Somebody came, and a rule wants a song."""
    return Row(SubjectChanged(type="subject_enrolled", subject=subject), parameters)


class HandClock:
    """A clock that stands until it is set forward."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        """Seconds since noon."""
        return self.passed

    def wall(self) -> datetime:
        """The same as a time."""
        return NOON + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        """Let it be later, and other threads have their turn."""
        self.passed += seconds
        time.sleep(0.001)


class Office:
    """An action with everything around it.

    Attributes:
        settings: May be changed at any time.
        log: What was put on record.
        told: What other devices were told: kind, target, message.
    """

    def __init__(self) -> None:
        self.shelf = Shelf({"ann": "fanfare", "ben": "waltz", "dan": "waltz"}, {"ann", "ben", "cem"})
        self.settings = AudioSettings(volume=100, max_waiting=1)
        self.output = HeldOutput()
        self.log: list[Event] = []
        self.told: list[tuple[str, str, dict[str, Any]]] = []
        self.clock = HandClock()
        self.broken = False
        self._threads = ThreadPoolExecutor(8)
        self.action = SongAction(
            self.shelf,
            lambda: self.settings,
            lambda _: self.output,
            {"mqtt": self._tells("mqtt"), "home_assistant": self._tells("home_assistant")},
            self._put,
            clock=self.clock,
            zone=UTC,
            sleep=self.clock.sleep,
        )

    def _put(self, event: Event) -> None:
        if self.broken:
            raise StoreError("the database is locked")
        self.log.append(event)

    def _tells(self, kind: str) -> Callable[[str, bytes], None]:
        def tell(target: str, message: bytes) -> None:
            if self.broken:
                raise ActionError("the broker is away")
            self.told.append((kind, target, json.loads(message)))

        return tell

    def perform(self, row: Row) -> None:
        """Here and now."""
        self.action.perform(row)

    def begin(self, row: Row) -> "Future[None]":
        """In a thread of its own, as a lane would."""
        return self._threads.submit(self.action.perform, row)

    def close(self) -> None:
        """Let go."""
        self.action.close()
        self._threads.shutdown()


@pytest.fixture
def office() -> Iterator[Office]:
    """At noon, with an output that plays until it is told that a sound is over."""
    opened = Office()
    yield opened
    opened.close()


def reasons(office: Office) -> list[str]:
    """Why songs were not played."""
    return [each.reason for each in office.log if isinstance(each, SongSkipped)]


def started(office: Office) -> list[str]:
    """Songs that began."""
    return [each.song for each in office.log if isinstance(each, SongStarted)]


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_who_comes_hears_their_own_song_and_it_is_on_record(office: Office) -> None:
    """Once its first samples were taken: song, person, place and cause; and all of its samples are played."""
    office.perform(came("ann"))
    office.output.end()
    wait_for(lambda: bool(office.output.played) and office.action.now().song is None)
    (event,) = office.log

    assert event == SongStarted(song="fanfare", output="box", subject="ann", cause="the event")
    assert len(office.output.played[0]) > 180_000


@pytest.mark.parametrize(
    ("subject", "song", "default", "played"),
    [
        ("ann", "theme", "", ["fanfare"]),
        ("cem", "theme", "", []),
        ("cem", "theme", "chime", ["chime"]),
        ("dan", "theme", "chime", []),  # has a song, and did not agree
        ("dan", "chime", "", []),  # a certain one says that they are there, as their own does
        ("nobody", "theme", "chime", []),
    ],
)
def test_whose_song_it_is(office: Office, subject: str, song: str, default: str, played: list[str]) -> None:
    """Their own, or the one for all without; nothing for who did not agree to it, which is said why."""
    office.settings = office.settings.model_copy(update={"default_song": default})
    office.perform(came(subject, song=song))

    assert played == started(office)
    assert ([] if played else ["no_song"]) == reasons(office)


def test_a_certain_song_is_played_for_whatever_happened(office: Office) -> None:
    """A chime for the door is about nobody; one that is gone from the library is skipped."""
    opened = DoorChanged(type="door_opened", state=DoorState.OPEN, fraction=0.1, door="main")
    office.perform(Row(opened, {"song": "chime", "output": "box"}))
    office.perform(Row(opened, {"song": "removed", "output": "box"}))

    assert ["chime"] == started(office)
    assert ["no_song"] == reasons(office)


def test_nothing_is_heard_in_quiet_hours_at_volume_0_or_switched_off(office: Office) -> None:
    """Each with its reason; what the settings say counts from the moment they say it."""
    night = QuietHours.model_validate({"start": "11:00", "end": "13:00"})
    for change in ({"quiet": (night,)}, {"volume": 0}, {"output": "off"}):
        office.settings = AudioSettings().model_copy(update=change)
        office.perform(came("ann"))

    assert ["quiet_hours", "muted", "no_device"] == reasons(office)
    assert [] == office.output.played


def test_no_audio_device_is_an_ordinary_state(office: Office) -> None:
    """The song counts as not played and why; the row is done; the next one is tried again."""
    office.output.missing = True
    office.perform(came("ann"))
    trouble = office.action.now().trouble
    office.output.missing = False
    office.perform(came("ben"))

    assert ["no_device"] == reasons(office)
    assert "there is no audio device" == trouble
    assert ["waltz"] == started(office)
    assert "" == office.action.now().trouble


def test_three_at_once_one_after_another(office: Office) -> None:
    """The first plays, the second waits for its end, the third is left out."""
    office.perform(came("ann"))
    second = office.begin(came("ben"))
    wait_for(lambda: office.action.now().waiting == ("waltz",))
    office.perform(came("cem", song="chime"))
    before = started(office)
    office.output.end()
    second.result(20)

    assert ["fanfare"] == before
    assert ["fanfare", "waltz"] == started(office)
    assert ["queue"] == reasons(office)


def test_the_latest_takes_over_and_skipping_leaves_out(office: Office) -> None:
    """What plays is cut for the next; or the next is left out."""
    office.settings = office.settings.model_copy(update={"queue": "latest"})
    office.perform(came("ann"))
    office.perform(came("ben"))
    playing = office.action.now().song
    office.settings = office.settings.model_copy(update={"queue": "skip"})
    office.perform(came("ann"))

    assert "waltz" == playing
    assert ["fanfare", "waltz"] == started(office)
    assert ["queue"] == reasons(office)


def test_stop_ends_what_plays_and_what_waits(office: Office) -> None:
    """At once; both are on record, and the next song plays as ever."""
    office.perform(came("ann"))
    second = office.begin(came("ben"))
    wait_for(lambda: office.action.now().waiting == ("waltz",))
    stopped = office.action.stop()
    second.result(20)
    again = office.action.stop()
    office.perform(came("cem", song="chime"))

    assert (2, 0) == (stopped, again)
    assert [SongStopped(song="fanfare")] == [each for each in office.log if isinstance(each, SongStopped)]
    assert ["stopped"] == reasons(office)
    assert ["fanfare", "chime"] == started(office)


def test_what_waits_when_dispatch_ends_is_given_up(office: Office) -> None:
    """It raises, so that its row becomes unknown and is never played; what plays is cut."""
    office.perform(came("ann"))
    second = office.begin(came("ben"))
    wait_for(lambda: office.action.now().waiting == ("waltz",))
    office.action.close()

    with pytest.raises(ActionError, match="stops"):
        second.result(20)
    with pytest.raises(ActionError, match="stops"):
        office.perform(came("ann"))
    assert ["fanfare"] == started(office)


def test_screens_are_told_by_the_log_and_their_place_is_taken_meanwhile(office: Office) -> None:
    """Nothing is decoded here; a log that cannot be written means that no screen plays."""
    office.settings = office.settings.model_copy(update={"queue": "skip"})
    office.perform(came("ann", output="screen"))
    office.perform(came("ben", output="box"))
    office.broken = True
    office.settings = office.settings.model_copy(update={"queue": "latest"})

    with pytest.raises(ActionError):
        office.perform(came("ann", output="screen"))
    assert [("fanfare", "screen"), ("waltz", "box")] == [
        (each.song, each.output) for each in office.log if isinstance(each, SongStarted)
    ]


def test_other_devices_are_told_ids_and_where_it_lies(office: Office) -> None:
    """No name, no title (it may be one), no audio and no secret; what could not be told did not happen."""
    office.perform(came("ann", output="home_assistant:media_player.kitchen"))
    office.perform(came("ann", output="mqtt"))
    kinds = [(kind, target) for kind, target, _ in office.told]
    message = office.told[0][2]
    office.broken = True

    with pytest.raises(ActionError, match="broker is away"):
        office.perform(came("ann", output="mqtt"))
    with pytest.raises(ActionError, match="nothing to play songs with"):
        office.perform(came("ann", output="webhook:chat"))
    assert [("home_assistant", "media_player.kitchen"), ("mqtt", "")] == kinds
    assert "media-source://media_source/local/songs/fanfare.mp3" == message["media_content_id"]
    assert ("media_player.kitchen", "ann", 1.0) == (
        message["entity_id"],
        message["subject"],
        message["volume_level"],
    )
    assert {"song", "subject", "cause", "seconds"} <= set(message)
    assert "title" not in message
    assert 2 == len(started(office))


def test_whoever_presses_play_is_told_why_it_does_not(office: Office) -> None:
    """In quiet hours it plays; without a device or with volume 0 it is an error in words."""
    night = QuietHours.model_validate({"start": "00:00", "end": "00:00"})
    office.settings = office.settings.model_copy(update={"quiet": (night,)})
    office.action.play_now("fanfare")
    office.action.stop()
    office.output.missing = True

    with pytest.raises(NoAudioError, match="no audio device"):
        office.action.play_now("fanfare")
    office.settings = office.settings.model_copy(update={"volume": 0})
    with pytest.raises(ActionError, match="volume is 0"):
        office.action.play_now("fanfare")
    with pytest.raises(UnknownSongError):
        office.action.play_now("removed")
    assert ["fanfare"] == started(office)


def test_a_song_that_was_heard_stays_heard_when_the_log_is_away(office: Office) -> None:
    """It is not an error of the song: repeating it would play it twice."""
    office.broken = True
    office.perform(came("ann"))
    office.output.end()
    wait_for(lambda: bool(office.output.played))

    assert [] == office.log


def test_a_hundred_at_once_are_each_played_or_left_out(office: Office) -> None:
    """From many threads at a time: each of them ends in one event, and no two play together."""
    office.settings = office.settings.model_copy(update={"max_waiting": 3})
    ending = threading.Event()

    def end() -> None:
        while not ending.wait(0.002):
            office.output.end()

    thread = threading.Thread(target=end)
    thread.start()
    rows = [office.begin(came("ann" if number % 2 else "ben")) for number in range(100)]
    for each in rows:
        each.result(60)
    wait_for(lambda: office.action.now().song is None)
    ending.set()
    thread.join()

    assert 100 == len(office.log)
    assert len(started(office)) == len(office.output.played)


def test_waiting_ends_by_the_clock(office: Office) -> None:
    """A song that has waited its time is left out, though the other one still plays."""
    office.settings = office.settings.model_copy(update={"wait_s": 1.0})
    office.perform(came("ann"))
    second = office.begin(came("ben"))
    wait_for(lambda: office.action.now().waiting == ("waltz",))
    office.clock.passed += 2
    second.result(20)

    assert ["queue"] == reasons(office)
