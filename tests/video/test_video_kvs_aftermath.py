"""What is done after a connection ended: the table of error ids, and the rules for refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import StreamError
from appliance.video.kvs.acks import Ack
from appliance.video.kvs.aftermath import Aftermath, Judge
from appliance.video.kvs.error_ids import is_known, meaning_of
from appliance.video.kvs.put_media import Ending
from appliance.video.kvs.sending import Sent
from appliance.video.kvs.spool_files import SpoolEntry
from appliance.video.kvs_server.acks import ERROR_CODES

ENTRY = SpoolEntry("clip", 7, 1000, 3000, 10)
SKIPPED = (*range(4001, 4003), *range(4004, 4008), *range(4009, 4013))
ALARMED = (4008, *range(4500, 4508))
RESENT = (4000, 4003, 5000, 5001, 4999, 1, None)


def after(error_id: int | None, *, named: bool = True, judge: Judge | None = None) -> Aftermath:
    """What is done about an error that a fragment was answered with."""
    timecode = ENTRY.timecode_ms if named else None
    ending = Ending(error=Ack("ERROR", timecode, error_id=error_id))
    found = (judge or Judge()).of(Sent(ending, ENTRY, named=named))
    assert found is not None
    return found


@pytest.mark.parametrize("error_id", SKIPPED)
def test_a_fragment_that_the_service_never_takes_is_given_up(error_id: int) -> None:
    """4001, 4002, 4004 to 4007 and 4009 to 4012 cost the fragment that they name."""
    assert (ENTRY, "soon") == ((found := after(error_id)).give_up, found.pace)


@pytest.mark.parametrize("error_id", RESENT)
def test_what_the_service_may_take_the_next_time_is_sent_again(error_id: int | None) -> None:
    """4000, 4003, the service's own faults, and what nobody knows: nothing is given up."""
    assert (None, "soon") == ((found := after(error_id)).give_up, found.pace)


@pytest.mark.parametrize("error_id", ALARMED)
def test_what_needs_somebody_is_told_and_tried_slowly(error_id: int) -> None:
    """A stream that is deleted or whose key cannot be used: everything is kept, and asked for anew."""
    found = after(error_id)

    assert (None, "slowly", True) == (found.give_up, found.pace, found.ask_anew)
    assert found.pause_s(1) > 30
    assert found.fault.hint


def test_an_error_that_names_no_fragment_costs_one_only_the_second_time() -> None:
    """It may have been about another: the fragment that was on its way gets one more chance."""
    judge = Judge()

    assert [None, ENTRY] == [after(4006, named=False, judge=judge).give_up for _ in range(2)]


def test_an_error_that_nobody_knows_does_not_stop_everything_for_ever() -> None:
    """A fragment that is answered so five times is given up; the service's own faults never cost one."""
    judge, other = Judge(), Judge()

    assert [None] * 4 + [ENTRY] == [after(4999, judge=judge).give_up for _ in range(5)]
    assert [None] * 9 == [after(5000, judge=other).give_up for _ in range(9)]


def test_a_connection_that_was_too_old_is_no_failure() -> None:
    """The service ends each at 45 minutes: the next follows at once."""
    assert after(4003).pause_s(9) == 0.0


def test_an_error_without_a_number_is_known_by_its_name() -> None:
    """The id may be missing as well."""
    ending = Ending(error=Ack("ERROR", 1000, error_code="INVALID_MKV_DATA"))
    found = Judge().of(Sent(ending, ENTRY, named=True))

    assert found is not None
    assert found.give_up == ENTRY


def test_an_error_that_nobody_knows_and_that_names_nobody_does_not_either() -> None:
    """It is held against the fragment that was on its way, as one that names it would be."""
    judge = Judge()

    assert [None] * 4 + [ENTRY] == [after(4999, named=False, judge=judge).give_up for _ in range(5)]
    assert [None] * 9 == [after(5000, named=False).give_up for _ in range(9)]


@pytest.mark.parametrize(("error_id", "name"), ERROR_CODES.items())
def test_every_error_is_known_by_its_name_alone(error_id: int, name: str) -> None:
    """The same is done as for its number; two numbers have one name, and are treated alike."""
    by_id, by_name = meaning_of(error_id), meaning_of(None, name)

    assert is_known(None, name)
    assert by_id == by_name
    assert by_id == meaning_of(4999, name), "also where another number came with it"


def test_a_fragment_that_is_too_short_is_given_up() -> None:
    """AWS documents the name and no number: whatever number comes, it will never be longer."""
    ending = Ending(error=Ack("ERROR", 1000, error_id=4013, error_code="MIN_FRAGMENT_DURATION_REACHED"))
    found = Judge().of(Sent(ending, ENTRY, named=True))

    assert found is not None
    assert (ENTRY, "fragment") == (found.give_up, found.fault.reason)


@pytest.mark.parametrize(
    ("reason", "pace", "anew", "credentials"),
    [
        ("occupied", "taken", False, False),
        ("endpoint", "soon", True, False),
        ("credentials", "soon", False, True),
        ("denied", "slowly", True, True),
        ("no_stream", "slowly", True, False),
        ("unreachable", "soon", True, False),
        ("server", "soon", False, False),
        ("busy", "soon", False, False),
        ("cut", "soon", False, False),
        ("retention", "slowly", False, False),
        ("clock", "soon", False, True),
    ],
)
def test_refusals_have_their_pace(reason: str, pace: str, anew: bool, credentials: bool) -> None:  # noqa: FBT001
    """A missing right is tried slowly, a taken place soon; a wrong endpoint is asked for anew."""
    found = Judge().of_fault(StreamError("…", reason=reason))  # type: ignore[arg-type]

    assert (pace, anew, credentials) == (found.pace, found.ask_anew, found.new_credentials)


@given(failures=st.integers(1, 10_000))
def test_pauses_are_drawn_from_nothing_to_sixteen_seconds(failures: int) -> None:
    """Full jitter, doubled with every failure; a taken place is tried again after 1 to 30 seconds."""
    cut, taken = StreamError("…", reason="cut"), StreamError("…", reason="occupied")

    assert 0 <= Judge().of_fault(cut).pause_s(failures) <= min(16, 2 ** (failures - 1))
    assert 1 <= Judge().of_fault(taken).pause_s(failures) <= 30
