"""PutMedia's rules without a socket: what the server does about bytes, time and what is switched on."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kvs_footage import BEGIN_MS, footage

from appliance.clock import ManualClock
from appliance.video.fragment import Fragment
from appliance.video.kvs_server.acks import ERROR_CODES, MAX_LINE, Ack
from appliance.video.kvs_server.faults import Cut, Delay, ErrorAck, Fault, Faults, Mute
from appliance.video.kvs_server.ingest import End, Ingest, Limits, Offer, Say, Step, Terms
from appliance.video.kvs_server.quotas import TOO_FAST, TOO_MANY, TOO_SHORT, Meter, Quotas
from appliance.video.matroska import stream_fragment, stream_header, tags

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PIECES = footage(4)
HEADER = stream_header(PIECES[0].track, segment_uid=bytes(range(16)))


class Trial:
    """An ingest with clocks that stand still, and what it did so far in few words."""

    def __init__(
        self,
        *faults: Fault,
        limits: Limits | None = None,
        absolute: bool = True,
        quotas: Quotas | None = None,
    ) -> None:
        self.clock = ManualClock(NOW)
        self.offers: list[Offer] = []
        numbers = count(7)
        self.ingest = Ingest(
            Terms(absolute=absolute, start_ms=BEGIN_MS, stores=True),
            faults=Faults(faults),
            ordinals=count(1),
            numbers=lambda _: str(next(numbers)),
            clock=self.clock,
            limits=limits or Limits(),
            meter=None if quotas is None else Meter(quotas, self.clock),
        )

    def feed(self, data: bytes) -> list[Any]:
        """What it does about bytes."""
        return self.told(self.ingest.feed(data))

    def store_all(self) -> list[Any]:
        """What it does when everything that is offered is stored."""
        offers, self.offers = self.offers, []
        return [each for offer in offers for each in self.told(self.ingest.stored(offer))]

    def told(self, steps: Iterable[Step]) -> list[Any]:
        """Steps in few words."""
        found: list[Any] = []
        for step in steps:
            match step:
                case Say(ack):
                    found.append((ack.saying, ack.timecode_ms, ack.error_id or ack.error_code or None))
                case Offer():
                    self.offers.append(step)
                    found.append("offer")
                case End(held_s):
                    found.append("end" if held_s is None else "cut")
        return found


def said(kind: str, piece: Fragment, error_id: int | None = None) -> tuple[Any, ...]:
    """An ack about a fragment."""
    return (kind, piece.timecode_ms, error_id)


def whole(pieces: Sequence[Fragment], *, close: bool = True) -> bytes:
    """A body."""
    return HEADER + b"".join(stream_fragment(each, close=close) for each in pieces)


def test_a_fragment_is_received_at_its_end_tag_and_persisted_when_it_is_stored() -> None:
    """BUFFERING and RECEIVED are said as bytes come, PERSISTED only once the archive has it."""
    trial = Trial()

    assert [said("BUFFERING", PIECES[0]), said("RECEIVED", PIECES[0]), "offer"] == trial.feed(
        whole(PIECES[:1])
    )
    assert [said("PERSISTED", PIECES[0])] == trial.store_all()


def test_without_an_end_tag_the_next_cluster_or_the_end_of_the_body_completes_a_fragment() -> None:
    """RECEIVED of a fragment comes before BUFFERING of the next; that of the last when the body ends."""
    trial = Trial()
    first, second = PIECES[:2]

    assert [
        said("BUFFERING", first),
        said("RECEIVED", first),
        "offer",
        said("BUFFERING", second),
    ] == trial.feed(whole((first, second), close=False))
    assert [said("RECEIVED", second), "offer"] == trial.told(trial.ingest.end())
    assert [said("PERSISTED", first), said("PERSISTED", second)] == trial.store_all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=60))
def test_what_is_said_does_not_depend_on_how_the_body_is_cut_into_pieces(cuts: list[int]) -> None:
    """However bytes arrive, the same is said of them in the same order."""
    body = whole(PIECES[:2])
    at_once, bit_by_bit = Trial(), Trial()
    found, begin = [], 0
    for length in cuts:
        found += bit_by_bit.feed(body[begin : begin + length])
        begin += length
    found += bit_by_bit.feed(body[begin:])

    assert at_once.feed(body) == found


def test_a_body_of_stray_tags_or_of_nothing_is_survived_without_a_word() -> None:
    """The official C producer opens such a session after an ERROR; nothing is wrong with it."""
    stray, empty = Trial(), Trial()

    assert [] == stray.feed(tags([("label", "dog")]) + tags([("AWS_KINESISVIDEO_END_OF_FRAGMENT", "")]))
    assert [] == stray.told(stray.ingest.end())
    assert [] == empty.told(empty.ingest.end())


def test_what_is_no_matroska_ends_with_4006_and_nothing_after_it_is_read() -> None:
    """The service says ERROR once and closes."""
    trial = Trial()

    assert [("ERROR", None, 4006), "end"] == trial.feed(b"GET / HTTP/1.1\r\n\r\n")
    assert trial.ingest.over
    assert [] == trial.feed(whole(PIECES[:1]))


def test_times_that_do_not_grow_end_with_4004_about_the_fragment_that_goes_back() -> None:
    """The fragment before is kept, the one that goes back is not."""
    trial = Trial()

    assert [
        said("BUFFERING", PIECES[1]),
        said("RECEIVED", PIECES[1]),
        "offer",
        said("BUFFERING", PIECES[0]),
        said("ERROR", PIECES[0], 4004),
        "end",
    ] == trial.feed(whole((PIECES[1], PIECES[0])))


def test_relative_times_are_told_as_sent_and_kept_as_times_since_the_epoch() -> None:
    """An ack repeats what the producer wrote; a reader is told when that was."""
    [sent] = footage(1, begin_ms=5_000)
    trial = Trial(absolute=False)

    assert ("BUFFERING", 5_000, None) == trial.feed(whole([sent]))[0]
    assert [BEGIN_MS + 5_000] == [offer.row.producer_ms for offer in trial.offers]


def test_what_is_kept_is_what_was_sent() -> None:
    """Header, cluster and tags stand in the archive byte for byte, and the row says how long it lasts."""
    trial = Trial()
    trial.feed(whole(PIECES[:1]))
    [offer] = trial.offers

    assert whole(PIECES[:1]) == offer.media.header + offer.media.cluster + offer.media.tags
    assert (2000, offer.media.size_bytes) == (offer.row.duration_ms, offer.row.size_bytes)


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("error_id", sorted(ERROR_CODES))
def test_every_error_can_be_switched_on_with_and_without_the_fragment_it_is_about(
    error_id: int,
    bare: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """It is said once, in the fragment it was asked for in, and the connection ends."""
    trial = Trial(ErrorAck(error_id, 2, bare=bare))
    about = None if bare else PIECES[1].timecode_ms

    assert [
        said("BUFFERING", PIECES[0]),
        said("RECEIVED", PIECES[0]),
        "offer",
        said("BUFFERING", PIECES[1]),
        ("ERROR", about, error_id),
        "end",
    ] == trial.feed(whole(PIECES))


@pytest.mark.parametrize(
    ("moment", "fed", "stored"),
    [
        ("buffering", ["BUFFERING", "cut"], []),
        ("received", ["BUFFERING", "RECEIVED", "cut"], []),
        ("stored", ["BUFFERING", "RECEIVED", "offer"], ["cut"]),
        ("persisted", ["BUFFERING", "RECEIVED", "offer"], ["PERSISTED", "cut"]),
    ],
)
def test_a_connection_can_be_cut_at_every_moment_of_a_fragment(
    moment: Any, fed: list[str], stored: list[str]
) -> None:
    """Before anything is stored, stored without a word, and after PERSISTED."""
    trial = Trial(Cut(moment, 1))

    assert fed == [each if isinstance(each, str) else each[0] for each in trial.feed(whole(PIECES[:1]))]
    assert stored == [each if isinstance(each, str) else each[0] for each in trial.store_all()]


@pytest.mark.parametrize("after_bytes", [1, 200])
def test_a_connection_can_be_cut_in_the_middle_of_a_fragments_bytes(after_bytes: int) -> None:
    """However the body comes; the fragment before is taken, and of this one nothing more is said."""
    body = whole(PIECES[:3])
    at_once, in_pieces = (Trial(Cut("within", 2, after_bytes=after_bytes)) for _ in range(2))
    found: list[Any] = []
    for at in range(0, len(body), 7):
        found += [] if in_pieces.ingest.over else in_pieces.feed(body[at : at + 7])

    assert (
        [
            said("BUFFERING", PIECES[0]),
            said("RECEIVED", PIECES[0]),
            "offer",
            said("BUFFERING", PIECES[1]),
            "cut",
        ]
        == at_once.feed(body)
        == found
    )


STRICT = Quotas()


def begun_and_received(*pieces: Fragment) -> list[Any]:
    """What is said of fragments that are taken."""
    return [each for piece in pieces for each in (said("BUFFERING", piece), said("RECEIVED", piece), "offer")]


def test_a_strict_server_takes_five_fragments_a_second() -> None:
    """Ten at once, for a line may have held them up; then as many as time passes; otherwise any number."""
    pieces = footage(40)
    strict, lenient = Trial(quotas=STRICT), Trial()
    found = strict.feed(whole(pieces))
    paced = Trial(quotas=STRICT)
    paced.feed(HEADER)
    for piece in pieces:
        paced.clock.advance(0.21)
        assert begun_and_received(piece) == paced.feed(stream_fragment(piece))

    assert [*begun_and_received(*pieces[:10]), ("ERROR", None, TOO_MANY), "end"] == found
    assert begun_and_received(*pieces) == lenient.feed(whole(pieces))


def test_a_strict_server_takes_so_many_bytes_a_second() -> None:
    """Counted over ten seconds, over all that comes."""
    trial = Trial(quotas=Quotas(bytes_per_s=1000))
    stray = tags([("label", "d" * 200)])
    found = []
    for _ in range(4 * 10_000 // len(stray)):
        trial.clock.advance(len(stray) / 900)
        found += trial.feed(stray)
    assert [] == found
    for _ in range(10):
        found = found or trial.feed(stray)

    assert [("ERROR", None, TOO_FAST), "end"] == found


def short(count: int, each_ms: int) -> list[Fragment]:
    """Fragments that follow one another sooner than they should."""
    pieces = footage(count)
    made = []
    for place, piece in enumerate(pieces):
        begin = BEGIN_MS + place * each_ms
        step = each_ms // len(piece.frames)
        frames = tuple(
            replace(frame, timecode_ms=begin + index * step, duration_ms=step)
            for index, frame in enumerate(piece.frames)
        )
        made.append(replace(piece, timecode_ms=begin, frames=frames))
    return made


def test_a_strict_server_refuses_a_fragment_that_is_shorter_than_a_second() -> None:
    """At the begin of the next, before anything of it is stored; the last of a body may be short."""
    pieces = short(3, 700)
    strict, lenient, last, waiting = Trial(quotas=STRICT), Trial(), Trial(quotas=STRICT), Trial(quotas=STRICT)
    alone = last.feed(whole(pieces[:1]))
    alone += last.told(last.ingest.end())
    waiting.feed(whole(pieces[:1]))
    waiting.clock.advance(waiting.ingest.patience_s)

    assert [said("BUFFERING", pieces[0]), ("ERROR", BEGIN_MS, TOO_SHORT), "end"] == strict.feed(whole(pieces))
    assert [] == strict.offers
    assert begun_and_received(*pieces) == lenient.feed(whole(pieces))
    assert begun_and_received(*pieces[:1]) == alone
    assert [said("RECEIVED", pieces[0]), "offer"] == waiting.told(waiting.ingest.look())


def test_a_fault_happens_as_often_as_it_says() -> None:
    """Twice asked for, twice had, and then never again."""
    faults = Faults([ErrorAck(5000, 1, times=2)])

    assert [True, True, False] == [faults.at("buffering", 1) is not None for _ in range(3)]
    assert () == faults.waiting


def test_what_is_muted_is_stored_and_not_told() -> None:
    """A producer that hears nothing any more must not take that for good news."""
    trial = Trial(Mute(2))
    fed = trial.feed(whole(PIECES[:2]))

    assert [said("BUFFERING", PIECES[0]), said("RECEIVED", PIECES[0]), "offer", "offer"] == fed
    assert [said("PERSISTED", PIECES[0])] == trial.told(trial.ingest.stored(trial.offers[0]))
    assert [] == trial.told(trial.ingest.stored(trial.offers[1]))


def test_a_delay_is_of_one_saying_of_one_fragment() -> None:
    """Only RECEIVED of the second comes late."""
    trial = Trial(Delay("RECEIVED", 2.5, 2))
    steps = [step for step in trial.ingest.feed(whole(PIECES[:2])) if isinstance(step, Say)]

    assert [0.0, 0.0, 0.0, 2.5] == [step.after_s for step in steps]


def test_without_data_idle_is_said_and_after_thirty_seconds_it_is_closed() -> None:
    """Data starts it anew."""
    trial = Trial()
    trial.feed(HEADER)
    found = []
    for _ in range(3):
        trial.clock.advance(trial.ingest.patience_s)
        found += trial.told(trial.ingest.look())

    assert [("IDLE", None, None), ("IDLE", None, None), "end"] == found
    assert NOW.timestamp() + 30 == trial.clock.wall().timestamp()


def test_data_puts_off_idle() -> None:
    """Whoever sends something every nine seconds never hears it."""
    trial = Trial()
    found = []
    for byte in HEADER[:20]:
        trial.clock.advance(9)
        found += trial.told(trial.ingest.look())
        found += trial.feed(bytes([byte]))

    assert [] == found


def test_a_connection_ends_after_forty_five_minutes_with_4003() -> None:
    """Whatever it is being sent."""
    trial = Trial()
    for _ in range(45 * 60 // 20 - 1):
        trial.clock.advance(20)
        trial.feed(b"")
    trial.feed(whole(PIECES[:1]))
    trial.clock.advance(20)

    assert [("ERROR", None, 4003), "end"] == trial.told(trial.ingest.look())


def test_a_stream_that_is_deleted_ends_its_connection_with_4008() -> None:
    """It is not active any more."""
    trial = Trial()
    trial.feed(HEADER)

    assert [("ERROR", None, 4008), "end"] == trial.told(trial.ingest.stream_gone())


def test_what_cannot_be_stored_is_an_archival_error_about_that_fragment() -> None:
    """5001, and nothing is called persisted."""
    trial = Trial()
    trial.feed(whole(PIECES[:1]))

    assert [said("ERROR", PIECES[0], 5001), "end"] == trial.told(trial.ingest.not_stored(trial.offers[0]))


def test_an_ack_is_one_flat_line_that_the_c_client_can_take() -> None:
    """Names as on the wire, numbers of fragments as text, and far below 1,024 bytes."""
    line = Ack("ERROR", BEGIN_MS, "9" * 128, 4002).line()

    assert (
        b'{"EventType":"ERROR","FragmentTimecode":1772355600000,"FragmentNumber":"' + b"9" * 128 + b'",'
        b'"ErrorCode":"MAX_FRAGMENT_DURATION_REACHED","ErrorId":4002}\n'
    ) == line
    assert len(line) <= MAX_LINE
    assert (
        b'{"EventType":"ERROR","ErrorCode":"UNKNOWN_ERROR","ErrorId":4999}\n'
        == Ack("ERROR", error_id=4999).line()
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_whatever_bytes_come_it_ends_once_or_goes_on(at: int, value: int) -> None:
    """One byte of a body is another: an ERROR comes last if it comes, and nothing is thrown."""
    body = bytearray(whole(PIECES[:2]))
    body[at % len(body)] = value
    trial = Trial()
    found = trial.feed(bytes(body)) + trial.told(trial.ingest.end())
    errors = [each for each in found if each[0] == "ERROR"]

    assert len(errors) == found.count("end") <= 1
    assert not errors or found[-1] == "end"
