"""What functions record with DeepLens_Kinesis_Video: which streams, how long, and nothing that cannot be."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.app.function_filming import FunctionFilming
from appliance.deeplens.guest.messages import Stream
from appliance.deeplens.recorded_streams import MAX_STREAMS, PREFIX, FunctionRecordings
from appliance.services import Layout
from appliance.wire import Message, Reply, Request, Server
from appliance.wire.messages import Done, Record, RecordTaken, ReleaseRecording


@dataclass
class Filmed:
    """See `recorded_streams.Filming`."""

    on: dict[str, float] = field(default_factory=dict)
    begun: int = 0

    def begin(self, camera: str, stream: str, retention_hours: float) -> None:
        """Note it."""
        self.on[stream] = retention_hours
        self.begun += 1

    def end(self, camera: str, stream: str) -> None:
        """Note it."""
        del self.on[stream]


ACTIONS = st.tuples(
    st.sampled_from(["create", "start", "stop"]), st.sampled_from(["a", "deeplens-a", "b", "ü", "c" * 300])
)


@given(st.lists(ACTIONS, max_size=30))
def test_in_whatever_order_only_what_is_there_and_started_is_recorded(said: list[tuple[str, str]]) -> None:
    """A name with its prefix and without is one stream; a name the service would not take is none."""
    filming = Filmed()
    recordings = FunctionRecordings(filming, "hall")
    there: set[str] = set()
    started: set[str] = set()
    for action, name in said:
        recordings.tell(Stream(action, name, 2.0))  # type: ignore[arg-type]
        whole = PREFIX + name.removeprefix(PREFIX)
        if action == "create" and name in {"a", "deeplens-a", "b"}:
            there.add(whole)
        elif action == "start" and whole in there:
            started.add(whole)
        elif action == "stop":
            started.discard(whole)

    assert started == set(filming.on) == set(recordings.active)
    recordings.over()
    assert {} == filming.on


def test_what_is_not_recorded_is_told_in_the_functions_log_once_a_run() -> None:
    """A name, a retention or a number of streams that cannot be: each once, however often it is asked."""
    told: list[str] = []
    recordings = FunctionRecordings(Filmed(), "hall", told.append)
    for _ in range(3):
        recordings.create("deeplens-ü", 2.0)
        recordings.create("deeplens-nothing", 0.0)
        for number in range(MAX_STREAMS + 3):
            recordings.create(f"deeplens-{number}", 2.0)
    first = len(told)
    recordings.over()
    recordings.create("deeplens-ü", 2.0)

    assert 3 == first
    for line, word in zip(told, ("name is", "keeps what", "streams at", "name is"), strict=True):
        assert word in line
    assert 4 == len(told)


@dataclass
class Recorder:
    """Answers as the process that records does, and notes what it was told."""

    heard: list[Message] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def record(self, request: Request[Record]) -> Reply[RecordTaken]:
        """Note it."""
        self._note(request.message)
        self.answers.wait(2)
        return Reply(RecordTaken(state="began"))

    def release(self, request: Request[ReleaseRecording]) -> Reply[Done]:
        """Note it."""
        self._note(request.message)
        return Reply(Done())

    def until(self, seen: Callable[[list[Message]], bool]) -> None:
        """Wait for something to be said."""
        with self.changed:
            assert self.changed.wait_for(lambda: seen(self.heard), 5)

    def _note(self, message: Message) -> None:
        with self.changed:
            self.heard.append(message)
            self.changed.notify_all()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """At its socket."""
    ours = Recorder()
    ours.answers.set()
    handlers = {Record: ours.record, ReleaseRecording: ours.release}
    with Server(Layout(tmp_path).socket("video"), handlers):
        yield ours


def test_the_process_that_records_is_told_what_is_wanted_and_that_it_is_over(
    tmp_path: Path, recorder: Recorder
) -> None:
    """With the stream's name and hours; the recording would end by itself if nobody said so again."""
    with FunctionFilming(Layout(tmp_path)) as filming:
        filming.begin("hall", "deeplens-dog", 2.0)
        recorder.until(lambda heard: len(heard) == 1)
        filming.end("hall", "deeplens-dog")
        recorder.until(lambda heard: len(heard) == 2)
    first, last = recorder.heard

    assert isinstance(first, Record)
    assert ("hall", "deeplens-dog", 2.0, 0.0) == (
        first.camera,
        first.stream,
        first.retention_hours,
        first.back_s,
    )
    assert first.seconds <= 60
    assert ReleaseRecording(camera="hall", stream="deeplens-dog") == last


def test_the_end_of_the_hosting_process_ends_recordings(tmp_path: Path, recorder: Recorder) -> None:
    """Nobody is left who would stop them."""
    with FunctionFilming(Layout(tmp_path)) as filming:
        filming.begin("hall", "deeplens-dog", 2.0)
        recorder.until(lambda heard: len(heard) == 1)

    assert ReleaseRecording(camera="hall", stream="deeplens-dog") == recorder.heard[-1]


def test_no_function_waits_for_a_process_that_does_not_answer(tmp_path: Path, recorder: Recorder) -> None:
    """While one question hangs, to begin and to end return; what is over by then was never begun."""
    recorder.answers.clear()
    with FunctionFilming(Layout(tmp_path)) as filming:
        filming.begin("hall", "deeplens-dog", 2.0)
        recorder.until(lambda heard: len(heard) == 1)
        filming.begin("hall", "deeplens-cat", 2.0)
        filming.end("hall", "deeplens-cat")
        heard = len(recorder.heard)
        recorder.answers.set()

    assert 1 == heard
    assert {"deeplens-dog", "deeplens-cat"} >= {getattr(each, "stream", "") for each in recorder.heard}
    assert ["deeplens-dog"] == [each.stream for each in recorder.heard if isinstance(each, Record)]
